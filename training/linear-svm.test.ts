// The linear SVM against the conditions of its own optimum: the gap between primal and dual objective is nothing, so the solution
// is right whatever another solver says. Parity with scikit-learn is in test/parity/boundaries.test.ts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../domain/random.ts';
import { decideLinearSvm, fitLinearSvm, type LinearSvmModel } from './linear-svm.ts';
import { dot, type Matrix, matrixFromRows, rowOf } from './matrix.ts';

function primalObjective(
  model: LinearSvmModel,
  matrix: Matrix,
  labels: readonly number[],
  C: number,
): number {
  let loss = 0;
  labels.forEach((label, row) => {
    const decision = decideLinearSvm(model, rowOf(matrix, row));
    loss += Math.max(0, 1 - (label === 1 ? decision : -decision));
  });
  return dot(model.weights, model.weights) / 2 + C * loss;
}

function noisyRows(seed: number, count: number): { matrix: Matrix; labels: number[] } {
  const random = seededRandom(seed);
  const rows = Array.from({ length: count }, () => [random.normal(), random.normal(), random.normal()]);
  const labels = rows.map((row) => (row[0]! - row[1]! + random.normal() > 0.2 ? 1 : 0));
  labels[0] = 0;
  labels[1] = 1;
  return { matrix: matrixFromRows(rows), labels };
}

describe('fitLinearSvm', () => {
  it('property: no gap between primal and dual objective', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.constantFrom(0.01, 0.3, 1, 20),
        fc.integer({ min: 4, max: 120 }),
        (seed, C, count) => {
          const { matrix, labels } = noisyRows(seed, count);
          const model = fitLinearSvm(matrix, labels, { C, tolerance: 1e-8 });
          expect(model.converged).toBe(true);
          const primal = primalObjective(model, matrix, labels, C);
          expect(Math.abs(primal + model.objective)).toBeLessThanOrEqual(1e-6 * Math.max(1, primal));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('puts the plane half-way between two rows', () => {
    const model = fitLinearSvm(matrixFromRows([[0], [2]]), [0, 1], { C: 100 });
    expect(model.weights[0]).toBeCloseTo(1, 12);
    expect(model.intercept).toBeCloseTo(-1, 12);
    expect(model.supportCount).toBe(2);
  });

  it('says when the steps ran out, and reports on the way', () => {
    const { matrix, labels } = noisyRows(5, 100);
    expect(fitLinearSvm(matrix, labels, { iterationsMax: 3 })).toMatchObject({
      converged: false,
      iterations: 3,
    });
  });

  it('finds a plane for equal rows with opposite labels', () => {
    const model = fitLinearSvm(matrixFromRows([[1], [1], [1]]), [0, 1, 1]);
    expect(model.converged).toBe(true);
    expect(decideLinearSvm(model, [1])).toBeGreaterThan(0);
  });

  it('refuses one class, unequal lengths, missing values and bad options', () => {
    const matrix = matrixFromRows([[0], [2]]);
    expect(() => fitLinearSvm(matrix, [1, 1])).toThrow(/same class/);
    expect(() => fitLinearSvm(matrix, [1])).toThrow(/1 labels for 2 rows/);
    expect(() => fitLinearSvm(matrix, [0, 1], { C: 0 })).toThrow(/options are not usable/);
    expect(() => fitLinearSvm(matrixFromRows([[0], [Number.NaN]]), [0, 1])).toThrow(
      /row 1, column 0 is missing/,
    );
  });
});
