// Rows of several replicas, merged, against one row that counted everything itself; and the bounds of each kind of field.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowMerger, SLICES_PER_WINDOW } from './row-merge.ts';
import {
  countInto,
  MERGE_FIELDS,
  MERGE_ROW_WORDS,
  type Seen,
  SLICE_WORD,
  windowAt,
} from './testing/merge-fields.ts';

const merger = new RowMerger(MERGE_FIELDS, MERGE_ROW_WORDS);

/** What the definition says: plain sums over all that was seen. */
function expected(seen: readonly Seen[], now: number): Uint32Array {
  const row = new Uint32Array(MERGE_ROW_WORDS);
  row[SLICE_WORD] = now;
  for (const { slice, item } of seen) {
    for (let window = 0; window < 5; window++) {
      const per = SLICES_PER_WINDOW[window as 0]!;
      const behind = Math.floor(now / per) - Math.floor(slice / per);
      if (behind > 1) continue;
      const at = windowAt(window);
      row[at + behind] = row[at + behind]! + 1;
      row[at + 2] = row[at + 2]! + (behind === 0 ? 1 : 65_536);
      const bits = at + 3 + behind * 2 + (item >>> 5);
      row[bits] = row[bits]! | (1 << (item & 31));
    }
  }
  return row;
}

/** Mostly close together, at times hours or days apart. */
const gaps = fc.oneof(
  { weight: 6, arbitrary: fc.nat(3) },
  { weight: 2, arbitrary: fc.nat(400) },
  { weight: 1, arbitrary: fc.nat(20_000) },
);
const traffic = fc.array(fc.record({ gap: gaps, item: fc.nat(63), replica: fc.nat(2) }), { maxLength: 60 });

describe('rows of several replicas', () => {
  it('merge to what one row that saw everything holds', () => {
    fc.assert(
      fc.property(traffic, gaps, (requests, pause) => {
        const rows = [0, 1, 2].map(() => new Uint32Array(MERGE_ROW_WORDS));
        const seen: Seen[] = [];
        let slice = 170_000_000;
        for (const { gap, item, replica } of requests) {
          slice += gap;
          seen.push({ slice, item });
          countInto(merger, rows[replica]!, { slice, item });
        }
        const now = slice + pause;
        const merged = new Uint32Array(MERGE_ROW_WORDS);
        for (const row of [merged, ...rows]) {
          if (merger.sliceOf(row) === 0) row[SLICE_WORD] = now;
          merger.roll(row, now);
        }
        for (const row of rows) merger.add(merged, row);
        expect(merged).toEqual(expected(seen, now));
      }),
    );
  });

  it('stop at the largest value of a word or half a word', () => {
    const a = new Uint32Array(MERGE_ROW_WORDS);
    const b = new Uint32Array(MERGE_ROW_WORDS);
    a[8] = 0xfffffffe;
    b[8] = 7;
    a[10] = 0xfffe_0001;
    b[10] = 0x0002_fffe;
    merger.add(a, b);
    expect([a[8], a[10]]).toEqual([0xffffffff, 0xffff_ffff]);
  });

  it('never roll back, and keep nothing of a slice before the previous one', () => {
    const row = new Uint32Array(MERGE_ROW_WORDS);
    countInto(merger, row, { slice: 170_000_000, item: 3 });
    const before = row.slice();
    merger.roll(row, 169_999_999);
    expect(row).toEqual(before);
    merger.roll(row, 170_000_000 + 3 * 8640);
    expect(row.reduce((sum, word) => sum + word, 0)).toBe(merger.sliceOf(row));
  });

  it('go to others without what only one process can read', () => {
    const row = new Uint32Array(MERGE_ROW_WORDS).fill(9);
    merger.strip(row);
    expect([...row.subarray(0, 8)]).toEqual([0, 0, 0, 0, 9, 0, 0, 0]);
    expect(row[8]).toBe(9);
    expect(row[63]).toBe(0);
  });

  it('cannot be merged without a slice, or by fields beyond the row', () => {
    expect(() => new RowMerger(MERGE_FIELDS.slice(2), MERGE_ROW_WORDS)).toThrow(RangeError);
    expect(() => new RowMerger(MERGE_FIELDS, 20)).toThrow(RangeError);
  });
});
