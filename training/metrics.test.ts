// Metrics and threshold advice against small cases by hand and against brute force on random scores with ties.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  averagePrecision,
  confusionAt,
  f1Of,
  falsePositiveRateOf,
  logLoss,
  meanAndSd,
  precisionOf,
  recallOf,
  rocAuc,
  type ScoredRows,
} from './metrics.ts';
import { adviseMaxF1, adviseRecallAtFpr } from './threshold.ts';

function rowsOf(scores: readonly number[], positives: readonly number[]): ScoredRows {
  return { scores: Float64Array.from(scores), positives: Uint8Array.from(positives) };
}

/** Scores on a coarse grid, so that ties are common, with both classes present. */
const scoredRows = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 1 })), {
    minLength: 2,
    maxLength: 40,
  })
  .map((pairs) =>
    rowsOf(
      pairs.map(([s]) => s / 12),
      pairs.map(([, y]) => y),
    ),
  )
  .filter(({ positives }) => positives.includes(0) && positives.includes(1));

/** Share of positive-negative pairs in the right order, ties half. */
function pairwiseAuc({ scores, positives }: ScoredRows): number {
  let wins = 0;
  let pairs = 0;
  for (let i = 0; i < scores.length; i++) {
    for (let j = 0; j < scores.length; j++) {
      if (positives[i] !== 1 || positives[j] !== 0) continue;
      pairs++;
      if (scores[i]! > scores[j]!) wins++;
      else if (scores[i] === scores[j]) wins += 0.5;
    }
  }
  return wins / pairs;
}

describe('metrics', () => {
  const rows = rowsOf([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]);

  it('agrees with the example of scikit-learn’s documentation', () => {
    expect(rocAuc(rows)).toBe(0.75);
    expect(averagePrecision(rows)).toBeCloseTo(0.8333333333333333, 15);
    expect(logLoss(rowsOf([0.1, 0.9, 0.8, 0.35], [0, 1, 1, 0]))).toBeCloseTo(0.21616187468057912, 12);
  });

  it('counts at a threshold, which itself is flagged', () => {
    const confusion = confusionAt(rows, 0.4);
    expect(confusion).toEqual({ truePositives: 1, falsePositives: 1, trueNegatives: 1, falseNegatives: 1 });
    expect([f1Of, recallOf, precisionOf, falsePositiveRateOf].map((rate) => rate(confusion))).toEqual([
      0.5, 0.5, 0.5, 0.5,
    ]);
  });

  it('says NaN, not a figure, when a class is absent', () => {
    expect(rocAuc(rowsOf([0.1, 0.2], [1, 1]))).toBeNaN();
    expect(averagePrecision(rowsOf([0.1], [0]))).toBeNaN();
    expect(f1Of(confusionAt(rowsOf([0.1], [0]), 0.5))).toBe(0);
  });

  it('refuses scores that are no numbers', () => {
    expect(() => rocAuc(rowsOf([0.1, Number.NaN], [0, 1]))).toThrow(RangeError);
  });

  it('has the sample standard deviation', () => {
    expect(meanAndSd([1, 2, 3, 4])).toEqual({ mean: 2.5, sd: Math.sqrt(5 / 3) });
    expect(meanAndSd([7])).toEqual({ mean: 7, sd: 0 });
  });

  it('equals brute force over all pairs, ties included', () => {
    fc.assert(
      fc.property(scoredRows, (given) => {
        expect(rocAuc(given)).toBeCloseTo(pairwiseAuc(given), 12);
        const turned = { scores: given.scores.map((s) => -s), positives: given.positives };
        expect(rocAuc(turned)).toBeCloseTo(1 - pairwiseAuc(given), 12);
      }),
    );
  });
});

describe('threshold advice', () => {
  const candidates = Array.from({ length: 26 }, (_, i) => (i - 0.5) / 24);

  it('has the best F1 of all thresholds, and says what it reaches', () => {
    fc.assert(
      fc.property(scoredRows, (rows) => {
        const advice = adviseMaxF1(rows);
        const best = Math.max(...candidates.map((threshold) => f1Of(confusionAt(rows, threshold))));
        const reached = confusionAt(rows, advice.threshold);
        expect(advice.f1).toBeCloseTo(best, 12);
        expect(f1Of(reached)).toBeCloseTo(advice.f1, 12);
        expect(recallOf(reached)).toBe(advice.recall);
        expect(precisionOf(reached)).toBe(advice.precision);
        expect(falsePositiveRateOf(reached)).toBe(advice.falsePositiveRate);
      }),
    );
  });

  it('has the best recall under a bound on false positives', () => {
    fc.assert(
      fc.property(scoredRows, fc.double({ min: 0, max: 1, noNaN: true }), (rows, fprMax) => {
        const advice = adviseRecallAtFpr(rows, fprMax);
        const within = candidates
          .map((threshold) => confusionAt(rows, threshold))
          .filter((confusion) => falsePositiveRateOf(confusion) <= fprMax);
        expect(advice.falsePositiveRate).toBeLessThanOrEqual(fprMax);
        expect(advice.recall).toBeCloseTo(Math.max(0, ...within.map(recallOf)), 12);
        expect(recallOf(confusionAt(rows, advice.threshold))).toBe(advice.recall);
      }),
    );
  });

  it('lies half-way to the next score, and above all scores when nothing may be flagged', () => {
    expect(adviseMaxF1(rowsOf([0.2, 0.9, 0.8], [0, 1, 1])).threshold).toBeCloseTo(0.5, 15);
    expect(adviseRecallAtFpr(rowsOf([0.9, 0.2], [0, 1]), 0).threshold).toBe(Infinity);
  });

  it('refuses one class and bounds outside 0..1', () => {
    expect(() => adviseMaxF1(rowsOf([0.5], [1]))).toThrow('rows of both classes');
    expect(() => adviseRecallAtFpr(rowsOf([0.5, 0.1], [1, 0]), 2)).toThrow('bound on false positives');
  });
});
