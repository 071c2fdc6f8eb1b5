// The objects that one identity asks for, by route: how many, how new to it, in which steps, whose they were, how often refused;
// and the values it gives to query keys. Four routes and four keys are kept; the one with the fewest calls in 24 h makes room.
// The engine gives it the block of the identity that calls, and later the answer.

import type { Block } from './block.ts';
import type { ObjectId } from './object-id.ts';
import { LastUsers, SeenPairs } from './object-memory.ts';
import { distinctTwo, markWide, mix32 } from './sketch.ts';
import { type Moment, W1H, W5M, W24H } from './windows.ts';

const ROUTES = 4;
const QUERY_KEYS = 4;
const STEPS = 9;

/*
 * Words of a block: 0 slice numbers (5 min, 1 h, 24 h), 4 calls, 5 calls of new paths, 8 routes, 208 query keys.
 * Counters are one word: current slice in the low half, previous one in the high half. Those of a route:
 *   0 hash  1 calls 24 h  2 calls  3 new  4 foreign  5 steps of one  6 steps  7 answers  8 refused, all 1 h   9 steps ever
 *  10 last number, f64   12 sketch 5 min, 2 x 2   16 sketch 1 h, 2 x 4   24 sketch 24 h, 2 x 8   40 last 9 steps, f32
 */
const CALLS = 4;
const NEW_PATHS = 5;
const ROUTE = 8;
const ROUTE_WORDS = 50;
const KEY = ROUTE + ROUTES * ROUTE_WORDS;
/** Hash, calls 24 h, sketch 1 h of 2 x 2 words. */
const KEY_WORDS = 6;
export const OBJECT_WORDS = KEY + QUERY_KEYS * KEY_WORDS;

const R_DAY = 1;
const R_CALLS = 2;
const R_NEW = 3;
const R_FOREIGN = 4;
const R_ONES = 5;
const R_STEPS = 6;
const R_ANSWERS = 7;
const R_REFUSED = 8;
const R_STEP_COUNT = 9;
const R_LAST = 10;
const R_SKETCH_5M = 12;
const R_SKETCH_1H = 16;
const R_SKETCH_24H = 24;
const R_STEP_RING = 40;

/** Places that `observe` fills. */
export const OBJECT_FEATURES_COUNT = 10;

/** What a request tells about objects; one object per thread, refilled. */
export interface ObjectCall {
  readonly id: ObjectId;
  /** 32-bit hash of the route, never 0. */
  route: number;
  /** 32-bit hash of the raw path. */
  path: number;
  /** 32-bit hash of the identity, never 0. */
  who: number;
  readonly moment: Moment;
}

/** Overlaps of the request at hand: 5 min, 1 h, 24 h. */
const overlaps = new Float64Array(3);
const sorted = new Float64Array(STEPS);

export class Objects {
  readonly #pairs: SeenPairs;
  readonly #lastUsers: LastUsers;

  constructor(options: { readonly pairBits?: number; readonly objectPlaces?: number } = {}) {
    this.#pairs = new SeenPairs(options.pairBits);
    this.#lastUsers = new LastUsers(options.objectPlaces);
  }

  get bytes(): number {
    return this.#pairs.bytes + this.#lastUsers.bytes;
  }

  /** Counts the request and writes its 10 features from out[place], itself included; order of features-objects.ts. */
  observe(block: Block, call: ObjectCall, out: Float64Array, place: number): void {
    const { words, at } = block;
    const { moment, id } = call;
    roll(words, at, moment);
    overlaps[0] = moment.overlaps[W5M]!;
    overlaps[1] = moment.overlaps[W1H]!;
    overlaps[2] = moment.overlaps[W24H]!;
    bump(words, at + CALLS);
    if (!this.#pairs.seenBefore(call.who, mix32(call.path), moment.slices[W24H]!))
      bump(words, at + NEW_PATHS);
    if (id.hash === 0) out.fill(Number.NaN, place, place + 8);
    else writeRoute(block, this.#countId(block, call), out, place);
    out[place + 8] = countQuery(words, at, id);
    out[place + 9] = Math.fround(hourly(words, at + NEW_PATHS) / hourly(words, at + CALLS));
  }

  /** Counts the id into its route's entry; gives the entry's first word. */
  #countId(block: Block, call: ObjectCall): number {
    const { words, floats, doubles, at } = block;
    const { id, who } = call;
    const route = at + ROUTE + ROUTE_WORDS * entryOf(words, at + ROUTE, call.route, ROUTES_SHAPE);
    const object = mix32(call.route ^ Math.imul(id.hash, 0x85ebca6b));
    bump(words, route + R_DAY);
    bump(words, route + R_CALLS);
    if (!this.#pairs.seenBefore(who, object, call.moment.slices[W24H]!)) bump(words, route + R_NEW);
    if (this.#lastUsers.byAnother(object, who)) bump(words, route + R_FOREIGN);
    markWide(words, route + R_SKETCH_5M, 2, object);
    markWide(words, route + R_SKETCH_1H, 4, object);
    markWide(words, route + R_SKETCH_24H, 8, object);
    if (Number.isNaN(id.number)) return route;
    const last = (route + R_LAST) >> 1;
    // The number is kept plus one, so that 0 means none.
    if (doubles[last] !== 0) {
      const step = Math.abs(id.number + 1 - doubles[last]!);
      const steps = words[route + R_STEP_COUNT]!;
      floats[route + R_STEP_RING + (steps % STEPS)] = step;
      words[route + R_STEP_COUNT] = steps + 1;
      bump(words, route + R_STEPS);
      if (step === 1) bump(words, route + R_ONES);
    }
    doubles[last] = id.number + 1;
    return route;
  }
}

/**
 * Counts the origin's answer to a request for an id of the route. Dropped if the route has made room since.
 * @param status of the answer, 0 if none came.
 */
export function objectAnswered(block: Block, route: number, status: number, moment: Moment): void {
  const { words, at } = block;
  if (status < 100) return;
  roll(words, at, moment);
  for (let i = 0; i < ROUTES; i++) {
    const entry = at + ROUTE + i * ROUTE_WORDS;
    if (words[entry] !== route >>> 0) continue;
    bump(words, entry + R_ANSWERS);
    if (status === 403 || status === 404) bump(words, entry + R_REFUSED);
    return;
  }
}

interface EntryShape {
  readonly size: number;
  readonly entryWords: number;
}
const ROUTES_SHAPE: EntryShape = { size: ROUTES, entryWords: ROUTE_WORDS };
const KEYS_SHAPE: EntryShape = { size: QUERY_KEYS, entryWords: KEY_WORDS };

/** Index of the hash's entry; where there is none, the one with the fewest calls in 24 h (word 1) starts anew for it. */
function entryOf(words: Uint32Array, first: number, hash: number, { size, entryWords }: EntryShape): number {
  let rarest = 0;
  let fewest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < size; i++) {
    const at = first + i * entryWords;
    if (words[at] === hash >>> 0) return i;
    const day = words[at + 1]!;
    const calls = (day & 0xffff) + (day >>> 16);
    if (calls < fewest) {
      fewest = calls;
      rarest = i;
    }
  }
  const at = first + rarest * entryWords;
  words.fill(0, at, at + entryWords);
  words[at] = hash;
  return rarest;
}

function writeRoute(block: Block, route: number, out: Float64Array, place: number): void {
  const { words } = block;
  const calls = hourly(words, route + R_CALLS);
  const steps = hourly(words, route + R_STEPS);
  const answers = hourly(words, route + R_ANSWERS);
  out[place] = Math.fround(distinctTwo(words, route + R_SKETCH_5M, 2, overlaps[0]!));
  out[place + 1] = Math.fround(distinctTwo(words, route + R_SKETCH_1H, 4, overlaps[1]!));
  out[place + 2] = Math.fround(distinctTwo(words, route + R_SKETCH_24H, 8, overlaps[2]!));
  out[place + 3] = Math.fround(hourly(words, route + R_NEW) / calls);
  out[place + 4] = Math.fround(hourly(words, route + R_FOREIGN) / calls);
  out[place + 5] = steps === 0 ? Number.NaN : Math.fround(hourly(words, route + R_ONES) / steps);
  out[place + 6] = medianStep(block, route);
  out[place + 7] = answers === 0 ? Number.NaN : Math.fround(hourly(words, route + R_REFUSED) / answers);
}

/** Median of the last steps (of an even number, the lower middle), NaN without any. */
function medianStep(block: Block, route: number): number {
  const count = Math.min(block.words[route + R_STEP_COUNT]!, STEPS);
  if (count === 0) return Number.NaN;
  for (let i = 0; i < count; i++) {
    const step = block.floats[route + R_STEP_RING + i]!;
    let j = i - 1;
    for (; j >= 0 && sorted[j]! > step; j--) sorted[j + 1] = sorted[j]!;
    sorted[j + 1] = step;
  }
  return sorted[(count - 1) >> 1]!;
}

/** Marks the values of the query's keys; gives the most distinct values of one of its keys, NaN without a query. */
function countQuery(words: Uint32Array, at: number, id: ObjectId): number {
  let most = Number.NaN;
  for (let i = 0; i < id.paramCount; i++) {
    const key = at + KEY + KEY_WORDS * entryOf(words, at + KEY, id.keys[i]!, KEYS_SHAPE);
    bump(words, key + 1);
    markWide(words, key + 2, 2, id.values[i]!);
    const values = distinctTwo(words, key + 2, 2, overlaps[1]!);
    if (!(values <= most)) most = values;
  }
  return Math.fround(most);
}

function bump(words: Uint32Array, at: number): void {
  if ((words[at]! & 0xffff) !== 0xffff) words[at] = words[at]! + 1;
}

/** Windowed count of an hourly counter. */
function hourly(words: Uint32Array, at: number): number {
  return (words[at]! & 0xffff) + overlaps[1]! * (words[at]! >>> 16);
}

/** Moves all counters and sketches on to the slices of the moment. */
function roll(words: Uint32Array, at: number, moment: Moment): void {
  if (moment.slices[W5M]! > words[at]!) {
    const far = moment.slices[W5M]! - words[at]! > 1;
    for (let i = 0; i < ROUTES; i++) rollSketch(words, at + ROUTE + i * ROUTE_WORDS + R_SKETCH_5M, 2, far);
    words[at] = moment.slices[W5M]!;
  }
  if (moment.slices[W1H]! > words[at + 1]!) {
    rollHour(words, at, moment.slices[W1H]! - words[at + 1]! > 1);
    words[at + 1] = moment.slices[W1H]!;
  }
  if (moment.slices[W24H]! > words[at + 2]!) {
    const far = moment.slices[W24H]! - words[at + 2]! > 1;
    for (let i = 0; i < ROUTES; i++) {
      rollCounter(words, at + ROUTE + i * ROUTE_WORDS + R_DAY, far);
      rollSketch(words, at + ROUTE + i * ROUTE_WORDS + R_SKETCH_24H, 8, far);
    }
    for (let i = 0; i < QUERY_KEYS; i++) rollCounter(words, at + KEY + i * KEY_WORDS + 1, far);
    words[at + 2] = moment.slices[W24H]!;
  }
}

function rollHour(words: Uint32Array, at: number, far: boolean): void {
  rollCounter(words, at + CALLS, far);
  rollCounter(words, at + NEW_PATHS, far);
  for (let i = 0; i < ROUTES; i++) {
    const route = at + ROUTE + i * ROUTE_WORDS;
    for (let word = R_CALLS; word <= R_REFUSED; word++) rollCounter(words, route + word, far);
    rollSketch(words, route + R_SKETCH_1H, 4, far);
  }
  for (let i = 0; i < QUERY_KEYS; i++) rollSketch(words, at + KEY + i * KEY_WORDS + 2, 2, far);
}

function rollCounter(words: Uint32Array, at: number, far: boolean): void {
  words[at] = far ? 0 : words[at]! << 16;
}

function rollSketch(words: Uint32Array, at: number, size: number, far: boolean): void {
  for (let i = at; i < at + size; i++) {
    words[i + size] = far ? 0 : words[i]!;
    words[i] = 0;
  }
}
