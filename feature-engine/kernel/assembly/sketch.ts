// Distinct counts by linear counting over 1, 2, 4 or 8 words a slice: as sketch.ts defines them, whose table of estimates the
// host copies here at start, so that both give the same bits. Addresses are bytes. Called by all kernels that count things.

/** Estimates by set bits for 32, 64, 128 and 256 bits, one after the other. */
export const estimates: usize = memory.data(3872, 64);

/** Table for sketches of `size` words. */
// @ts-ignore: decorator
@inline
function table(size: usize): usize {
  // 1 -> 0, 2 -> 33, 4 -> 98, 8 -> 227 entries in.
  return estimates + ((size * 32 - 32 + ctz<usize>(size)) << 3);
}

// @ts-ignore: decorator
@inline
export function markWide(at: usize, size: usize, hash: u32): void {
  const word = at + (((hash >>> 5) & <u32>(size - 1)) << 2);
  store<u32>(word, load<u32>(word) | (1 << (hash & 31)));
}

/** Distinct items: those of the current slice, and those that only the previous one (after it) saw, times `overlap`. */
// @ts-ignore: decorator
@inline
export function estimateTwo(at: usize, size: usize, overlap: f64): f64 {
  let bits: u32 = 0;
  let both: u32 = 0;
  const span = size << 2;
  for (let i: usize = 0; i < span; i += 4) {
    const current = load<u32>(at + i);
    bits += popcnt<u32>(current);
    both += popcnt<u32>(current | load<u32>(at + i + span));
  }
  const from = table(size);
  const now = load<f64>(from + (<usize>bits << 3));
  return now + overlap * (load<f64>(from + (<usize>both << 3)) - now);
}

/** Distinct items of one slice. */
// @ts-ignore: decorator
@inline
export function estimateOne(at: usize, size: usize): f64 {
  let bits: u32 = 0;
  for (let i: usize = 0; i < size << 2; i += 4) bits += popcnt<u32>(load<u32>(at + i));
  return load<f64>(table(size) + (<usize>bits << 3));
}

/** The same for sketches of 2 words a slice, without a loop. */
// @ts-ignore: decorator
@inline
export function distinct64(at: usize, overlap: f64): f64 {
  const current = load<u64>(at);
  const both = popcnt<u64>(current | load<u64>(at, 8));
  return joined(estimates + (33 << 3), popcnt<u64>(current), both, overlap);
}

/** For sketches of 4 words a slice. */
// @ts-ignore: decorator
@inline
export function distinct128(at: usize, overlap: f64): f64 {
  const a = load<u64>(at);
  const b = load<u64>(at, 8);
  const both = popcnt<u64>(a | load<u64>(at, 16)) + popcnt<u64>(b | load<u64>(at, 24));
  return joined(estimates + (98 << 3), popcnt<u64>(a) + popcnt<u64>(b), both, overlap);
}

/** For sketches of 8 words a slice. */
// @ts-ignore: decorator
@inline
export function distinct256(at: usize, overlap: f64): f64 {
  const a = load<u64>(at);
  const b = load<u64>(at, 8);
  const c = load<u64>(at, 16);
  const d = load<u64>(at, 24);
  const bits = popcnt<u64>(a) + popcnt<u64>(b) + popcnt<u64>(c) + popcnt<u64>(d);
  const first = popcnt<u64>(a | load<u64>(at, 32)) + popcnt<u64>(b | load<u64>(at, 40));
  const both = first + popcnt<u64>(c | load<u64>(at, 48)) + popcnt<u64>(d | load<u64>(at, 56));
  return joined(estimates + (227 << 3), bits, both, overlap);
}

// @ts-ignore: decorator
@inline
function joined(from: usize, bits: u64, both: u64, overlap: f64): f64 {
  const now = load<f64>(from + (<usize>bits << 3));
  return now + overlap * (load<f64>(from + (<usize>both << 3)) - now);
}

/** Distinct items of a one-word sketch whose slices are at hand. */
// @ts-ignore: decorator
@inline
export function estimateTwoWords(current: u32, previous: u32, overlap: f64): f64 {
  const now = load<f64>(estimates + (<usize>popcnt<u32>(current) << 3));
  return now + overlap * (load<f64>(estimates + (<usize>popcnt<u32>(current | previous) << 3)) - now);
}
