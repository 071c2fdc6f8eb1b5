// Reads the fixtures that scripts/fixtures/forest_fit.py made with scikit-learn, as data sets and options of ours.
// Missing values are null and infinities text in the file. Used by the forests' parity tests only.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../../training/dataset.ts';
import type { IsolationForestOptions } from '../../training/isolation-forest.ts';
import type { RandomForestOptions } from '../../training/random-forest-options.ts';
import { columnOf } from './hgb-fixtures.ts';

interface StoredOptions {
  readonly weighted?: boolean;
  readonly class_weight?: 'balanced' | 'balanced_subsample' | Readonly<Record<string, number>>;
  readonly max_features?: number;
  readonly max_depth?: number;
  readonly min_samples_leaf?: number;
  readonly min_samples_split?: number;
  readonly bootstrap?: boolean;
}

/** [weight, shares] for a leaf, else [weight, feature, threshold, missing goes left, left, right]; preorder. */
export type StoredForestNode =
  | readonly [number, readonly number[]]
  | readonly [number, number, number | 'inf', number, number, number];

interface StoredIsolation {
  readonly name: string;
  readonly options: { max_samples?: number; n_estimators?: number; contamination?: number };
  /** The first half of the rows was learned from, the others were scored. */
  readonly columns: readonly (readonly (number | null)[])[];
  readonly labels: readonly number[];
  readonly auc: readonly number[];
  readonly mean: readonly number[];
  readonly offsets: readonly number[];
  readonly flagged: readonly number[];
  /** Scores that the first seed's forest gave the rows it learned from. */
  readonly first_scores: readonly number[];
  readonly divisor: number;
}

interface StoredFits {
  readonly sklearn: string;
  readonly trees: readonly {
    readonly set: string;
    readonly options: StoredOptions;
    readonly weights?: readonly number[];
    readonly nodes: readonly StoredForestNode[];
    /** For the first rows of the set: values[class][row][feature] of the shap package. */
    readonly shap?: {
      readonly bias: readonly number[];
      readonly values: readonly (readonly (readonly number[])[])[];
    };
  }[];
  readonly forests: readonly {
    readonly set: string;
    readonly other: string;
    readonly options: StoredOptions;
    readonly auc: readonly number[];
    /** mean[class][row of the other set] over all seeds. */
    readonly mean: readonly (readonly number[])[];
  }[];
  readonly isolation: readonly StoredIsolation[];
  /** c(1), c(2), ... */
  readonly mean_path_lengths: readonly number[];
}

export const FOREST_FITS = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/forests/sklearn-1.9.json'), 'utf8'),
) as StoredFits;

/** scikit-learn's options by our names. */
export function forestOptions(stored: StoredOptions): Partial<RandomForestOptions> {
  const weight = stored.class_weight ?? 'none';
  return {
    classWeight: typeof weight === 'string' ? weight : Object.values(weight),
    ...(stored.max_features === undefined ? {} : { maxFeatures: stored.max_features }),
    ...(stored.max_depth === undefined ? {} : { maxDepth: stored.max_depth }),
    ...(stored.min_samples_leaf === undefined ? {} : { minSamplesLeaf: stored.min_samples_leaf }),
    ...(stored.min_samples_split === undefined ? {} : { minSamplesSplit: stored.min_samples_split }),
    ...(stored.bootstrap === undefined ? {} : { bootstrap: stored.bootstrap }),
  };
}

export function isolationOptions({ options }: StoredIsolation): Partial<IsolationForestOptions> {
  return {
    ...(options.n_estimators === undefined ? {} : { trees: options.n_estimators }),
    ...(options.max_samples === undefined ? {} : { maxSamples: options.max_samples }),
    ...(options.contamination === undefined ? {} : { contamination: options.contamination }),
  };
}

/** The learned and the scored half. */
export function isolationHalves({ columns, labels }: StoredIsolation): [Dataset, Dataset] {
  const half = labels.length / 2;
  const part = (start: number, stop: number): Dataset => ({
    names: columns.map((_, f) => `x${f}`),
    columns: columns.map((column) => columnOf(column.slice(start, stop))),
    rowCount: stop - start,
    labels: Uint8Array.from(labels.slice(start, stop)),
    classNames: ['normal', 'outlier'],
  });
  return [part(0, half), part(half, labels.length)];
}
