// Random forests for two classes or more (Breiman, "Random Forests", 2001), as scikit-learn's RandomForestClassifier grows them:
// a bootstrap sample and a random choice of features at each split; a row's shares are the mean over the trees' leaves.
// Gives a model of plain arrays. Called by experiments, and packed into bundles by export.ts.
import { PicketError } from '../domain/errors.ts';
import { type Random, seededRandom } from '../domain/random.ts';
import { DEPTH_MAX } from './booster-options.ts';
import { classWeighted } from './class-weights.ts';
import { checkedDataset, type Dataset, type FeatureTable } from './dataset.ts';
import type { Estimator } from './estimator.ts';
import { growGiniTree } from './forest-grower.ts';
import { addForestTree, type ForestTree } from './forest-tree.ts';
import {
  completeForestOptions,
  featuresPerSplit,
  type RandomForestOptions,
} from './random-forest-options.ts';
import { rankedTable, roundedColumns } from './ranked-table.ts';

export interface RandomForestModel {
  readonly kind: 'random_forest';
  readonly featureNames: readonly string[];
  readonly classNames: readonly string[];
  /** Leaves hold the share of the second class, or with three classes and more the share of each. */
  readonly trees: readonly ForestTree[];
}

/**
 * Fits a forest.
 * @throws PicketError TRAINING_INVALID for data or options that cannot give one.
 */
export function trainRandomForest(
  given: Dataset,
  partial: Partial<RandomForestOptions> = {},
): RandomForestModel {
  const options = completeForestOptions(partial, checkedDataset(given));
  const { classWeight, trees: all } = options;
  const data = classWeight === 'balanced_subsample' ? given : classWeighted(given, classWeight);
  const columns = roundedColumns(data);
  const table = { columns, ranked: rankedTable(columns, data.rowCount) };
  const rules = {
    maxFeatures: featuresPerSplit(options, data.names.length),
    maxDepth: options.maxDepth ?? DEPTH_MAX,
    minSamplesSplit: options.minSamplesSplit,
    minSamplesLeaf: options.minSamplesLeaf,
  };
  const random = seededRandom(options.seed);
  const draw = sampler(data, options);
  const classCount = data.classNames.length;
  const trees = Array.from({ length: all }, (_, number) => {
    const own = random.fork(number);
    const tree = growGiniTree(table, { labels: data.labels, classCount, weights: draw(own) }, rules, own);
    options.onProgress?.({ done: number + 1, all });
    return tree;
  });
  return { kind: 'random_forest', featureNames: data.names, classNames: data.classNames, trees };
}

/** Gives the row weights of one tree: how often each row was drawn, or its own weight without bootstrap. */
function sampler(data: Dataset, options: RandomForestOptions): (random: Random) => Float64Array {
  const { rowCount, weights } = data;
  const own = weights ?? new Float64Array(rowCount).fill(1);
  refuseWeightless(own);
  if (!options.bootstrap) return () => own;
  const draws = options.maxSamples ?? rowCount;
  const pick = weights === undefined ? (random: Random) => random.int(rowCount) : weightedPick(weights);
  return (random) => {
    const counts = new Float64Array(rowCount);
    for (let i = 0; i < draws; i++) counts[pick(random)]!++;
    return options.classWeight === 'balanced_subsample' ? balancedCounts(counts, data) : counts;
  };
}

function refuseWeightless(weights: Float64Array): void {
  if (weights.some((weight) => weight > 0)) return;
  throw new PicketError('TRAINING_INVALID', 'every row has weight 0');
}

/** Draws rows in proportion to their weights. */
function weightedPick(weights: Float64Array): (random: Random) => number {
  const upTo = new Float64Array(weights.length);
  let sum = 0;
  for (let row = 0; row < weights.length; row++) {
    sum += weights[row]!;
    upTo[row] = sum;
  }
  return (random) => {
    const drawn = random.next() * sum;
    let low = 0;
    let high = upTo.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (upTo[middle]! <= drawn) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Counts times rows / (classes * rows of the class), both of the sample; classes that were not drawn do not count. */
function balancedCounts(counts: Float64Array, { labels, classNames }: Dataset): Float64Array {
  const perClass = new Float64Array(classNames.length);
  let draws = 0;
  for (let row = 0; row < counts.length; row++) {
    perClass[labels[row]!]! += counts[row]!;
    draws += counts[row]!;
  }
  const present = perClass.filter((count) => count > 0).length;
  return counts.map((count, row) => (count * draws) / (present * (perClass[labels[row]!]! || 1)));
}

/**
 * Mean leaf value of every row, one array an output: for two classes the share of the second one, else of each class.
 * The table must hold the model's features in order; its values are rounded to f32.
 */
export function predictShares(model: RandomForestModel, table: FeatureTable): Float64Array[] {
  const columns = roundedColumns(table);
  const outputs = model.trees[0]!.values.length;
  const sums = Array.from({ length: outputs }, () => new Float64Array(table.rowCount));
  for (const tree of model.trees) addForestTree(tree, columns, sums);
  for (const sum of sums) {
    for (let row = 0; row < sum.length; row++) sum[row] = sum[row]! / model.trees.length;
  }
  return sums;
}

/** The share of each class for one row, in class order; they add up to 1. `row` holds a value for each feature. */
export function classShares(model: RandomForestModel, row: ArrayLike<number>): Float64Array {
  const columns = model.featureNames.map((_, f) => Float64Array.of(row[f]!));
  const shares = predictShares(model, { names: model.featureNames, columns, rowCount: 1 });
  if (shares.length > 1) return Float64Array.from(shares, (share) => share[0]!);
  return Float64Array.of(1 - shares[0]![0]!, shares[0]![0]!);
}

export const randomForest: Estimator<Dataset, RandomForestOptions, RandomForestModel, Float64Array> = {
  fit: trainRandomForest,
  score: classShares,
};
