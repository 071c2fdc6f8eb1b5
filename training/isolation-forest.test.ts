// Isolation forests: the same for the same seed, sound trees, decisions on path lengths that equal those on scores. Agreement
// with scikit-learn is shown in test/parity/forests.test.ts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../domain/random.ts';
import type { FeatureTable } from './dataset.ts';
import {
  isolationForest,
  normalFrom,
  outlierScore,
  outlierScores,
  pathSums,
  scoreQuantile,
  trainIsolationForest,
} from './isolation-forest.ts';
import { isolationDepth, meanPathLength } from './isolation-tree.ts';

/** A crowd, and one row far from it. */
function crowdAndStray(seed: number, missingShare = 0): FeatureTable {
  const random = seededRandom(seed);
  const columns = Array.from({ length: 3 }, () => {
    const column = Float64Array.from({ length: 500 }, () =>
      random.next() < missingShare ? Number.NaN : random.normal(),
    );
    column[499] = 20;
    return column;
  });
  return { names: ['a', 'b', 'c'], columns, rowCount: 500 };
}

describe('trainIsolationForest', () => {
  it('grows the same trees for the same seed, others for another', () => {
    const table = crowdAndStray(1);
    const first = trainIsolationForest(table, { trees: 5, seed: 3 });
    expect(trainIsolationForest(table, { trees: 5, seed: 3 })).toEqual(first);
    expect(trainIsolationForest(table, { trees: 5, seed: 4 })).not.toEqual(first);
  });

  it.each([0, 0.3])('gives the stray row the highest score, missing share %d', (missingShare) => {
    const table = crowdAndStray(2, missingShare);
    const scores = outlierScores(trainIsolationForest(table), table);
    expect(scores.indexOf(Math.max(...scores))).toBe(499);
    expect(scores[499]).toBeGreaterThan(0.6);
  });

  it('grows trees over a sample, no deeper than its logarithm, whose leaves hold path lengths', () => {
    const model = trainIsolationForest(crowdAndStray(3), { trees: 20, maxSamples: 100 });
    for (const tree of model.trees) {
      expect(tree.cover[0]).toBe(100);
      const depths = new Uint32Array(tree.left.length);
      tree.left.forEach((left, node) => {
        if (left === 0) {
          expect(tree.values[0]![node]).toBeCloseTo(depths[node]! + meanPathLength(tree.cover[node]!), 12);
          return;
        }
        depths.fill(depths[node]! + 1, left, left + 2);
        expect(tree.cover[left]! + tree.cover[left + 1]!).toBe(tree.cover[node]);
      });
      expect(Math.max(...depths)).toBeLessThanOrEqual(7);
    }
    expect(model.divisor).toBe(20 * meanPathLength(100));
  });

  it('flags the share that contamination says, by score and by path length alike', () => {
    const table = crowdAndStray(4);
    const model = trainIsolationForest(table, { contamination: 0.1 });
    const sums = pathSums(model, table);
    const flagged = sums.filter((sum) => sum < model.normalFrom).length;
    expect(flagged).toBe(50);
    for (const sum of sums) {
      expect(sum < model.normalFrom).toBe(outlierScore(model, sum) > model.scoreThreshold);
    }
  });

  it('takes fewer rows than a sample, constant columns, and a column without values', () => {
    const columns = [
      Float64Array.of(1, 2, 9),
      new Float64Array(3).fill(4),
      new Float64Array(3).fill(Number.NaN),
    ];
    const table = { names: ['a', 'b', 'c'], columns, rowCount: 3 };
    const model = trainIsolationForest(table, { trees: 30 });
    expect(model.trees.every((tree) => tree.feature.every((feature) => feature === 0))).toBe(true);
    expect(outlierScores(model, table)[2]).toBeGreaterThan(outlierScores(model, table)[0]!);
  });

  it('refuses bad options, one row and infinite values', () => {
    const table = crowdAndStray(5);
    const wrong = { trees: 0, maxSamples: 1, contamination: 0.6 };
    expect(() => trainIsolationForest(table, wrong)).toThrow(
      expect.objectContaining({
        code: 'TRAINING_INVALID',
        problems: ['trees', 'maxSamples', 'contamination'].map((field) => expect.objectContaining({ field })),
      }),
    );
    const one = { names: ['a'], columns: [Float64Array.of(1)], rowCount: 1 };
    expect(() => trainIsolationForest(one)).toThrow('one row');
    const endless = { names: ['a'], columns: [Float64Array.of(1, Infinity)], rowCount: 2 };
    expect(() => trainIsolationForest(endless)).toThrow('infinite');
  });

  it('scores a row by itself as in the table', () => {
    const table = crowdAndStray(6);
    const model = isolationForest.fit(table, { trees: 10 });
    const scores = outlierScores(model, table);
    expect(isolationForest.score(model, [20, 20, 20])).toBe(scores[499]);
  });
});

it('isolates no deeper than a full tree of the sample', () => {
  expect([1, 2, 3, 64, 65, 256].map(isolationDepth)).toEqual([1, 1, 2, 6, 7, 8]);
});

it('takes the quantile of scores with linear interpolation, from the highest', () => {
  const scores = Float64Array.of(0.5, 0.1, 0.9, 0.3, 0.7);
  expect(scoreQuantile(scores, 0)).toBe(0.9);
  expect(scoreQuantile(scores, 0.25)).toBe(0.7);
  expect(scoreQuantile(scores, 0.125)).toBeCloseTo(0.8, 15);
  expect(scoreQuantile(scores, 0.5)).toBe(0.5);
});

it('finds the first normal path length to the last bit', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.01, max: 0.999, noNaN: true }),
      fc.double({ min: 1, max: 1e5, noNaN: true }),
      (threshold, divisor) => {
        const from = normalFrom(threshold, divisor);
        const bits = new BigInt64Array(Float64Array.of(from).buffer);
        bits[0]! -= 1n;
        const below = new Float64Array(bits.buffer)[0]!;
        expect(outlierScore({ divisor }, from)).toBeLessThanOrEqual(threshold);
        expect(outlierScore({ divisor }, below)).toBeGreaterThan(threshold);
      },
    ),
  );
});
