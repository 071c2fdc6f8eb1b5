// What is learned from: named feature columns, a class for each row, optional weights. Column-major, NaN = missing.
// Pure data and checks; reading files lives in csv.ts, binning in binning.ts. Used by every other file of training/.
import { PicketError } from '../domain/errors.ts';

/** Feature values of many rows: `columns[f][row]`, NaN where the value is missing, never infinite. */
export interface FeatureTable {
  readonly names: readonly string[];
  readonly columns: readonly Float64Array[];
  readonly rowCount: number;
}

/** A feature table with a class for each row. `labels[row]` is an index of `classNames`. */
export interface Dataset extends FeatureTable {
  readonly labels: Uint8Array;
  /** Two names or more; with two, the second one is the positive class. */
  readonly classNames: readonly string[];
  /** One weight a row, finite and not negative; absent means 1 for each. */
  readonly weights?: Float64Array;
}

const CLASSES_MAX = 64;
const FEATURES_MAX = 4096;

function refuse(message: string, hint?: string): never {
  throw new PicketError('TRAINING_INVALID', message, hint === undefined ? {} : { hint });
}

function checkColumns(table: FeatureTable): void {
  const { names, columns, rowCount } = table;
  if (names.length === 0) refuse('there are no features', 'name at least one numeric column');
  if (names.length > FEATURES_MAX) refuse(`${names.length} features are more than ${FEATURES_MAX}`);
  if (columns.length !== names.length) refuse(`${names.length} feature names but ${columns.length} columns`);
  if (new Set(names).size !== names.length) refuse('two features have the same name');
  columns.forEach((column, f) => {
    if (column.length !== rowCount) refuse(`column ${names[f]} has ${column.length} rows, not ${rowCount}`);
    for (let row = 0; row < column.length; row++) {
      const value = column[row]!;
      if (value === Infinity || value === -Infinity) {
        refuse(`column ${names[f]}, row ${row}: the value is infinite`, 'use NaN for what is missing');
      }
    }
  });
}

function checkWeights(weights: Float64Array, rowCount: number): void {
  if (weights.length !== rowCount) refuse(`${weights.length} weights for ${rowCount} rows`);
  for (const weight of weights) {
    if (!(weight >= 0 && weight < Infinity))
      refuse(`a weight must be finite and not negative, not ${weight}`);
  }
}

/**
 * Checks a table without classes and returns it.
 * @throws PicketError TRAINING_INVALID: unequal lengths, infinite values, no rows, no features.
 */
export function checkedTable(table: FeatureTable): FeatureTable {
  if (table.rowCount === 0) refuse('there are no rows');
  checkColumns(table);
  return table;
}

/**
 * Checks a data set and returns it.
 * @throws PicketError TRAINING_INVALID: unequal lengths, infinite values, unknown classes, bad weights, no rows.
 */
export function checkedDataset(data: Dataset): Dataset {
  const { rowCount, labels, classNames, weights } = data;
  checkedTable(data);
  if (classNames.length < 2) refuse(`a model needs two classes or more, not ${classNames.length}`);
  if (classNames.length > CLASSES_MAX) refuse(`${classNames.length} classes are more than ${CLASSES_MAX}`);
  if (labels.length !== rowCount) refuse(`${labels.length} labels for ${rowCount} rows`);
  const counts = classCounts(data);
  for (const label of labels) {
    if (label >= classNames.length) refuse(`label ${label} is outside 0..${classNames.length - 1}`);
  }
  counts.forEach((count, k) => {
    if (count === 0) refuse(`no row has the class ${classNames[k]}`);
  });
  if (weights !== undefined) checkWeights(weights, rowCount);
  return data;
}

/** Rows of each class, in class order. */
export function classCounts(data: Pick<Dataset, 'labels' | 'classNames'>): Uint32Array {
  const counts = new Uint32Array(data.classNames.length);
  for (const label of data.labels) {
    if (label < counts.length) counts[label]!++;
  }
  return counts;
}

/** The given rows, in the given order, as a data set of its own. */
export function takeRows(data: Dataset, rows: ArrayLike<number>): Dataset {
  const take = (column: Float64Array) => {
    const out = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) out[i] = column[rows[i]!]!;
    return out;
  };
  const labels = new Uint8Array(rows.length);
  for (let i = 0; i < rows.length; i++) labels[i] = data.labels[rows[i]!]!;
  return {
    names: data.names,
    columns: data.columns.map(take),
    rowCount: rows.length,
    labels,
    classNames: data.classNames,
    ...(data.weights === undefined ? {} : { weights: take(data.weights) }),
  };
}

/**
 * A data set from logged vectors.
 * @param vectors row-major, `names.length` values a row (f32 or f64).
 */
export function datasetFromVectors(
  vectors: Float32Array | Float64Array,
  rest: Pick<Dataset, 'names' | 'labels' | 'classNames'> & { readonly weights?: Float64Array },
): Dataset {
  const width = rest.names.length;
  const rowCount = rest.labels.length;
  if (vectors.length !== width * rowCount) {
    refuse(`${vectors.length} values are not ${rowCount} rows of ${width} features`);
  }
  const columns = rest.names.map((_, f) => {
    const column = new Float64Array(rowCount);
    for (let row = 0, at = f; row < rowCount; row++, at += width) column[row] = vectors[at]!;
    return column;
  });
  return checkedDataset({ ...rest, columns, rowCount });
}
