// Principal components: directions of most variance, largest first, signs as scikit-learn turns them (the largest loading of each
// is positive), optionally whitened. Always through the covariance matrix, centred first. Called by dose-svm.ts and experiments.
import { checkMatrix, checkOptions, dot, type Matrix, mapRows, type Row } from './matrix.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

export interface PcaOptions {
  /** Components kept; null keeps min(rows, columns). */
  readonly components: number | null;
  /** Divide each component by its standard deviation. */
  readonly whiten: boolean;
  /**
   * Components with less than this share of the largest variance are dropped: whitening them would blow up rounding errors.
   * 0 keeps all, as scikit-learn does.
   */
  readonly varianceShareMin: number;
}

export const PCA_DEFAULTS: PcaOptions = { components: null, whiten: false, varianceShareMin: 0 };

export interface PcaModel {
  readonly kind: 'pca';
  readonly mean: Float64Array;
  /** Unit vectors, largest variance first. */
  readonly components: readonly Float64Array[];
  /** Variance along each component (divisor n - 1). */
  readonly variances: Float64Array;
  /** Each variance as a share of the total. */
  readonly shares: Float64Array;
  readonly whiten: boolean;
}

/** @throws PicketError TRAINING_INVALID: bad options or data, fewer than two rows. */
export function fitPca(matrix: Matrix, given: Partial<PcaOptions> = {}): PcaModel {
  const options = { ...PCA_DEFAULTS, ...given };
  checkMatrix(matrix, 'PCA', 2);
  const size = matrix.columnCount;
  const countMax = Math.min(matrix.rowCount, size);
  const wanted = options.components ?? countMax;
  const share = options.varianceShareMin;
  checkOptions('PCA', [
    {
      field: 'components',
      value: wanted,
      ok: Number.isInteger(wanted) && wanted >= 1 && wanted <= countMax,
      expected: `1 to ${countMax}`,
    },
    { field: 'varianceShareMin', value: share, ok: share >= 0 && share < 1, expected: '0 to below 1' },
  ]);
  const mean = columnMeans(matrix);
  const eigen = symmetricEigen(covarianceOf(matrix, mean, matrix.rowCount - 1), size);
  const variances = eigen.values.map((value) => Math.max(0, value));
  const total = variances.reduce((sum, value) => sum + value, 0);
  const least = share * variances[0]!;
  const kept = variances.findIndex((variance, k) => k >= wanted || (share > 0 && k > 0 && variance < least));
  const count = kept < 0 ? wanted : kept;
  return {
    kind: 'pca',
    mean,
    components: eigen.vectors.slice(0, count).map(turned),
    variances: variances.slice(0, count),
    shares: variances.slice(0, count).map((variance) => (total > 0 ? variance / total : 0)),
    whiten: options.whiten,
  };
}

/** The vector or its opposite, so that its largest part (the first of equals) is positive. */
function turned(vector: Float64Array): Float64Array {
  let largest = 0;
  vector.forEach((value, i) => {
    if (Math.abs(value) > Math.abs(vector[largest]!)) largest = i;
  });
  return vector[largest]! < 0 ? vector.map((value) => -value) : vector;
}

/** Mean of each column. */
export function columnMeans({ values, rowCount, columnCount }: Matrix): Float64Array {
  const means = new Float64Array(columnCount);
  for (let at = 0, c = 0; at < values.length; at++) {
    means[c]! += values[at]!;
    if (++c === columnCount) c = 0;
  }
  return means.map((sum) => sum / rowCount);
}

/** Sum of products of centred columns over `divisor`, symmetric, row-major. */
export function covarianceOf(matrix: Matrix, mean: Float64Array, divisor: number): Float64Array {
  const { values, columnCount: size } = matrix;
  const products = new Float64Array(size * size);
  const centred = new Float64Array(size);
  for (let start = 0; start < values.length; start += size) {
    for (let c = 0; c < size; c++) centred[c] = values[start + c]! - mean[c]!;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j <= i; j++) products[i * size + j]! += centred[i]! * centred[j]!;
    }
  }
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const value = products[i * size + j]! / divisor;
      products[i * size + j] = value;
      products[j * size + i] = value;
    }
  }
  return products;
}

/** The row along the components, in standard deviations when whitened. */
export function projectRow(
  model: PcaModel,
  row: Row,
  out = new Float64Array(model.components.length),
): Float64Array {
  const { components, mean, variances, whiten } = model;
  for (let k = 0; k < components.length; k++) {
    const centred = dot(row, components[k]!) - dot(mean, components[k]!);
    out[k] = whiten ? centred / Math.max(Math.sqrt(variances[k]!), Number.EPSILON) : centred;
  }
  return out;
}

/** All rows along the components. */
export function projectMatrix(model: PcaModel, matrix: Matrix): Matrix {
  return mapRows(matrix, model.components.length, (row) => projectRow(model, row));
}
