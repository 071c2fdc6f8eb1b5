// Reads what scikit-learn fitted (made by scripts/fixtures/estimators_fit.py) and measures how far ours is from it.
// Called by the parity tests of the estimators.
import { readFileSync } from 'node:fs';
import type { EnvelopeOptions } from '../../training/elliptic-envelope.ts';
import { type Matrix, matrixFromRows } from '../../training/matrix.ts';
import type { SgdOneClassOptions } from '../../training/sgd-one-class.ts';

type Numbers = readonly number[];
type Rows = readonly (readonly (number | null)[])[];

interface SgdCase {
  readonly options: Readonly<Record<string, number | string | boolean | null>>;
  readonly weights: Numbers;
  readonly offset: number;
  readonly epochs: number;
  readonly shuffle_seed?: number;
}

interface EnvelopeCase {
  readonly rows: Rows;
  readonly options: {
    readonly random_state: number;
    readonly contamination?: number;
    readonly support_fraction?: number;
  };
  readonly raw_location: Numbers;
  readonly raw_covariance: readonly Numbers[];
  readonly location: Numbers;
  readonly covariance: readonly Numbers[];
  readonly offset: number;
  readonly decisions: Numbers;
}

interface Fixtures {
  readonly scaler: { readonly rows: Rows; readonly mean: Numbers; readonly scale: Numbers };
  readonly kmeans: {
    readonly rows: Rows;
    readonly cases: readonly {
      readonly first: Rows;
      readonly tolerance: number;
      readonly centres: readonly Numbers[];
      readonly inertia: number;
      readonly iterations: number;
      readonly silhouette?: number;
    }[];
    readonly online_first: Rows;
    readonly online: readonly { readonly centres: readonly Numbers[]; readonly counts: Numbers }[];
  };
  readonly svm: {
    readonly tables: Readonly<Record<string, { readonly rows: Rows; readonly labels: Numbers }>>;
    readonly cases: readonly {
      readonly table: string;
      readonly C: number;
      readonly class_weights: readonly [number, number] | null;
      readonly weights: Numbers;
      readonly intercept: number;
      readonly support: number;
      readonly decisions: Numbers;
    }[];
  };
  readonly sgd: { readonly rows: Rows; readonly cases: readonly SgdCase[] };
  readonly pca: readonly {
    readonly rows: Rows;
    readonly options: { readonly whiten?: boolean; readonly n_components?: number };
    readonly components: readonly Numbers[];
    readonly variances: Numbers;
    readonly shares: Numbers;
    readonly projected: readonly Numbers[];
  }[];
  readonly dose: { readonly rows: Rows; readonly shuffle_seed: number; readonly decisions: Numbers };
  readonly envelope: readonly EnvelopeCase[];
  readonly outlier_factor: {
    readonly rows: Rows;
    readonly fresh: Rows;
    readonly cases: readonly {
      readonly neighbours: number;
      readonly training: Numbers;
      readonly fresh: Numbers;
    }[];
  };
  readonly chi_squared: readonly {
    readonly degrees: number;
    readonly share: number;
    readonly quantile: number;
    readonly below: number;
  }[];
}

export const FITTED = JSON.parse(
  readFileSync(new URL('../fixtures/estimators/sklearn-1.9.json', import.meta.url), 'utf8'),
) as Fixtures;

/** Null is a missing value. */
export function matrixOf(rows: Rows): Matrix {
  return matrixFromRows(rows.map((row) => Float64Array.from(row, (value) => value ?? Number.NaN)));
}

/** Our options for scikit-learn's. */
export function sgdOptionsOf({ options, shuffle_seed }: SgdCase): Partial<SgdOneClassOptions> {
  const names: Readonly<Record<string, keyof SgdOneClassOptions>> = {
    nu: 'nu',
    average: 'averageFrom',
    learning_rate: 'learningRate',
    eta0: 'eta0',
    power_t: 'powerT',
    max_iter: 'epochsMax',
    tol: 'tolerance',
    fit_intercept: 'fitIntercept',
  };
  const known = Object.entries(options).filter(([name]) => name !== 'random_state');
  return {
    ...Object.fromEntries(known.map(([name, value]) => [names[name]!, value])),
    shuffleSeed: shuffle_seed ?? null,
  };
}

export function envelopeOptionsOf({ options }: EnvelopeCase): Partial<EnvelopeOptions> & { seed: number } {
  return {
    seed: 0,
    ...(options.contamination === undefined ? {} : { contamination: options.contamination }),
    ...(options.support_fraction === undefined ? {} : { supportShare: options.support_fraction }),
  };
}

/** Largest difference between two lists, each relative to max(1, |theirs|); Infinity for different lengths or a NaN. */
export function farthest(ours: ArrayLike<number>, theirs: ArrayLike<number>): number {
  if (ours.length !== theirs.length) return Infinity;
  let most = 0;
  for (let i = 0; i < ours.length; i++) {
    const difference = Math.abs(ours[i]! - theirs[i]!) / Math.max(1, Math.abs(theirs[i]!));
    if (!(difference <= most)) most = Number.isNaN(difference) ? Infinity : difference;
  }
  return most;
}
