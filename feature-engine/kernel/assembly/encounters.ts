// How often one principal came with this method, user agent, route and raw path in 5 minutes, 1 hour and 24 hours (seed 002,
// Table 1). Bounded sets: 8 agents, 16 routes, 24 paths. Exact while no more are alive within two daily slices; in a full set
// the one with the fewest requests in 24 h makes room and would start anew, so a count is never too high, and what is habitual
// stays exact. Counters stop at 65,535 a slice. Called once per request by observe.ts.

import { AGENT, call, METHOD, OVERLAPS, PATH, ROUTE, SLICES } from './call';

/*
 * Bytes of a block (zeros at first): 0 numbers of the current slices of the three windows; 16 hashes of 8 agents; 48 of 16
 * routes; 112 of 24 paths; then the counters of 8 methods, 8 agents, 16 routes, 24 paths, 3 words each: one for a window, current
 * slice in the low half, previous one in the high half. The last 16 bytes are spare.
 */
const AGENT_HASH: usize = 16;
const ROUTE_HASH: usize = 48;
const PATH_HASH: usize = 112;
const COUNTERS: usize = 208;
const ITEM: usize = 12;
const DAY: usize = 8;
const AGENTS: usize = 8;
const ROUTES: usize = 16;
const PATHS: usize = 24;
const METHOD_COUNTERS: usize = COUNTERS;
const AGENT_COUNTERS: usize = METHOD_COUNTERS + 8 * ITEM;
const ROUTE_COUNTERS: usize = AGENT_COUNTERS + AGENTS * ITEM;
const PATH_COUNTERS: usize = ROUTE_COUNTERS + ROUTES * ITEM;
const COUNTERS_END: usize = PATH_COUNTERS + PATHS * ITEM;
/** Bytes of a block. */
export const ENCOUNTERS_BYTES: usize = COUNTERS_END + 16;

/** Places of 5 minutes, 1 hour and 24 hours in the struct's slices and overlaps: the last three of five. */
const SLICES_5M: usize = SLICES + 8;
const OVERLAPS_5M: usize = OVERLAPS + 16;
const OVERLAPS_24H: usize = OVERLAPS + 32;

/** Byte offset in the vector. */
let place: usize = 0;

/** Takes the first of the twelve places of the vector. */
export function configureEncounters(firstPlace: usize): void {
  place = firstPlace << 3;
}

/** Counts the request and writes its 12 counts, itself included; missing for a missing agent. */
export function encountersObserve(block: usize, out: usize): void {
  const at = out + place;
  roll(block);
  count(block + METHOD_COUNTERS + <usize>load<u32>(call, METHOD) * ITEM, at);
  const agent = load<u32>(call, AGENT);
  if (agent == 0) {
    store<f64>(at, f64.NaN, 24);
    store<f64>(at, f64.NaN, 32);
    store<f64>(at, f64.NaN, 40);
  } else count(agentOf(block, agent), at + 24);
  count(routeOf(block, load<u32>(call, ROUTE)), at + 48);
  count(pathOf(block, load<u32>(call, PATH)), at + 72);
}

/** Adds one to the three counters at `item` and writes their windowed counts by the overlaps of this request. */
// @ts-ignore: decorator
@inline
function count(item: usize, at: usize): void {
  const low = i32x4.splat(0xffff);
  let words = v128.load(item);
  // The fourth word is the next item's: it stays as it is.
  const open = v128.and(i32x4.ne(v128.and(words, low), low), i32x4(-1, -1, -1, 0));
  words = i32x4.sub(words, open);
  v128.store(item, words);
  const current = v128.and(words, low);
  const previous = i32x4.shr_u(words, 16);
  const overlaps = v128.load(call, OVERLAPS_5M);
  const two = f64x2.add(
    f64x2.convert_low_i32x4_u(current),
    f64x2.mul(overlaps, f64x2.convert_low_i32x4_u(previous)),
  );
  v128.store(at, f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(two)));
  const day = <f64>i32x4.extract_lane(current, 2);
  const before = <f64>i32x4.extract_lane(previous, 2);
  store<f64>(at, <f64>(<f32>(day + load<f64>(call, OVERLAPS_24H) * before)), 16);
}

/** One bit for each of four words that are the hash. */
// @ts-ignore: decorator
@inline
function among(hashes: usize, wanted: v128): i32 {
  return i32x4.bitmask(i32x4.eq(v128.load(hashes), wanted));
}

/** Counters of the agent. */
// @ts-ignore: decorator
@inline
function agentOf(block: usize, hash: u32): usize {
  const hashes = block + AGENT_HASH;
  const wanted = i32x4.splat(hash);
  const found = among(hashes, wanted) | (among(hashes + 16, wanted) << 4);
  if (found != 0) return block + AGENT_COUNTERS + <usize>ctz(found) * ITEM;
  return makeRoom(hashes, block + AGENT_COUNTERS, AGENTS, hash);
}

/** Counters of the route. */
// @ts-ignore: decorator
@inline
function routeOf(block: usize, hash: u32): usize {
  const hashes = block + ROUTE_HASH;
  const wanted = i32x4.splat(hash);
  const low = among(hashes, wanted) | (among(hashes + 16, wanted) << 4);
  const found = low | (among(hashes + 32, wanted) << 8) | (among(hashes + 48, wanted) << 12);
  if (found != 0) return block + ROUTE_COUNTERS + <usize>ctz(found) * ITEM;
  return makeRoom(hashes, block + ROUTE_COUNTERS, ROUTES, hash);
}

/** Counters of the path. */
// @ts-ignore: decorator
@inline
function pathOf(block: usize, hash: u32): usize {
  const hashes = block + PATH_HASH;
  const wanted = i32x4.splat(hash);
  const low = among(hashes, wanted) | (among(hashes + 16, wanted) << 4);
  const middle = (among(hashes + 32, wanted) << 8) | (among(hashes + 48, wanted) << 12);
  const high = (among(hashes + 64, wanted) << 16) | (among(hashes + 80, wanted) << 20);
  const found = low | middle | high;
  if (found != 0) return block + PATH_COUNTERS + <usize>ctz(found) * ITEM;
  return makeRoom(hashes, block + PATH_COUNTERS, PATHS, hash);
}

/** The item with the fewest requests in 24 h gives its place, its counters begin anew. */
function makeRoom(hashes: usize, counters: usize, size: usize, hash: u32): usize {
  let rarest: usize = 0;
  let fewest: u32 = u32.MAX_VALUE;
  for (let i: usize = 0; i < size; i++) {
    const day = load<u32>(counters + i * ITEM, DAY);
    const requests = (day & 0xffff) + (day >>> 16);
    if (requests >= fewest) continue;
    fewest = requests;
    rarest = i;
    if (requests == 0) break;
  }
  store<u32>(hashes + (rarest << 2), hash);
  const item = counters + rarest * ITEM;
  store<u64>(item, 0);
  store<u32>(item, 0, 8);
  return item;
}

/** Moves every counter on to the slices of the call. */
// @ts-ignore: decorator
@inline
function roll(block: usize): void {
  const windows = i32x4(-1, -1, -1, 0);
  const known = v128.load(block);
  const now = v128.and(v128.load(call, SLICES_5M), windows);
  const behind = i32x4.sub(now, known);
  if (v128.any_true(i32x4.gt_s(behind, i32x4.splat(0)))) rollAll(block, known, behind);
}

/**
 * The current slice becomes the previous one where a window is one slice behind, nothing is left where it is further behind.
 * Items are three words long and vectors four, so three masks alternate.
 */
function rollAll(block: usize, known: v128, behind: v128): void {
  const keep = i32x4.le_s(behind, i32x4.splat(0));
  const shift = i32x4.eq(behind, i32x4.splat(1));
  const keepA = v128.shuffle<i32>(keep, keep, 0, 1, 2, 0);
  const keepB = v128.shuffle<i32>(keep, keep, 1, 2, 0, 1);
  const keepC = v128.shuffle<i32>(keep, keep, 2, 0, 1, 2);
  const shiftA = v128.shuffle<i32>(shift, shift, 0, 1, 2, 0);
  const shiftB = v128.shuffle<i32>(shift, shift, 1, 2, 0, 1);
  const shiftC = v128.shuffle<i32>(shift, shift, 2, 0, 1, 2);
  for (let at = block + COUNTERS; at < block + COUNTERS_END; at += 48) {
    rollFour(at, keepA, shiftA);
    rollFour(at + 16, keepB, shiftB);
    rollFour(at + 32, keepC, shiftC);
  }
  v128.store(block, i32x4.add(known, i32x4.max_s(behind, i32x4.splat(0))));
}

// @ts-ignore: decorator
@inline
function rollFour(at: usize, keep: v128, shift: v128): void {
  const words = v128.load(at);
  v128.store(at, v128.or(v128.and(words, keep), v128.and(i32x4.shl(words, 16), shift)));
}
