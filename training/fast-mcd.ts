// FastMCD (Rousseeuw and Van Driessen 1999): the half of the rows whose covariance has the least determinant. Concentration steps
// from many random subsets, first on parts of the rows, then on a pooled part, then on all, with scikit-learn's counts of each.
// Raw estimate only; correction and reweighting are in robust-covariance.ts, its only caller.
import { type Matrix, type OnProgress, pickRows } from './matrix.ts';
import { columnMeans, covarianceOf } from './pca.ts';
import { logDeterminant, pseudoInverse } from './symmetric-eigen.ts';

/** A random order of the row numbers 0..n-1, as drawn next. */
export type Permutation = (n: number) => ArrayLike<number>;

export interface Estimate {
  readonly location: Float64Array;
  /** Row-major, divisor = rows of the support. */
  readonly covariance: Float64Array;
  readonly logDeterminant: number;
  /** Row numbers the estimate is made of. */
  readonly support: Uint32Array;
  /** Squared distance of every row, by the precision the support was chosen with. */
  readonly distances: Float64Array;
}

type Start = Pick<Estimate, 'location' | 'covariance'>;

const STEPS_MAX = 30;
const STEPS_OF_A_TRIAL = 2;
const SMALL_ROWS = 500;
const SMALL_TRIALS = 30;
const PART_ROWS = 300;
const TRIALS_IN_ALL = 500;
const TRIALS_A_PART = 10;
const BEST_KEPT = 10;
const POOLED_ROWS = 1500;

/** Squared Mahalanobis distance of each row. */
export function squaredDistances(
  matrix: Matrix,
  location: Float64Array,
  precision: Float64Array,
): Float64Array {
  const { values, rowCount, columnCount: size } = matrix;
  const centred = new Float64Array(size);
  const distances = new Float64Array(rowCount);
  for (let row = 0, start = 0; row < rowCount; row++, start += size) {
    for (let c = 0; c < size; c++) centred[c] = values[start + c]! - location[c]!;
    distances[row] = quadratic(centred, precision);
  }
  return distances;
}

/** xᵀPx. */
export function quadratic(x: Float64Array, p: Float64Array): number {
  let sum = 0;
  const size = x.length;
  for (let i = 0; i < size; i++) {
    let inner = 0;
    for (let j = 0, at = i; j < size; j++, at += size) inner += x[j]! * p[at]!;
    sum += inner * x[i]!;
  }
  return sum;
}

/**
 * The raw estimate for two columns or more.
 * @param supportCount rows of the support, half of the rows or more.
 */
export function fastMcd(
  matrix: Matrix,
  supportCount: number,
  permutation: Permutation,
  onProgress?: OnProgress,
): Estimate {
  const { rowCount } = matrix;
  if (rowCount <= SMALL_ROWS) {
    const starts = fromRandom(matrix, supportCount, SMALL_TRIALS, permutation);
    return fromStarts(matrix, supportCount, best(starts, BEST_KEPT), 1)[0]!;
  }
  const supportShare = supportCount / rowCount;
  const candidates = candidatesOfParts(matrix, supportShare, permutation, onProgress);
  const pooledRows = Uint32Array.from(Array.from(permutation(rowCount)).slice(0, POOLED_ROWS));
  const pooled = pickRows(matrix, pooledRows);
  const keep = rowCount > POOLED_ROWS ? BEST_KEPT : 1;
  const merged = fromStarts(pooled, Math.ceil(pooled.rowCount * supportShare), candidates, keep);
  if (rowCount < POOLED_ROWS) return unpooled(merged[0]!, pooledRows);
  return fromStarts(matrix, supportCount, merged, 1)[0]!;
}

/** The best estimates of each part of about 300 rows. */
function candidatesOfParts(
  matrix: Matrix,
  supportShare: number,
  permutation: Permutation,
  onProgress?: OnProgress,
): Start[] {
  const partCount = Math.floor(matrix.rowCount / PART_ROWS);
  const partRows = Math.floor(matrix.rowCount / partCount);
  const trials = Math.max(TRIALS_A_PART, Math.floor(TRIALS_IN_ALL / partCount));
  const order = Array.from(permutation(matrix.rowCount));
  const candidates: Start[] = [];
  for (let part = 0; part < partCount; part++) {
    const rows = pickRows(matrix, order.slice(part * partRows, (part + 1) * partRows));
    const starts = fromRandom(rows, Math.ceil(partRows * supportShare), trials, permutation);
    for (const { location, covariance } of best(starts, BEST_KEPT)) candidates.push({ location, covariance });
    onProgress?.({ done: part + 1, all: partCount });
  }
  return candidates;
}

/** An estimate whose rows are those of the pooled part, numbered in the whole. */
function unpooled(estimate: Estimate, pooledRows: Uint32Array): Estimate {
  const distances = new Float64Array(pooledRows.length);
  pooledRows.forEach((row, i) => {
    distances[row] = estimate.distances[i]!;
  });
  return { ...estimate, support: estimate.support.map((i) => pooledRows[i]!), distances };
}

function fromRandom(
  matrix: Matrix,
  supportCount: number,
  trials: number,
  permutation: Permutation,
): Estimate[] {
  return Array.from({ length: trials }, () => {
    const support = Uint32Array.from(Array.from(permutation(matrix.rowCount)).slice(0, supportCount));
    return concentrate(matrix, support, STEPS_OF_A_TRIAL);
  });
}

function fromStarts(
  matrix: Matrix,
  supportCount: number,
  starts: readonly Start[],
  keep: number,
): Estimate[] {
  const all = starts.map(({ location, covariance }) => {
    const precision = pseudoInverse(covariance, matrix.columnCount);
    const support = nearestRows(squaredDistances(matrix, location, precision), supportCount);
    return concentrate(matrix, support, STEPS_MAX);
  });
  return best(all, keep);
}

function best(estimates: readonly Estimate[], keep: number): Estimate[] {
  return estimates.toSorted((a, b) => a.logDeterminant - b.logDeterminant).slice(0, keep);
}

function estimateOf(matrix: Matrix, support: Uint32Array): Omit<Estimate, 'distances'> {
  const rows = pickRows(matrix, support);
  const location = columnMeans(rows);
  const covariance = covarianceOf(rows, location, support.length);
  return { location, covariance, support, logDeterminant: logDeterminant(covariance, matrix.columnCount) };
}

/** Concentration steps: the rows nearest to the last estimate make the next, whose determinant is never larger. */
function concentrate(matrix: Matrix, first: Uint32Array, stepsMax: number): Estimate {
  const size = matrix.columnCount;
  let estimate = estimateOf(matrix, first);
  let precision = pseudoInverse(estimate.covariance, size);
  let before = { ...estimate, logDeterminant: Infinity };
  let beforeDistances: Float64Array = new Float64Array(0);
  let steps = 0;
  while (
    estimate.logDeterminant < before.logDeterminant &&
    estimate.logDeterminant > -Infinity &&
    steps < stepsMax
  ) {
    before = estimate;
    precision = pseudoInverse(estimate.covariance, size);
    beforeDistances = squaredDistances(matrix, estimate.location, precision);
    estimate = estimateOf(matrix, nearestRows(beforeDistances, first.length));
    steps++;
  }
  const gain = Math.abs(estimate.logDeterminant - before.logDeterminant);
  const isSame = gain <= 1e-8 + 1e-5 * Math.abs(before.logDeterminant);
  const hasGrown = estimate.logDeterminant > before.logDeterminant && !isSame && steps < stepsMax;
  if (hasGrown) return { ...before, distances: beforeDistances };
  return { ...estimate, distances: squaredDistances(matrix, estimate.location, precision) };
}

/** The `count` rows of least distance, in row order; of equals at the edge, the first ones. */
export function nearestRows(distances: Float64Array, count: number): Uint32Array {
  const edge = distances.slice().sort()[count - 1]!;
  let below = 0;
  for (const distance of distances) if (distance < edge) below++;
  let ties = count - below;
  const rows = new Uint32Array(count);
  let at = 0;
  for (let row = 0; row < distances.length; row++) {
    const distance = distances[row]!;
    if (distance > edge || (distance === edge && ties-- <= 0)) continue;
    rows[at++] = row;
  }
  return rows;
}
