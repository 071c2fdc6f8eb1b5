// What the estimators over plain numbers share: a row-major matrix, checks of what goes in, progress of long fits, percentiles.
// Each estimator is a pair of functions, fit(matrix, options) -> model and score(model, row) -> number; models are plain data
// and depend on rows, options and seed only. Trees learn from dataset.ts instead. Called by scaler, k-means, SVMs, envelope...
import { PicketError, type Problem } from '../domain/errors.ts';
import type { FeatureTable } from './dataset.ts';
import type { FitProgress } from './estimator.ts';

/** Rows of numbers: value (row, column) stands at `row * columnCount + column`. All finite; no missing values. */
export interface Matrix {
  readonly values: Float64Array;
  readonly rowCount: number;
  readonly columnCount: number;
}

/** Called now and then by long fits. */
export type OnProgress = (progress: FitProgress) => void;

/** A row or a list of columns whose length is the number of columns. */
export type Row = ArrayLike<number>;

/** Refuses data or options that cannot give a model. */
export function refuseTraining(message: string, hint?: string): never {
  throw new PicketError('TRAINING_INVALID', message, hint === undefined ? {} : { hint });
}

/** One rule an option must keep. */
export interface OptionRule {
  readonly field: string;
  readonly value: unknown;
  readonly ok: boolean;
  readonly expected: string;
}

/** @throws PicketError TRAINING_INVALID naming every option that breaks its rule. */
export function checkOptions(estimator: string, rules: readonly OptionRule[]): void {
  const problems: Problem[] = rules
    .filter(({ ok }) => !ok)
    .map(({ field, value, expected }) => ({ field, value: String(value), expected }));
  if (problems.length > 0) {
    throw new PicketError('TRAINING_INVALID', `${estimator}: options are not usable`, { problems });
  }
}

/** A matrix from rows of equal length. */
export function matrixFromRows(rows: readonly Row[]): Matrix {
  const columnCount = rows[0]?.length ?? 0;
  const values = new Float64Array(rows.length * columnCount);
  rows.forEach((row, r) => {
    if (row.length !== columnCount) refuseTraining(`row ${r} has ${row.length} values, not ${columnCount}`);
    values.set(row, r * columnCount);
  });
  return { values, rowCount: rows.length, columnCount };
}

/** A matrix from named columns; missing values become `missing`, which is refused by the fits if it is NaN. */
export function matrixFromTable(table: FeatureTable, missing = Number.NaN): Matrix {
  const { columns, rowCount } = table;
  const columnCount = columns.length;
  const values = new Float64Array(rowCount * columnCount);
  columns.forEach((column, c) => {
    for (let row = 0; row < rowCount; row++) {
      const value = column[row]!;
      values[row * columnCount + c] = Number.isNaN(value) ? missing : value;
    }
  });
  return { values, rowCount, columnCount };
}

/** One row, without copying. */
export function rowOf(matrix: Matrix, row: number): Float64Array {
  return matrix.values.subarray(row * matrix.columnCount, (row + 1) * matrix.columnCount);
}

/** The given rows, in the given order. */
export function pickRows(matrix: Matrix, rows: ArrayLike<number>): Matrix {
  const values = new Float64Array(rows.length * matrix.columnCount);
  for (let i = 0; i < rows.length; i++) values.set(rowOf(matrix, rows[i]!), i * matrix.columnCount);
  return { values, rowCount: rows.length, columnCount: matrix.columnCount };
}

/** A matrix of what `map` makes of each row. */
export function mapRows(matrix: Matrix, columnCount: number, map: (row: Float64Array) => Row): Matrix {
  const values = new Float64Array(matrix.rowCount * columnCount);
  for (let row = 0; row < matrix.rowCount; row++) values.set(map(rowOf(matrix, row)), row * columnCount);
  return { values, rowCount: matrix.rowCount, columnCount };
}

/** One number for each row. */
export function scoreRows(matrix: Matrix, score: (row: Float64Array) => number): Float64Array {
  return Float64Array.from({ length: matrix.rowCount }, (_, row) => score(rowOf(matrix, row)));
}

/**
 * Checks what a fit is given.
 * @param estimator name for the message.
 * @throws PicketError TRAINING_INVALID: wrong size, too few rows, no columns, a value that is missing or infinite.
 */
export function checkMatrix(matrix: Matrix, estimator: string, rowsMin = 1): void {
  const { values, rowCount, columnCount } = matrix;
  if (columnCount < 1) refuseTraining(`${estimator}: there are no columns`);
  if (rowCount < rowsMin) refuseTraining(`${estimator}: ${rowCount} rows are fewer than ${rowsMin}`);
  if (values.length !== rowCount * columnCount) {
    refuseTraining(`${estimator}: ${values.length} values are not ${rowCount} rows of ${columnCount}`);
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const place = `row ${Math.floor(bad / columnCount)}, column ${bad % columnCount}`;
  refuseTraining(
    `${estimator}: ${place} is ${Number.isNaN(values[bad]) ? 'missing' : 'infinite'}`,
    'fill in missing values first: this estimator has no place for them',
  );
}

/** Sum of products, first column first: the order is part of the result's bits. */
export function dot(a: Row, b: Row): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Sum of squared differences. */
export function squaredDistance(a: Row, b: Row): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! - b[i]!;
    sum += difference * difference;
  }
  return sum;
}

/**
 * Percentile by linear interpolation, as numpy's default.
 * @param share 0..1.
 */
export function percentile(values: Float64Array, share: number): number {
  const sorted = values.slice().sort();
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  const weight = place - below;
  // numpy starts from the nearer end.
  return weight >= 0.5 ? high - (high - low) * (1 - weight) : low + (high - low) * weight;
}
