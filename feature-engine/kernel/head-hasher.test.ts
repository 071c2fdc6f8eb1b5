// Hashes of bytes of the head equal the plain SipHash, under two keys at once, and stay inside the head.

import { describe, expect, it } from 'vitest';
import { HEAD_VIEW_BYTES } from '../../domain/head-view.ts';
import { seededRandom } from '../../domain/random.ts';
import { sipHash128 } from '../../domain/siphash.ts';
import { HEAD_MEMORY_BYTES, HeadMemory } from './head-memory.ts';
import { EngineMemory } from './memory.ts';
import type { KernelVariant } from './module.ts';

function newHeads(variant: KernelVariant): HeadMemory {
  const places = { seed: 0, request: 0, lexical: 0, body: 0 };
  return new HeadMemory(new EngineMemory(HEAD_MEMORY_BYTES, variant), places);
}

describe('hash128', () => {
  it.each(['release', 'debug'] as const)(
    'equals the plain SipHash on every length up to 130 (%s)',
    (variant) => {
      const { view, hasher, formerHasher } = newHeads(variant);
      const random = seededRandom(9);
      const keys = [1, 2].map(() => Uint32Array.from({ length: 4 }, () => random.uint32()));
      hasher.setKey(keys[0]!);
      formerHasher.setKey(keys[1]!);
      const bytes = Uint8Array.from({ length: 256 }, () => random.int(256));
      view.bytes.set(bytes);
      const here = new Uint32Array(4);
      const there = new Uint32Array(4);
      for (let length = 0; length <= 130; length++) {
        const start = random.int(256 - length);
        for (const [i, one] of [hasher, formerHasher].entries()) {
          one.hash128(start, start + length, here);
          sipHash128(bytes, start, start + length, keys[i]!, there);
          expect([...here]).toEqual([...there]);
        }
      }
    },
  );

  it('refuses ranges outside the head', () => {
    const { hasher } = newHeads('release');
    const ranges = [
      [-1, 3],
      [3, 2],
      [0, HEAD_VIEW_BYTES + 1],
      [Number.NaN, 1],
    ] as const;
    for (const [start, end] of ranges)
      expect(() => hasher.hash128(start, end, new Uint32Array(4))).toThrow(RangeError);
  });
});
