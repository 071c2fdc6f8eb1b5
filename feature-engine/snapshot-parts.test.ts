// The parts that snapshots are made of: the order of rows, records without zeros, what makes a row sound, ids of layouts.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSoundRow } from './row-check.ts';
import { packRank, rankStep, STEP_COUNT, unpackRank } from './snapshot-order.ts';
import { putRecord, recordWordsMax, takeRecord } from './sparse-words.ts';
import { layoutId } from './state-view.ts';

describe('the order of rows', () => {
  it('puts good answers first, then what was seen later; 2^n answers outweigh 2^n times the age', () => {
    expect(rankStep(1, 1e9)).toBeLessThan(rankStep(0, 0));
    expect(rankStep(5, 10)).toBeLessThan(rankStep(5, 1000));
    expect(rankStep(1024, 1024 * 77)).toBe(rankStep(1, 77));
    fc.assert(
      fc.property(fc.nat(65535), fc.nat(2 ** 31 - 1), (good, age) => {
        const step = rankStep(good, age);
        expect(Number.isInteger(step) && step >= 0 && step < STEP_COUNT).toBe(true);
      }),
    );
  });
});

describe('the rank of a row in a snapshot', () => {
  it('keeps good answers, and the age to within 0.04 %', () => {
    fc.assert(
      fc.property(fc.nat(65_535), fc.nat(2 ** 31 - 1), (good, age) => {
        const back = unpackRank(packRank(good, age));
        expect(back.good).toBe(good);
        expect(Math.abs(back.age - age)).toBeLessThanOrEqual(0.5 + (age + 1) * 4e-4);
      }),
    );
    expect(unpackRank(packRank(70_000, 0))).toEqual({ good: 65_535, age: 0 });
  });
});

describe('a record of words', () => {
  it('gives back any row', () => {
    const word = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    const rows = fc.array(word, { minLength: 4, maxLength: 200 });
    fc.assert(
      fc.property(rows, fc.nat(2 ** 32 - 1), (values, first) => {
        const row = Uint32Array.from(values);
        const out = new Uint32Array(recordWordsMax(row.length) + 3);
        const used = putRecord(out, 3, first, row);
        const back = new Uint32Array(row.length).fill(9);
        expect(takeRecord(out.subarray(0, 3 + used), 3, back)).toBe(used);
        expect(out[3]).toBe(first >>> 0);
        expect(back).toEqual(row);
        expect(takeRecord(out.subarray(0, 2 + used), 3, back)).toBe(-1);
      }),
    );
  });
});

describe('a sound row', () => {
  const fields = [
    { kind: 'key', word: 0 },
    { kind: 'slice', word: 5 },
    { kind: 'first', word: 6 },
    { kind: 'last', word: 8 },
    { kind: 'gap', word: 10 },
  ];
  const latestMs = 1_700_000_000_000;
  const check = { fields, latestMs };
  const sound = (): { row: Uint32Array; doubles: Float64Array } => {
    const doubles = new Float64Array([0, 0, 0, latestMs - 5000, latestMs - 10, 250]);
    const row = new Uint32Array(doubles.buffer);
    row.set([1, 2, 3, 4, 9, latestMs / 10_000]);
    return { row, doubles };
  };

  it('has a key, times in order and not beyond the snapshot, and gaps that are gaps', () => {
    expect(isSoundRow(sound().row, check)).toBe(true);
    for (const [place, value] of [
      [3, Number.NaN],
      [3, latestMs],
      [3, -1],
      [4, latestMs + 1],
      [4, Number.POSITIVE_INFINITY],
      [5, Number.NaN],
      [5, -0.5],
    ] as const) {
      const { row, doubles } = sound();
      doubles[place] = value;
      expect(isSoundRow(row, check), `${place} = ${value}`).toBe(false);
    }
    const ahead = sound().row;
    ahead[5] = latestMs / 10_000 + 1;
    expect(isSoundRow(ahead, check)).toBe(false);
    const nobody = sound().row;
    nobody.fill(0, 0, 4);
    expect(isSoundRow(nobody, check)).toBe(false);
  });
});

describe('the id of a layout', () => {
  it('is the same for the same description and another for another', () => {
    expect(layoutId({ a: 1 })).toBe(layoutId({ a: 1 }));
    expect(layoutId({ a: 1 })).not.toBe(layoutId({ a: 2 }));
    expect(layoutId(0)).toMatch(/^[0-9a-f]{16}$/);
  });
});
