// Does a row that comes from outside make sense? Asked of rows from a snapshot and from the shared store, before they are counted
// with. Counters and sketches are any words; times and gaps must be times and gaps. Changes nothing.

/** How a field is read: the kinds of the engine's field table. Others than these three are any words. */
export interface RowFieldView {
  readonly kind: string;
  /** First word. */
  readonly word: number;
}

/** A gap between two requests is no longer than this: a hundred years in ms. */
const GAP_MAX_MS = 3.2e12;
const SLICE_MS = 10_000;

export interface RowCheck {
  readonly fields: readonly RowFieldView[];
  /** The latest time that the row may speak of, ms since the epoch. */
  readonly latestMs: number;
}

const pair = new Uint32Array(2);
const double = new Float64Array(pair.buffer);

function doubleAt(row: Uint32Array, word: number): number {
  pair[0] = row[word]!;
  pair[1] = row[word + 1]!;
  return double[0]!;
}

/** True if the row has a key, and its times and gaps are possible. */
export function isSoundRow(row: Uint32Array, { fields, latestMs }: RowCheck): boolean {
  if ((row[0]! | row[1]! | row[2]! | row[3]!) === 0) return false;
  let first = 0;
  let last = latestMs;
  for (const { kind, word } of fields) {
    if (kind === 'slice' && row[word]! * SLICE_MS > latestMs) return false;
    if (kind === 'gap' && !(doubleAt(row, word) >= 0 && doubleAt(row, word) <= GAP_MAX_MS)) return false;
    if (kind === 'first') first = doubleAt(row, word);
    if (kind === 'last') last = doubleAt(row, word);
  }
  return first >= 0 && first <= last && last <= latestMs;
}
