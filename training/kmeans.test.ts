// K-means without an oracle: same seed same model, finds the clouds that were made, chooses their number, learns online towards
// the mean of what it is given; refuses what cannot give a model. Parity with scikit-learn is in test/parity/estimators.test.ts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../domain/random.ts';
import { assignClusters, fitKMeans, nearestCentre, scoreKMeans } from './kmeans.ts';
import { chooseKMeans, meanSilhouette } from './kmeans-choice.ts';
import { learnBatch, startOnline } from './kmeans-online.ts';
import { type Matrix, matrixFromRows, rowOf } from './matrix.ts';

/** Clouds of 40 rows around places 20 apart. */
function clouds(count: number, seed: number): Matrix {
  const random = seededRandom(seed);
  const rows = Array.from({ length: count * 40 }, (_, i) => [
    20 * (i % count) + random.normal(),
    random.normal() - 20 * (i % count),
  ]);
  return matrixFromRows(rows);
}

describe('fitKMeans', () => {
  it('gives the same model for the same seed, and finds the clouds', () => {
    const matrix = clouds(4, 1);
    const model = fitKMeans(matrix, { k: 4, seed: 9 });
    expect(fitKMeans(matrix, { k: 4, seed: 9 })).toEqual(model);
    expect([...model.counts]).toEqual([40, 40, 40, 40]);
    const labels = assignClusters(model, matrix);
    for (let row = 0; row < matrix.rowCount; row++) expect(labels[row]).toBe(labels[row % 4]);
    expect(scoreKMeans(model, [0, 0])).toBeLessThan(1);
    expect(scoreKMeans(model, [500, 0])).toBeGreaterThan(400);
  });

  it('reports each start', () => {
    const seen: number[] = [];
    const onProgress = ({ done }: { done: number }) => seen.push(done);
    fitKMeans(clouds(2, 1), { k: 2, seed: 1, starts: 3, onProgress });
    expect(seen).toEqual([1, 2, 3]);
  });

  it('property: inertia is the sum of the squared distances to the nearest centres', () => {
    const cells = fc.double({ min: -1e3, max: 1e3, noNaN: true });
    const tables = fc.array(fc.tuple(cells, cells), { minLength: 6, maxLength: 40 });
    fc.assert(
      fc.property(tables, fc.integer({ min: 0, max: 1e6 }), (rows, seed) => {
        const matrix = matrixFromRows(rows);
        const model = fitKMeans(matrix, { k: 3, seed, starts: 2, tolerance: 0 });
        const squares = rows.map((row) => nearestCentre(model.centres, row).squared);
        const sum = squares.reduce((total, squared) => total + squared, 0);
        expect(Math.abs(sum - model.inertia)).toBeLessThanOrEqual(1e-9 * Math.max(1, sum));
        expect(model.inertia).toBeLessThanOrEqual(
          fitKMeans(matrix, { k: 1, seed }).inertia * (1 + 1e-9) + 1e-9,
        );
      }),
      { numRuns: 60 },
    );
  });

  it('has a place for rows that are all equal', () => {
    const matrix = matrixFromRows(Array.from({ length: 5 }, () => [2, 3]));
    const model = fitKMeans(matrix, { k: 3, seed: 1 });
    expect(model.inertia).toBe(0);
    expect([...rowOf(model.centres, 2)]).toEqual([2, 3]);
    expect(chooseKMeans(matrix, { kMin: 2, kMax: 4, seed: 1 }).model.centres.rowCount).toBe(1);
  });

  it('refuses bad options and bad rows', () => {
    const matrix = clouds(2, 1);
    expect(() => fitKMeans(matrix, { k: 0, seed: 1 })).toThrow(/options are not usable/);
    expect(() => fitKMeans(matrix, { k: 81, seed: 1 })).toThrow(/80 rows are fewer than 81/);
    expect(() => fitKMeans(matrixFromRows([[1], [Number.NaN]]), { k: 1, seed: 1 })).toThrow(
      /row 1, column 0 is missing/,
    );
    const firstCentres = matrixFromRows([[1, 2, 3]]);
    expect(() => fitKMeans(matrix, { k: 1, seed: 1, firstCentres })).toThrow(/first centres differ/);
  });
});

describe('chooseKMeans', () => {
  it.each([2, 3, 5])('finds that there are %i clouds', (count) => {
    const { model, silhouettes } = chooseKMeans(clouds(count, 7), { kMin: 2, kMax: 7, seed: 3 });
    expect(model.centres.rowCount).toBe(count);
    expect(silhouettes.map(({ k }) => k)).toEqual([2, 3, 4, 5, 6, 7]);
  });

  it('judges by a seeded sample of many rows', () => {
    const options = { kMin: 2, kMax: 4, seed: 3, sampleRows: 60 };
    const choice = chooseKMeans(clouds(3, 7), options);
    expect(choice.model.centres.rowCount).toBe(3);
    expect(chooseKMeans(clouds(3, 7), options)).toEqual(choice);
  });

  it('a silhouette needs two clusters, and a lone row counts nothing', () => {
    const matrix = matrixFromRows([[0], [1], [10]]);
    expect(meanSilhouette(matrix, Uint32Array.of(0, 0, 0))).toBeNaN();
    expect(meanSilhouette(matrix, Uint32Array.of(0, 0, 1))).toBeCloseTo((0.9 + 8 / 9) / 3, 12);
  });
});

describe('learnBatch', () => {
  it('property: whatever the batches, a single centre is the mean of all rows', () => {
    const cell = fc.double({ min: -1e3, max: 1e3, noNaN: true });
    const batches = fc.array(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 20 }), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(batches, (given) => {
        const online = startOnline(matrixFromRows([[5, 5]]));
        for (const batch of given) learnBatch(online, matrixFromRows(batch));
        const rows = given.flat();
        expect(online.counts[0]).toBe(rows.length);
        for (const c of [0, 1] as const) {
          const mean = rows.reduce((sum, row) => sum + row[c], 0) / rows.length;
          expect(Math.abs(online.centres.values[c]! - mean)).toBeLessThanOrEqual(1e-9);
        }
      }),
    );
  });

  it('leaves the given centres alone, weighs them when told to, refuses what does not fit', () => {
    const first = matrixFromRows([[0], [10]]);
    const online = startOnline(first, [3, 1]);
    expect(learnBatch(online, matrixFromRows([[4]]))).toBe(16);
    expect([...online.centres.values]).toEqual([1, 10]);
    expect([...first.values]).toEqual([0, 10]);
    expect(() => learnBatch(online, matrixFromRows([[1, 2]]))).toThrow(/2 columns, not 1/);
    expect(() => learnBatch(online, matrixFromRows([[Infinity]]))).toThrow(/missing or infinite/);
    expect(() => startOnline(first, [1])).toThrow(/1 counts for 2 centres/);
  });
});
