// Hold-outs and folds: repeats stay together whatever the data, class shares are kept, seeds decide everything.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dataset } from './dataset.ts';
import { groupedFolds, repeatGroups, stratifiedHoldOut, withoutRepeats } from './split.ts';

function datasetOf(rows: readonly (readonly number[])[], labels: readonly number[]): Dataset {
  const width = rows[0]?.length ?? 1;
  return {
    names: Array.from({ length: width }, (_, f) => `x${f}`),
    columns: Array.from({ length: width }, (_, f) => Float64Array.from(rows, (row) => row[f]!)),
    rowCount: rows.length,
    labels: Uint8Array.from(labels),
    classNames: ['no', 'yes'],
  };
}

const value = fc.constantFrom(0, -0, 1, 2.5, Number.NaN, 1e300);
const datasets = fc
  .array(fc.tuple(value, value, fc.integer({ min: 0, max: 1 })), { minLength: 1, maxLength: 60 })
  .map((rows) =>
    datasetOf(
      rows.map(([a, b]) => [a, b]),
      rows.map(([, , y]) => y),
    ),
  );

describe('repeatGroups', () => {
  it('groups rows that are equal in every feature, and no others', () => {
    fc.assert(
      fc.property(datasets, (data) => {
        const groups = repeatGroups(data);
        const keys = Array.from(groups, (_, row) =>
          data.columns.map((column) => String(column[row]! + 0)).join(),
        );
        keys.forEach((key, i) => {
          keys.forEach((other, j) => {
            expect(groups[i] === groups[j]).toBe(key === other);
          });
        });
      }),
    );
  });

  it('counts groups from 0 in order of appearance', () => {
    const data = datasetOf([[1], [2], [1], [Number.NaN], [Number.NaN], [-0], [0]], [0, 0, 1, 1, 0, 0, 1]);
    expect([...repeatGroups(data)]).toEqual([0, 1, 0, 2, 2, 3, 3]);
  });
});

describe('withoutRepeats', () => {
  it('keeps the first of equal rows, and both of twins that differ in class', () => {
    const data = datasetOf([[1], [2], [1], [1], [2]], [0, 1, 0, 1, 1]);
    const { columns, labels } = withoutRepeats(data);
    expect([...columns[0]!]).toEqual([1, 2, 1]);
    expect([...labels]).toEqual([0, 1, 1]);
  });
});

describe('groupedFolds', () => {
  it('never separates repeats', () => {
    fc.assert(
      fc.property(datasets, fc.integer(), fc.integer({ min: 2, max: 4 }), (data, seed, folds) => {
        const groups = repeatGroups(data);
        const groupsOf = (label: number) =>
          new Set([...groups].filter((_, row) => data.labels[row] === label)).size;
        fc.pre(groupsOf(0) >= folds && groupsOf(1) >= folds);
        const foldOf = groupedFolds(data, groups, { folds, seed });
        const foldsOfGroup = new Map<number, Set<number>>();
        groups.forEach((group, row) => {
          const seen = foldsOfGroup.get(group) ?? new Set();
          foldsOfGroup.set(group, seen.add(foldOf[row]!));
        });
        for (const seen of foldsOfGroup.values()) expect(seen.size).toBe(1);
        expect(Math.max(...foldOf)).toBeLessThan(folds);
      }),
    );
  });

  it('gives each fold its share of each class', () => {
    const rows = Array.from({ length: 1000 }, (_, i) => [i % 950]);
    const data = datasetOf(
      rows,
      rows.map((_, i) => (i % 10 === 0 ? 1 : 0)),
    );
    const foldOf = groupedFolds(data, repeatGroups(data), { folds: 5, seed: 3 });
    for (let fold = 0; fold < 5; fold++) {
      const inFold = [...foldOf.keys()].filter((row) => foldOf[row] === fold);
      const positives = inFold.filter((row) => data.labels[row] === 1).length;
      expect(inFold.length - positives).toBeGreaterThanOrEqual(178);
      expect(inFold.length - positives).toBeLessThanOrEqual(182);
      expect(positives).toBeGreaterThanOrEqual(19);
      expect(positives).toBeLessThanOrEqual(21);
    }
  });

  it('follows the seed', () => {
    const rows = Array.from({ length: 60 }, (_, i) => [i]);
    const data = datasetOf(
      rows,
      rows.map((_, i) => i % 2),
    );
    const deal = (seed: number) => [...groupedFolds(data, repeatGroups(data), { folds: 3, seed })].join('');
    expect(deal(1)).toBe(deal(1));
    expect(deal(1)).not.toBe(deal(2));
  });

  it('refuses classes with fewer distinct rows than folds, and odd numbers of folds', () => {
    const data = datasetOf([[1], [1], [1], [2], [3]], [1, 1, 1, 0, 0]);
    const groups = repeatGroups(data);
    expect(() => groupedFolds(data, groups, { folds: 2, seed: 0 })).toThrow('class yes has 1 distinct rows');
    expect(() => groupedFolds(data, groups, { folds: 1.5, seed: 0 })).toThrow('number of folds');
  });
});

describe('stratifiedHoldOut', () => {
  it('takes its share of each class and leaves the rest', () => {
    const rows = Array.from({ length: 100 }, (_, i) => [i]);
    const data = datasetOf(
      rows,
      rows.map((_, i) => (i < 20 ? 1 : 0)),
    );
    const { kept, heldOut } = stratifiedHoldOut(data, 0.1, 5);
    expect([...heldOut].filter((row) => row < 20).length).toBe(2);
    expect(heldOut.length).toBe(10);
    expect([...kept, ...heldOut].toSorted((a, b) => a - b)).toEqual([...rows.keys()]);
  });

  it('takes at least one row of a class and never the last one', () => {
    const data = datasetOf([[1], [2], [3], [4]], [0, 0, 1, 1]);
    expect(stratifiedHoldOut(data, 0.01, 0).heldOut.length).toBe(2);
    expect(stratifiedHoldOut(data, 0.9, 0).kept.length).toBe(2);
    expect(() => stratifiedHoldOut(datasetOf([[1], [2], [3]], [0, 0, 1]), 0.5, 0)).toThrow(
      'class yes has 1 row',
    );
  });
});
