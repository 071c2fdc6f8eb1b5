// Eigenvalues and vectors of a symmetric matrix by cyclic Jacobi rotations (Golub and Van Loan, "Matrix Computations", 8.5), and
// what follows from them: pseudo-inverse and log determinant. For the few dozen columns our models have; grows with the cube.
// Matrices are square, row-major. Called by pca.ts and robust-covariance.ts.

export interface Eigen {
  /** Largest first. */
  readonly values: Float64Array;
  /** One unit vector a row, in the order of the values; signs as they come. */
  readonly vectors: readonly Float64Array[];
}

/** Far more than ever needed: convergence is quadratic. */
const SWEEPS_MAX = 60;

/**
 * All eigenvalues and eigenvectors.
 * @param matrix size × size values; only symmetric ones make sense.
 * @throws RangeError when the length is not size², or a value is not finite.
 */
export function symmetricEigen(matrix: Float64Array, size: number): Eigen {
  if (matrix.length !== size * size)
    throw new RangeError(`${matrix.length} values are no ${size} × ${size} matrix`);
  if (!matrix.every(Number.isFinite)) throw new RangeError('the matrix has a value that is not finite');
  const work = matrix.slice();
  const vectors = Array.from({ length: size }, (_, i) => {
    const unit = new Float64Array(size);
    unit[i] = 1;
    return unit;
  });
  for (let sweep = 0; sweep < SWEEPS_MAX && rotateAll(work, size, vectors); sweep++);
  const order = Array.from({ length: size }, (_, i) => i);
  order.sort((a, b) => work[b * size + b]! - work[a * size + a]! || a - b);
  return {
    values: Float64Array.from(order, (i) => work[i * size + i]!),
    vectors: order.map((i) => vectors[i]!),
  };
}

/** One sweep over all pairs; false when every off-diagonal element was already nothing beside its diagonal. */
function rotateAll(work: Float64Array, size: number, vectors: readonly Float64Array[]): boolean {
  let rotated = false;
  for (let p = 0; p < size - 1; p++) {
    for (let q = p + 1; q < size; q++) {
      const apq = work[p * size + q]!;
      const app = work[p * size + p]!;
      const aqq = work[q * size + q]!;
      const isNothing = Math.abs(apq) <= Number.EPSILON * 2 ** -4 * Math.sqrt(Math.abs(app * aqq));
      if (apq === 0 || isNothing) continue;
      rotated = true;
      const theta = (aqq - app) / (2 * apq);
      const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
      const c = 1 / Math.hypot(t, 1);
      rotate(work, size, { p, q, c, s: t * c });
      work[p * size + q] = 0;
      work[q * size + p] = 0;
      turn(vectors[p]!, vectors[q]!, c, t * c);
    }
  }
  return rotated;
}

interface Rotation {
  readonly p: number;
  readonly q: number;
  readonly c: number;
  readonly s: number;
}

function rotate(work: Float64Array, size: number, { p, q, c, s }: Rotation): void {
  for (let k = 0; k < size; k++) {
    const kp = work[k * size + p]!;
    const kq = work[k * size + q]!;
    work[k * size + p] = c * kp - s * kq;
    work[k * size + q] = s * kp + c * kq;
  }
  turn(work.subarray(p * size, (p + 1) * size), work.subarray(q * size, (q + 1) * size), c, s);
}

function turn(x: Float64Array, y: Float64Array, c: number, s: number): void {
  for (let k = 0; k < x.length; k++) {
    const xk = x[k]!;
    const yk = y[k]!;
    x[k] = c * xk - s * yk;
    y[k] = s * xk + c * yk;
  }
}

/** Eigenvalues up to this are zero: size × epsilon × the largest, as scipy's pinvh has it. */
function zeroMax(values: Float64Array): number {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest * values.length * Number.EPSILON;
}

/** Whether some direction has no more than rounding errors. */
export function isSingular(matrix: Float64Array, size: number): boolean {
  const { values } = symmetricEigen(matrix, size);
  const nothing = zeroMax(values);
  return values.some((value) => Math.abs(value) <= nothing);
}

/** Moore-Penrose inverse: directions whose eigenvalue is zero stay out. */
export function pseudoInverse(matrix: Float64Array, size: number): Float64Array {
  const { values, vectors } = symmetricEigen(matrix, size);
  const nothing = zeroMax(values);
  const inverse = new Float64Array(size * size);
  values.forEach((value, k) => {
    if (Math.abs(value) <= nothing) return;
    const vector = vectors[k]!;
    for (let i = 0; i < size; i++) {
      const scaled = vector[i]! / value;
      for (let j = 0; j < size; j++) inverse[i * size + j]! += scaled * vector[j]!;
    }
  });
  return inverse;
}

/** Natural logarithm of the determinant of a positive definite matrix (Cholesky); -Infinity for any other. */
export function logDeterminant(matrix: Float64Array, size: number): number {
  const lower = new Float64Array(size * size);
  let sum = 0;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = matrix[i * size + j]!;
      for (let k = 0; k < j; k++) rest -= lower[i * size + k]! * lower[j * size + k]!;
      if (i > j) lower[i * size + j] = rest / lower[j * size + j]!;
      else if (rest > 0) {
        lower[i * size + i] = Math.sqrt(rest);
        sum += Math.log(rest);
      } else return -Infinity;
    }
  }
  return sum;
}
