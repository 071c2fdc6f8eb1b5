// Local outlier factor (Breunig, Kriegel, Ng and Sander 2000): how much thinner the rows stand around a row than around its
// neighbours; about 1 inside a cloud. Offline only: it keeps all training rows and compares with each, so no bundle carries it.
// Equals scikit-learn's LocalOutlierFactor (novelty) where no distances tie. Called by experiments.
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

export interface OutlierFactorOptions {
  readonly neighbours: number;
  /** Called every 1,000 rows. */
  readonly onProgress?: OnProgress;
}

export interface OutlierFactorModel {
  readonly kind: 'local_outlier_factor';
  readonly rows: Matrix;
  readonly neighbours: number;
  /** Distance of each training row to its last neighbour. */
  readonly reach: Float64Array;
  /** Inverse mean reachability distance of each training row. */
  readonly density: Float64Array;
  /** Factor of each training row among the others; 1.5 and more is scikit-learn's outlier. */
  readonly trainingFactors: Float64Array;
}

/** Beyond this the square of the rows takes minutes. */
export const OUTLIER_FACTOR_ROWS_MAX = 50_000;
/** Keeps the density of rows with many equals finite. */
const DISTANCE_MIN = 1e-10;
const PROGRESS_ROWS = 1000;

interface Neighbours {
  readonly rows: Uint32Array;
  readonly distances: Float64Array;
}

/** @throws PicketError TRAINING_INVALID: bad options or data, fewer than two rows, more than OUTLIER_FACTOR_ROWS_MAX. */
export function fitOutlierFactor(
  matrix: Matrix,
  { neighbours, onProgress }: OutlierFactorOptions = { neighbours: 20 },
): OutlierFactorModel {
  checkOptions('local outlier factor', [
    {
      field: 'neighbours',
      value: neighbours,
      ok: Number.isInteger(neighbours) && neighbours >= 1,
      expected: '1 or more',
    },
  ]);
  checkMatrix(matrix, 'local outlier factor', 2);
  const { rowCount } = matrix;
  if (rowCount > OUTLIER_FACTOR_ROWS_MAX) {
    refuseTraining(
      `local outlier factor: ${rowCount} rows are more than ${OUTLIER_FACTOR_ROWS_MAX}`,
      'take a sample of the rows: time grows with the square',
    );
  }
  const k = Math.min(neighbours, rowCount - 1);
  const near: Neighbours[] = [];
  for (let row = 0; row < rowCount; row++) {
    near.push(nearestTo(matrix, rowOf(matrix, row), k, row));
    if ((row + 1) % PROGRESS_ROWS === 0) onProgress?.({ done: row + 1, all: rowCount });
  }
  const reach = Float64Array.from(near, ({ distances }) => distances[k - 1]!);
  const density = Float64Array.from(near, (found) => densityOf(found, reach));
  const trainingFactors = Float64Array.from(near, (found, row) => factorOf(found, density, density[row]!));
  return { kind: 'local_outlier_factor', rows: matrix, neighbours: k, reach, density, trainingFactors };
}

/** Factor of a row that is not of the training rows; the higher, the lonelier. */
export function scoreOutlierFactor(model: OutlierFactorModel, row: Row): number {
  const found = nearestTo(model.rows, row, model.neighbours, -1);
  return factorOf(found, model.density, densityOf(found, model.reach));
}

/** The k nearest rows but `left`, nearest first, earlier rows first among equals. */
function nearestTo(matrix: Matrix, row: Row, k: number, left: number): Neighbours {
  const rows = new Uint32Array(k);
  const squares = new Float64Array(k).fill(Infinity);
  for (let other = 0; other < matrix.rowCount; other++) {
    if (other === left) continue;
    const squared = squaredDistance(row, rowOf(matrix, other));
    if (squared >= squares[k - 1]!) continue;
    let at = k - 1;
    for (; at > 0 && squares[at - 1]! > squared; at--) {
      squares[at] = squares[at - 1]!;
      rows[at] = rows[at - 1]!;
    }
    squares[at] = squared;
    rows[at] = other;
  }
  return { rows, distances: squares.map(Math.sqrt) };
}

function densityOf({ rows, distances }: Neighbours, reach: Float64Array): number {
  let sum = 0;
  rows.forEach((row, i) => {
    sum += Math.max(distances[i]!, reach[row]!);
  });
  return 1 / (sum / rows.length + DISTANCE_MIN);
}

function factorOf({ rows }: Neighbours, density: Float64Array, own: number): number {
  let sum = 0;
  for (const row of rows) sum += density[row]! / own;
  return sum / rows.length;
}
