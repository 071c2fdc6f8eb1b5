// What the outlier detectors and their algebra promise without an oracle: eigenvectors are eigenvectors, whitened columns are
// white, far rows are outliers, bad input is refused. Parity with scikit-learn is in test/parity.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../domain/random.ts';
import { chiSquaredBelow, chiSquaredQuantile } from './chi-squared.ts';
import { decideDoseSvm, fitDoseSvm } from './dose-svm.ts';
import { decideEnvelope, fitEnvelope, scoreEnvelope } from './elliptic-envelope.ts';
import { fitOutlierFactor, scoreOutlierFactor } from './local-outlier-factor.ts';
import { type Matrix, matrixFromRows, matrixFromTable, percentile, rowOf, scoreRows } from './matrix.ts';
import { columnMeans, covarianceOf, fitPca, projectMatrix } from './pca.ts';
import { decideSgdOneClass, fitSgdOneClass } from './sgd-one-class.ts';
import { fitScaler, scaleMatrix, scaleRow } from './standard-scaler.ts';
import { isSingular, logDeterminant, pseudoInverse, symmetricEigen } from './symmetric-eigen.ts';

function cloud(seed: number, rowCount: number): Matrix {
  const random = seededRandom(seed);
  return matrixFromRows(
    Array.from({ length: rowCount }, () => {
      const [a, b, c] = [random.normal(), random.normal(), random.normal()];
      return [3 + a, a + 0.5 * b, 10 * c];
    }),
  );
}

/** Random symmetric matrices, whole numbers among them so that equal and zero eigenvalues come up. */
const symmetric = fc.integer({ min: 1, max: 8 }).chain((size) =>
  fc
    .array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ min: -1e6, max: 1e6, noNaN: true })), {
      minLength: size * size,
      maxLength: size * size,
    })
    .map((cells) => {
      const matrix = Float64Array.from(cells);
      for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) matrix[i * size + j] = matrix[j * size + i]!;
      return { matrix, size };
    }),
);

describe('symmetricEigen', () => {
  it('property: matrix × vector = value × vector, vectors at right angles, values in order', () => {
    fc.assert(
      fc.property(symmetric, ({ matrix, size }) => {
        const { values, vectors } = symmetricEigen(matrix, size);
        const scale = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-300);
        vectors.forEach((vector, k) => {
          if (k > 0) expect(values[k]!).toBeLessThanOrEqual(values[k - 1]!);
          for (let i = 0; i < size; i++) {
            let image = 0;
            for (let j = 0; j < size; j++) image += matrix[i * size + j]! * vector[j]!;
            expect(Math.abs(image - values[k]! * vector[i]!)).toBeLessThanOrEqual(1e-12 * scale * size);
          }
          vectors.forEach((other, l) => {
            const product = vector.reduce((sum, value, i) => sum + value * other[i]!, 0);
            expect(product).toBeCloseTo(k === l ? 1 : 0, 12);
          });
        });
      }),
    );
  });

  it('inverts what has an inverse and leaves out what has none', () => {
    expect([...pseudoInverse(Float64Array.of(4, 0, 0, 0), 2)]).toEqual([0.25, 0, 0, 0]);
    const inverse = pseudoInverse(Float64Array.of(2, 1, 1, 2), 2);
    [2 / 3, -1 / 3, -1 / 3, 2 / 3].forEach((value, i) => {
      expect(inverse[i]).toBeCloseTo(value, 14);
    });
    expect(logDeterminant(Float64Array.of(2, 1, 1, 2), 2)).toBeCloseTo(Math.log(3), 14);
    expect(logDeterminant(Float64Array.of(1, 1, 1, 1), 2)).toBe(-Infinity);
    expect([4, 1e-20, 2].map((value) => isSingular(Float64Array.of(2, 0, 0, value), 2))).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('refuses what is no square matrix of numbers', () => {
    expect(() => symmetricEigen(new Float64Array(3), 2)).toThrow(/no 2 × 2 matrix/);
    expect(() => symmetricEigen(Float64Array.of(Number.NaN), 1)).toThrow(/not finite/);
  });
});

describe('PCA and the scaler', () => {
  it('whitened columns have variance 1 and no covariance', () => {
    const white = projectMatrix(fitPca(cloud(3, 200), { whiten: true }), cloud(3, 200));
    const covariance = covarianceOf(white, columnMeans(white), white.rowCount - 1);
    covariance.forEach((value, at) => {
      expect(value).toBeCloseTo(at % 4 === 0 ? 1 : 0, 10);
    });
  });

  it('drops directions without variance when told to', () => {
    const random = seededRandom(4);
    const rows = Array.from({ length: 50 }, () => {
      const a = random.normal();
      return [a, 2 * a, random.normal()];
    });
    const matrix = matrixFromRows(rows);
    expect(fitPca(matrix, { varianceShareMin: 1e-10 }).components).toHaveLength(2);
    expect(fitPca(matrix).components).toHaveLength(3);
    expect(() => fitPca(matrix, { components: 4 })).toThrow(/options are not usable/);
  });

  it('scales a row as the matrix, keeps missing values missing, refuses other widths', () => {
    const matrix = matrixFromTable({
      names: ['a', 'b'],
      columns: [Float64Array.of(1, 2, Number.NaN), Float64Array.of(5, 5, 5)],
      rowCount: 3,
    });
    const model = fitScaler(matrix);
    expect([...model.mean, ...model.scale]).toEqual([1.5, 5, 0.5, 1]);
    expect([...scaleMatrix(model, matrix).values]).toEqual([-1, 0, 1, 0, Number.NaN, 0]);
    expect([...scaleRow(model, [2, 5])]).toEqual([1, 0]);
    expect(() => scaleRow(model, [1])).toThrow(/options are not usable/);
    expect(() => fitScaler(matrixFromRows([[Number.NaN]]))).toThrow(/no value at all/);
  });
});

describe('detectors', () => {
  const train = cloud(11, 700);
  const far = [40, -30, 300];

  it('the envelope leaves out its contamination, and what is far; same seed, same model', () => {
    const model = fitEnvelope(train, { seed: 5, contamination: 0.05 });
    const outside = scoreRows(train, (row) => decideEnvelope(model, row)).filter((value) => value < 0).length;
    expect(outside).toBe(35);
    expect(decideEnvelope(model, far)).toBeLessThan(0);
    expect(scoreEnvelope(model, model.location)).toBe(0);
    expect(fitEnvelope(train, { seed: 5, contamination: 0.05 })).toEqual(model);
  });

  it('the envelope is not moved by a tenth of wild rows', () => {
    const clean = fitEnvelope(train, { seed: 5 });
    const wild = { ...train, values: train.values.slice() };
    for (let row = 0; row < 70; row++) wild.values.set([1000 + row, 1000, -1000], row * 3);
    const model = fitEnvelope(wild, { seed: 5 });
    model.location.forEach((value, c) => {
      const spread = Math.sqrt(clean.covariance[c * 4]!);
      expect(Math.abs(value - clean.location[c]!) / spread).toBeLessThan(0.1);
    });
  });

  it('the envelope refuses rows without spread and too few rows', () => {
    const flat = matrixFromRows(Array.from({ length: 60 }, (_, i) => [i < 50 ? 1 : i, i < 50 ? 1 : -i]));
    expect(() => fitEnvelope(flat, { seed: 1 })).toThrow(/do not vary at all/);
    expect(() => fitEnvelope(cloud(1, 4), { seed: 1 })).toThrow(/4 rows are fewer than 5/);
    expect(() => fitEnvelope(train, { seed: 1, contamination: 0.6 })).toThrow(/options are not usable/);
  });

  it('DoSE-SVM and the one-class SVM depend on rows and options only, and decide each row', () => {
    const scaled = scaleMatrix(fitScaler(train), train);
    const svm = { nu: 0.1, shuffleSeed: 7 };
    const model = fitDoseSvm(scaled, { svm });
    expect(fitDoseSvm(scaled, { svm })).toEqual(model);
    expect(decideDoseSvm(model, rowOf(scaled, 0))).not.toBeNaN();
    const alone = fitSgdOneClass(scaled, svm);
    expect(decideSgdOneClass(alone, [0, 0, 0])).toBeCloseTo(-alone.offset, 14);
  });

  it('the one-class SVM refuses what overflows, missing values, bad options', () => {
    const huge = matrixFromRows([[1e200], [-1e200]]);
    expect(() => fitSgdOneClass(huge, { learningRate: 'constant', eta0: 1e200 })).toThrow(/overflow/);
    expect(() => fitSgdOneClass(matrixFromRows([[Number.NaN]]))).toThrow(/is missing/);
    expect(() => fitSgdOneClass(train, { nu: 0 })).toThrow(/options are not usable/);
  });

  it('the local outlier factor is about 1 inside and large outside; refuses too many rows', () => {
    const model = fitOutlierFactor(cloud(2, 300));
    expect(scoreOutlierFactor(model, [3, 0, 0])).toBeLessThan(1.3);
    expect(scoreOutlierFactor(model, far)).toBeGreaterThan(3);
    const many = { values: new Float64Array(50_001), rowCount: 50_001, columnCount: 1 };
    expect(() => fitOutlierFactor(many)).toThrow(/50001 rows are more than/);
  });

  it('the local outlier factor of equal rows is 1', () => {
    const model = fitOutlierFactor(matrixFromRows(Array.from({ length: 9 }, () => [1, 1])), {
      neighbours: 3,
    });
    expect([...model.trainingFactors]).toEqual(new Array(9).fill(1));
  });
});

it('property: the chi-squared quantile undoes the probability', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-4, max: 1 - 1e-4, noNaN: true }),
      fc.integer({ min: 1, max: 200 }),
      (share, degrees) => {
        expect(chiSquaredBelow(chiSquaredQuantile(share, degrees), degrees)).toBeCloseTo(share, 11);
      },
    ),
  );
  expect(() => chiSquaredQuantile(1, 2)).toThrow(/no quantile/);
});

it('percentiles lie between their neighbours', () => {
  expect(percentile(Float64Array.of(3, 1, 2), 0.5)).toBe(2);
  expect(percentile(Float64Array.of(1, 2), 0.1)).toBeCloseTo(1.1, 15);
  expect(percentile(Float64Array.of(1, 2), 1)).toBe(2);
});
