// Isolation forests (Liu, Ting and Zhou, "Isolation Forest", 2008), as scikit-learn's IsolationForest: what random splits part
// from the rest soon is an outlier. Decides on the sum of path lengths, where no exponential can differ between machines.
// Gives a model of plain arrays. Called by experiments, and packed into bundles by export.ts.
import { PicketError } from '../domain/errors.ts';
import { seededRandom } from '../domain/random.ts';
import { checkedTable, type FeatureTable } from './dataset.ts';
import type { Estimator, FitProgress } from './estimator.ts';
import { addForestTree, type ForestTree } from './forest-tree.ts';
import { growIsolationTree, meanPathLength } from './isolation-tree.ts';
import { numberProblems } from './option-rules.ts';
import { roundedColumns } from './ranked-table.ts';

export interface IsolationForestOptions {
  /** Trees, 1..2000. */
  readonly trees: number;
  /** Rows of each tree, drawn without replacement, 2 or more; fewer where the table has fewer. */
  readonly maxSamples: number;
  /** Share of outliers among the rows to learn from, above 0 and up to 0.5; `auto`: a score above 0.5 is an outlier. */
  readonly contamination: 'auto' | number;
  readonly seed: number;
  /** Called after every tree. */
  readonly onProgress?: (progress: FitProgress) => void;
}

export const ISOLATION_FOREST_DEFAULTS: IsolationForestOptions = {
  trees: 100,
  maxSamples: 256,
  contamination: 'auto',
  seed: 0,
};

export interface IsolationForestModel {
  readonly kind: 'isolation_forest';
  readonly featureNames: readonly string[];
  /** Leaves hold path lengths: nodes above the leaf, and c(n) for its n rows. */
  readonly trees: readonly ForestTree[];
  /** score = 2 ** (-sum of path lengths / divisor); the divisor is trees * c(rows of a tree). */
  readonly divisor: number;
  /** Rows with a score above this are outliers (scikit-learn's offset_, negated). */
  readonly scoreThreshold: number;
  /** The same in path lengths: outliers are rows whose sum is below this. */
  readonly normalFrom: number;
}

/**
 * Fits a forest.
 * @throws PicketError TRAINING_INVALID for rows or options that cannot give one.
 */
export function trainIsolationForest(
  given: FeatureTable,
  partial: Partial<IsolationForestOptions> = {},
): IsolationForestModel {
  const options = completeOptions(partial);
  const table = checkedTable(given);
  if (table.rowCount < 2) throw new PicketError('TRAINING_INVALID', 'one row cannot be isolated from others');
  const columns = roundedColumns(table);
  const sampleRows = Math.min(options.maxSamples, table.rowCount);
  const random = seededRandom(options.seed);
  const order = Uint32Array.from({ length: table.rowCount }, (_, row) => row);
  const trees = Array.from({ length: options.trees }, (_, number) => {
    const own = random.fork(number);
    for (let i = 0; i < sampleRows; i++) {
      const drawn = i + own.int(order.length - i);
      const row = order[drawn]!;
      order[drawn] = order[i]!;
      order[i] = row;
    }
    const tree = growIsolationTree(columns, order.slice(0, sampleRows), own);
    options.onProgress?.({ done: number + 1, all: options.trees });
    return tree;
  });
  const divisor = trees.length * meanPathLength(sampleRows);
  const grown = { kind: 'isolation_forest' as const, featureNames: table.names, trees, divisor };
  const { contamination } = options;
  const scoreThreshold = contamination === 'auto' ? 0.5 : upperScore({ ...grown, table }, contamination);
  return { ...grown, scoreThreshold, normalFrom: normalFrom(scoreThreshold, divisor) };
}

function completeOptions(given: Partial<IsolationForestOptions>): IsolationForestOptions {
  const options = { ...ISOLATION_FOREST_DEFAULTS, ...given };
  const { contamination } = options;
  const problems = numberProblems({
    trees: [options.trees, 1, 2000, true],
    maxSamples: [options.maxSamples, 2, 1e9, true],
    contamination: [contamination === 'auto' ? null : contamination, Number.MIN_VALUE, 0.5, false],
    seed: [options.seed, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, true],
  });
  if (problems.length === 0) return options;
  throw new PicketError('TRAINING_INVALID', 'the isolation forest options are not usable', { problems });
}

type GrownForest = Pick<IsolationForestModel, 'featureNames' | 'trees' | 'divisor'>;

/** The score that the given share of the rows is above: percentile with linear interpolation, as numpy's default. */
function upperScore({ table, ...model }: GrownForest & { table: FeatureTable }, share: number): number {
  const scores = pathSums(model, table).map((sum) => outlierScore(model, sum));
  return scoreQuantile(scores, share);
}

/**
 * Score above which the share lies, counted from the highest.
 * @param share 0..1.
 */
export function scoreQuantile(scores: Float64Array, share: number): number {
  const normality = scores.map((score) => -score).sort();
  const place = (normality.length - 1) * share;
  const below = Math.floor(place);
  const low = normality[below]!;
  const high = normality[Math.min(below + 1, normality.length - 1)]!;
  const part = place - below;
  const quantile = part < 0.5 ? low + (high - low) * part : high - (high - low) * (1 - part);
  return -quantile;
}

/** The smallest sum of path lengths whose score is not above the threshold, by bisection on `outlierScore`. */
export function normalFrom(scoreThreshold: number, divisor: number): number {
  let outlier = 0;
  let normal = divisor * 64;
  for (;;) {
    const middle = (outlier + normal) / 2;
    if (!(outlier < middle && middle < normal)) return normal;
    if (outlierScore({ divisor }, middle) > scoreThreshold) outlier = middle;
    else normal = middle;
  }
}

/** Sum of path lengths of every row: low for outliers. The table must hold the model's features in order. */
export function pathSums(model: Pick<IsolationForestModel, 'trees'>, table: FeatureTable): Float64Array {
  const sums = new Float64Array(table.rowCount);
  const columns = roundedColumns(table);
  for (const tree of model.trees) addForestTree(tree, columns, [sums]);
  return sums;
}

/** Score of a sum of path lengths, above 0 and up to 1: near 1 for outliers, about 0.5 for rows like all others. */
export function outlierScore({ divisor }: Pick<IsolationForestModel, 'divisor'>, pathSum: number): number {
  return 2 ** (-pathSum / divisor);
}

/** Scores of all rows. */
export function outlierScores(model: IsolationForestModel, table: FeatureTable): Float64Array {
  return pathSums(model, table).map((sum) => outlierScore(model, sum));
}

export const isolationForest: Estimator<FeatureTable, IsolationForestOptions, IsolationForestModel> = {
  fit: trainIsolationForest,
  score: (model, row) => {
    const columns = model.featureNames.map((_, f) => Float64Array.of(row[f]!));
    return outlierScores(model, { names: model.featureNames, columns, rowCount: 1 })[0]!;
  },
};
