// What can be set about a histogram gradient booster, with scikit-learn's defaults, and the checks of every value.
// All wrong options are reported at once. Used by booster.ts; the `picket train` command maps its flags to these.
import { PicketError, type Problem } from '../domain/errors.ts';
import type { PercentileMode } from './binning.ts';
import type { ClassWeight } from './class-weights.ts';
import type { Dataset } from './dataset.ts';
import { classWeightProblems, numberProblems } from './option-rules.ts';

/** Stop when the loss on held-out rows no longer falls. */
export interface EarlyStopping {
  /** Rows to judge by; null: a stratified share of the training rows is held out. */
  readonly validation: Dataset | null;
  /** Share held out when `validation` is null, above 0 and below 1. */
  readonly validationShare: number;
  /** Iterations without improvement before stopping, 1 or more. */
  readonly patience: number;
  /** What counts as improvement of the mean loss, 0 or more. */
  readonly tolerance: number;
}

export interface BoosterOptions {
  /** Factor on every leaf, above 0 and up to 1. */
  readonly learningRate: number;
  /** Iterations; a tree each for two classes, a tree a class for more. 1..2000. */
  readonly maxIter: number;
  /** 2..65535; null: no limit. */
  readonly maxLeafNodes: number | null;
  /** 1..64; null: no limit but the 64 of the bundle format. */
  readonly maxDepth: number | null;
  readonly minSamplesLeaf: number;
  /** Added to the hessian of every leaf, 0 or more. */
  readonly l2: number;
  /** Bins for values that are not missing, 2..255. */
  readonly binsMax: number;
  readonly percentiles: PercentileMode;
  readonly classWeight: ClassWeight;
  readonly earlyStopping: EarlyStopping | null;
  /** For the hold-out and for sampling rows when finding bins. */
  readonly seed: number;
  /** Called after every iteration. */
  readonly onIteration?: (report: IterationReport) => void;
}

export interface IterationReport {
  /** Counts from 1. */
  readonly iteration: number;
  readonly maxIter: number;
  readonly leaves: number;
  /** Mean loss on the held-out rows, with early stopping only. */
  readonly validationLoss?: number;
}

export const EARLY_STOPPING_DEFAULTS: EarlyStopping = {
  validation: null,
  validationShare: 0.1,
  patience: 10,
  tolerance: 1e-7,
};

export const BOOSTER_DEFAULTS: BoosterOptions = {
  learningRate: 0.1,
  maxIter: 100,
  maxLeafNodes: 31,
  maxDepth: null,
  minSamplesLeaf: 20,
  l2: 0,
  binsMax: 255,
  percentiles: 'averaged_inverted_cdf',
  classWeight: 'none',
  earlyStopping: null,
  seed: 0,
};

/** Depth that the bundle format allows; trees without `maxDepth` stop here too. */
export const DEPTH_MAX = 64;

function earlyStoppingProblems(stopping: EarlyStopping, data: Dataset): Problem[] {
  const problems = numberProblems({
    'earlyStopping.validationShare': [stopping.validationShare, 0.001, 0.9, false],
    'earlyStopping.patience': [stopping.patience, 1, 10_000, true],
    'earlyStopping.tolerance': [stopping.tolerance, 0, 1e6, false],
  });
  const other = stopping.validation;
  if (other !== null && other.names.join('\n') !== data.names.join('\n')) {
    const expected = 'the features of the training rows, in the same order';
    problems.push({ field: 'earlyStopping.validation', value: other.names.join(', '), expected });
  }
  if (other !== null && other.classNames.join('\n') !== data.classNames.join('\n')) {
    const expected = 'the classes of the training rows, in the same order';
    problems.push({ field: 'earlyStopping.validation', value: other.classNames.join(', '), expected });
  }
  return problems;
}

/**
 * Fills in the defaults and checks every value against the data.
 * @throws PicketError TRAINING_INVALID with one problem for each wrong option.
 */
export function completeOptions(given: Partial<BoosterOptions>, data: Dataset): BoosterOptions {
  const options = { ...BOOSTER_DEFAULTS, ...given };
  const problems = numberProblems({
    learningRate: [options.learningRate, Number.MIN_VALUE, 1, false],
    maxIter: [options.maxIter, 1, 2000, true],
    maxLeafNodes: [options.maxLeafNodes, 2, 65_535, true],
    maxDepth: [options.maxDepth, 1, DEPTH_MAX, true],
    minSamplesLeaf: [options.minSamplesLeaf, 1, 1e9, true],
    l2: [options.l2, 0, 1e12, false],
    binsMax: [options.binsMax, 2, 255, true],
    seed: [options.seed, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, true],
  });
  if (typeof options.classWeight !== 'string') {
    problems.push(...classWeightProblems(options.classWeight, data));
  }
  if (options.earlyStopping !== null) problems.push(...earlyStoppingProblems(options.earlyStopping, data));
  if (problems.length > 0) {
    throw new PicketError('TRAINING_INVALID', 'the training options are not usable', { problems });
  }
  return options;
}
