// What can be set about a random forest classifier, with scikit-learn's defaults, and the checks of every value. All wrong
// options are reported at once. Used by random-forest.ts.
import { PicketError, type Problem } from '../domain/errors.ts';
import { DEPTH_MAX } from './booster-options.ts';
import type { ClassWeight } from './class-weights.ts';
import type { Dataset } from './dataset.ts';
import type { FitProgress } from './estimator.ts';
import { classWeightProblems, numberProblems } from './option-rules.ts';

export interface RandomForestOptions {
  /** Trees, 1..2000. */
  readonly trees: number;
  /** Features looked at for a split: the square root of all of them, all, or that many (1 or more). */
  readonly maxFeatures: 'sqrt' | 'all' | number;
  /** 1..64; null: no limit but the 64 of the bundle format. */
  readonly maxDepth: number | null;
  /** Distinct rows a node must have to be split, 2 or more. */
  readonly minSamplesSplit: number;
  /** Distinct rows of a leaf, 1 or more. */
  readonly minSamplesLeaf: number;
  /** Draw rows with replacement for each tree; false: every tree sees all rows. */
  readonly bootstrap: boolean;
  /** Rows drawn for each tree, 1 or more; null: as many as there are. With `bootstrap` only. */
  readonly maxSamples: number | null;
  /**
   * With `bootstrap` weights are chances of being drawn (scikit-learn 1.9), else they weigh the rows. `balanced_subsample`:
   * rows are drawn evenly and weighed by the classes of the sample.
   */
  readonly classWeight: ClassWeight | 'balanced_subsample';
  readonly seed: number;
  /** Called after every tree. */
  readonly onProgress?: (progress: FitProgress) => void;
}

export const RANDOM_FOREST_DEFAULTS: RandomForestOptions = {
  trees: 100,
  maxFeatures: 'sqrt',
  maxDepth: null,
  minSamplesSplit: 2,
  minSamplesLeaf: 1,
  bootstrap: true,
  maxSamples: null,
  classWeight: 'none',
  seed: 0,
};

/** How many features a split looks at. */
export function featuresPerSplit({ maxFeatures }: RandomForestOptions, featureCount: number): number {
  if (maxFeatures === 'all') return featureCount;
  if (maxFeatures === 'sqrt') return Math.max(1, Math.floor(Math.sqrt(featureCount)));
  return maxFeatures;
}

/**
 * Fills in the defaults and checks every value against the data.
 * @throws PicketError TRAINING_INVALID with one problem for each wrong option.
 */
export function completeForestOptions(
  given: Partial<RandomForestOptions>,
  data: Dataset,
): RandomForestOptions {
  const options = { ...RANDOM_FOREST_DEFAULTS, ...given };
  const { maxFeatures, classWeight, bootstrap, maxSamples } = options;
  const problems: Problem[] = numberProblems({
    trees: [options.trees, 1, 2000, true],
    maxFeatures: [typeof maxFeatures === 'string' ? null : maxFeatures, 1, data.names.length, true],
    maxDepth: [options.maxDepth, 1, DEPTH_MAX, true],
    minSamplesSplit: [options.minSamplesSplit, 2, 1e9, true],
    minSamplesLeaf: [options.minSamplesLeaf, 1, 1e9, true],
    maxSamples: [maxSamples, 1, 1e9, true],
    seed: [options.seed, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, true],
  });
  if (typeof classWeight !== 'string') problems.push(...classWeightProblems(classWeight, data));
  if (!bootstrap && maxSamples !== null) {
    problems.push({ field: 'maxSamples', value: String(maxSamples), expected: 'null without bootstrap' });
  }
  if (!bootstrap && classWeight === 'balanced_subsample') {
    problems.push({ field: 'classWeight', value: classWeight, expected: 'balanced without bootstrap' });
  }
  if (problems.length > 0) {
    throw new PicketError('TRAINING_INVALID', 'the forest options are not usable', { problems });
  }
  return options;
}
