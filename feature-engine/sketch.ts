// Distinct counts by linear counting (Whang, Vander-Zanden, Taylor 1990): n = -m ln(empty bits / m), m = 32, 64, 128 or 256 bits.
// Standard error about 8 % at n = m/2 and 18 % at n = 2m for m = 64 (12 % and 28 % for m = 32). A full sketch reads as half an
// empty bit, so it stops at 133, 311, 710 or 1597. Two slices are joined by what only the older one has, times overlap.
// Estimates are left in ESTIMATE[0], not returned: a double that a call returns costs a heap number unless it is inlined.

/** Estimate by number of set bits. */
function estimates(bits: number): Float64Array {
  return Float64Array.from({ length: bits + 1 }, (_, set) =>
    set === 0 ? 0 : bits * Math.log(bits / Math.max(bits - set, 0.5)),
  );
}

/** Bits set in a 32-bit word. */
export function popCount(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Estimates by set bits, for sketches of 1, 2, 4 and 8 words. */
export const BY_BITS: readonly Float64Array[] = [32, 64, 128, 256].map(estimates);

/** Marks an item in the sketch words[at, at + size); `size` is 1, 2, 4 or 8 words. */
export function markWide(words: Uint32Array, at: number, size: number, hash: number): void {
  const word = at + ((hash >>> 5) & (size - 1));
  words[word] = words[word]! | (1 << (hash & 31));
}

/** The last estimate. */
export const ESTIMATE = new Float64Array(1);

/** What kind of sketch: words of one slice (1, 2, 4 or 8) and the window (index into WINDOW_MS) that its slices follow. */
export function sketchKind(size: 1 | 2 | 4 | 8, window: number): number {
  return size * 8 + window;
}

/**
 * Distinct items of a sketch in two slices, into ESTIMATE[0]: those of the current slice, words[at, at + size), and those that
 * only the previous one saw, which follows it, times the overlap of its window. At most 133, 311, 710 or 1597.
 */
export function estimateTwo(words: Uint32Array, at: number, kind: number, overlaps: Float64Array): void {
  const size = kind >> 3;
  let bits = 0;
  let both = 0;
  for (let i = at; i < at + size; i++) {
    bits += popCount(words[i]!);
    both += popCount(words[i]! | words[i + size]!);
  }
  const table = BY_BITS[31 - Math.clz32(size)]!;
  ESTIMATE[0] = table[bits]! + overlaps[kind & 7]! * (table[both]! - table[bits]!);
}

/** Distinct items of one slice of `size` words, into ESTIMATE[0]. */
export function estimateOne(words: Uint32Array, at: number, size: number): void {
  let bits = 0;
  for (let i = 0; i < size; i++) bits += popCount(words[at + i]!);
  ESTIMATE[0] = BY_BITS[31 - Math.clz32(size)]![bits]!;
}

/** A well-mixed 32-bit hash of a 32-bit value (finaliser of MurmurHash3). */
export function mix32(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** 32-bit hash of bytes[start, end): FNV-1a steps over 4 bytes at once, then mixed. `seed` keys it. */
export function hashBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  return hashSigned(bytes, start, end, seed) >>> 0;
}

/** The same as a signed number, which a call returns without a heap number. */
function hashSigned(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let h = seed ^ (end - start);
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    h = Math.imul(h ^ Math.imul(word, 0xcc9e2d51), 0x01000193);
    h ^= h >>> 15;
  }
  for (; i < end; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
  return mix32(h) | 0;
}
