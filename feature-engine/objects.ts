// The objects that one identity asks for, by route: how many, how new to it, in which steps, whose they were, how often refused;
// and the values it gives to query keys. Four routes and four keys are kept; the one with the fewest calls in 24 h makes room.
// The engine gives it the block of the identity that calls, and later the answer.

import type { Block } from './block.ts';
import { putMissing } from './missing.ts';
import type { ObjectId } from './object-id.ts';
import { LastUsers, SeenPairs } from './object-memory.ts';
import { ESTIMATE, estimateTwo, markWide, mix32, sketchKind } from './sketch.ts';
import { type Moment, W1H, W5M, W24H, WINDOW_COUNT } from './windows.ts';

const ROUTES = 4;
const QUERY_KEYS = 4;
const STEPS = 9;

/*
 * Words of a block: 0 slice numbers (5 min, 1 h, 24 h), 4 calls, 5 calls of new paths, 8 hashes of the routes, 12 their calls in
 * 24 h, 16 hashes of the query keys, 20 their calls in 24 h, 24 routes, 216 sketches of the keys' values (1 h, 2 x 2).
 * Counters are one word: current slice in the low half, previous one in the high half. Those of a route:
 *   0 calls  1 new  2 foreign  3 steps of one  4 steps  5 answers  6 refused, all 1 h   7 steps ever   8 last number, f64
 *  10 sketch 5 min, 2 x 2   14 sketch 1 h, 2 x 4   22 sketch 24 h, 2 x 8   38 last 9 steps, f32
 */
const CALLS = 4;
const NEW_PATHS = 5;
const ROUTE_HASH = 8;
const KEY_HASH = 16;
const ROUTE = 24;
const ROUTE_WORDS = 48;
const KEY = ROUTE + ROUTES * ROUTE_WORDS;
const KEY_WORDS = 4;
export const OBJECT_WORDS = KEY + QUERY_KEYS * KEY_WORDS;

const R_CALLS = 0;
const R_NEW = 1;
const R_FOREIGN = 2;
const R_ONES = 3;
const R_STEPS = 4;
const R_ANSWERS = 5;
const R_REFUSED = 6;
const R_STEP_COUNT = 7;
const R_LAST = 8;
const R_SKETCH_5M = 10;
const R_SKETCH_1H = 14;
const R_SKETCH_24H = 22;
const R_STEP_RING = 38;

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

/** Overlaps of the request at hand, by window. */
const overlaps = new Float64Array(WINDOW_COUNT);
const IDS_5M = sketchKind(2, W5M);
const IDS_1H = sketchKind(4, W1H);
const IDS_24H = sketchKind(8, W24H);
const VALUES_1H = sketchKind(2, W1H);
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
    for (let w = 0; w < WINDOW_COUNT; w++) overlaps[w] = moment.overlaps[w]!;
    bump(words, at + CALLS);
    if (!this.#pairs.seenBefore(call.who, mix32(call.path) | 0, moment.slices[W24H]!))
      bump(words, at + NEW_PATHS);
    if (id.hash === 0) putMissing(out, place, place + 8);
    else writeRoute(block, this.#countId(block, call), out, place);
    countQuery(block, id, out, place + 8);
    out[place + 9] = Math.fround(hourly(words, at + NEW_PATHS) / hourly(words, at + CALLS));
  }

  /** Counts the id into its route's entry; gives the entry's first word. */
  #countId(block: Block, call: ObjectCall): number {
    const { words, floats, doubles, at } = block;
    const { id, who } = call;
    const route = at + ROUTE + ROUTE_WORDS * entryOf(words, at, call.route, ROUTES_SHAPE);
    const object = mix32(call.route ^ Math.imul(id.hash, 0x85ebca6b)) | 0;
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
    if (words[at + ROUTE_HASH + i] !== route >>> 0) continue;
    bump(words, entry + R_ANSWERS);
    if (status === 403 || status === 404) bump(words, entry + R_REFUSED);
    return;
  }
}

interface EntryShape {
  readonly size: number;
  /** Where the hashes begin; the calls in 24 h follow them. */
  readonly hashes: number;
  readonly entries: number;
  readonly entryWords: number;
}
const ROUTES_SHAPE: EntryShape = {
  ...{ size: ROUTES, hashes: ROUTE_HASH },
  ...{ entries: ROUTE, entryWords: ROUTE_WORDS },
};
const KEYS_SHAPE: EntryShape = {
  ...{ size: QUERY_KEYS, hashes: KEY_HASH },
  ...{ entries: KEY, entryWords: KEY_WORDS },
};

/** Counts a call; index of the hash's entry. Where there is none, the one with the fewest calls in 24 h starts anew. */
function entryOf(words: Uint32Array, at: number, hash: number, shape: EntryShape): number {
  const hashes = at + shape.hashes;
  const days = hashes + shape.size;
  let rarest = 0;
  let fewest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < shape.size; i++) {
    if (words[hashes + i] === hash >>> 0) {
      bump(words, days + i);
      return i;
    }
    const day = words[days + i]!;
    const calls = (day & 0xffff) + (day >>> 16);
    if (calls < fewest) {
      fewest = calls;
      rarest = i;
    }
  }
  const entry = at + shape.entries + rarest * shape.entryWords;
  words.fill(0, entry, entry + shape.entryWords);
  words[hashes + rarest] = hash;
  words[days + rarest] = 1;
  return rarest;
}

function writeRoute(block: Block, route: number, out: Float64Array, place: number): void {
  const { words } = block;
  const calls = hourly(words, route + R_CALLS);
  const steps = hourly(words, route + R_STEPS);
  const answers = hourly(words, route + R_ANSWERS);
  estimateTwo(words, route + R_SKETCH_5M, IDS_5M, overlaps);
  out[place] = Math.fround(ESTIMATE[0]!);
  estimateTwo(words, route + R_SKETCH_1H, IDS_1H, overlaps);
  out[place + 1] = Math.fround(ESTIMATE[0]!);
  estimateTwo(words, route + R_SKETCH_24H, IDS_24H, overlaps);
  out[place + 2] = Math.fround(ESTIMATE[0]!);
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

/** Marks the values of the query's keys; writes the most distinct values of one of its keys, NaN without a query. */
function countQuery({ words, at }: Block, id: ObjectId, out: Float64Array, place: number): void {
  let most = Number.NaN;
  for (let i = 0; i < id.paramCount; i++) {
    const key = at + KEY + KEY_WORDS * entryOf(words, at, id.keys[i]! | 0, KEYS_SHAPE);
    markWide(words, key, 2, id.values[i]! | 0);
    estimateTwo(words, key, VALUES_1H, overlaps);
    const values = ESTIMATE[0]!;
    if (!(values <= most)) most = values;
  }
  out[place] = Math.fround(most);
}

function bump(words: Uint32Array, at: number): void {
  if ((words[at]! & 0xffff) !== 0xffff) words[at] = words[at]! + 1;
}

/** Windowed count of an hourly counter. */
function hourly(words: Uint32Array, at: number): number {
  return (words[at]! & 0xffff) + overlaps[W1H]! * (words[at]! >>> 16);
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
      rollCounter(words, at + ROUTE_HASH + ROUTES + i, far);
      rollSketch(words, at + ROUTE + i * ROUTE_WORDS + R_SKETCH_24H, 8, far);
    }
    for (let i = 0; i < QUERY_KEYS; i++) rollCounter(words, at + KEY_HASH + QUERY_KEYS + i, far);
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
  for (let i = 0; i < QUERY_KEYS; i++) rollSketch(words, at + KEY + i * KEY_WORDS, 2, far);
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
