// What the booster promises beyond parity with scikit-learn (test/parity/hgb.test.ts): limits, weights, early stopping,
// determinism, margins equal to a tree walk, and refusals in plain words.
import { describe, expect, it } from 'vitest';
import { PicketError } from '../domain/errors.ts';
import { type BoostedModel, predictMargins, trainBooster } from './booster.ts';
import { type BoosterOptions, EARLY_STOPPING_DEFAULTS } from './booster-options.ts';
import { type Dataset, takeRows } from './dataset.ts';
import { lossFor } from './loss.ts';
import { madeRows } from './made-rows.ts';
import { rocAuc } from './metrics.ts';
import { leafCount } from './tree.ts';

const DATA = madeRows({ seed: 1, rowCount: 1200, classCount: 2, missingShare: 0.2 });
const TRAIN = takeRows(
  DATA,
  Array.from({ length: 800 }, (_, i) => i),
);
const OTHER = takeRows(
  DATA,
  Array.from({ length: 400 }, (_, i) => 800 + i),
);
const trees = (model: BoostedModel) => model.trees.flat();

function depthOf(left: Uint32Array, node = 0): number {
  const child = left[node]!;
  return child === 0 ? 0 : 1 + Math.max(depthOf(left, child), depthOf(left, child + 1));
}

function problemFields(data: Dataset, options: Partial<BoosterOptions>): string[] {
  try {
    trainBooster(data, options);
  } catch (thrown) {
    expect(PicketError.from(thrown).code).toBe('TRAINING_INVALID');
    return PicketError.from(thrown).problems.map(({ field }) => field);
  }
  return [];
}

describe('trainBooster', () => {
  it('ranks rows that it has not seen', () => {
    const model = trainBooster(TRAIN, { maxIter: 60 });
    expect(rocAuc({ scores: predictMargins(model, OTHER)[0]!, positives: OTHER.labels })).toBeGreaterThan(
      0.93,
    );
  });

  it('separates more than two classes, one tree a class and iteration', () => {
    const data = madeRows({ seed: 2, rowCount: 900, classCount: 3, missingShare: 0.1 });
    const model = trainBooster(data, { maxIter: 20 });
    expect(model.trees.map((iteration) => iteration.length)).toEqual(new Array(20).fill(3));
    const margins = predictMargins(model, data);
    const right = data.labels.filter((label, row) => {
      const row3 = margins.map((column) => column[row]!);
      return row3.indexOf(Math.max(...row3)) === label;
    });
    expect(right.length / data.rowCount).toBeGreaterThan(0.85);
  });

  it('lowers the training loss with every iteration', () => {
    const losses = [1, 5, 20].map((maxIter) =>
      lossFor(2).mean(TRAIN, predictMargins(trainBooster(TRAIN, { maxIter }), TRAIN)),
    );
    expect(losses).toEqual(losses.toSorted((a, b) => b - a));
  });

  it('keeps to its limits on leaves, depth and rows of a leaf', () => {
    const model = trainBooster(TRAIN, { maxIter: 5, maxLeafNodes: 7, maxDepth: 3, minSamplesLeaf: 30 });
    for (const tree of trees(model)) {
      expect(leafCount(tree)).toBeLessThanOrEqual(7);
      expect(depthOf(tree.left)).toBeLessThanOrEqual(3);
      tree.left.forEach((left, node) => {
        if (left === 0) expect(tree.cover[node]).toBeGreaterThanOrEqual(30);
        else expect(tree.cover[left]! + tree.cover[left + 1]!).toBe(tree.cover[node]);
      });
    }
  });

  it('puts children side by side after their parent, as the bundle format wants', () => {
    for (const tree of trees(trainBooster(TRAIN, { maxIter: 3 }))) {
      const parents = new Map<number, number>();
      tree.left.forEach((left, node) => {
        if (left === 0) return;
        expect(left).toBeGreaterThan(node);
        for (const child of [left, left + 1]) {
          expect(parents.has(child)).toBe(false);
          parents.set(child, node);
        }
      });
      expect(parents.size).toBe(tree.left.length - 1);
    }
  });

  it('gives the same model for the same seed', () => {
    const options = { maxIter: 5, earlyStopping: EARLY_STOPPING_DEFAULTS, seed: 9 };
    expect(trainBooster(TRAIN, options)).toEqual(trainBooster(TRAIN, options));
  });

  it('treats a weight of 2 as the row twice, and of 0 as no row', () => {
    const rows = Array.from({ length: 300 }, (_, i) => i);
    const weights = Float64Array.from(rows, (row) => row % 3);
    const repeated = takeRows(
      DATA,
      rows.flatMap((row) => new Array<number>(row % 3).fill(row)),
    );
    const options = { maxIter: 1, minSamplesLeaf: 1, maxLeafNodes: 4, percentiles: 'midpoint' } as const;
    const weighted = trainBooster({ ...takeRows(DATA, rows), weights }, options);
    const twice = trainBooster(repeated, options);
    expect(weighted.baseline[0]).toBeCloseTo(twice.baseline[0]!, 12);
    expect(weighted.trees[0]![0]!.feature).toEqual(twice.trees[0]![0]!.feature);
  });

  it('balances classes by weight: the baseline is then even odds', () => {
    const rare = takeRows(
      DATA,
      [...DATA.labels.keys()].filter((row) => DATA.labels[row] === 0 || row % 5 === 0),
    );
    expect(trainBooster(rare, { maxIter: 1 }).baseline[0]).toBeLessThan(-0.5);
    expect(trainBooster(rare, { maxIter: 1, classWeight: 'balanced' }).baseline[0]).toBeCloseTo(0, 12);
    expect(trainBooster(rare, { maxIter: 1, classWeight: [1, 100] }).baseline[0]).toBeGreaterThan(1);
  });

  it('stops when held-out rows no longer gain, given or held out by itself', () => {
    const patient = { ...EARLY_STOPPING_DEFAULTS, patience: 3, tolerance: 1e-3 };
    const given = trainBooster(TRAIN, { maxIter: 300, earlyStopping: { ...patient, validation: OTHER } });
    expect(given.trees.length).toBeLessThan(300);
    expect(given.validationLosses.length).toBe(given.trees.length + 1);
    const best = Math.min(...given.validationLosses);
    expect(Math.min(...given.validationLosses.slice(-3))).toBeGreaterThanOrEqual(best);
    const heldOut = trainBooster(TRAIN, { maxIter: 300, earlyStopping: patient });
    expect(heldOut.trees.length).toBeLessThan(300);
    expect(heldOut.trees[0]![0]!.cover[0]).toBe(720);
  });

  it('reports every iteration', () => {
    const seen: number[] = [];
    trainBooster(TRAIN, { maxIter: 4, onIteration: ({ iteration }) => seen.push(iteration) });
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it('learns nothing from constant features, and says the class share', () => {
    const data: Dataset = {
      names: ['same', 'none'],
      columns: [new Float64Array(100).fill(3), new Float64Array(100).fill(Number.NaN)],
      rowCount: 100,
      labels: Uint8Array.from({ length: 100 }, (_, row) => (row < 25 ? 1 : 0)),
      classNames: ['no', 'yes'],
    };
    const model = trainBooster(data, { maxIter: 2 });
    expect(trees(model).map(leafCount)).toEqual([1, 1]);
    expect(predictMargins(model, data)[0]![7]).toBeCloseTo(Math.log(1 / 3), 12);
  });

  it('splits on missing values alone when they tell the class', () => {
    const labels = Uint8Array.from({ length: 100 }, (_, row) => row % 2);
    const column = Float64Array.from(labels, (label) => (label === 1 ? Number.NaN : 5));
    const data: Dataset = { names: ['x'], columns: [column], rowCount: 100, labels, classNames: ['a', 'b'] };
    const model = trainBooster(data, { maxIter: 1, learningRate: 1 });
    const tree = model.trees[0]![0]!;
    expect([tree.threshold[0], tree.missingLeft[0]]).toEqual([Infinity, 0]);
    const [margins] = predictMargins(model, {
      ...data,
      columns: [Float64Array.of(1e308, Number.NaN)],
      rowCount: 2,
    });
    expect(margins![0]).toBeLessThan(0);
    expect(margins![1]).toBeGreaterThan(0);
  });
});

describe('refusals', () => {
  it('lists every wrong option at once', () => {
    const wrong = { learningRate: 0, maxIter: 2.5, binsMax: 300, l2: -1, classWeight: [1], maxDepth: 0 };
    expect(problemFields(TRAIN, wrong)).toEqual([
      'learningRate',
      'maxIter',
      'maxDepth',
      'l2',
      'binsMax',
      'classWeight',
    ]);
  });

  it('wants validation rows of the same shape', () => {
    const validation = { ...OTHER, names: ['a', 'b', 'c', 'd'] };
    expect(problemFields(TRAIN, { earlyStopping: { ...EARLY_STOPPING_DEFAULTS, validation } })).toEqual([
      'earlyStopping.validation',
    ]);
  });

  it.each<[string, Partial<Dataset>]>([
    ['there are no rows', { rowCount: 0, labels: new Uint8Array(0) }],
    ['no row has the class class_1', { labels: new Uint8Array(800) }],
    ['a model needs two classes or more', { classNames: ['one'] }],
    ['two features have the same name', { names: ['a', 'a', 'b', 'c'] }],
    ['label 7 is outside 0..1', { labels: TRAIN.labels.map((label, row) => (row === 5 ? 7 : label)) }],
    ['a weight must be finite', { weights: new Float64Array(800).fill(-1) }],
    [
      'column skewed, row 3: the value is infinite',
      {
        columns: TRAIN.columns.map((c, f) => c.map((v, row) => (f === 1 && row === 3 ? Infinity : v))),
      },
    ],
  ])('refuses data: %s', (message, change) => {
    expect(() => trainBooster({ ...TRAIN, ...change })).toThrow(message);
  });

  it('refuses to predict on other features', () => {
    const model = trainBooster(TRAIN, { maxIter: 1 });
    const table = { ...OTHER, names: ['normal', 'whole', 'skewed', 'noise'] };
    expect(() => predictMargins(model, table)).toThrow(
      'the model reads skewed as feature 1, the table has whole',
    );
  });
});
