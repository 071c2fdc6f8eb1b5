// Robust location and covariance by the minimum covariance determinant, corrected for consistency at the normal distribution and
// reweighted (Rousseeuw and Van Driessen 1999; Croux and Haesbroeck 1999), as scikit-learn 1.9's MinCovDet.
// Does not decide who is an outlier: elliptic-envelope.ts does, its only caller.
import { chiSquaredBelow, chiSquaredQuantile } from './chi-squared.ts';
import { type Estimate, fastMcd, nearestRows, type Permutation, squaredDistances } from './fast-mcd.ts';
import { type Matrix, type OnProgress, pickRows, refuseTraining } from './matrix.ts';
import { columnMeans, covarianceOf } from './pca.ts';
import { isSingular, pseudoInverse } from './symmetric-eigen.ts';

export interface RobustCovariance {
  readonly location: Float64Array;
  /** Row-major. */
  readonly covariance: Float64Array;
  readonly precision: Float64Array;
  /** Squared distance of every training row. */
  readonly distances: Float64Array;
  /** Rows the raw estimate stands on. */
  readonly rawSupport: Uint32Array;
  readonly rawLocation: Float64Array;
  readonly rawCovariance: Float64Array;
  /** The raw support lies in a plane (its determinant is 0): many subsets do equally well, and which one stands is by chance. */
  readonly isFlat: boolean;
}

export interface RobustOptions {
  /** Share of the rows in the raw support; null takes (rows + columns + 1) / 2, the most robust. */
  readonly supportShare: number | null;
  readonly permutation: Permutation;
  readonly onProgress?: OnProgress;
}

/** Rows beyond this upper share of the chi-squared distribution do not count in the reweighted estimate. */
const TAIL_SHARE = 0.025;

/**
 * Fits location and covariance.
 * @throws PicketError TRAINING_INVALID when half of the rows have no spread at all.
 */
export function fitRobustCovariance(matrix: Matrix, options: RobustOptions): RobustCovariance {
  const { rowCount, columnCount: size } = matrix;
  const supportCount =
    options.supportShare === null
      ? Math.min(Math.ceil(0.5 * (rowCount + size + 1)), rowCount)
      : Math.floor(options.supportShare * rowCount);
  const raw =
    size === 1
      ? shortestHalf(matrix, supportCount)
      : fastMcd(matrix, supportCount, options.permutation, options.onProgress);
  if (supportCount < rowCount && raw.covariance.every((value) => Math.abs(value) <= 1e-8)) {
    refuseTraining(
      'robust covariance: the rows of the support do not vary at all',
      'raise supportShare, or leave out columns that are constant for most rows',
    );
  }
  const factor = consistencyFactor(size, supportCount / rowCount);
  const cut = chiSquaredQuantile(1 - TAIL_SHARE, size);
  const counted = Uint32Array.from(raw.distances.keys()).filter((row) => raw.distances[row]! / factor < cut);
  const rows = pickRows(matrix, counted);
  const location = columnMeans(rows);
  const tailFactor = consistencyFactor(size, 1 - TAIL_SHARE);
  const covariance = covarianceOf(rows, location, counted.length).map((value) => value * tailFactor);
  const precision = pseudoInverse(covariance, size);
  return {
    location,
    covariance,
    precision,
    distances: squaredDistances(matrix, location, precision),
    rawSupport: raw.support,
    rawLocation: raw.location,
    rawCovariance: raw.covariance,
    isFlat: isSingular(raw.covariance, size),
  };
}

/** What the covariance of the innermost `share` of normal rows must be multiplied with. Croux and Haesbroeck 1999, 4.2. */
export function consistencyFactor(size: number, share: number): number {
  if (share >= 1) return 1;
  return share / chiSquaredBelow(chiSquaredQuantile(share, size), size + 2);
}

/** One column: the shortest interval with the asked-for rows (Rousseeuw and Leroy 2005, chapter 4). */
function shortestHalf(matrix: Matrix, supportCount: number): Estimate {
  const { values, rowCount } = matrix;
  let centre = 0;
  let support: Uint32Array = Uint32Array.from(values.keys());
  if (supportCount < rowCount) {
    const sorted = values.slice().sort();
    const widths = sorted.slice(supportCount).map((value, i) => value - sorted[i]!);
    const shortest = widths.reduce((least, width) => Math.min(least, width), Infinity);
    const centres = [...widths.keys()]
      .filter((i) => widths[i] === shortest)
      .map((i) => sorted[i + supportCount]! + sorted[i]!);
    centre = (0.5 * centres.reduce((sum, value) => sum + value, 0)) / centres.length;
    support = nearestRows(
      values.map((value) => Math.abs(value - centre)),
      supportCount,
    );
  } else centre = columnMeans(matrix)[0]!;
  const rows = pickRows(matrix, support);
  const covariance = covarianceOf(rows, columnMeans(rows), support.length);
  const location = Float64Array.of(centre);
  return {
    location,
    covariance,
    logDeterminant: Math.log(covariance[0]!),
    support,
    distances: squaredDistances(matrix, location, pseudoInverse(covariance, 1)),
  };
}
