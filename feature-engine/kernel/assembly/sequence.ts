// Order and rarity: how surprising a step is in this workload, and for this principal the hour and the routes. The workload's
// part is six sketches; the principal's part is the block that is given. Probabilities are those before the request at hand is
// counted. Answers come back later and count when they do. Called once per request and answer by observe.ts.

import { AGENT_FAMILY, ASN, call, nowMs, ROUTE, slice, STATUS } from './call';
import { mix32 } from './mix';
import { RARITY_BYTES, rarityAdd, rarityBegin, rarityTake, surpriseOf } from './rarity';

const STEPS: u32 = 16;
const HOURS: u32 = 24;
const HOUR_MS: f64 = 3600000;
const HOUR_COUNT_MAX: u32 = 0xffff;
/** Index of 1 hour in WINDOW_MS. */
const W1H: usize = 3;
/** A session's end breaks the chain of steps. */
const STEP_TIMEOUT_MS: f64 = 1800000;
const NEW_WEIGHT: f64 = 1.0 / 16;

/*
 * Bytes of a block:
 *  0 time of the last call, f64 ms        8 its route               12 steps so far        16 surprise of the last answer, f32
 * 20 whether there is one                24 share of new routes, f32                       28 calls by hour, total
 * 32 surprise of the last 16 steps, f32, 0 where there was none yet                        96 calls of each hour, 24 x u16
 * 144 filter of routes, 256 bits        176 mean of the steps' gaps, f32 ms              180 their mean deviation, f32 ms
 */
const LAST_MS: usize = 0;
const LAST_ROUTE: usize = 8;
const STEP_COUNT: usize = 12;
const ANSWER: usize = 16;
const ANSWERED: usize = 20;
const NEW_SHARE: usize = 24;
const HOUR_TOTAL: usize = 28;
const RING: usize = 32;
const HOUR: usize = 96;
const FILTER: usize = 144;
const GAP_MEAN: usize = 176;
const GAP_DEVIATION: usize = 180;
/** Bytes of a block. */
export const SEQUENCE_BYTES: usize = 184;

/** The workload's sketches, one after the other; their totals are halved at 2^24. */
const SKETCHES: usize = 6;
const TOTAL_MAX: u32 = 1 << 24;
let transitions: usize = 0;
let sources: usize = 0;
let routes: usize = 0;
let answers: usize = 0;
let agents: usize = 0;
let networks: usize = 0;
/** Byte offset in the vector. */
let place: usize = 0;

/** Takes the region of the sketches and the first of the ten places of the vector. */
export function configureSequence(at: usize, firstPlace: usize): void {
  transitions = at;
  sources = at + RARITY_BYTES;
  routes = at + 2 * RARITY_BYTES;
  answers = at + 3 * RARITY_BYTES;
  agents = at + 4 * RARITY_BYTES;
  networks = at + 5 * RARITY_BYTES;
  place = firstPlace << 3;
  for (let i: usize = 0; i < SKETCHES; i++) rarityBegin(at + i * RARITY_BYTES, TOTAL_MAX);
}

/** Starts the principal's part with its first call, which no feature saw. */
export function sequenceBegin(block: usize, first: u32, atMs: f64): void {
  memory.fill(block, 0, SEQUENCE_BYTES);
  store<u32>(block, first, LAST_ROUTE);
  store<f64>(block, atMs, LAST_MS);
  noteRoute(block, first);
  countHour(block, <u32>(<u64>(atMs / HOUR_MS) % HOURS));
}

/** Counts the request and writes its 10 features. `block` is 0 for a principal without a profile. */
export function sequenceObserve(block: usize, out: usize): void {
  const at = out + place;
  const route = load<u32>(call, ROUTE);
  if (block == 0) {
    for (let i: usize = 0; i < 4; i++) store<f64>(at + (i << 3), f64.NaN);
    v128.store(at, f64x2.splat(f64.NaN), 56);
    store<f64>(at, f64.NaN, 72);
  } else observePrincipal(block, route, at);
  store<f64>(at, <f64>rarityTake(routes, route), 32);
  const family = load<u32>(call, AGENT_FAMILY);
  if (family == 0) store<f64>(at, f64.NaN, 40);
  else store<f64>(at, <f64>rarityTake(agents, family), 40);
  const asn = load<u32>(call, ASN);
  if (asn == 0) store<f64>(at, f64.NaN, 48);
  else store<f64>(at, <f64>rarityTake(networks, mix32(asn)), 48);
}

/** Counts the origin's answer: route and status of the call. `block` is 0 if the principal has no profile. */
export function sequenceAnswered(block: usize): void {
  const status = load<u32>(call, STATUS);
  if (status < 100) return;
  const surprise = rarityTake(answers, mix32(load<u32>(call, ROUTE) ^ (status * 0x9e3779b1)));
  if (block == 0) return;
  store<f32>(block, surprise, ANSWER);
  store<u32>(block, 1, ANSWERED);
}

// @ts-ignore: decorator
@inline
function observePrincipal(block: usize, route: u32, at: usize): void {
  const now = nowMs();
  const gapMs = now - load<f64>(block, LAST_MS);
  if (gapMs <= STEP_TIMEOUT_MS) store<f64>(at, <f64>step(block, route, gapMs));
  else store<f64>(at, f64.NaN);
  writeSteps(block, at);
  store<f64>(at, load<u32>(block, ANSWERED) == 0 ? f64.NaN : <f64>load<f32>(block, ANSWER), 24);
  const hour = slice(W1H) % HOURS;
  // Each hour begins with half a call.
  const total = load<u32>(block, HOUR_TOTAL) + HOURS / 2 - 1;
  const known = <u32>load<u16>(block + (<usize>hour << 1), HOUR);
  store<f64>(at, <f64>(<f32>surpriseOf(known, total)), 56);
  store<f64>(at, <f64>noteRoute(block, route), 64);
  const mean = <f64>load<f32>(block, GAP_MEAN);
  const variation = mean == 0 ? 0 : <f64>(<f32>(<f64>load<f32>(block, GAP_DEVIATION) / mean));
  store<f64>(at, load<u32>(block, STEP_COUNT) < 2 ? f64.NaN : variation, 72);
  store<u32>(block, route, LAST_ROUTE);
  store<f64>(block, now, LAST_MS);
  countHour(block, hour);
}

/** Surprise of the step from the last route to this one, kept among the last 16. */
// @ts-ignore: decorator
@inline
function step(block: usize, route: u32, gapMs: f64): f32 {
  const from = load<u32>(block, LAST_ROUTE);
  const known = rarityAdd(transitions, mix32((from * 0x85ebca6b) ^ route));
  const surprise = <f32>surpriseOf(known, rarityAdd(sources, from));
  const steps = load<u32>(block, STEP_COUNT);
  store<f32>(block + (<usize>(steps % STEPS) << 2), surprise, RING);
  store<u32>(block, steps + 1, STEP_COUNT);
  addGap(block, gapMs, steps);
  return surprise;
}

/** Exponential mean and mean deviation with weight 1/8, as RFC 6298 section 2 does for round trips. */
// @ts-ignore: decorator
@inline
function addGap(block: usize, gapMs: f64, steps: u32): void {
  if (steps == 0) {
    store<f32>(block, <f32>gapMs, GAP_MEAN);
    return;
  }
  const mean = <f64>load<f32>(block, GAP_MEAN);
  const deviation = <f64>load<f32>(block, GAP_DEVIATION);
  const distance = abs(gapMs - mean);
  store<f32>(block, <f32>(steps == 1 ? distance : deviation + (distance - deviation) / 8), GAP_DEVIATION);
  store<f32>(block, <f32>(mean + (gapMs - mean) / 8), GAP_MEAN);
}

/** Mean and maximum of the last 16 steps: 8 and 16 bytes from `at`. Places without a step hold 0. */
// @ts-ignore: decorator
@inline
function writeSteps(block: usize, at: usize): void {
  const count = min(load<u32>(block, STEP_COUNT), STEPS);
  const a = v128.load(block, RING);
  const b = v128.load(block, RING + 16);
  const c = v128.load(block, RING + 32);
  const d = v128.load(block, RING + 48);
  const most = f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d));
  const sums = f64x2.add(f64x2.add(pairs(a), pairs(b)), f64x2.add(pairs(c), pairs(d)));
  const sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  const two = f32x4.pmax(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  const max = f32x4.extract_lane(f32x4.pmax(two, v128.shuffle<i32>(two, two, 1, 0, 3, 2)), 0);
  // No step: 0 / 0 is missing.
  store<f64>(at, <f64>(<f32>(sum / <f64>count)), 8);
  store<f64>(at, count == 0 ? f64.NaN : <f64>max, 16);
}

/** Four f32 as two f64: the first plus the third, the second plus the fourth. */
// @ts-ignore: decorator
@inline
function pairs(four: v128): v128 {
  const high = v128.shuffle<f64>(four, four, 1, 1);
  return f64x2.add(f64x2.promote_low_f32x4(four), f64x2.promote_low_f32x4(high));
}

/** Was the route new to the principal (256-bit filter, two bits a route)? Moves the exponential share and gives it. */
// @ts-ignore: decorator
@inline
function noteRoute(block: usize, route: u32): f32 {
  const hash = mix32(route);
  const a = block + (<usize>((hash >>> 5) & 7) << 2);
  const b = block + (<usize>((hash >>> 21) & 7) << 2);
  const bitA: u32 = 1 << (hash & 31);
  const bitB: u32 = 1 << ((hash >>> 16) & 31);
  const fresh: f64 = (load<u32>(a, FILTER) & bitA) == 0 || (load<u32>(b, FILTER) & bitB) == 0 ? 1 : 0;
  store<u32>(a, load<u32>(a, FILTER) | bitA, FILTER);
  store<u32>(b, load<u32>(b, FILTER) | bitB, FILTER);
  const share = <f64>load<f32>(block, NEW_SHARE);
  const moved = <f32>(share + (fresh - share) * NEW_WEIGHT);
  store<f32>(block, moved, NEW_SHARE);
  return moved;
}

// @ts-ignore: decorator
@inline
function countHour(block: usize, hour: u32): void {
  const at = block + (<usize>hour << 1);
  if (<u32>load<u16>(at, HOUR) == HOUR_COUNT_MAX) halveHours(block);
  store<u16>(at, load<u16>(at, HOUR) + 1, HOUR);
  store<u32>(block, load<u32>(block, HOUR_TOTAL) + 1, HOUR_TOTAL);
}

function halveHours(block: usize): void {
  let total: u32 = 0;
  for (let at = block + HOUR; at < block + HOUR + (<usize>HOURS << 1); at += 2) {
    const half = load<u16>(at) >>> 1;
    store<u16>(at, half);
    total += half;
  }
  store<u32>(block, total, HOUR_TOTAL);
}
