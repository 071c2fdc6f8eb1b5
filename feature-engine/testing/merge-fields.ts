// A small row with every kind of field that replicas merge, and a way to count in it as an engine would. For tests of what merges
// rows, so that they do not depend on what the engine's own rows hold at the moment.

import { type MergeField, type RowMerger, SLICES_PER_WINDOW } from '../row-merge.ts';

export const SLICE_WORD = 4;
export const MERGE_ROW_WORDS = 64;
/** Words of a window: u32 current and previous, u16 pair, two words of bits current, two previous. */
const WINDOW_AT = 8;
const WINDOW_WORDS = 8;

export const MERGE_FIELDS: readonly MergeField[] = [
  { kind: 'key', word: 0, words: 4, previous: -1, window: -1 },
  { kind: 'slice', word: SLICE_WORD, words: 1, previous: -1, window: -1 },
  { kind: 'gap', word: 6, words: 2, previous: -1, window: -1 },
  ...SLICES_PER_WINDOW.flatMap((_, window): MergeField[] => {
    const at = windowAt(window);
    return [
      { kind: 'count32', word: at, words: 1, previous: at + 1, window },
      { kind: 'count16', word: at + 2, words: 1, previous: at + 2, window },
      { kind: 'sketch', word: at + 3, words: 2, previous: at + 5, window },
    ];
  }),
];

/** First word of a window. */
export function windowAt(window: number): number {
  return WINDOW_AT + window * WINDOW_WORDS;
}

export interface Seen {
  /** 10 s slice. */
  readonly slice: number;
  /** 0..63, for the sketch. */
  readonly item: number;
}

/** Counts one thing at its slice. */
export function countInto(merger: RowMerger, row: Uint32Array, { slice, item }: Seen): void {
  if (merger.sliceOf(row) === 0) row[SLICE_WORD] = slice;
  merger.roll(row, slice);
  for (let window = 0; window < SLICES_PER_WINDOW.length; window++) {
    const at = windowAt(window);
    row[at] = row[at]! + 1;
    row[at + 2] = row[at + 2]! + 1;
    const bits = at + 3 + (item >>> 5);
    row[bits] = row[bits]! | (1 << (item & 31));
  }
}
