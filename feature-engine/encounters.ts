// How often one identity came with this method, user agent, route and raw path in 5 minutes, 1 hour and 24 hours (seed 002,
// Table 1). Bounded sets: 8 agents, 16 routes, 24 paths. Exact while no more are alive within two daily slices; in a full set
// the one with the fewest requests in 24 h makes room and would start anew, so a count is never too high, and what is habitual
// stays exact. The engine gives it the block of the identity that calls. Counters stop at 65,535 a slice.

import type { Block } from './block.ts';
import { putMissing } from './missing.ts';
import { type Moment, W1H, W5M, W24H } from './windows.ts';

const WINDOWS = [W5M, W1H, W24H] as const;
/** Counters of one item: a word for each window, current slice in the low half, previous one in the high half. */
const COUNTERS = WINDOWS.length;
const DAY = 2;
const METHODS = 8;
const AGENTS = 8;
const ROUTES = 16;
const PATHS = 24;

/*
 * Words of a block:
 *   0 slice numbers of the three windows
 *   4 counters of the methods, 8 x 3
 *  28 hashes of 8 agents, their counters; the same of 16 routes and 24 paths
 */
const METHOD_COUNTERS = 4;
const AGENT_SET = METHOD_COUNTERS + METHODS * COUNTERS;
const ROUTE_SET = AGENT_SET + AGENTS * (1 + COUNTERS);
const PATH_SET = ROUTE_SET + ROUTES * (1 + COUNTERS);
export const ENCOUNTER_WORDS = PATH_SET + PATHS * (1 + COUNTERS);

/** Places that countEncounters fills. */
export const ENCOUNTER_FEATURES_COUNT = 4 * WINDOWS.length;

export interface Encounter {
  /** Class of the method: index into METHODS of domain/head-view.ts. */
  method: number;
  /** 32-bit hashes, never 0 but for a missing user agent. */
  agent: number;
  route: number;
  path: number;
  moment: Moment;
}

const overlaps = new Float64Array(COUNTERS);

/** Counts the request and writes its 12 counts from out[place], itself included; NaN for a missing agent. */
export function countEncounters(block: Block, call: Encounter, out: Float64Array, place: number): void {
  const { words, at } = block;
  roll(words, at, call.moment);
  for (let w = 0; w < COUNTERS; w++) overlaps[w] = call.moment.overlaps[WINDOWS[w]!]!;
  bump(words, at + METHOD_COUNTERS + call.method * COUNTERS, out, place);
  if (call.agent === 0) putMissing(out, place + COUNTERS, place + 2 * COUNTERS);
  else bump(words, entryOf(words, at + AGENT_SET, AGENTS, call.agent), out, place + 3);
  bump(words, entryOf(words, at + ROUTE_SET, ROUTES, call.route), out, place + 6);
  bump(words, entryOf(words, at + PATH_SET, PATHS, call.path), out, place + 9);
}

/** Adds one to the counters at `at` and writes their windowed counts by the overlaps of this request. */
function bump(words: Uint32Array, at: number, out: Float64Array, place: number): void {
  for (let w = 0; w < COUNTERS; w++) {
    let word = words[at + w]!;
    if ((word & 0xffff) !== 0xffff) words[at + w] = ++word;
    out[place + w] = Math.fround((word & 0xffff) + overlaps[w]! * (word >>> 16));
  }
}

/** First counter of the item in the set at `at`: its hashes come first, then the counters of each. */
function entryOf(words: Uint32Array, at: number, size: number, hash: number): number {
  const counters = at + size;
  for (let i = 0; i < size; i++) if (words[at + i] === hash >>> 0) return counters + i * COUNTERS;
  let rarest = 0;
  let fewest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < size; i++) {
    const day = words[counters + i * COUNTERS + DAY]!;
    const requests = (day & 0xffff) + (day >>> 16);
    if (requests < fewest) {
      fewest = requests;
      rarest = i;
    }
  }
  words[at + rarest] = hash;
  words.fill(0, counters + rarest * COUNTERS, counters + (rarest + 1) * COUNTERS);
  return counters + rarest * COUNTERS;
}

/** Moves every counter on to the slices of the moment. */
function roll(words: Uint32Array, at: number, moment: Moment): void {
  for (let w = 0; w < COUNTERS; w++) {
    const slice = moment.slices[WINDOWS[w]!]!;
    const behind = slice - words[at + w]!;
    if (behind <= 0) continue;
    words[at + w] = slice;
    const shift = behind === 1 ? 16 : 32;
    rollSet(words, at + METHOD_COUNTERS + w, METHODS, shift);
    rollSet(words, at + AGENT_SET + AGENTS + w, AGENTS, shift);
    rollSet(words, at + ROUTE_SET + ROUTES + w, ROUTES, shift);
    rollSet(words, at + PATH_SET + PATHS + w, PATHS, shift);
  }
}

/** The current slice becomes the previous one (shift 16), or nothing is left (shift 32). */
function rollSet(words: Uint32Array, first: number, size: number, shift: 16 | 32): void {
  for (let i = 0; i < size; i++) {
    const at = first + i * COUNTERS;
    words[at] = shift === 32 ? 0 : words[at]! << 16;
  }
}
