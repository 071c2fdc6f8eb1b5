// Distinct counts stay within the error that sketch.ts states; hashes spread.
import { describe, expect, it } from 'vitest';
import { distinct32, distinct64, hashBytes, mix32, popCount } from './sketch.ts';

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
        const error = distinct64(fill64(items, run * 1000), 0, 0) / items - 1;
        squares += error * error;
      }
      expect(Math.sqrt(squares / runs)).toBeLessThan(spread);
    }
  });

  it('join two slices: what only the older one has counts by overlap', () => {
    expect(distinct32(0b11, 0b11, 0.5)).toBeCloseTo(distinct32(0b11, 0, 0), 10);
    expect(distinct32(0, 0b11, 0.5)).toBeCloseTo(distinct32(0b11, 0, 0) / 2, 10);
    expect(distinct32(0xffffffff, 0, 0)).toBeLessThan(134);
    expect(distinct64(new Uint32Array(4).fill(0xffffffff), 0, 1)).toBeLessThan(311);
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
