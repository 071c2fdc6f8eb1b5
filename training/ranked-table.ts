// Feature values as f32 numbers and, for each, its place among the distinct values of its feature: what exhaustive splitting
// reads. Random forests and isolation forests round their inputs to f32, as scikit-learn does.
// Built once a fit. Called by random-forest.ts and isolation-forest.ts.
import { PicketError } from '../domain/errors.ts';
import type { FeatureTable } from './dataset.ts';

export interface RankedTable {
  readonly rowCount: number;
  /** Distinct f32 values of each feature, ascending, without missing ones. */
  readonly values: readonly Float64Array[];
  /** ranks[feature][row]: index into the feature's values, or MISSING_RANK. */
  readonly ranks: readonly Uint32Array[];
}

export const MISSING_RANK = 0xffffffff;

/**
 * The columns rounded to f32, as numbers of 64 bits.
 * @throws PicketError TRAINING_INVALID when a value is beyond the range of f32.
 */
export function roundedColumns(table: FeatureTable): Float64Array[] {
  return table.columns.map((column, f) => {
    const rounded = Float64Array.from(column, Math.fround);
    const row = rounded.findIndex((value) => value === Infinity || value === -Infinity);
    if (row < 0) return rounded;
    throw new PicketError(
      'TRAINING_INVALID',
      `column ${table.names[f]}, row ${row}: ${column[row]} is beyond the range of a 32-bit float`,
      { hint: 'forests compare 32-bit floats; scale or cut the column' },
    );
  });
}

/** Ranks of rounded columns. */
export function rankedTable(columns: readonly Float64Array[], rowCount: number): RankedTable {
  const values = columns.map(distinctValues);
  const ranks = columns.map((column, f) => {
    const known = values[f]!;
    return Uint32Array.from(column, (value) => (Number.isNaN(value) ? MISSING_RANK : rankOf(known, value)));
  });
  return { rowCount, values, ranks };
}

/** Without missing values; -0 counts as 0. */
function distinctValues(column: Float64Array): Float64Array {
  const sorted = Float64Array.from(column, (value) => value + 0).sort();
  let count = 0;
  for (const value of sorted) {
    if (Number.isNaN(value)) break;
    if (count === 0 || value !== sorted[count - 1]) sorted[count++] = value;
  }
  return sorted.slice(0, count);
}

function rankOf(values: Float64Array, value: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
