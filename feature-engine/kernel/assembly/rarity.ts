// How often something happened in the workload, as a probability: a count-min sketch of well-mixed 32-bit hashes with
// conservative update, halved when its total reaches a limit so that old habits fade. A count is never too low, and too high by
// more than total / 4096 in at most one case of four. Called by sequence.ts for routes, transitions, answers, agents, networks.

/*
 * Bytes of a sketch: 0 total, 4 limit of the total, 64 two rows of 8192 counts, u32.
 */
const TOTAL: usize = 0;
const LIMIT: usize = 4;
const COUNTS: usize = 64;
const WIDTH: u32 = 8192;
const SECOND: usize = COUNTS + (<usize>WIDTH << 2);
/** Bytes that one sketch takes. */
export const RARITY_BYTES: usize = SECOND + (<usize>WIDTH << 2);

const LOG_SIZE: u32 = 4096;
const LOG_BITS: u32 = 12;

/** log2(n), then log2(n + 1/2), for n below 4096: filled by the host, whose logarithm the references use. */
export const logs: usize = memory.data(65536, 64);
const LOG_HALF: usize = 32768;

/** Prepares a zeroed sketch: all counts are halved when their total reaches `limit`. */
export function rarityBegin(sketch: usize, limit: u32): void {
  store<u32>(sketch, limit, LIMIT);
}

/** Hashes come mixed: their low and high bits are two hashes. */
// @ts-ignore: decorator
@inline
function first(sketch: usize, hash: u32): usize {
  return sketch + COUNTS + (<usize>(hash & (WIDTH - 1)) << 2);
}

// @ts-ignore: decorator
@inline
function second(sketch: usize, hash: u32): usize {
  return sketch + SECOND + (<usize>(hash >>> 19) << 2);
}

/** Times that the hash was added, as known here. */
export function rarityCount(sketch: usize, hash: u32): u32 {
  return min(load<u32>(first(sketch, hash)), load<u32>(second(sketch, hash)));
}

/** Adds one and gives the count before. */
// @ts-ignore: decorator
@inline
export function rarityAdd(sketch: usize, hash: u32): u32 {
  const a = first(sketch, hash);
  const b = second(sketch, hash);
  const countA = load<u32>(a);
  const countB = load<u32>(b);
  const before = min(countA, countB);
  if (countA == before) store<u32>(a, before + 1);
  if (countB == before) store<u32>(b, before + 1);
  const total = load<u32>(sketch, TOTAL) + 1;
  store<u32>(sketch, total, TOTAL);
  if (total >= load<u32>(sketch, LIMIT)) halve(sketch);
  return before;
}

function halve(sketch: usize): void {
  store<u32>(sketch, load<u32>(sketch, TOTAL) >>> 1, TOTAL);
  for (let at = sketch + COUNTS; at < sketch + RARITY_BYTES; at += 16)
    v128.store(at, i32x4.shr_u(v128.load(at), 1));
}

/** log2 of a whole number below 2^31, by its first 12 bits: exact below 4096, then at most 0.0007 too small. */
// @ts-ignore: decorator
@inline
function log2Of(n: u32): f64 {
  if (n < LOG_SIZE) return load<f64>(logs + (<usize>n << 3));
  const shift = 32 - LOG_BITS - clz<u32>(n);
  return load<f64>(logs + (<usize>(n >>> shift) << 3)) + <f64>shift;
}

/** log2(total + 1) - log2(count + 1/2), at least 0; whole numbers below 2^31. Half a count: rare, not impossible. */
// @ts-ignore: decorator
@inline
export function surpriseOf(count: u32, total: u32): f64 {
  const part = count < LOG_SIZE ? load<f64>(logs + (<usize>count << 3), LOG_HALF) : log2Of(count);
  const bits = log2Of(total + 1) - part;
  return bits < 0 ? 0 : bits;
}

/** Adds one to the sketch; -log2 of the part of its total that the hash made up before. */
// @ts-ignore: decorator
@inline
export function rarityTake(sketch: usize, hash: u32): f32 {
  const total = load<u32>(sketch, TOTAL);
  return <f32>surpriseOf(rarityAdd(sketch, hash), total);
}
