// Scaler, k-means, PCA, DoSE-SVM, local outlier factor and chi-squared against scikit-learn and scipy, by committed fixtures.
import { describe, expect, it } from 'vitest';
import { chiSquaredBelow, chiSquaredQuantile } from '../../training/chi-squared.ts';
import { decideDoseSvm, fitDoseSvm } from '../../training/dose-svm.ts';
import { assignClusters, fitKMeans } from '../../training/kmeans.ts';
import { meanSilhouette } from '../../training/kmeans-choice.ts';
import { learnBatch, ONLINE_BATCH_ROWS, startOnline } from '../../training/kmeans-online.ts';
import { fitOutlierFactor, scoreOutlierFactor } from '../../training/local-outlier-factor.ts';
import { rowOf, scoreRows } from '../../training/matrix.ts';
import { fitPca, projectRow } from '../../training/pca.ts';
import { fitScaler, scaleMatrix } from '../../training/standard-scaler.ts';
import { FITTED, farthest, matrixOf } from './estimator-fixtures.ts';

describe('StandardScaler', () => {
  it('has the means and scales of scikit-learn, also for constant columns and missing values', () => {
    const { rows, mean, scale } = FITTED.scaler;
    const model = fitScaler(matrixOf(rows));
    const relative = (ours: Float64Array, theirs: readonly number[]) =>
      Math.max(...theirs.map((value, i) => Math.abs(ours[i]! / value - 1)));
    expect(relative(model.mean, mean)).toBeLessThan(1e-14);
    expect(relative(model.scale, scale)).toBeLessThan(1e-12);
    expect([...model.scale].filter((value) => value === 1)).toHaveLength(2);
  });
});

describe('k-means', () => {
  const matrix = matrixOf(FITTED.kmeans.rows);

  it.each(FITTED.kmeans.cases.map((one, i) => ({ i, ...one })))(
    'case $i: from the same first centres to the same centres, in as many iterations',
    ({ first, tolerance, centres, inertia, iterations, silhouette }) => {
      const model = fitKMeans(matrix, { k: first.length, seed: 0, tolerance, firstCentres: matrixOf(first) });
      expect(farthest(model.centres.values, centres.flat())).toBeLessThan(1e-10);
      expect(farthest([model.inertia], [inertia])).toBeLessThan(1e-10);
      expect(model.iterations).toBe(iterations);
      if (silhouette === undefined) return;
      expect(meanSilhouette(matrix, assignClusters(model, matrix))).toBeCloseTo(silhouette, 12);
    },
  );

  it('learns online as MiniBatchKMeans.partial_fit does, within 1e-12 after every batch of 16', () => {
    const online = startOnline(matrixOf(FITTED.kmeans.online_first));
    FITTED.kmeans.online.forEach(({ centres, counts }, batch) => {
      const from = batch * ONLINE_BATCH_ROWS;
      learnBatch(online, matrixOf(FITTED.kmeans.rows.slice(from, from + ONLINE_BATCH_ROWS)));
      expect(farthest(online.centres.values, centres.flat())).toBeLessThan(1e-12);
      expect([...online.counts]).toEqual(counts);
    });
  });
});

describe('PCA', () => {
  it.each(FITTED.pca.map((one, i) => ({ i, ...one })))(
    'case $i: components with scikit-learn’s signs, variances, projections',
    ({ rows, options, components, variances, shares, projected }) => {
      const matrix = matrixOf(rows);
      const model = fitPca(matrix, {
        whiten: options.whiten ?? false,
        components: options.n_components ?? null,
      });
      const joined = model.components.flatMap((component) => [...component]);
      expect(farthest(joined, components.flat())).toBeLessThan(1e-9);
      expect(farthest(model.variances, variances)).toBeLessThan(1e-10);
      expect(farthest(model.shares, shares)).toBeLessThan(1e-10);
      const ours = projected.flatMap((_, row) => [...projectRow(model, rowOf(matrix, row))]);
      expect(farthest(ours, projected.flat())).toBeLessThan(1e-9);
    },
  );
});

it('DoSE-SVM decides as the notebook’s class with its seeds', () => {
  const { rows, shuffle_seed, decisions } = FITTED.dose;
  const raw = matrixOf(rows);
  const matrix = scaleMatrix(fitScaler(raw), raw);
  const model = fitDoseSvm(matrix, { svm: { shuffleSeed: shuffle_seed }, varianceShareMin: 0 });
  const ours = decisions.map((_, row) => decideDoseSvm(model, rowOf(matrix, row)));
  expect(farthest(ours, decisions)).toBeLessThan(1e-9);
});

describe('local outlier factor', () => {
  const matrix = matrixOf(FITTED.outlier_factor.rows);
  const fresh = matrixOf(FITTED.outlier_factor.fresh);

  it.each(FITTED.outlier_factor.cases)(
    '$neighbours neighbours',
    ({ neighbours, training, fresh: theirs }) => {
      const model = fitOutlierFactor(matrix, { neighbours });
      expect(farthest(model.trainingFactors, training)).toBeLessThan(1e-9);
      expect(
        farthest(
          scoreRows(fresh, (row) => scoreOutlierFactor(model, row)),
          theirs,
        ),
      ).toBeLessThan(1e-9);
    },
  );
});

it('chi-squared has scipy’s quantiles and probabilities', () => {
  for (const { degrees, share, quantile, below } of FITTED.chi_squared) {
    expect(Math.abs(chiSquaredQuantile(share, degrees) / quantile - 1)).toBeLessThan(1e-9);
    expect(chiSquaredBelow(degrees * share * 2, degrees)).toBeCloseTo(below, 13);
  }
});
