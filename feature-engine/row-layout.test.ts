// The row as others read it: fields cover the rows of both axes and never overlap, and f64 fields lie at whole places.

import { expect, it } from 'vitest';
import * as L from './row-layout.ts';

/** Names of the fields that claim each word of a row of this axis. */
function claims(axis: 'identity' | 'address', words: number): string[][] {
  const claimed = Array.from({ length: words }, () => [] as string[]);
  for (const field of L.ROW_FIELDS) {
    if (field.axis !== 'both' && field.axis !== axis) continue;
    const places = new Set<number>();
    for (let i = 0; i < field.words; i++) {
      places.add(field.word + i);
      if (field.previous >= 0) places.add(field.previous + i);
    }
    for (const place of places) claimed[place]?.push(field.name);
    expect(Math.max(...places)).toBeLessThan(words);
  }
  return claimed;
}

it('gives every word of an identity row to one field, and of an address row all but the last', () => {
  expect(claims('identity', L.IDENTITY_ROW_WORDS).filter((names) => names.length !== 1)).toEqual([]);
  const address = claims('address', L.ADDRESS_ROW_WORDS);
  expect(address.slice(0, -1).filter((names) => names.length !== 1)).toEqual([]);
  expect(address.at(-1)).toEqual([]);
});

it('names each field once, keeps f64 at even words and rows within 608 bytes', () => {
  const names = L.ROW_FIELDS.map((field) => field.name);
  expect(new Set(names).size).toBe(names.length);
  for (const { kind, word } of L.ROW_FIELDS)
    if (['first', 'last', 'gap'].includes(kind)) expect(word % 2).toBe(0);
  expect(L.IDENTITY_ROW_BYTES).toBeLessThanOrEqual(608);
  expect([L.IDENTITY_ROW_BYTES % 8, L.ADDRESS_ROW_BYTES % 64]).toEqual([0, 0]);
});
