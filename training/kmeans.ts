// K-means: k-means++ starts (Arthur and Vassilvitskii 2007, greedy as in scikit-learn), Lloyd's iterations, the best of several
// starts. From given first centres it goes the way of scikit-learn's KMeans: same tolerance, same refill of empty clusters.
// The choice of k is in kmeans-choice.ts, learning online in kmeans-online.ts. Called by both of those and by experiments.
import { type Random, seededRandom } from '../domain/random.ts';
import {
  checkMatrix,
  checkOptions,
  type Matrix,
  type OnProgress,
  type Row,
  refuseTraining,
  rowOf,
  squaredDistance,
} from './matrix.ts';

export interface KMeansOptions {
  readonly k: number;
  readonly seed: number;
  /** Starts; the one with the least inertia is kept. */
  readonly starts: number;
  readonly iterationsMax: number;
  /** Stop when the squared shift of all centres is at most this times the mean variance of the columns. */
  readonly tolerance: number;
  /** First centres instead of k-means++ and several starts. */
  readonly firstCentres: Matrix | null;
  /** Called after every start. */
  readonly onProgress?: OnProgress;
}

export const KMEANS_DEFAULTS: Omit<KMeansOptions, 'k' | 'seed'> = {
  starts: 10,
  iterationsMax: 300,
  tolerance: 1e-4,
  firstCentres: null,
};

export interface KMeansModel {
  readonly kind: 'kmeans';
  /** k rows. */
  readonly centres: Matrix;
  /** Training rows nearest to each centre. */
  readonly counts: Float64Array;
  /** Sum of squared distances of the training rows to their centres. */
  readonly inertia: number;
  readonly iterations: number;
}

/** The nearest centre (the first of equals) and the squared distance to it. */
export interface Nearest {
  readonly cluster: number;
  readonly squared: number;
}

export function nearestCentre(centres: Matrix, row: Row): Nearest {
  let cluster = 0;
  let squared = Infinity;
  for (let k = 0; k < centres.rowCount; k++) {
    const distance = squaredDistance(row, rowOf(centres, k));
    if (distance < squared) {
      cluster = k;
      squared = distance;
    }
  }
  return { cluster, squared };
}

/** Distance to the nearest centre, in the columns' units. */
export function scoreKMeans(model: Pick<KMeansModel, 'centres'>, row: Row): number {
  return Math.sqrt(nearestCentre(model.centres, row).squared);
}

/** Cluster of each row. */
export function assignClusters(model: Pick<KMeansModel, 'centres'>, matrix: Matrix): Uint32Array {
  return Uint32Array.from(
    { length: matrix.rowCount },
    (_, row) => nearestCentre(model.centres, rowOf(matrix, row)).cluster,
  );
}

/**
 * Fits k centres.
 * @throws PicketError TRAINING_INVALID: bad options or data, fewer rows than centres.
 */
export function fitKMeans(
  matrix: Matrix,
  given: Partial<KMeansOptions> & Pick<KMeansOptions, 'k' | 'seed'>,
): KMeansModel {
  const options = { ...KMEANS_DEFAULTS, ...given };
  const { k, seed, starts, iterationsMax, tolerance, firstCentres } = options;
  const isCount = (value: number) => Number.isInteger(value) && value >= 1;
  checkOptions('k-means', [
    { field: 'k', value: k, ok: isCount(k), expected: 'a whole number, 1 or more' },
    { field: 'starts', value: starts, ok: isCount(starts), expected: 'a whole number, 1 or more' },
    { field: 'iterationsMax', value: iterationsMax, ok: isCount(iterationsMax), expected: '1 or more' },
    { field: 'tolerance', value: tolerance, ok: tolerance >= 0, expected: '0 or more' },
  ]);
  checkMatrix(matrix, 'k-means', k);
  const shiftMax = tolerance * meanVariance(matrix);
  if (firstCentres !== null) {
    checkMatrix(firstCentres, 'k-means, first centres', k);
    if (firstCentres.rowCount !== k || firstCentres.columnCount !== matrix.columnCount) {
      refuseTraining('k-means: the first centres differ from k or from the columns of the data');
    }
    return new Lloyd(matrix, firstCentres.values.slice(), k).run(iterationsMax, shiftMax);
  }
  const random = seededRandom(seed);
  let best: KMeansModel | null = null;
  for (let start = 0; start < starts; start++) {
    const first = plusPlusCentres(matrix, k, random.fork(start));
    const model = new Lloyd(matrix, first, k).run(iterationsMax, shiftMax);
    if (best === null || model.inertia < best.inertia) best = model;
    options.onProgress?.({ done: start + 1, all: starts });
  }
  return best!;
}

function meanVariance({ values, rowCount, columnCount }: Matrix): number {
  let sum = 0;
  for (let c = 0; c < columnCount; c++) {
    let mean = 0;
    for (let at = c; at < values.length; at += columnCount) mean += values[at]!;
    mean /= rowCount;
    for (let at = c; at < values.length; at += columnCount) sum += (values[at]! - mean) ** 2;
  }
  return sum / rowCount / columnCount;
}

/** Rows drawn by their squared distance to the centres so far; of 2 + ln k draws the one that leaves the least inertia. */
function plusPlusCentres(matrix: Matrix, k: number, random: Random): Float64Array {
  const { rowCount, columnCount } = matrix;
  const trials = 2 + Math.floor(Math.log(k));
  const centres = new Float64Array(k * columnCount);
  let closest = new Float64Array(rowCount).fill(Infinity);
  let candidate = new Float64Array(rowCount);
  let bestSoFar = new Float64Array(rowCount);
  let potential = 0;
  for (let c = 0; c < k; c++) {
    let bestPotential = Infinity;
    let bestRow = 0;
    for (let trial = 0; trial < (c === 0 ? 1 : trials); trial++) {
      const picked = c === 0 ? random.int(rowCount) : drawByWeight(closest, random.next() * potential);
      const sum = distancesWith(matrix, picked, closest, candidate);
      if (sum >= bestPotential) continue;
      bestPotential = sum;
      bestRow = picked;
      [candidate, bestSoFar] = [bestSoFar, candidate];
    }
    [closest, bestSoFar] = [bestSoFar, closest];
    potential = bestPotential;
    centres.set(rowOf(matrix, bestRow), c * columnCount);
  }
  return centres;
}

function drawByWeight(weights: Float64Array, target: number): number {
  let sum = 0;
  for (let row = 0; row < weights.length; row++) {
    sum += weights[row]!;
    if (sum >= target && weights[row]! > 0) return row;
  }
  return weights.length - 1;
}

/** Squared distances to the nearest of the old centres and the picked row, and their sum. */
function distancesWith(matrix: Matrix, picked: number, closest: Float64Array, out: Float64Array): number {
  const centre = rowOf(matrix, picked);
  let sum = 0;
  for (let row = 0; row < out.length; row++) {
    const distance = Math.min(closest[row]!, squaredDistance(rowOf(matrix, row), centre));
    out[row] = distance;
    sum += distance;
  }
  return sum;
}

/** Lloyd's iterations from given centres. */
class Lloyd {
  readonly #matrix: Matrix;
  readonly #k: number;
  readonly #labels: Int32Array;
  readonly #distances: Float64Array;
  readonly #counts: Float64Array;
  #centres: Float64Array;
  #next: Float64Array;

  constructor(matrix: Matrix, centres: Float64Array, k: number) {
    this.#matrix = matrix;
    this.#k = k;
    this.#labels = new Int32Array(matrix.rowCount).fill(-1);
    this.#distances = new Float64Array(matrix.rowCount);
    this.#counts = new Float64Array(k);
    this.#centres = centres;
    this.#next = new Float64Array(centres.length);
  }

  run(iterationsMax: number, shiftMax: number): KMeansModel {
    let iterations = 0;
    let settled = false;
    while (!settled && iterations < iterationsMax) {
      settled = this.#assign() === 0;
      this.#moveCentres();
      const shift = squaredDistance(this.#centres, this.#next);
      [this.#centres, this.#next] = [this.#next, this.#centres];
      iterations++;
      if (shift <= shiftMax) break;
    }
    this.#assign();
    this.#counts.fill(0);
    for (const label of this.#labels) this.#counts[label]!++;
    const inertia = this.#distances.reduce((sum, distance) => sum + distance, 0);
    return { kind: 'kmeans', centres: this.#asMatrix(), counts: this.#counts, inertia, iterations };
  }

  #asMatrix(): Matrix {
    return { values: this.#centres, rowCount: this.#k, columnCount: this.#matrix.columnCount };
  }

  /** Gives each row its nearest centre; returns how many rows changed theirs. */
  #assign(): number {
    const centres = this.#asMatrix();
    let changed = 0;
    for (let row = 0; row < this.#labels.length; row++) {
      const { cluster, squared } = nearestCentre(centres, rowOf(this.#matrix, row));
      if (this.#labels[row] !== cluster) changed++;
      this.#labels[row] = cluster;
      this.#distances[row] = squared;
    }
    return changed;
  }

  /** Writes the mean of each cluster into `next`. */
  #moveCentres(): void {
    const width = this.#matrix.columnCount;
    this.#next.fill(0);
    this.#counts.fill(0);
    for (let row = 0; row < this.#labels.length; row++) {
      const cluster = this.#labels[row]!;
      this.#counts[cluster]!++;
      this.#addRow(cluster, row, 1);
    }
    this.#refillEmpty();
    const fullest = this.#counts.indexOf(Math.max(...this.#counts));
    for (let k = 0; k < this.#k; k++) {
      if (this.#counts[k]! === 0) continue;
      const scale = 1 / this.#counts[k]!;
      for (let c = 0; c < width; c++) this.#next[k * width + c]! *= scale;
    }
    for (let k = 0; k < this.#k; k++) {
      if (this.#counts[k]! === 0) this.#next.copyWithin(k * width, fullest * width, (fullest + 1) * width);
    }
  }

  #addRow(cluster: number, row: number, times: number): void {
    const width = this.#matrix.columnCount;
    const values = rowOf(this.#matrix, row);
    for (let c = 0; c < width; c++) this.#next[cluster * width + c]! += times * values[c]!;
  }

  /** Each empty cluster takes one of the rows that are farthest from their centres. */
  #refillEmpty(): void {
    const empty = [...this.#counts.keys()].filter((k) => this.#counts[k] === 0);
    if (empty.length === 0) return;
    const farthest = Uint32Array.from(this.#labels.keys());
    farthest.sort((a, b) => this.#distances[b]! - this.#distances[a]! || a - b);
    if (this.#distances[farthest[0]!] === 0) return;
    empty.forEach((cluster, i) => {
      const row = farthest[i]!;
      const old = this.#labels[row]!;
      this.#addRow(old, row, -1);
      this.#addRow(cluster, row, 1);
      this.#counts[old]!--;
      this.#counts[cluster] = 1;
    });
  }
}
