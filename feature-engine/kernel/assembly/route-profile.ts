// What is usual on each route: paths and parameter names that had good answers, lengths, classes of bytes and bytes in parameter
// values. A profile learns only from requests that the origin answered with 2xx or 3xx, at the answer, from what their trace
// kept; it says nothing before 50 of them. 512 routes in sets of four; a full set gives way by the Misra-Gries rule for frequent
// items: each newcomer takes one from the weight of all four, and only one whose weight is gone makes room. So new routes,
// however many, do not push out those that live. Called by observe.ts and answer.ts.

import { call, PARAM_COUNT, PARAM_KEYS, PATH, ROUTE } from './call';
import { PATH_END, TARGET_END, TARGET_ENTRY, TARGET_SCAN, TARGET_START } from './head';
import { LONGEST_VALUE, VALUE_BYTES, VALUE_CLASSES } from './target';
import { TRACE_REST } from './traces';

/*
 *  2,048 bytes: u32 routes, four to a set; then 512 profiles of 128 bytes:
 *  u32: 0 good answers  4 weight  8 classes of bytes in values
 *  f32: 12 mean, 16 mean deviation of bytes of the target   20, 24 of the query   28, 32 of the longest value
 *  48: bytes in values, 128 bits   64: names of parameters, 256 bits   96: paths, 256 bits
 */
const SETS: u32 = 128;
const ROUTES_BYTES: usize = 2048;
const PROFILE_BYTES: usize = 128;
const ANSWERS: usize = 0;
const WEIGHT: usize = 4;
const CLASSES: usize = 8;
const TARGET_BYTES: usize = 12;
const QUERY_BYTES: usize = 20;
const VALUE_LENGTH: usize = 28;
const BYTES: usize = 48;
const NAMES: usize = 64;
const PATHS: usize = 96;
const WEIGHT_MAX: u32 = 4096;
/** Good answers before a profile says anything. */
const ANSWERS_MIN: u32 = 50;
/** A set of paths with more bits set cannot tell paths apart. */
const PATH_BITS_MAX: u32 = 128;
/** The newest answer counts so much once there are as many. */
const MEMORY: f64 = 64;
const FEATURES: usize = 8;

/** In a trace, from TRACE_REST on: u16 bytes of the target, of the query, of the longest value; u8 classes, u8 names read. */
const KEPT_BYTES: usize = TRACE_REST;
const KEPT_CLASSES: usize = TRACE_REST + 6;
const KEPT_COUNT: usize = TRACE_REST + 7;
/** 128 bits, 8 x u32. */
const KEPT_SEEN: usize = TRACE_REST + 8;
const KEPT_NAMES: usize = TRACE_REST + 24;

let routes: usize = 0;
let place: usize = 0;

export const ROUTE_PROFILES_BYTES: u32 = 67584;

/** Once: a zeroed region of ROUTE_PROFILES_BYTES and the place of the first feature. */
export function configureRouteProfiles(at: usize, firstPlace: u32): void {
  routes = at;
  place = <usize>firstPlace << 3;
}

// @ts-ignore: decorator
@inline
function setOf(route: u32): usize {
  return <usize>(route & (SETS - 1)) << 2;
}

// @ts-ignore: decorator
@inline
function profileAt(index: usize): usize {
  return routes + ROUTES_BYTES + index * PROFILE_BYTES;
}

/** Profile of a route, 0 if there is none. */
// @ts-ignore: decorator
@inline
function find(route: u32): usize {
  const set = setOf(route);
  const found = i32x4.bitmask(i32x4.eq(v128.load(routes + (set << 2)), i32x4.splat(<i32>route)));
  return found == 0 ? 0 : profileAt(set + <usize>ctz<i32>(found));
}

/** Profile of a route that has none: a place that is free, or whose weight is gone; 0 if there is none this time. */
function make(route: u32): usize {
  const set = setOf(route);
  let free: usize = -1;
  for (let i = set; i < set + 4; i++) {
    const profile = profileAt(i);
    const weight = load<u32>(profile, WEIGHT);
    if (weight > 0) store<u32>(profile, weight - 1, WEIGHT);
    else if (free == -1) free = i;
  }
  if (free == -1) return 0;
  const profile = profileAt(free);
  memory.fill(profile, 0, PROFILE_BYTES);
  store<u32>(routes + (free << 2), route);
  return profile;
}

/** Are both bits of the item set in the 256 at `at`? */
// @ts-ignore: decorator
@inline
function holds(at: usize, item: u32): bool {
  const a = load<u8>(at + <usize>((item >>> 3) & 31)) >>> <u8>(item & 7);
  const b = load<u8>(at + <usize>((item >>> 19) & 31)) >>> <u8>((item >>> 16) & 7);
  return (a & b & 1) != 0;
}

// @ts-ignore: decorator
@inline
function mark(at: usize, bit: u32): void {
  const byte = at + <usize>((bit >>> 3) & 31);
  store<u8>(byte, load<u8>(byte) | <u8>(<u32>1 << (bit & 7)));
}

/** How far `value` is from what is usual, in mean deviations. */
// @ts-ignore: decorator
@inline
function off(profile: usize, value: u32): f64 {
  return <f64>(<f32>((<f64>value - <f64>load<f32>(profile)) / (<f64>load<f32>(profile, 4) + 1)));
}

// @ts-ignore: decorator
@inline
function bitsOf(at: usize): u32 {
  const low = popcnt<u64>(load<u64>(at)) + popcnt<u64>(load<u64>(at, 8));
  return <u32>(low + popcnt<u64>(load<u64>(at, 16)) + popcnt<u64>(load<u64>(at, 24)));
}

/** Writes the features of the request of the call, whose head was read, into the vector at `vector`. */
export function routeProfileObserve(vector: usize): void {
  const out = vector + place;
  const profile = find(load<u32>(call, ROUTE));
  const answers: u32 = profile == 0 ? 0 : load<u32>(profile, ANSWERS);
  store<f64>(out, <f64>(<f32>answers));
  if (answers < ANSWERS_MIN) {
    for (let i: usize = 1; i < FEATURES; i++) store<f64>(out + (i << 3), f64.NaN);
    return;
  }
  const scan = <usize>load<u32>(call, TARGET_ENTRY) + TARGET_SCAN;
  const full = bitsOf(profile + PATHS) > PATH_BITS_MAX;
  store<f64>(out, full ? f64.NaN : holds(profile + PATHS, load<u32>(call, PATH)) ? 0 : 1, 8);
  const names = load<u32>(call, PARAM_COUNT);
  let unknown: u32 = 0;
  for (let i: u32 = 0; i < names; i++)
    unknown += <u32>!holds(profile + NAMES, load<u32>(call + (<usize>i << 2), PARAM_KEYS));
  store<f64>(out, <f64>unknown, 16);
  store<f64>(out, off(profile + TARGET_BYTES, targetBytes()), 24);
  store<f64>(out, off(profile + QUERY_BYTES, queryBytes()), 32);
  store<f64>(out, off(profile + VALUE_LENGTH, load<u32>(scan, LONGEST_VALUE)), 40);
  store<f64>(out, <f64>popcnt<u32>(load<u32>(scan, VALUE_CLASSES) & ~load<u32>(profile, CLASSES)), 48);
  const low = popcnt<u64>(load<u64>(scan, VALUE_BYTES) & ~load<u64>(profile, BYTES));
  const high = popcnt<u64>(load<u64>(scan, VALUE_BYTES + 8) & ~load<u64>(profile, BYTES + 8));
  store<f64>(out, <f64>(<u32>(low + high)), 56);
}

// @ts-ignore: decorator
@inline
function targetBytes(): u32 {
  return load<u32>(call, TARGET_END) - load<u32>(call, TARGET_START);
}

// @ts-ignore: decorator
@inline
function queryBytes(): u32 {
  const pathEnd = load<u32>(call, PATH_END);
  const end = load<u32>(call, TARGET_END);
  return end > pathEnd ? end - pathEnd - 1 : 0;
}

/** Keeps in the request's trace what its answer may teach. */
export function routeProfileKeep(trace: usize): void {
  const scan = <usize>load<u32>(call, TARGET_ENTRY) + TARGET_SCAN;
  const names = load<u32>(call, PARAM_COUNT);
  store<u16>(trace, <u16>min<u32>(targetBytes(), 0xffff), KEPT_BYTES);
  store<u16>(trace, <u16>min<u32>(queryBytes(), 0xffff), KEPT_BYTES + 2);
  store<u16>(trace, <u16>min<u32>(load<u32>(scan, LONGEST_VALUE), 0xffff), KEPT_BYTES + 4);
  store<u8>(trace, <u8>load<u32>(scan, VALUE_CLASSES), KEPT_CLASSES);
  store<u8>(trace, <u8>names, KEPT_COUNT);
  v128.store(trace, v128.load(scan, VALUE_BYTES), KEPT_SEEN);
  if (names == 0) return;
  v128.store(trace, v128.load(call, PARAM_KEYS), KEPT_NAMES);
  if (names > 4) v128.store(trace, v128.load(call, PARAM_KEYS + 16), KEPT_NAMES + 16);
}

/** Mean and mean deviation, each moved by 1/answers, and by 1/64 from the 64th answer on. */
// @ts-ignore: decorator
@inline
function learnLength(profile: usize, value: u32, answers: u32): void {
  const mean = <f64>load<f32>(profile);
  const deviation = <f64>load<f32>(profile, 4);
  const away = <f64>value - mean;
  const by = min<f64>(<f64>answers, MEMORY);
  store<f32>(profile, <f32>(mean + away / by));
  store<f32>(profile, answers == 1 ? 0 : <f32>(deviation + (abs<f64>(away) - deviation) / by), 4);
}

/** Teaches the profile of the call's route what the trace kept: its answer was good. */
export function routeProfileAnswered(trace: usize): void {
  const route = load<u32>(call, ROUTE);
  let profile = find(route);
  if (profile == 0) profile = make(route);
  if (profile == 0) return;
  const answers = load<u32>(profile, ANSWERS) + 1;
  if (answers != 0) store<u32>(profile, answers, ANSWERS);
  store<u32>(profile, min<u32>(load<u32>(profile, WEIGHT) + 1, WEIGHT_MAX), WEIGHT);
  const counted = max<u32>(answers, 1);
  learnLength(profile + TARGET_BYTES, load<u16>(trace, KEPT_BYTES), counted);
  learnLength(profile + QUERY_BYTES, load<u16>(trace, KEPT_BYTES + 2), counted);
  learnLength(profile + VALUE_LENGTH, load<u16>(trace, KEPT_BYTES + 4), counted);
  store<u32>(profile, load<u32>(profile, CLASSES) | <u32>load<u8>(trace, KEPT_CLASSES), CLASSES);
  v128.store(profile, v128.or(v128.load(profile, BYTES), v128.load(trace, KEPT_SEEN)), BYTES);
  const names = <u32>load<u8>(trace, KEPT_COUNT);
  for (let i: u32 = 0; i < names; i++) {
    const name = load<u32>(trace + (<usize>i << 2), KEPT_NAMES);
    mark(profile + NAMES, name);
    mark(profile + NAMES, name >>> 16);
  }
  const path = load<u32>(call, PATH);
  mark(profile + PATHS, path);
  mark(profile + PATHS, path >>> 16);
}
