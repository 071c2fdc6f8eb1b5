// StandardScaler: takes each column's mean away and divides by its standard deviation (divisor n), as scikit-learn does, with its
// rule for what is constant. Missing values are left out of the figures and stay missing. Called by experiments and dose-svm.ts.
import { checkOptions, type Matrix, type Row, refuseTraining } from './matrix.ts';

export interface ScalerModel {
  readonly kind: 'standard_scaler';
  readonly mean: Float64Array;
  /** What to divide by: the standard deviation, or 1 for a constant column. */
  readonly scale: Float64Array;
}

/**
 * Fits the scaler: corrected two-pass variance (Chan, Golub and LeVeque 1983).
 * @throws PicketError TRAINING_INVALID: no rows, an infinite value, a column without any value.
 */
export function fitScaler(matrix: Matrix): ScalerModel {
  const { rowCount, columnCount } = matrix;
  if (rowCount < 1 || columnCount < 1) refuseTraining('scaler: there are no rows or no columns');
  const mean = new Float64Array(columnCount);
  const scale = new Float64Array(columnCount);
  for (let c = 0; c < columnCount; c++) {
    const figures = columnFigures(matrix, c);
    mean[c] = figures.mean;
    scale[c] = isConstant(figures) ? 1 : Math.sqrt(figures.variance);
  }
  return { kind: 'standard_scaler', mean, scale };
}

interface Figures {
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
}

function columnFigures({ values, columnCount }: Matrix, column: number): Figures {
  let sum = 0;
  let count = 0;
  for (let at = column; at < values.length; at += columnCount) {
    const value = values[at]!;
    if (Number.isNaN(value)) continue;
    if (!Number.isFinite(value)) refuseTraining(`scaler: column ${column} has an infinite value`);
    sum += value;
    count++;
  }
  if (count === 0) refuseTraining(`scaler: column ${column} has no value at all`);
  const mean = sum / count;
  let residue = 0;
  let squares = 0;
  for (let at = column; at < values.length; at += columnCount) {
    const difference = values[at]! - mean;
    if (Number.isNaN(difference)) continue;
    residue += difference;
    squares += difference * difference;
  }
  return { count, mean, variance: (squares - (residue * residue) / count) / count };
}

/** Whether a variance is no more than rounding can make of a constant column. */
function isConstant({ count, mean, variance }: Figures): boolean {
  const error = count * mean * Number.EPSILON;
  return variance <= count * Number.EPSILON * variance + error * error;
}

/** The row in standard units; writes into `out` when given. */
export function scaleRow(
  model: ScalerModel,
  row: Row,
  out = new Float64Array(model.mean.length),
): Float64Array {
  const { mean, scale } = model;
  checkOptions('scaler', [
    {
      field: 'row',
      value: row.length,
      ok: row.length === mean.length,
      expected: `${mean.length} values`,
    },
  ]);
  for (let c = 0; c < mean.length; c++) out[c] = (row[c]! - mean[c]!) / scale[c]!;
  return out;
}

/** A matrix in standard units. */
export function scaleMatrix(model: ScalerModel, { values, rowCount, columnCount }: Matrix): Matrix {
  const scaled = new Float64Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const c = at % columnCount;
    scaled[at] = (values[at]! - model.mean[c]!) / model.scale[c]!;
  }
  return { values: scaled, rowCount, columnCount };
}
