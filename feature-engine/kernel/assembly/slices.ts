// Counters and sketches of two slices: one word a counter, the current slice in its low half, the previous one in its high half;
// sketches with the words of the current slice first. Moving them on to a later slice: the current one becomes the previous one,
// or nothing of it is left. Addresses are bytes. Called by the kernels whose counters share the slice numbers of their block.

/** Counts one; a full slice stays at 65,535. */
// @ts-ignore: decorator
@inline
export function bump(at: usize): void {
  const word = load<u32>(at);
  if ((word & 0xffff) != 0xffff) store<u32>(at, word + 1);
}

/** Counts `by` (0 or 1) where the counter cannot be full: it is never more than one that has room. */
// @ts-ignore: decorator
@inline
export function bumpBy(at: usize, by: u32): void {
  store<u32>(at, load<u32>(at) + by);
}

/**
 * Halves the current slices of `counters` words when that of the first, by which the others are divided, is full: so a share
 * keeps its meaning however many requests come. Call it before they count.
 */
// @ts-ignore: decorator
@inline
export function makeRoom(at: usize, counters: usize): void {
  if ((load<u32>(at) & 0xffff) == 0xffff) halve(at, counters);
}

function halve(at: usize, counters: usize): void {
  for (let end = at + (counters << 2); at < end; at += 4) {
    const word = load<u32>(at);
    store<u32>(at, (word & 0xffff0000) | ((word & 0xffff) >>> 1));
  }
}

/** Windowed count: `share` of the previous slice still counts. */
// @ts-ignore: decorator
@inline
export function windowed(at: usize, share: f64): f64 {
  const word = load<u32>(at);
  return <f64>(word & 0xffff) + share * <f64>(word >>> 16);
}

/** What stays of the current slice when `behind` slices have ended since: a mask, all bits or none. */
// @ts-ignore: decorator
@inline
export function keepOf(behind: u32): u64 {
  return behind == 1 ? u64.MAX_VALUE : 0;
}

/** A counter: current slice in the low half of the word, previous one in the high half. */
// @ts-ignore: decorator
@inline
export function rollCounter(at: usize, keep: u64): void {
  store<u32>(at, (load<u32>(at) << 16) & <u32>keep);
}

/** Four counters in a row. */
// @ts-ignore: decorator
@inline
export function rollCounters4(at: usize, keep: u64): void {
  v128.store(at, v128.and(i32x4.shl(v128.load(at), 16), i64x2.splat(keep)));
}

/** A sketch of 2 words a slice. */
// @ts-ignore: decorator
@inline
export function rollSketch64(at: usize, keep: u64): void {
  store<u64>(at, load<u64>(at) & keep, 8);
  store<u64>(at, 0);
}

/** A sketch of 4 words a slice. */
// @ts-ignore: decorator
@inline
export function rollSketch128(at: usize, keep: u64): void {
  v128.store(at, v128.and(v128.load(at), i64x2.splat(keep)), 16);
  v128.store(at, i64x2.splat(0));
}

/** A sketch of 8 words a slice. */
// @ts-ignore: decorator
@inline
export function rollSketch256(at: usize, keep: u64): void {
  const mask = i64x2.splat(keep);
  v128.store(at, v128.and(v128.load(at), mask), 32);
  v128.store(at, v128.and(v128.load(at, 16), mask), 48);
  v128.store(at, i64x2.splat(0));
  v128.store(at, i64x2.splat(0), 16);
}
