// How many principals had a session of exactly this set of edges, within about 24 hours: a set that nobody else has is odd.
// A fixed table of edge sets, four to a cache line, each with two daily slices of a 32-bit linear counter (sketch.ts): the count
// is within about 12 % up to 16 and stops at 133. In a full line the one with the fewest principals makes room and starts anew.
// Called by graph.ts once per request.

import { overlap, slice } from './call';
import { mix32 } from './mix';
import { estimateTwoWords } from './sketch';

/** Bytes of a line: 4 tags, 4 numbers of the current slice, 4 current slices, 4 previous ones, u32 each. */
const LINE_BYTES: usize = 64;
const WAYS: usize = 4;
const SLICE: usize = 16;
const CURRENT: usize = 32;
const PREVIOUS: usize = 48;
/** Index of 24 hours in WINDOW_MS. */
const W24H: usize = 4;

let lines: usize = 0;
let mask: usize = 0;

/** Takes the region of 64 x `lineCount` bytes; the number is a power of two. */
export function configureGraphRarity(at: usize, lineCount: usize): void {
  lines = at;
  mask = lineCount - 1;
}

/**
 * Marks the principal with the edge set and tells how many principals have it, 1..133, this one included.
 * @param fingerprint 32 bits of the edge set. @param mark a 32-bit hash of the principal.
 */
export function shareGraph(fingerprint: u32, mark: u32): f64 {
  const today = slice(W24H);
  const at = wayOf(fingerprint, today);
  const behind = <i32>(today - load<u32>(at, SLICE));
  if (behind > 0) {
    store<u32>(at, behind == 1 ? load<u32>(at, CURRENT) : 0, PREVIOUS);
    store<u32>(at, 0, CURRENT);
    store<u32>(at, today, SLICE);
  }
  const current = load<u32>(at, CURRENT) | (1 << (mark & 31));
  store<u32>(at, current, CURRENT);
  return estimateTwoWords(current, load<u32>(at, PREVIOUS), overlap(W24H));
}

/** Address of the edge set's tag; its other words lie behind it. */
// @ts-ignore: decorator
@inline
function wayOf(fingerprint: u32, today: u32): usize {
  const tag: u32 = fingerprint == 0 ? 1 : fingerprint;
  const line = lines + (<usize>mix32(fingerprint) & mask) * LINE_BYTES;
  const found = i32x4.bitmask(i32x4.eq(v128.load(line), i32x4.splat(tag)));
  return found != 0 ? line + (<usize>ctz(found) << 2) : makeRoom(line, tag, today);
}

/** Empty places first, then those of two days ago, then the one with the fewest principals. */
function makeRoom(line: usize, tag: u32, today: u32): usize {
  let least = line;
  let fewest = i32.MAX_VALUE;
  for (let at = line; at < line + (WAYS << 2); at += 4) {
    const stale = <i32>(today - load<u32>(at, SLICE)) > 1;
    const bits = <i32>popcnt<u32>(load<u32>(at, CURRENT) | load<u32>(at, PREVIOUS));
    const rank = load<u32>(at) == 0 ? -2 : stale ? -1 : bits;
    if (rank < fewest) {
      fewest = rank;
      least = at;
    }
  }
  store<u32>(least, tag);
  store<u32>(least, today, SLICE);
  store<u32>(least, 0, CURRENT);
  store<u32>(least, 0, PREVIOUS);
  return least;
}
