// Distinct counts stay within the error that sketch.ts states; hashes spread.
import { describe, expect, it } from 'vitest';
import {
  ESTIMATE,
  estimateOne,
  estimateTwo,
  hashBytes,
  markWide,
  mix32,
  popCount,
  sketchKind,
} from './sketch.ts';

function distinct(words: readonly number[], overlap: number): number {
  const size = (words.length / 2) as 1 | 2 | 4 | 8;
  estimateTwo(Uint32Array.from(words), 0, sketchKind(size, 0), Float64Array.of(overlap));
  return ESTIMATE[0] as number;
}

function fill64(items: number, from: number): Uint32Array {
  const words = new Uint32Array(4);
  for (let i = 0; i < items; i++) {
    const hash = mix32(from + i);
    const half = (hash >>> 5) & 1;
    words[half] = words[half]! | (1 << (hash & 31));
  }
  return words;
}

describe('sketches', () => {
  it('count bits', () => {
    for (const [word, bits] of [
      [0, 0],
      [1, 1],
      [0xffffffff, 32],
      [0x80000001, 2],
      [-1, 32],
    ] as const)
      expect(popCount(word)).toBe(bits);
  });

  it('estimate within the stated error', () => {
    for (const [items, spread] of [
      [1, 0.01],
      [32, 0.1],
      [128, 0.22],
    ] as const) {
      const runs = 400;
      let squares = 0;
      for (let run = 0; run < runs; run++) {
        const error = distinct([...fill64(items, run * 1000)], 0) / items - 1;
        squares += error * error;
      }
      expect(Math.sqrt(squares / runs)).toBeLessThan(spread);
    }
  });

  it('join two slices: what only the older one has counts by overlap', () => {
    expect(distinct([0b11, 0b11], 0.5)).toBeCloseTo(distinct([0b11, 0], 0), 10);
    expect(distinct([0, 0b11], 0.5)).toBeCloseTo(distinct([0b11, 0], 0) / 2, 10);
    for (const [size, most] of [
      [1, 133.1],
      [2, 310.6],
      [4, 709.8],
      [8, 1597],
    ] as const) {
      const full = new Array<number>(2 * size).fill(0xffffffff);
      expect(distinct(full, 1)).toBeCloseTo(most, 0);
      const words = new Uint32Array(size);
      for (let item = 0; item < 5; item++) markWide(words, 0, size, mix32(item));
      estimateOne(words, 0, size);
      expect(ESTIMATE[0]).toBe(distinct([...words, ...words], 0.3));
    }
  });

  it('hash bytes evenly and by seed', () => {
    const counts = new Array<number>(64).fill(0);
    for (let i = 0; i < 64_000; i++) {
      const bytes = new TextEncoder().encode(`/items/${i}`);
      counts[hashBytes(bytes, 0, bytes.length, 0) & 63]!++;
    }
    const chiSquare = counts.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(103); // 99.9 % of chi-square with 63 degrees of freedom
    const bytes = new TextEncoder().encode('/same');
    expect(hashBytes(bytes, 0, 5, 1)).not.toBe(hashBytes(bytes, 0, 5, 2));
  });
});
