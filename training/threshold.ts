// Where to cut scores: the threshold of the best F1, or of the best recall under a bound on false positives.
// Advice only; the policy decides. Thresholds lie half-way to the next score, so that a last-bit change flips nothing.
// Choose on rows that the model has not learnt from. Called by cross-validate.ts, cli/ and scripts.
import { PicketError } from '../domain/errors.ts';
import { type CurvePoint, curveOf, type ScoredRows } from './metrics.ts';

export interface Advice {
  /** Flag a score at and above this. */
  readonly threshold: number;
  readonly f1: number;
  readonly precision: number;
  readonly recall: number;
  readonly falsePositiveRate: number;
}

/** Which advice is wanted. */
export type ThresholdRule =
  | { readonly method: 'max_f1' }
  | { readonly method: 'max_recall_at_fpr'; readonly fprMax: number };

/** The advice that a rule gives on these rows. */
export function advise(rows: ScoredRows, rule: ThresholdRule): Advice {
  return rule.method === 'max_f1' ? adviseMaxF1(rows) : adviseRecallAtFpr(rows, rule.fprMax);
}

interface Totals {
  readonly positives: number;
  readonly negatives: number;
}

function curveAndTotals(rows: ScoredRows): { points: CurvePoint[]; totals: Totals } {
  const points = curveOf(rows);
  const last = points.at(-1);
  const totals = { positives: last?.truePositives ?? 0, negatives: last?.falsePositives ?? 0 };
  if (totals.positives === 0 || totals.negatives === 0) {
    throw new PicketError('TRAINING_INVALID', 'a threshold needs rows of both classes', {
      hint: `there are ${totals.positives} positive and ${totals.negatives} negative rows`,
    });
  }
  return { points, totals };
}

/** The advice that flags everything down to `points[index]`. */
function adviceAt(points: readonly CurvePoint[], index: number, totals: Totals): Advice {
  const { score, truePositives, falsePositives } = points[index]!;
  const below = points[index + 1]?.score;
  const middle = below === undefined ? score : below + (score - below) / 2;
  return {
    threshold: middle > (below ?? -Infinity) ? middle : score,
    f1: (2 * truePositives) / (totals.positives + truePositives + falsePositives),
    precision: truePositives / (truePositives + falsePositives),
    recall: truePositives / totals.positives,
    falsePositiveRate: falsePositives / totals.negatives,
  };
}

/**
 * The threshold of the best F1; of equals, the highest.
 * @throws PicketError TRAINING_INVALID when a class is absent.
 */
export function adviseMaxF1(rows: ScoredRows): Advice {
  const { points, totals } = curveAndTotals(rows);
  let best = adviceAt(points, 0, totals);
  for (let i = 1; i < points.length; i++) {
    const advice = adviceAt(points, i, totals);
    if (advice.f1 > best.f1) best = advice;
  }
  return best;
}

/**
 * The threshold of the best recall whose false-positive rate is at most `fprMax`; of equals, the highest. If even the
 * highest score flags too many negatives, the threshold lies above every score and recall is 0.
 * @param fprMax 0..1.
 * @throws PicketError TRAINING_INVALID when a class is absent or the bound is outside 0..1.
 */
export function adviseRecallAtFpr(rows: ScoredRows, fprMax: number): Advice {
  if (!(fprMax >= 0 && fprMax <= 1)) {
    const problems = [{ field: 'fprMax', value: String(fprMax), expected: 'a share from 0 to 1' }];
    throw new PicketError('TRAINING_INVALID', 'the bound on false positives is not usable', { problems });
  }
  const { points, totals } = curveAndTotals(rows);
  let best: Advice = { threshold: Infinity, f1: 0, precision: 0, recall: 0, falsePositiveRate: 0 };
  for (let i = 0; i < points.length; i++) {
    const advice = adviceAt(points, i, totals);
    if (advice.falsePositiveRate > fprMax) break;
    if (advice.recall > best.recall) best = advice;
  }
  return best;
}
