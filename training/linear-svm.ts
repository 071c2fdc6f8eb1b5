// Linear support vector machine with hinge loss, cost C and a free intercept: the problem of scikit-learn's SVC with a linear
// kernel, solved in the dual by sequential minimal optimisation (Platt 1998; working set of Fan, Chen and Lin 2005) to a
// tolerance. Two classes, no probabilities. A step costs rows × columns: meant for up to some 10,000 rows. Called by experiments.
import {
  checkMatrix,
  checkOptions,
  dot,
  type Matrix,
  type OnProgress,
  type Row,
  refuseTraining,
  rowOf,
} from './matrix.ts';

export interface LinearSvmOptions {
  /** Cost of a margin violation, above 0. */
  readonly C: number;
  /** Weight of C for class 0 and class 1. */
  readonly classWeights: readonly [number, number];
  /** Largest violation of the optimality conditions that may remain. libsvm's default is 1e-3. */
  readonly tolerance: number;
  readonly iterationsMax: number;
  /** Called every 100,000 steps. */
  readonly onProgress?: OnProgress;
}

export const LINEAR_SVM_DEFAULTS: LinearSvmOptions = {
  C: 1,
  classWeights: [1, 1],
  tolerance: 1e-3,
  iterationsMax: 10_000_000,
};

export interface LinearSvmModel {
  readonly kind: 'linear_svm';
  readonly weights: Float64Array;
  readonly intercept: number;
  /** Rows with a share in the weights. */
  readonly supportCount: number;
  readonly iterations: number;
  /** Whether the tolerance was reached. */
  readonly converged: boolean;
  /** Dual objective, 0 or below: 1/2 |w|² - sum of the rows' multipliers. */
  readonly objective: number;
}

/** Below this a pair of equal rows would divide by zero. libsvm's TAU. */
const CURVATURE_MIN = 1e-12;
const PROGRESS_STEPS = 100_000;
/** Up to so many rows all products of rows are kept (32 MiB); beyond, they are computed anew each step. */
const GRAM_ROWS_MAX = 2048;

/**
 * Fits the machine. Columns of about unit size take tens of steps where raw counts take a hundred thousand: scale them first.
 * @param labels 1 for the positive class, 0 for the other, one a row.
 * @throws PicketError TRAINING_INVALID: bad options or data, a single class.
 */
export function fitLinearSvm(
  matrix: Matrix,
  labels: ArrayLike<number>,
  given: Partial<LinearSvmOptions> = {},
): LinearSvmModel {
  const options = { ...LINEAR_SVM_DEFAULTS, ...given };
  const { C, classWeights, tolerance, iterationsMax } = options;
  const isPositive = (value: number) => value > 0 && Number.isFinite(value);
  checkOptions('linear SVM', [
    { field: 'C', value: C, ok: isPositive(C), expected: 'a finite number above 0' },
    {
      field: 'classWeights',
      value: classWeights,
      ok: classWeights.every(isPositive),
      expected: 'both above 0',
    },
    { field: 'tolerance', value: tolerance, ok: isPositive(tolerance), expected: 'a finite number above 0' },
    { field: 'iterationsMax', value: iterationsMax, ok: iterationsMax >= 1, expected: '1 or more' },
  ]);
  checkMatrix(matrix, 'linear SVM', 2);
  if (labels.length !== matrix.rowCount) {
    refuseTraining(`linear SVM: ${labels.length} labels for ${matrix.rowCount} rows`);
  }
  const signs = Float64Array.from(labels, (label) => (label === 1 ? 1 : -1));
  if (!signs.includes(1) || !signs.includes(-1)) refuseTraining('linear SVM: all rows have the same class');
  return new DualSolver(matrix, signs, options).run();
}

/** Signed distance in units of the margin: above 0 is the positive class. */
export function decideLinearSvm(model: Pick<LinearSvmModel, 'weights' | 'intercept'>, row: Row): number {
  return dot(row, model.weights) + model.intercept;
}

function fillProducts(matrix: Matrix, i: number, out: Float64Array): void {
  const { values, columnCount } = matrix;
  for (let row = 0; row < out.length; row++) {
    let sum = 0;
    for (let c = 0; c < columnCount; c++)
      sum += values[i * columnCount + c]! * values[row * columnCount + c]!;
    out[row] = sum;
  }
}

function gramOf(matrix: Matrix): Float64Array {
  const { rowCount } = matrix;
  const gram = new Float64Array(rowCount * rowCount);
  for (let i = 0; i < rowCount; i++) fillProducts(matrix, i, gram.subarray(i * rowCount, (i + 1) * rowCount));
  return gram;
}

/** Minimises 1/2 aᵀQa - Σa under 0 <= a <= C and Σ sign·a = 0; Q = sign·signᵀ·XXᵀ. The gradient of the dual is kept. */
class DualSolver {
  readonly #matrix: Matrix;
  readonly #signs: Float64Array;
  readonly #options: LinearSvmOptions;
  readonly #alphas: Float64Array;
  readonly #gradient: Float64Array;
  readonly #diagonal: Float64Array;
  /** Products of each row with each, or null for many rows. */
  readonly #gram: Float64Array | null;
  #kernelI: Float64Array;
  #kernelJ: Float64Array;

  constructor(matrix: Matrix, signs: Float64Array, options: LinearSvmOptions) {
    const { rowCount } = matrix;
    this.#matrix = matrix;
    this.#signs = signs;
    this.#options = options;
    this.#alphas = new Float64Array(rowCount);
    this.#gradient = new Float64Array(rowCount).fill(-1);
    this.#kernelI = new Float64Array(rowCount);
    this.#kernelJ = new Float64Array(rowCount);
    this.#gram = rowCount <= GRAM_ROWS_MAX ? gramOf(matrix) : null;
    this.#diagonal = Float64Array.from({ length: rowCount }, (_, row) => {
      const values = rowOf(matrix, row);
      return dot(values, values);
    });
  }

  run(): LinearSvmModel {
    const { iterationsMax, onProgress } = this.#options;
    let iterations = 0;
    let converged = false;
    while (!converged && iterations < iterationsMax) {
      const i = this.#mostViolating();
      const j = i < 0 ? -1 : this.#partnerOf(i);
      if (j < 0) converged = true;
      else {
        this.#step(i, j);
        iterations++;
        if (iterations % PROGRESS_STEPS === 0) onProgress?.({ done: iterations, all: iterationsMax });
      }
    }
    return this.#model(iterations, converged);
  }

  /** Products of one row with all; written into `scratch` unless they are kept. */
  #kernelRow(i: number, scratch: Float64Array): Float64Array {
    const { rowCount } = this.#matrix;
    if (this.#gram !== null) return this.#gram.subarray(i * rowCount, (i + 1) * rowCount);
    fillProducts(this.#matrix, i, scratch);
    return scratch;
  }

  #ceiling(row: number): number {
    return this.#options.C * this.#options.classWeights[this.#signs[row]! > 0 ? 1 : 0];
  }

  /** Whether sign·a may grow; the other direction asks with the opposite sign. */
  #mayMove(row: number, direction: number): boolean {
    return this.#signs[row]! * direction > 0
      ? this.#alphas[row]! < this.#ceiling(row)
      : this.#alphas[row]! > 0;
  }

  /** The row whose growth lowers the objective fastest; -1 if none may grow. */
  #mostViolating(): number {
    let best = -1;
    let bestSlope = -Infinity;
    for (let row = 0; row < this.#alphas.length; row++) {
      const slope = -this.#signs[row]! * this.#gradient[row]!;
      if (slope >= bestSlope && this.#mayMove(row, 1)) {
        best = row;
        bestSlope = slope;
      }
    }
    return best;
  }

  /** The row that, moved together with `i`, gains most (second order); -1 when the violation is within the tolerance. */
  #partnerOf(i: number): number {
    this.#kernelI = this.#kernelRow(i, this.#kernelI);
    const slopeI = -this.#signs[i]! * this.#gradient[i]!;
    let best = -1;
    let bestGain = Infinity;
    let lowest = Infinity;
    for (let row = 0; row < this.#alphas.length; row++) {
      if (!this.#mayMove(row, -1)) continue;
      const slope = -this.#signs[row]! * this.#gradient[row]!;
      lowest = Math.min(lowest, slope);
      const gap = slopeI - slope;
      if (gap <= 0) continue;
      const curvature = this.#diagonal[i]! + this.#diagonal[row]! - 2 * this.#kernelI[row]!;
      const gain = -(gap * gap) / (curvature > 0 ? curvature : CURVATURE_MIN);
      if (gain <= bestGain) {
        best = row;
        bestGain = gain;
      }
    }
    return slopeI - lowest < this.#options.tolerance ? -1 : best;
  }

  /** Moves both multipliers along the line that keeps Σ sign·a, as far as the box lets. */
  #step(i: number, j: number): void {
    const slopeI = -this.#signs[i]! * this.#gradient[i]!;
    const slopeJ = -this.#signs[j]! * this.#gradient[j]!;
    const curvature = this.#diagonal[i]! + this.#diagonal[j]! - 2 * this.#kernelI[j]!;
    const wanted = (slopeI - slopeJ) / (curvature > 0 ? curvature : CURVATURE_MIN);
    const move = Math.min(wanted, this.#roomUp(i), this.#roomDown(j));
    const hitsI = move === this.#roomUp(i);
    const hitsJ = move === this.#roomDown(j);
    this.#alphas[i]! += this.#signs[i]! * move;
    this.#alphas[j]! -= this.#signs[j]! * move;
    // A multiplier at its bound stands there exactly, or rounding would keep it free for ever.
    if (hitsI) this.#alphas[i] = this.#signs[i]! > 0 ? this.#ceiling(i) : 0;
    if (hitsJ) this.#alphas[j] = this.#signs[j]! > 0 ? 0 : this.#ceiling(j);
    this.#kernelJ = this.#kernelRow(j, this.#kernelJ);
    for (let row = 0; row < this.#gradient.length; row++) {
      const difference = this.#kernelI[row]! - this.#kernelJ[row]!;
      this.#gradient[row]! += this.#signs[row]! * move * difference;
    }
  }

  #roomUp(row: number): number {
    return this.#signs[row]! > 0 ? this.#ceiling(row) - this.#alphas[row]! : this.#alphas[row]!;
  }

  #roomDown(row: number): number {
    return this.#signs[row]! > 0 ? this.#alphas[row]! : this.#ceiling(row) - this.#alphas[row]!;
  }

  #model(iterations: number, converged: boolean): LinearSvmModel {
    const weights = new Float64Array(this.#matrix.columnCount);
    let supportCount = 0;
    let objective = 0;
    for (let row = 0; row < this.#alphas.length; row++) {
      const share = this.#alphas[row]! * this.#signs[row]!;
      if (share === 0) continue;
      supportCount++;
      objective -= this.#alphas[row]!;
      const values = rowOf(this.#matrix, row);
      for (let c = 0; c < weights.length; c++) weights[c]! += share * values[c]!;
    }
    objective += dot(weights, weights) / 2;
    const intercept = this.#intercept();
    return { kind: 'linear_svm', weights, intercept, supportCount, iterations, converged, objective };
  }

  /** Mean over the rows on the margin; without any, the middle of what the conditions allow. */
  #intercept(): number {
    let sum = 0;
    let freeCount = 0;
    let upper = Infinity;
    let lower = -Infinity;
    for (let row = 0; row < this.#alphas.length; row++) {
      const value = -this.#signs[row]! * this.#gradient[row]!;
      const canGrow = this.#mayMove(row, 1);
      const canShrink = this.#mayMove(row, -1);
      if (canGrow && canShrink) {
        sum += value;
        freeCount++;
      } else if (canGrow) lower = Math.max(lower, value);
      else upper = Math.min(upper, value);
    }
    return freeCount > 0 ? sum / freeCount : (upper + lower) / 2;
  }
}
