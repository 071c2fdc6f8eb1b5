// Hash of a run of bytes: paths, user agents, ids, keys and values of queries. Not keyed well enough for secrets: siphash.ts is.
// Called by head.ts, target.ts and object-id.ts.

import { mix32 } from './mix';

/** 32-bit hash of [at, end): FNV-1a steps over 4 bytes at once, then mixed. The same as hashBytes of sketch.ts. */
export function hashBytes(at: usize, end: usize, seed: u32): u32 {
  let h = seed ^ <u32>(end - at);
  for (; at + 4 <= end; at += 4) {
    h = (h ^ (load<u32>(at) * 0xcc9e2d51)) * 0x01000193;
    h ^= h >>> 15;
  }
  for (; at < end; at++) h = (h ^ <u32>load<u8>(at)) * 0x01000193;
  return mix32(h);
}

// @ts-ignore: decorator
@inline
export function nonZero(hash: u32): u32 {
  return hash == 0 ? 1 : hash;
}
