// How good scores are: ROC AUC, average precision (PR AUC), log loss, and the counts and rates at a threshold.
// Ties are handled as scikit-learn does. Scores may be margins where only their order counts. Pure functions, used everywhere.

/** Scores and truth of the same rows; `positives[row]` is 1 for the positive class, 0 otherwise. */
export interface ScoredRows {
  readonly scores: Float64Array;
  readonly positives: Uint8Array;
}

/** Counts at a threshold: flagged means score >= threshold. */
export interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
}

/** One step of the curve: all rows with this score or above are flagged. */
export interface CurvePoint {
  readonly score: number;
  readonly truePositives: number;
  readonly falsePositives: number;
}

/** The points of the ROC and precision-recall curves, one for each distinct score, from the highest score down. */
export function curveOf({ scores, positives }: ScoredRows): CurvePoint[] {
  if (scores.length !== positives.length) throw new RangeError('scores and truth differ in length');
  if (scores.some(Number.isNaN)) throw new RangeError('a score is not a number');
  const order = Uint32Array.from({ length: scores.length }, (_, row) => row);
  order.sort((a, b) => scores[b]! - scores[a]!);
  const points: CurvePoint[] = [];
  let truePositives = 0;
  let falsePositives = 0;
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!;
    if (positives[row] === 1) truePositives++;
    else falsePositives++;
    const next = order[i + 1];
    if (next !== undefined && scores[next] === scores[row]) continue;
    points.push({ score: scores[row]!, truePositives, falsePositives });
  }
  return points;
}

/** Area under the ROC curve, ties counted half, 0..1; NaN when a class is absent. Mann and Whitney 1947. */
export function rocAuc(rows: ScoredRows): number {
  const points = curveOf(rows);
  const last = points.at(-1);
  if (last === undefined) return Number.NaN;
  let area = 0;
  let before: CurvePoint = { score: Infinity, truePositives: 0, falsePositives: 0 };
  for (const point of points) {
    const width = point.falsePositives - before.falsePositives;
    area += width * (point.truePositives + before.truePositives);
    before = point;
  }
  return area / 2 / (last.truePositives * last.falsePositives);
}

/** Average precision: precision summed over the steps of recall, 0..1; NaN without positives. */
export function averagePrecision(rows: ScoredRows): number {
  const points = curveOf(rows);
  const positives = points.at(-1)?.truePositives ?? 0;
  let sum = 0;
  let before = 0;
  for (const { truePositives, falsePositives } of points) {
    sum += ((truePositives - before) * truePositives) / (truePositives + falsePositives);
    before = truePositives;
  }
  return sum / positives;
}

/** Mean of -ln(probability of the true class), probabilities clipped to [2.2e-16, 1 - 2.2e-16]. */
export function logLoss({ scores, positives }: ScoredRows): number {
  let sum = 0;
  for (let row = 0; row < scores.length; row++) {
    const p = Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, scores[row]!));
    sum -= positives[row] === 1 ? Math.log(p) : Math.log(1 - p);
  }
  return sum / scores.length;
}

/** Counts when every score at or above `threshold` is flagged. */
export function confusionAt({ scores, positives }: ScoredRows, threshold: number): Confusion {
  let truePositives = 0;
  let flagged = 0;
  let positiveCount = 0;
  for (let row = 0; row < scores.length; row++) {
    const isPositive = positives[row] === 1;
    const isFlagged = scores[row]! >= threshold;
    if (isPositive) positiveCount++;
    if (isFlagged) flagged++;
    if (isPositive && isFlagged) truePositives++;
  }
  const falsePositives = flagged - truePositives;
  return {
    truePositives,
    falsePositives,
    trueNegatives: scores.length - positiveCount - falsePositives,
    falseNegatives: positiveCount - truePositives,
  };
}

/** Harmonic mean of precision and recall, 0..1; 0 when nothing true is flagged. */
export function f1Of({ truePositives, falsePositives, falseNegatives }: Confusion): number {
  const weight = 2 * truePositives + falsePositives + falseNegatives;
  return weight === 0 ? 0 : (2 * truePositives) / weight;
}

/** Share of the positives that are flagged; 0 without positives. */
export function recallOf({ truePositives, falseNegatives }: Confusion): number {
  const all = truePositives + falseNegatives;
  return all === 0 ? 0 : truePositives / all;
}

/** Share of the flagged that are positive; 0 when nothing is flagged. */
export function precisionOf({ truePositives, falsePositives }: Confusion): number {
  const flagged = truePositives + falsePositives;
  return flagged === 0 ? 0 : truePositives / flagged;
}

/** Share of the negatives that are flagged; 0 without negatives. */
export function falsePositiveRateOf({ falsePositives, trueNegatives }: Confusion): number {
  const all = falsePositives + trueNegatives;
  return all === 0 ? 0 : falsePositives / all;
}

/** Mean and sample standard deviation (n - 1); the deviation of one value is 0. */
export function meanAndSd(values: readonly number[]): { mean: number; sd: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) };
}
