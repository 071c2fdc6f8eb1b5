// Order and rarity: how surprising a step is in this workload, and for this identity the hour and the routes. The workload's
// part is one Sequence per engine; the identity's part is the block that the engine gives it. Probabilities are those before the
// request at hand is counted. Answers come back later and count when they do.

import type { Block } from './block.ts';
import { putMissing } from './missing.ts';
import { Rarity, surpriseOf } from './rarity.ts';
import { mix32 } from './sketch.ts';

const STEPS = 16;
const HOURS = 24;
const HOUR_MS = 3_600_000;
const HOUR_COUNT_MAX = 0xffff;
/** A session's end breaks the chain of steps. */
const STEP_TIMEOUT_MS = 30 * 60_000;
const NEW_WEIGHT = 1 / 16;
const NEW_FILTER_WORDS = 8;

/*
 * Words of a block: 0 time of the last call, f64 ms   2 its route   3 steps so far   4 surprise of the last answer, f32
 *   5 whether there is one   6 share of new routes, f32   7 calls by hour, total
 *   8 surprise of the last 16 steps, f32   24 calls of each hour, 24 x u16   36 filter of routes, 256 bits
 */
const ROUTE = 2;
const STEP_COUNT = 3;
const ANSWER = 4;
const ANSWERED = 5;
const NEW_SHARE = 6;
const HOUR_TOTAL = 7;
const RING = 8;
const HOUR = 24;
const FILTER = 36;
export const SEQUENCE_WORDS = FILTER + NEW_FILTER_WORDS;

/** Places that `observe` fills. */
export const SEQUENCE_FEATURES_COUNT = 9;

/** What a request tells; one object per thread, refilled. */
export interface SequenceCall {
  /** Well-mixed 32-bit hash of route and method. */
  route: number;
  /** agentFamily of the user agent, 0 without one. */
  agentFamily: number;
  /** Number of the network, 0 if unknown. */
  asn: number;
  nowMs: number;
}

export class Sequence {
  readonly #transitions = new Rarity();
  readonly #sources = new Rarity();
  readonly #routes = new Rarity();
  readonly #answers = new Rarity();
  readonly #agents = new Rarity();
  readonly #networks = new Rarity();

  get bytes(): number {
    return this.#transitions.bytes * 6;
  }

  /** Starts the identity's part with its first call, which no feature saw. */
  begin(block: Block, route: number, nowMs: number): void {
    block.words.fill(0, block.at, block.at + SEQUENCE_WORDS);
    block.words[block.at + ROUTE] = route;
    block.doubles[block.at >> 1] = nowMs;
    this.#noteRoute(block, route);
    countHour(block, nowMs);
  }

  /** Counts the request and writes its 9 features from out[place]. `block` is null for an identity without a profile. */
  observe(block: Block | null, call: SequenceCall, out: Float64Array, place: number): void {
    if (block === null) putMissing(out, place, place + SEQUENCE_FEATURES_COUNT);
    else this.#observeIdentity(block, call, out, place);
    this.#routes.take(call.route, this.#routes.total, out, place + 4);
    if (call.agentFamily === 0) out[place + 5] = Number.NaN;
    else this.#agents.take(call.agentFamily, this.#agents.total, out, place + 5);
    if (call.asn === 0) out[place + 6] = Number.NaN;
    else this.#networks.take(mix32(call.asn) | 0, this.#networks.total, out, place + 6);
  }

  /** Counts the origin's answer; `block` is null if the identity has no profile. */
  answered(block: Block | null, route: number, status: number): void {
    if (status < 100) return;
    const answer = mix32(route ^ Math.imul(status, 0x9e3779b1)) | 0;
    const answers = this.#answers;
    if (block === null) {
      answers.add(answer);
      return;
    }
    answers.take(answer, answers.total, block.floats, block.at + ANSWER);
    block.words[block.at + ANSWERED] = 1;
  }

  #observeIdentity(block: Block, call: SequenceCall, out: Float64Array, place: number): void {
    const { words, floats, doubles, at } = block;
    const { route, nowMs } = call;
    const inSession = nowMs - doubles[at >> 1]! <= STEP_TIMEOUT_MS;
    out[place] = inSession ? floats[this.#step(block, route)]! : Number.NaN;
    writeSteps(block, out, place + 1);
    out[place + 3] = words[at + ANSWERED] === 0 ? Number.NaN : floats[at + ANSWER]!;
    writeHour(block, nowMs, out, place + 7);
    this.#noteRoute(block, route);
    out[place + 8] = floats[at + NEW_SHARE]!;
    words[at + ROUTE] = route;
    doubles[at >> 1] = nowMs;
    countHour(block, nowMs);
  }

  /** Surprise of the step from the last route to this one, kept among the last 16; gives its place. */
  #step(block: Block, route: number): number {
    const { words, floats, at } = block;
    const from = words[at + ROUTE]! | 0;
    const transition = mix32(Math.imul(from, 0x85ebca6b) ^ route) | 0;
    const steps = words[at + STEP_COUNT]!;
    const place = at + RING + (steps % STEPS);
    this.#transitions.take(transition, this.#sources.add(from), floats, place);
    words[at + STEP_COUNT] = steps + 1;
    return place;
  }

  /** Was the route new to the identity (256-bit filter, two bits a route)? Moves the exponential share. */
  #noteRoute({ words, floats, at }: Block, route: number): void {
    const hash = mix32(route);
    const a = at + FILTER + ((hash >>> 5) & 7);
    const b = at + FILTER + ((hash >>> 21) & 7);
    const bitA = 1 << (hash & 31);
    const bitB = 1 << ((hash >>> 16) & 31);
    const fresh = (words[a]! & bitA) === 0 || (words[b]! & bitB) === 0 ? 1 : 0;
    words[a] = words[a]! | bitA;
    words[b] = words[b]! | bitB;
    const share = floats[at + NEW_SHARE]!;
    floats[at + NEW_SHARE] = share + (fresh - share) * NEW_WEIGHT;
  }
}

/** Mean and maximum of the last 16 steps. */
function writeSteps({ words, floats, at }: Block, out: Float64Array, place: number): void {
  const count = Math.min(words[at + STEP_COUNT]!, STEPS);
  let sum = 0;
  let max = Number.NaN;
  for (let i = at + RING; i < at + RING + count; i++) {
    sum += floats[i]!;
    if (!(floats[i]! <= max)) max = floats[i]!;
  }
  out[place] = count === 0 ? Number.NaN : Math.fround(sum / count);
  out[place + 1] = max;
}

function hourOf(nowMs: number): number {
  return Math.floor(nowMs / HOUR_MS) % HOURS;
}

function hourCount({ words, at }: Block, hour: number): number {
  return (words[at + HOUR + (hour >> 1)]! >>> ((hour & 1) * 16)) & 0xffff;
}

/** -log2((calls of this hour + 1/2) / (all calls + 12)): each hour begins with half a call. */
function writeHour(block: Block, nowMs: number, out: Float64Array, place: number): void {
  const total = block.words[block.at + HOUR_TOTAL]!;
  out[place] = Math.fround(surpriseOf(hourCount(block, hourOf(nowMs)), total + HOURS / 2 - 1));
}

function countHour(block: Block, nowMs: number): void {
  const { words, at } = block;
  const hour = hourOf(nowMs);
  if (hourCount(block, hour) === HOUR_COUNT_MAX) halveHours(block);
  const word = at + HOUR + (hour >> 1);
  words[word] = words[word]! + (1 << ((hour & 1) * 16));
  words[at + HOUR_TOTAL] = words[at + HOUR_TOTAL]! + 1;
}

function halveHours(block: Block): void {
  const { words, at } = block;
  let total = 0;
  for (let i = at + HOUR; i < at + HOUR + HOURS / 2; i++) {
    words[i] = (words[i]! >>> 1) & 0x7fff7fff;
    total += (words[i]! & 0xffff) + (words[i]! >>> 16);
  }
  words[at + HOUR_TOTAL] = total;
}
