// The estimators that draw a boundary, against scikit-learn by committed fixtures: linear SVM, one-class SVM by SGD, elliptic
// envelope. The same order of rows and the same random subsets on both sides, so the results must agree, not just resemble.
import { describe, expect, it } from 'vitest';
import { decideEnvelope, fitEnvelope } from '../../training/elliptic-envelope.ts';
import { decideLinearSvm, fitLinearSvm } from '../../training/linear-svm.ts';
import { rowOf } from '../../training/matrix.ts';
import { fitRobustCovariance } from '../../training/robust-covariance.ts';
import { fitSgdOneClass } from '../../training/sgd-one-class.ts';
import { NumpyRandom } from '../support/numpy-random.ts';
import { envelopeOptionsOf, FITTED, farthest, matrixOf, sgdOptionsOf } from './estimator-fixtures.ts';

describe('linear SVM', () => {
  it.each(FITTED.svm.cases)(
    '$table, C $C: decision values of SVC(kernel="linear")',
    ({ table, C, class_weights, weights, intercept, decisions }) => {
      const { rows, labels } = FITTED.svm.tables[table]!;
      const matrix = matrixOf(rows);
      const model = fitLinearSvm(matrix, labels, {
        C,
        classWeights: class_weights ?? [1, 1],
        tolerance: 1e-9,
      });
      expect(model.converged).toBe(true);
      expect(farthest(model.weights, weights)).toBeLessThan(1e-6);
      expect(farthest([model.intercept], [intercept])).toBeLessThan(1e-6);
      const ours = decisions.map((_, row) => decideLinearSvm(model, rowOf(matrix, row)));
      expect(farthest(ours, decisions)).toBeLessThan(1e-6);
    },
  );
});

describe('one-class SVM by SGD', () => {
  it.each(FITTED.sgd.cases.map((one, i) => ({ i, name: JSON.stringify(one.options), one })))(
    'case $i $name: coefficients within 1e-9, as many passes',
    ({ one }) => {
      const model = fitSgdOneClass(matrixOf(FITTED.sgd.rows), sgdOptionsOf(one));
      expect(farthest(model.weights, one.weights)).toBeLessThan(1e-9);
      expect(farthest([model.offset], [one.offset])).toBeLessThan(1e-9);
      expect(model.epochs).toBe(one.epochs);
    },
  );
});

describe('elliptic envelope', () => {
  it.each(FITTED.envelope.map((one, i) => ({ i, size: one.rows.length, one })))(
    'case $i, $size rows: from the same subsets within 1e-6',
    ({ one }) => {
      const matrix = matrixOf(one.rows);
      const options = envelopeOptionsOf(one);
      const robust = fitRobustCovariance(matrix, {
        supportShare: options.supportShare ?? null,
        permutation: new NumpyRandom(one.options.random_state).permutation,
      });
      expect(farthest(robust.rawLocation, one.raw_location)).toBeLessThan(1e-6);
      expect(farthest(robust.rawCovariance, one.raw_covariance.flat())).toBeLessThan(1e-6);
      const model = fitEnvelope(matrix, {
        ...options,
        permutation: new NumpyRandom(one.options.random_state).permutation,
      });
      expect(farthest(model.location, one.location)).toBeLessThan(1e-6);
      expect(farthest(model.covariance, one.covariance.flat())).toBeLessThan(1e-6);
      expect(farthest([-model.edge], [one.offset])).toBeLessThan(1e-6);
      const ours = one.decisions.map((_, row) => decideEnvelope(model, rowOf(matrix, row)));
      expect(farthest(ours, one.decisions)).toBeLessThan(1e-6);
    },
  );
});
