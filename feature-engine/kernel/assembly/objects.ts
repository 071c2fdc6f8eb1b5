// The objects that one identity asks for, by route: how many, how new to it, in which steps, whose they were, how often refused;
// and the values it gives to query keys. Four routes and four keys are kept; the one with the fewest calls in 24 h makes room.
// Reads the call struct and the block of the identity that calls. Called by the engine at the request and at the answer.

import {
  call,
  OBJECT,
  OBJECT_NUMBER,
  overlap,
  PARAM_COUNT,
  PARAM_KEYS,
  PARAM_VALUES,
  PATH,
  PRINCIPAL,
  ROUTE,
  STATUS,
  slice,
} from './call';
import { mix32 } from './mix';
import { pairSeen, pathSeen, usedByAnother } from './object-memory';
import { distinct64, distinct128, distinct256, markWide } from './sketch';
import {
  bump,
  bumpBy,
  keepOf,
  makeRoom,
  rollCounter,
  rollCounters4,
  rollSketch64,
  rollSketch128,
  rollSketch256,
  windowed,
} from './slices';

const W5M: usize = 2;
const W1H: usize = 3;
const W24H: usize = 4;

/*
 * Bytes of a block (928; routes fall on cache lines where the block begins 32 bytes behind one):
 *   0 slice numbers (5 min, 1 h, 24 h)   12 calls  16 calls of new paths  20 calls of paths new in the hour
 *  32 hashes of the routes  48 their calls in 24 h  64 hashes of the query keys  80 their calls in 24 h
 *  96 sketches of the keys' values (1 h, 2 x 2 words each)   160 routes, 192 bytes each
 * Counters are one word: current slice in the low half, previous one in the high half. A share keeps its meaning however many
 * requests come: when the current slice of what it divides by is full, the slices that belong together are halved.
 * Those of a route:
 *   0 calls  4 new  8 foreign  12 steps  16 steps of one  20 answers  24 refused, all 1 h   28 steps ever   32 last number, f64
 *  40 sketch 5 min, 2 x 2   56 sketch 1 h, 2 x 4   88 sketch 24 h, 2 x 8   152 last 9 steps, f32
 */
export const OBJECT_BYTES: usize = 928;
const SLICE_5M: usize = 0;
const SLICE_1H: usize = 4;
const SLICE_24H: usize = 8;
const CALLS: usize = 12;
const NEW_PATHS: usize = 16;
const UNIQUE_PATHS: usize = 20;
const ROUTE_HASH: usize = 32;
const ROUTE_DAY: usize = 48;
const KEY_HASH: usize = 64;
const KEY_DAY: usize = 80;
const KEYS: usize = 96;
const KEY_SHIFT: usize = 4;
const ROUTES: usize = 160;
const ROUTE_BYTES: usize = 192;
const SHAPE: usize = 4;

const R_CALLS: usize = 0;
const R_NEW: usize = 4;
const R_FOREIGN: usize = 8;
const R_STEPS: usize = 12;
const R_ONES: usize = 16;
const R_ANSWERS: usize = 20;
const R_REFUSED: usize = 24;
const R_STEP_COUNT: usize = 28;
const R_LAST: usize = 32;
const R_SKETCH_5M: usize = 40;
const R_SKETCH_1H: usize = 56;
const R_SKETCH_24H: usize = 88;
const R_STEP_RING: usize = 152;
const STEPS: u32 = 9;

const sorted: usize = memory.data(40, 8);
/** Byte of the vector where the group begins. */
let place: usize = 0;

/** @param firstPlace place in the vector of the first feature of features-objects.ts. */
export function configureObjects(firstPlace: usize): void {
  place = firstPlace << 3;
}

/** Counts the request at hand and writes its 11 features, itself included, in the order of features-objects.ts. */
export function observeObjects(block: usize, vector: usize): void {
  const out = vector + place;
  const hour = overlap(W1H);
  const who = markOf(load<u32>(call, PRINCIPAL));
  const path = mix32(load<u32>(call, PATH));
  rollObjects(block);
  makeRoom(block + CALLS, 3);
  bump(block + CALLS);
  // No branches on what a look-up in shared memory finds: the misses of all of them overlap.
  bumpBy(block + NEW_PATHS, 1 - <u32>pairSeen(who, path));
  bumpBy(block + UNIQUE_PATHS, 1 - <u32>pathSeen(who, path));
  const id = load<u32>(call, OBJECT);
  if (id == 0) {
    for (let i: usize = 0; i < 64; i += 8) store<f64>(out + i, f64.NaN);
  } else {
    writeRoute(countId(block, who, id), hour, out);
  }
  put(out, 64, countQuery(block, hour));
  const calls = windowed(block + CALLS, hour);
  put(out, 72, windowed(block + NEW_PATHS, hour) / calls);
  put(out, 80, windowed(block + UNIQUE_PATHS, hour) / calls);
}

/** Counts the answer at hand to a request for an object id. Dropped if the route has made room since. */
export function objectsAnswered(block: usize): void {
  const status = load<u32>(call, STATUS);
  if (status < 100 || load<u32>(call, OBJECT) == 0) return;
  rollObjects(block);
  const i = placeOf(block + ROUTE_HASH, load<u32>(call, ROUTE));
  if (i >= SHAPE) return;
  const entry = block + ROUTES + i * ROUTE_BYTES;
  makeRoom(entry + R_ANSWERS, 2);
  bump(entry + R_ANSWERS);
  bumpBy(entry + R_REFUSED, <u32>(status == 403) | <u32>(status == 404));
}

/** Counts the id into its route's entry; gives the entry. */
function countId(block: usize, who: u32, id: u32): usize {
  const hash = load<u32>(call, ROUTE);
  const route = block + ROUTES + entryOf(block + ROUTE_HASH, hash, block + ROUTES, ROUTE_BYTES) * ROUTE_BYTES;
  const object = mix32(hash ^ (id * 0x85ebca6b));
  makeRoom(route + R_CALLS, 3);
  bump(route + R_CALLS);
  bumpBy(route + R_NEW, 1 - <u32>pairSeen(who, object));
  bumpBy(route + R_FOREIGN, <u32>usedByAnother(object, who));
  markWide(route + R_SKETCH_5M, 2, object);
  markWide(route + R_SKETCH_1H, 4, object);
  markWide(route + R_SKETCH_24H, 8, object);
  const number = load<f64>(call, OBJECT_NUMBER);
  if (number != number) return route;
  // The number is kept plus one, so that 0 means none.
  const last = load<f64>(route, R_LAST);
  if (last != 0) countStep(route, abs<f64>(number + 1 - last));
  store<f64>(route, number + 1, R_LAST);
  return route;
}

function countStep(route: usize, step: f64): void {
  const steps = load<u32>(route, R_STEP_COUNT);
  store<f32>(route + (<usize>(steps % STEPS) << 2), <f32>step, R_STEP_RING);
  store<u32>(route, steps + 1, R_STEP_COUNT);
  makeRoom(route + R_STEPS, 2);
  bump(route + R_STEPS);
  bumpBy(route + R_ONES, <u32>(step == 1));
}

function writeRoute(route: usize, hour: f64, out: usize): void {
  const calls = windowed(route + R_CALLS, hour);
  const steps = windowed(route + R_STEPS, hour);
  const answers = windowed(route + R_ANSWERS, hour);
  put(out, 0, distinct64(route + R_SKETCH_5M, overlap(W5M)));
  put(out, 8, distinct128(route + R_SKETCH_1H, hour));
  put(out, 16, distinct256(route + R_SKETCH_24H, overlap(W24H)));
  put(out, 24, windowed(route + R_NEW, hour) / calls);
  put(out, 32, windowed(route + R_FOREIGN, hour) / calls);
  put(out, 40, steps == 0 ? f64.NaN : windowed(route + R_ONES, hour) / steps);
  store<f64>(out, medianStep(route), 48);
  put(out, 56, answers == 0 ? f64.NaN : windowed(route + R_REFUSED, hour) / answers);
}

/** Median of the last steps (of an even number, the lower middle), NaN without any. */
function medianStep(route: usize): f64 {
  const steps = load<u32>(route, R_STEP_COUNT);
  if (steps == 0) return f64.NaN;
  const count: usize = <usize>min(steps, STEPS) << 2;
  for (let i: usize = 0; i < count; i += 4) {
    const step = load<f32>(route + i, R_STEP_RING);
    let j = i;
    for (; j > 0 && load<f32>(sorted + j - 4) > step; j -= 4)
      store<f32>(sorted + j, load<f32>(sorted + j - 4));
    store<f32>(sorted + j, step);
  }
  return <f64>load<f32>(sorted + ((((count >> 2) - 1) >> 1) << 2));
}

/** Marks the values of the query's keys; gives the most distinct values of one of its keys, NaN without a query. */
function countQuery(block: usize, hour: f64): f64 {
  const end = <usize>load<u32>(call, PARAM_COUNT) << 2;
  let most = f64.NaN;
  for (let i: usize = 0; i < end; i += 4) {
    const index = entryOf(block + KEY_HASH, load<u32>(call + i, PARAM_KEYS), block + KEYS, 1 << KEY_SHIFT);
    const key = block + KEYS + (index << KEY_SHIFT);
    markWide(key, 2, load<u32>(call + i, PARAM_VALUES));
    const values = distinct64(key, hour);
    if (!(values <= most)) most = values;
  }
  return most;
}

/** Place of the hash among the four at `hashes`; 4 or more if it is not there. Hashes are never 0. */
// @ts-ignore: decorator
@inline
function placeOf(hashes: usize, hash: u32): usize {
  return <usize>ctz<u32>(<u32>i32x4.bitmask(i32x4.eq(v128.load(hashes), i32x4.splat(hash))));
}

/**
 * Counts a call of the hash in its entry, of the four whose hashes, and then calls in 24 h, begin at `hashes`; gives the place.
 * Where there is none, the one with the fewest calls starts anew.
 */
function entryOf(hashes: usize, hash: u32, entries: usize, entryBytes: usize): usize {
  const days = hashes + (ROUTE_DAY - ROUTE_HASH);
  const found = placeOf(hashes, hash);
  if (found < SHAPE) {
    bump(days + (found << 2));
    return found;
  }
  let rarest: usize = 0;
  let fewest: u32 = u32.MAX_VALUE;
  for (let i: usize = 0; i < SHAPE; i++) {
    const day = load<u32>(days + (i << 2));
    const calls = (day & 0xffff) + (day >>> 16);
    if (calls < fewest) {
      fewest = calls;
      rarest = i;
    }
  }
  memory.fill(entries + rarest * entryBytes, 0, entryBytes);
  store<u32>(hashes + (rarest << 2), hash);
  store<u32>(days + (rarest << 2), 1);
  return rarest;
}

/** The identity's mark, mixed and never 0. */
// @ts-ignore: decorator
@inline
function markOf(principal: u32): u32 {
  const mixed = mix32(principal);
  return mixed == 0 ? 1 : mixed;
}

// @ts-ignore: decorator
@inline
function put(out: usize, at: usize, value: f64): void {
  store<f64>(out + at, <f64>(<f32>value));
}

/** Moves all counters and sketches on to the slices of the call. */
function rollObjects(block: usize): void {
  const slice5m = slice(W5M);
  const behind5m = slice5m - load<u32>(block, SLICE_5M);
  if (<i32>behind5m > 0) {
    const keep = keepOf(behind5m);
    for (let i: usize = 0; i < SHAPE; i++) rollSketch64(block + ROUTES + i * ROUTE_BYTES + R_SKETCH_5M, keep);
    store<u32>(block, slice5m, SLICE_5M);
    rollHours(block);
  }
}

/** Hours and days can only end where 5 minutes end. */
function rollHours(block: usize): void {
  const slice1h = slice(W1H);
  const behind1h = slice1h - load<u32>(block, SLICE_1H);
  if (<i32>behind1h <= 0) return;
  const keep = keepOf(behind1h);
  rollCounter(block + CALLS, keep);
  rollCounter(block + NEW_PATHS, keep);
  rollCounter(block + UNIQUE_PATHS, keep);
  for (let i: usize = 0; i < SHAPE; i++) {
    const route = block + ROUTES + i * ROUTE_BYTES;
    rollCounters4(route, keep);
    for (let counter = R_ONES; counter <= R_REFUSED; counter += 4) rollCounter(route + counter, keep);
    rollSketch128(route + R_SKETCH_1H, keep);
    rollSketch64(block + KEYS + (i << KEY_SHIFT), keep);
  }
  store<u32>(block, slice1h, SLICE_1H);
  rollDays(block);
}

function rollDays(block: usize): void {
  const slice24h = slice(W24H);
  const behind24h = slice24h - load<u32>(block, SLICE_24H);
  if (<i32>behind24h <= 0) return;
  const keep = keepOf(behind24h);
  for (let i: usize = 0; i < SHAPE; i++) {
    rollCounter(block + ROUTE_DAY + (i << 2), keep);
    rollCounter(block + KEY_DAY + (i << 2), keep);
    rollSketch256(block + ROUTES + i * ROUTE_BYTES + R_SKETCH_24H, keep);
  }
  store<u32>(block, slice24h, SLICE_24H);
}
