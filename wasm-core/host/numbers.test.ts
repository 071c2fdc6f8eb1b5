// Small exact things: neighbours of floats, link functions, CRC-32C, canonical JSON.

import { expect, test } from 'vitest';
import { crc32c } from './crc32c.ts';
import { canonicalJson } from './encode-sections.ts';
import { nextDown, nextDownF32, nextUp } from './float.ts';
import { argMax, marginOf, scoreOf, softmax } from './link.ts';

test('neighbours: known values, both directions undo each other, ends stay', () => {
  expect(nextUp(1)).toBe(1 + Number.EPSILON);
  expect(nextDown(1)).toBe(1 - Number.EPSILON / 2);
  expect(nextDown(0)).toBe(-Number.MIN_VALUE);
  expect(nextDown(-0)).toBe(-Number.MIN_VALUE);
  expect(nextUp(Number.MAX_VALUE)).toBe(Infinity);
  expect(nextDown(Infinity)).toBe(Number.MAX_VALUE);
  expect(nextDown(-Infinity)).toBe(-Infinity);
  expect(nextDown(Number.NaN)).toBeNaN();
  for (const x of [1, -1, 1e-300, -3.7, Number.MIN_VALUE, 2 ** 52]) expect(nextDown(nextUp(x))).toBe(x);
  expect(nextDownF32(1)).toBe(0.9999999403953552);
  expect(Math.fround(nextDownF32(0))).toBe(nextDownF32(0));
  expect(nextDownF32(-1)).toBe(-1.0000001192092896);
  expect(nextDownF32(-Infinity)).toBe(-Infinity);
});

test('scoreOf and marginOf are inverse, monotonic, and keep their ends', () => {
  expect(scoreOf(0)).toBe(0.5);
  expect([scoreOf(-1000), scoreOf(1000)]).toEqual([0, 1]);
  expect([marginOf(0), marginOf(1)]).toEqual([-Infinity, Infinity]);
  for (const score of [1e-12, 0.001, 0.3, 0.5, 0.9, 0.999999]) {
    expect(scoreOf(marginOf(score)) / score).toBeCloseTo(1, 14);
  }
});

test('softmax adds up to 1, keeps order and does not overflow', () => {
  const p = softmax([1000, 999, -1000]);
  expect(p[0]! + p[1]! + p[2]!).toBeCloseTo(1, 15);
  expect(p[0]! / p[1]!).toBeCloseTo(Math.E, 12);
  expect(p[2]).toBe(0);
  expect(argMax([1, 3, 3, 2])).toBe(1);
});

test('CRC-32C: the check value and the RFC 3720 examples', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
});

test('canonical JSON sorts keys at every depth and leaves undefined members out', () => {
  expect(canonicalJson({ b: [1, { d: 1, c: undefined, a: 'x' }], a: null })).toBe(
    '{"a":null,"b":[1,{"a":"x","d":1}]}',
  );
});
