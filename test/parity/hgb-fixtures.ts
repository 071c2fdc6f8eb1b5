// Reads the fixtures that scripts/fixtures/hgb_data.py and hgb_fit.py made with scikit-learn, as data sets and options of ours.
// Missing values are null and infinities text in the files. Used by the booster's parity tests only.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PercentileMode } from '../../training/binning.ts';
import type { BoosterOptions } from '../../training/booster-options.ts';
import type { Dataset } from '../../training/dataset.ts';

interface StoredSet {
  readonly classes: number;
  readonly columns: readonly (readonly (number | null)[])[];
  readonly labels: readonly number[];
  readonly weights: readonly number[];
}

export interface StoredData {
  readonly bin_columns: Readonly<Record<string, readonly (number | null)[]>>;
  readonly sets: Readonly<Record<string, StoredSet>>;
}

interface StoredOptions {
  readonly weighted?: boolean;
  readonly class_weight?: 'balanced' | Readonly<Record<string, number>>;
  readonly learning_rate?: number;
  readonly max_iter?: number;
  readonly max_leaf_nodes?: number | null;
  readonly max_depth?: number;
  readonly min_samples_leaf?: number;
  readonly l2_regularization?: number;
  readonly max_bins?: number;
}

/** [rows, value] for a leaf, else [rows, feature, threshold, missing goes left, left, right, gain]; preorder. */
export type StoredNode =
  | readonly [number, number]
  | readonly [number, number, number | 'inf', number, number, number, number];

export interface FitCase {
  readonly set: string;
  readonly options: StoredOptions;
}

export interface StoredFits {
  readonly sklearn: string;
  readonly percentiles: PercentileMode;
  readonly edges: readonly {
    readonly column: string;
    readonly max_bins: number;
    readonly weights?: readonly number[];
    readonly edges: readonly number[];
  }[];
  readonly one_tree: readonly (FitCase & { baseline: number[]; trees: StoredNode[][] })[];
  readonly whole: readonly (FitCase & { raw: number[][]; auc: number; log_loss: number })[];
  readonly early_stopping: readonly {
    readonly set: string;
    readonly validation: string;
    readonly patience: number;
    readonly tolerance: number;
    readonly iterations: number;
    readonly losses: readonly number[];
  }[];
}

function readFixture<T>(name: string): T {
  const path = join(import.meta.dirname, '../fixtures/hgb', name);
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

export const DATA = readFixture<StoredData>('data.json');
export const FITS = ['sklearn-1.8.json', 'sklearn-1.9.json'].map((name) => readFixture<StoredFits>(name));

export function columnOf(values: readonly (number | null)[]): Float64Array {
  return Float64Array.from(values, (value) => value ?? Number.NaN);
}

/** A stored set; with its weights if asked for. */
export function datasetOf(name: string, weighted = false): Dataset {
  const stored = DATA.sets[name]!;
  return {
    names: stored.columns.map((_, f) => `x${f}`),
    columns: stored.columns.map(columnOf),
    rowCount: stored.labels.length,
    labels: Uint8Array.from(stored.labels),
    classNames: Array.from({ length: stored.classes }, (_, k) => `class ${k}`),
    ...(weighted ? { weights: Float64Array.from(stored.weights) } : {}),
  };
}

/** scikit-learn's options by our names. */
export function optionsOf(stored: StoredOptions, percentiles: PercentileMode): Partial<BoosterOptions> {
  const classWeight = stored.class_weight;
  return {
    percentiles,
    maxIter: stored.max_iter ?? 100,
    ...(stored.learning_rate === undefined ? {} : { learningRate: stored.learning_rate }),
    ...(stored.max_leaf_nodes === undefined ? {} : { maxLeafNodes: stored.max_leaf_nodes }),
    ...(stored.max_depth === undefined ? {} : { maxDepth: stored.max_depth }),
    ...(stored.min_samples_leaf === undefined ? {} : { minSamplesLeaf: stored.min_samples_leaf }),
    ...(stored.l2_regularization === undefined ? {} : { l2: stored.l2_regularization }),
    ...(stored.max_bins === undefined ? {} : { binsMax: stored.max_bins }),
    ...(classWeight === undefined
      ? {}
      : { classWeight: classWeight === 'balanced' ? classWeight : Object.values(classWeight) }),
  };
}
