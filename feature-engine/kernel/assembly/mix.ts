// Mixing of 32-bit hashes: the finaliser of MurmurHash3 (public domain). The same as mix32 of sketch.ts.
// Called by all kernels.

// @ts-ignore: decorator
@inline
export function mix32(value: u32): u32 {
  let h = value ^ (value >>> 16);
  h *= 0x85ebca6b;
  h ^= h >>> 13;
  h *= 0xc2b2ae35;
  return h ^ (h >>> 16);
}
