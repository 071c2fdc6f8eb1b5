// Random forests: the same for the same seed, sound trees, weights and limits kept, bad options refused. Whether the trees are
// the right ones is shown against scikit-learn in test/parity/forests.test.ts.
import { describe, expect, it } from 'vitest';
import type { Dataset } from './dataset.ts';
import type { ForestTree } from './forest-tree.ts';
import { madeRows } from './made-rows.ts';
import { rocAuc } from './metrics.ts';
import { classShares, predictShares, randomForest, trainRandomForest } from './random-forest.ts';

const DATA = madeRows({ seed: 6, rowCount: 400, classCount: 2, missingShare: 0.2 });
const CLASSES = madeRows({ seed: 7, rowCount: 400, classCount: 3, missingShare: 0.2 });

function depthOf(tree: ForestTree): number {
  const depths = new Uint32Array(tree.left.length);
  tree.left.forEach((left, node) => {
    if (left !== 0) depths.fill(depths[node]! + 1, left, left + 2);
  });
  return Math.max(...depths);
}

function oneColumn(values: readonly number[], labels: readonly number[]): Dataset {
  return {
    names: ['x'],
    columns: [Float64Array.from(values)],
    rowCount: values.length,
    labels: Uint8Array.from(labels),
    classNames: ['no', 'yes'],
  };
}

describe('trainRandomForest', () => {
  it('grows the same trees for the same seed, others for another', () => {
    const first = trainRandomForest(DATA, { trees: 5, seed: 3 });
    expect(trainRandomForest(DATA, { trees: 5, seed: 3 })).toEqual(first);
    expect(trainRandomForest(DATA, { trees: 5, seed: 4 })).not.toEqual(first);
    expect(first.trees[0]).not.toEqual(first.trees[1]);
  });

  it('adds trees to a forest without changing the first ones', () => {
    const few = trainRandomForest(DATA, { trees: 3 });
    expect(trainRandomForest(DATA, { trees: 6 }).trees.slice(0, 3)).toEqual(few.trees);
  });

  it('learns, and tells rows it has not seen', () => {
    const other = madeRows({ seed: 8, rowCount: 400, classCount: 2, missingShare: 0.2 });
    const scores = predictShares(trainRandomForest(DATA), other)[0]!;
    expect(rocAuc({ scores, positives: other.labels })).toBeGreaterThan(0.85);
  });

  it('separates what one threshold separates, half-way between the values', () => {
    const model = trainRandomForest(oneColumn([1, 2, 4, 5], [0, 0, 1, 1]), { bootstrap: false, trees: 1 });
    expect([...model.trees[0]!.threshold]).toEqual([3, 0, 0]);
    expect([...model.trees[0]!.values[0]!]).toEqual([0, 0, 1]);
    expect([...model.trees[0]!.cover]).toEqual([4, 2, 2]);
  });

  it('compares 32-bit floats: values that differ beyond them are one', () => {
    const data = oneColumn([1, 1 + 1e-12, 2, 2 + 1e-12], [0, 1, 0, 1]);
    const [tree] = trainRandomForest(data, { bootstrap: false, trees: 1 }).trees;
    expect([...tree!.values[0]!]).toEqual([0, 0.5, 0.5].slice(0, tree!.left.length));
  });

  it('splits missing values from all others where they tell the class', () => {
    const data = oneColumn([1, 2, Number.NaN, Number.NaN, 3], [0, 0, 1, 1, 0]);
    const model = trainRandomForest(data, { bootstrap: false, trees: 1 });
    expect(model.trees[0]!.threshold[0]).toBe(Infinity);
    expect([...predictShares(model, data)[0]!]).toEqual([0, 0, 1, 1, 0]);
  });

  it('keeps the limits on depth and rows', () => {
    const limits = { maxDepth: 3, minSamplesLeaf: 7, minSamplesSplit: 30, bootstrap: false };
    for (const tree of trainRandomForest(DATA, { trees: 10, ...limits }).trees) {
      expect(depthOf(tree)).toBeLessThanOrEqual(3);
      tree.left.forEach((left, node) => {
        if (left === 0) expect(tree.cover[node]).toBeGreaterThanOrEqual(7);
        else expect(tree.cover[node]).toBeGreaterThanOrEqual(30);
      });
    }
  });

  it('gives every node the weight of its children, and leaves shares that add up', () => {
    for (const tree of trainRandomForest(CLASSES, { trees: 4, classWeight: 'balanced_subsample' }).trees) {
      tree.left.forEach((left, node) => {
        const shares = tree.values.reduce((sum, values) => sum + values[node]!, 0);
        expect(shares).toBeCloseTo(left === 0 ? 1 : 0, 12);
        if (left !== 0) expect(tree.cover[left]! + tree.cover[left + 1]!).toBeCloseTo(tree.cover[node]!, 9);
      });
    }
  });

  it('draws rows by their weights: those of weight 0 never', () => {
    const weights = Float64Array.from(DATA.labels, (label) => label);
    const model = trainRandomForest({ ...DATA, weights }, { trees: 5 });
    expect(predictShares(model, DATA)[0]!.every((share) => share === 1)).toBe(true);
  });

  it('lets a heavy class win where the rows cannot tell', () => {
    const rows = oneColumn(
      Array(200).fill(1),
      Array.from({ length: 200 }, (_, i) => (i < 20 ? 1 : 0)),
    );
    const meanOf = (classWeight: 'none' | 'balanced' | 'balanced_subsample') =>
      predictShares(trainRandomForest(rows, { classWeight }), rows)[0]![0]!;
    expect(meanOf('none')).toBeCloseTo(0.1, 1);
    expect(meanOf('balanced')).toBeCloseTo(0.5, 1);
    expect(meanOf('balanced_subsample')).toBeCloseTo(0.5, 6);
  });

  it('draws as many rows as it is told', () => {
    for (const tree of trainRandomForest(DATA, { trees: 3, maxSamples: 50 }).trees) {
      expect(tree.cover[0]).toBe(50);
    }
  });

  it('reports each tree', () => {
    const seen: number[] = [];
    trainRandomForest(DATA, { trees: 3, onProgress: ({ done, all }) => seen.push(done, all) });
    expect(seen).toEqual([1, 3, 2, 3, 3, 3]);
  });

  it('names every wrong option at once', () => {
    const wrong = { trees: 0, maxDepth: 65, maxFeatures: 5, minSamplesLeaf: 1.5, classWeight: [1, -1] };
    const fields = ['trees', 'maxFeatures', 'maxDepth', 'minSamplesLeaf', 'classWeight'];
    expect(() => trainRandomForest(DATA, wrong)).toThrow(
      expect.objectContaining({
        code: 'TRAINING_INVALID',
        problems: fields.map((field) => expect.objectContaining({ field })),
      }),
    );
    expect(() => trainRandomForest(DATA, { bootstrap: false, maxSamples: 9 })).toThrow('not usable');
  });

  it('refuses values beyond 32-bit floats, and rows without weight', () => {
    expect(() => trainRandomForest(oneColumn([1, 1e39], [0, 1]))).toThrow('row 1: 1e+39 is beyond');
    expect(() => trainRandomForest({ ...DATA, weights: new Float64Array(400) })).toThrow('weight 0');
  });
});

describe('classShares', () => {
  it('gives the shares of a row in class order', () => {
    const two = randomForest.fit(DATA, { trees: 20 });
    const three = randomForest.fit(CLASSES, { trees: 20 });
    for (const [model, data] of [
      [two, DATA],
      [three, CLASSES],
    ] as const) {
      const table = predictShares(model, data);
      for (let row = 0; row < 30; row++) {
        const shares = classShares(
          model,
          data.columns.map((column) => column[row]!),
        );
        expect(shares.length).toBe(data.classNames.length);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
        expect([...shares.slice(-table.length)]).toEqual(table.map((column) => column[row]));
      }
    }
  });
});
