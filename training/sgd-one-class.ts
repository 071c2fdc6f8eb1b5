// Linear one-class SVM by stochastic gradient descent, the same steps in the same order as scikit-learn's SGDOneClassSVM: hinge
// loss on rows all counted as inliers, weight decay, four learning rates, averaging. Outlier when w·x < offset.
// Input should be standardised. Called by dose-svm.ts and experiments/novelty-detectors.ts.
import { checkMatrix, checkOptions, dot, type Matrix, type Row, refuseTraining, rowOf } from './matrix.ts';

export interface SgdOneClassOptions {
  /** Upper bound on the share of training outliers, (0, 1]. */
  readonly nu: number;
  /** Passes over the rows at most. */
  readonly epochsMax: number;
  /** Stop when the objective gains less than this for `patience` passes; null never stops early. */
  readonly tolerance: number | null;
  /** `optimal`: 1 / (nu (t0 + t)); `invscaling`: eta0 / t^powerT; `adaptive`: eta0, a fifth of it whenever the gain stalls. */
  readonly learningRate: 'optimal' | 'constant' | 'invscaling' | 'adaptive';
  readonly eta0: number;
  readonly powerT: number;
  readonly fitIntercept: boolean;
  /** Average the weights from this step on (1 = all steps); 0 does not average. */
  readonly averageFrom: number;
  /** Seed of scikit-learn's row shuffle (32 bits; what it draws from its random state); null keeps the order of the rows. */
  readonly shuffleSeed: number | null;
}

/** scikit-learn's defaults, but without a shuffle. */
export const SGD_ONE_CLASS_DEFAULTS: SgdOneClassOptions = {
  nu: 0.5,
  epochsMax: 1000,
  tolerance: 1e-3,
  learningRate: 'optimal',
  eta0: 0.01,
  powerT: 0.5,
  fitIntercept: true,
  averageFrom: 0,
  shuffleSeed: null,
};

export interface SgdOneClassModel {
  readonly kind: 'sgd_one_class';
  readonly weights: Float64Array;
  readonly offset: number;
  readonly epochs: number;
}

const PATIENCE = 5;
/** The common factor of the weights is folded in when it falls below this. */
const FACTOR_MIN = 1e-9;
const ETA_MIN = 1e-6;

/**
 * Fits the model.
 * @throws PicketError TRAINING_INVALID: bad options or data, or weights that grow beyond all bounds (unscaled input).
 */
export function fitSgdOneClass(matrix: Matrix, given: Partial<SgdOneClassOptions> = {}): SgdOneClassModel {
  const options = { ...SGD_ONE_CLASS_DEFAULTS, ...given };
  checkMatrix(matrix, 'one-class SVM');
  const { nu, epochsMax, eta0, averageFrom, shuffleSeed } = options;
  checkOptions('one-class SVM', [
    { field: 'nu', value: nu, ok: nu > 0 && nu <= 1, expected: 'above 0, at most 1' },
    {
      field: 'epochsMax',
      value: epochsMax,
      ok: Number.isInteger(epochsMax) && epochsMax >= 1,
      expected: '1 or more',
    },
    { field: 'eta0', value: eta0, ok: eta0 > 0 && Number.isFinite(eta0), expected: 'above 0' },
    { field: 'averageFrom', value: averageFrom, ok: averageFrom >= 0, expected: '0 or more' },
    {
      field: 'shuffleSeed',
      value: shuffleSeed,
      ok: shuffleSeed === null || (Number.isInteger(shuffleSeed) && shuffleSeed >>> 0 === shuffleSeed),
      expected: 'a whole number of 32 bits, or null',
    },
  ]);
  return new Descent(matrix, options).run();
}

/** Signed distance to the plane, in units of the decision function: below 0 is an outlier. */
export function decideSgdOneClass(model: SgdOneClassModel, row: Row): number {
  return dot(row, model.weights) - model.offset;
}

/** A weight vector kept as factor × weights, with the running average kept lazily (Bottou, "SGD tricks", 2012). */
class FactoredWeights {
  readonly weights: Float64Array;
  readonly average: Float64Array;
  readonly #averages: boolean;
  #factor = 1;
  #averageA = 0;
  #averageB = 1;
  squaredNorm = 0;

  constructor(length: number, averages: boolean) {
    this.weights = new Float64Array(length);
    this.average = new Float64Array(averages ? length : 0);
    this.#averages = averages;
  }

  dot(row: Float64Array): number {
    return dot(this.weights, row) * this.#factor;
  }

  decay(by: number): void {
    this.#factor *= by;
    this.squaredNorm *= by * by;
    if (this.#factor < FACTOR_MIN) this.fold();
  }

  add(row: Float64Array, amount: number): void {
    const step = amount / this.#factor;
    let squares = 0;
    for (let c = 0; c < row.length; c++) {
      const value = this.weights[c]! + row[c]! * step;
      this.weights[c] = value;
      squares += value * value;
    }
    this.squaredNorm = squares * (this.#factor * this.#factor);
  }

  addToAverage(row: Float64Array, amount: number, steps: number): void {
    const share = 1 / steps;
    const step = -amount / this.#factor;
    for (let c = 0; c < row.length; c++) this.average[c]! += this.#averageA * row[c]! * step;
    if (steps > 1) this.#averageB /= 1 - share;
    this.#averageA += share * this.#averageB * this.#factor;
  }

  fold(): void {
    if (this.#averages) {
      for (let c = 0; c < this.average.length; c++) {
        this.average[c] = (this.average[c]! + this.#averageA * this.weights[c]!) * (1 / this.#averageB);
      }
      this.#averageA = 0;
      this.#averageB = 1;
    }
    for (let c = 0; c < this.weights.length; c++) this.weights[c]! *= this.#factor;
    this.#factor = 1;
  }
}

/** One fit: state between steps. */
class Descent {
  readonly #matrix: Matrix;
  readonly #options: SgdOneClassOptions;
  readonly #vector: FactoredWeights;
  readonly #order: Uint32Array;
  readonly #optimalStart: number;
  #eta: number;
  #intercept = 1;
  #averageIntercept = 0;
  #step = 1;
  #best = Infinity;
  #stalled = 0;

  constructor(matrix: Matrix, options: SgdOneClassOptions) {
    this.#matrix = matrix;
    this.#options = options;
    this.#vector = new FactoredWeights(matrix.columnCount, options.averageFrom > 0);
    this.#order = Uint32Array.from({ length: matrix.rowCount }, (_, row) => row);
    const typicalWeight = Math.sqrt(1 / Math.sqrt(options.nu));
    this.#optimalStart = 1 / (typicalWeight * options.nu);
    this.#eta = options.eta0;
  }

  run(): SgdOneClassModel {
    const { epochsMax, shuffleSeed } = this.#options;
    let epochs = 0;
    for (let more = true; more && epochs < epochsMax; ) {
      if (shuffleSeed !== null) shuffleRows(this.#order, shuffleSeed);
      const objective = this.#pass() / this.#matrix.rowCount;
      epochs++;
      if (!Number.isFinite(this.#intercept) || this.#vector.weights.some((w) => !Number.isFinite(w))) {
        refuseTraining(
          `one-class SVM: the weights overflow in pass ${epochs}`,
          'standardise the columns first',
        );
      }
      more = this.#goesOn(objective);
    }
    this.#vector.fold();
    const { averageFrom } = this.#options;
    const averaged = averageFrom > 0 && averageFrom <= this.#step - 1;
    return {
      kind: 'sgd_one_class',
      weights: averaged ? this.#vector.average : this.#vector.weights,
      offset: 1 - (averaged ? this.#averageIntercept : this.#intercept),
      epochs,
    };
  }

  /** One pass over the rows; gives the sum of the objective before each step. */
  #pass(): number {
    const { nu, learningRate, eta0, powerT, fitIntercept, averageFrom } = this.#options;
    const vector = this.#vector;
    let objective = 0;
    for (const rowIndex of this.#order) {
      const row = rowOf(this.#matrix, rowIndex);
      const margin = vector.dot(row) + this.#intercept;
      if (learningRate === 'optimal') this.#eta = 1 / (nu * (this.#optimalStart + this.#step - 1));
      else if (learningRate === 'invscaling') this.#eta = eta0 / this.#step ** powerT;
      const eta = this.#eta;
      const norm = Math.sqrt(vector.squaredNorm);
      objective += (margin <= 1 ? 1 - margin : 0) + nu * (0.5 * norm * norm) + this.#intercept * nu;
      const update = margin <= 1 ? eta : 0;
      vector.decay(Math.max(0, 1 - eta * nu));
      if (update !== 0) vector.add(row, update);
      if (fitIntercept) this.#intercept += update - eta * nu;
      if (averageFrom > 0 && averageFrom <= this.#step) {
        const steps = this.#step - averageFrom + 1;
        vector.addToAverage(row, update, steps);
        this.#averageIntercept += (this.#intercept - this.#averageIntercept) / steps;
      }
      this.#step++;
    }
    return objective;
  }

  /** Whether another pass is due, by the mean objective of the last one. */
  #goesOn(objective: number): boolean {
    const { tolerance, learningRate } = this.#options;
    if (tolerance !== null && objective > this.#best - tolerance) this.#stalled++;
    else this.#stalled = 0;
    if (objective < this.#best) this.#best = objective;
    if (this.#stalled < PATIENCE) return true;
    if (learningRate !== 'adaptive' || this.#eta <= ETA_MIN) return false;
    this.#eta /= 5;
    this.#stalled = 0;
    return true;
  }
}

/** scikit-learn's shuffle: xorshift32 (Marsaglia 2003), from the same seed each pass, on the order the last pass left. */
function shuffleRows(order: Uint32Array, seed: number): void {
  let state = seed === 0 ? 1 : seed | 0;
  for (let i = 0; i < order.length - 1; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const j = i + (((state >>> 0) % 2147483648) % (order.length - i));
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
}
