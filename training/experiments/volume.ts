// The `volume` experiment (seed 001): the recipe's table anew for every seed, split 70/30, labels of the training part flipped by
// 0, 2 and 5 %, C chosen by cross-validation inside the training part, judged on clean test labels and pooled over the seeds.
// Pure: seeds in, figures out. volume-report.ts makes tables and plots of it.
import { type Random, seededRandom } from '../../domain/random.ts';
import type { FitProgress } from '../estimator.ts';
import { decideLinearSvm, fitLinearSvm } from '../linear-svm.ts';
import { type Matrix, pickRows, refuseTraining, scoreRows } from '../matrix.ts';
import { type Confusion, confusionAt, f1Of, falsePositiveRateOf } from '../metrics.ts';
import { fitScaler, scaleMatrix } from '../standard-scaler.ts';
import { drawVolumeTable } from './volume-recipe.ts';

/** Shares of the training labels that are turned round. */
export const FLIP_SHARES = [0, 0.02, 0.05] as const;
/** Costs of a margin violation that the sweep tries, on columns of unit variance. Higher ones change nothing and take long. */
export const SWEPT_C = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30] as const;
const TEST_SHARE = 0.3;
const FOLDS = 5;
/** Steps grow with C; the plane reached by then serves. */
const STEPS_MAX = 20_000;

/** Counts of one judged table at one share of flips. */
export interface VolumeRun {
  readonly chosenC: number;
  readonly chosen: Confusion;
  /** Counts on the test part for each of SWEPT_C, fitted on the whole training part. */
  readonly swept: readonly Confusion[];
}

export interface VolumeSeed {
  readonly normal: number;
  readonly abnormal: number;
  readonly dropped: number;
  readonly countMean: number;
  readonly countSd: number;
  /** One for each of FLIP_SHARES. */
  readonly runs: readonly VolumeRun[];
  readonly alwaysAbnormal: Confusion;
  /** As the notebook fits: raw columns, C = 1, all rows; judged on the same rows, which the notebook does not do at all. */
  readonly onAllRows: Confusion;
}

interface Rows {
  readonly matrix: Matrix;
  readonly labels: Uint8Array;
}

/** Runs every seed. Throws PicketError TRAINING_INVALID without seeds. */
export function runVolume(
  seeds: readonly number[],
  onProgress?: (progress: FitProgress) => void,
): VolumeSeed[] {
  if (seeds.length === 0) refuseTraining('volume: at least one seed is needed');
  return seeds.map((seed, i) => {
    const one = runSeed(seededRandom(seed));
    onProgress?.({ done: i + 1, all: seeds.length });
    return one;
  });
}

function runSeed(random: Random): VolumeSeed {
  const table = drawVolumeTable(random);
  const { train, test } = splitOf(table, random);
  const abnormal = table.labels.reduce((sum, label) => sum + label, 0);
  return {
    normal: table.labels.length - abnormal,
    abnormal,
    dropped: table.dropped,
    countMean: table.countMean,
    countSd: table.countSd,
    runs: FLIP_SHARES.map((share, i) => runFlips(flipped(train, share, random.fork(i)), test, random)),
    alwaysAbnormal: judged(test, () => 1),
    onAllRows: judged(table, decisionOf(table, 1, false)),
  };
}

function splitOf(table: Rows, random: Random): { train: Rows; test: Rows } {
  const order = random.shuffle(Uint32Array.from(table.labels, (_, row) => row));
  const testCount = Math.ceil(order.length * TEST_SHARE);
  return {
    train: rowsOf(table, order.subarray(testCount)),
    test: rowsOf(table, order.subarray(0, testCount)),
  };
}

function rowsOf({ matrix, labels }: Rows, rows: Uint32Array): Rows {
  return { matrix: pickRows(matrix, rows), labels: Uint8Array.from(rows, (row) => labels[row]!) };
}

/** The same rows with a share of the labels turned round, drawn without regard to the class. */
function flipped({ matrix, labels }: Rows, share: number, random: Random): Rows {
  const turned = labels.slice();
  const order = random.shuffle(Uint32Array.from(labels, (_, row) => row));
  for (const row of order.subarray(0, Math.round(labels.length * share))) turned[row] = 1 - turned[row]!;
  return { matrix, labels: turned };
}

function runFlips(train: Rows, test: Rows, random: Random): VolumeRun {
  const swept = SWEPT_C.map((C) => judged(test, decisionOf(train, C, true)));
  const place = chooseC(train, random);
  return { chosenC: SWEPT_C[place]!, chosen: swept[place]!, swept };
}

/**
 * Place of the C with the best F1 over the folds of the training part, labels as noisy as they are; of F1 equal within a
 * thousandth, the one with fewer false positives: normal rows are a sixth of all, so F1 alone hardly sees them.
 */
function chooseC(train: Rows, random: Random): number {
  const order = random.shuffle(Uint32Array.from(train.labels, (_, row) => row));
  const folds = Array.from({ length: FOLDS }, (_, fold) => ({
    rest: rowsOf(
      train,
      order.filter((_, i) => i % FOLDS !== fold),
    ),
    held: rowsOf(
      train,
      order.filter((_, i) => i % FOLDS === fold),
    ),
  })).filter(({ rest }) => rest.labels.includes(0) && rest.labels.includes(1));
  const tried = SWEPT_C.map((C) =>
    pooled(folds.map(({ rest, held }) => judged(held, decisionOf(rest, C, true)))),
  );
  const bestF1 = Math.max(...tried.map(f1Of));
  let best = -1;
  tried.forEach((confusion, i) => {
    if (f1Of(confusion) < bestF1 - 0.001) return;
    if (best < 0 || falsePositiveRateOf(confusion) < falsePositiveRateOf(tried[best]!)) best = i;
  });
  return best;
}

/** Fits on the rows; gives the decision for a raw row. */
function decisionOf({ matrix, labels }: Rows, C: number, isScaled: boolean): (row: Float64Array) => number {
  if (!isScaled) {
    const raw = fitLinearSvm(matrix, labels, { C, iterationsMax: STEPS_MAX });
    return (row) => decideLinearSvm(raw, row);
  }
  const scaler = fitScaler(matrix);
  const model = fitLinearSvm(scaleMatrix(scaler, matrix), labels, { C, iterationsMax: STEPS_MAX });
  return (row) =>
    decideLinearSvm(model, scaleMatrix(scaler, { values: row, rowCount: 1, columnCount: row.length }).values);
}

function judged({ matrix, labels }: Rows, decide: (row: Float64Array) => number): Confusion {
  // The threshold of a decision is above 0, not at it, as scikit-learn's predict has it.
  return confusionAt({ scores: scoreRows(matrix, decide), positives: labels }, Number.MIN_VALUE);
}

/** Sums of the counts. */
export function pooled(confusions: readonly Confusion[]): Confusion {
  const sum = { truePositives: 0, falsePositives: 0, trueNegatives: 0, falseNegatives: 0 };
  for (const one of confusions) {
    sum.truePositives += one.truePositives;
    sum.falsePositives += one.falsePositives;
    sum.trueNegatives += one.trueNegatives;
    sum.falseNegatives += one.falseNegatives;
  }
  return sum;
}
