// The engine memory as its users rely on it: lines, a fixed end, and kernels that agree with the TypeScript they replace.
// Both variants of the kernels are loaded.

import { expect, it } from 'vitest';
import { mix32 } from '../sketch.ts';
import { EngineMemory } from './memory.ts';

it('hands out lines of a memory that never grows, and refuses what was not planned', () => {
  const memory = new EngineMemory(65_536);
  const first = memory.take(1);
  expect(first % 64).toBe(0);
  expect(memory.take(65)).toBe(first + 64);
  expect(memory.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(() => memory.take(65_536)).toThrow(RangeError);
});

it.each(['release', 'debug'] as const)('mixes as the reference does (%s)', (variant) => {
  const { kernels } = new EngineMemory(0, variant);
  for (const value of [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 12345])
    expect(kernels.mix32(value) >>> 0).toBe(mix32(value));
});
