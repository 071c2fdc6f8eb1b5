// How a request and its outcome change a row. Rolling, counting and marking only: no look-up, no reading for features.
// Outcomes go into the slice of their own time; one that is older than the previous slice counts nowhere.
// Called by the engine twice a request, once per axis.

import type { Outcome } from '../domain/outcome.ts';
import * as L from './row-layout-before.ts';
import { type Moment, sliceOf, W1H, W1M, W5M, W10S } from './windows.ts';

/** One table's memory and where its row begins. */
export interface RowPlace {
  words: Uint32Array;
  doubles: Float64Array;
  /** First word of the row. */
  at: number;
}

/** Where each method class (index into METHODS) is counted in the 5-minute slices; 0 = nowhere. */
export const METHOD_PAIR = [0, 0, 0, L.POST_5M, L.PUT_5M, L.PUT_5M, L.DELETE_5M, 0] as const;

/** What a request tells both rows, as 32-bit hashes; `other` is the key of the opposite axis. */
export interface RequestMarks {
  /** Where the method is counted: METHOD_PAIR of its class. */
  methodPair: number;
  path: number;
  route: number;
  /** 0 = no User-Agent: not counted. */
  agent: number;
  other: number;
}

/** Moves the pair at `word` on by one slice (`far`: by more, so nothing is left). */
function rollPair(words: Uint32Array, word: number, far: boolean): void {
  words[word + 1] = far ? 0 : words[word]!;
  words[word] = 0;
}

function rollWide(words: Uint32Array, word: number, count: number, far: boolean): void {
  for (let i = 0; i < count; i++) {
    words[word + count + i] = far ? 0 : words[word + i]!;
    words[word + i] = 0;
  }
}

function rollDouble(doubles: Float64Array, place: number, far: boolean): void {
  doubles[place + 1] = far ? 0 : doubles[place]!;
  doubles[place] = 0;
}

/** Brings all windows of the row to the moment. A row never rolls back: time does not run backwards. */
export function rollRow(row: RowPlace, moment: Moment): void {
  const { words, at } = row;
  for (let w = 0; w < 4; w++) {
    const slice = moment.slices[w]!;
    const behind = slice - words[at + L.SLICES + w]!;
    if (behind <= 0) continue;
    words[at + L.SLICES + w] = slice;
    rollWindow(row, w, behind > 1);
  }
}

function rollWindow(row: RowPlace, window: number, far: boolean): void {
  const { words, at } = row;
  if (window === W10S) rollPair(words, at + L.REQUESTS_10S, far);
  else if (window === W1M) rollPair(words, at + L.REQUESTS_1M, far);
  else if (window === W5M) {
    for (let word = L.COUNTERS_5M; word < L.COUNTERS_5M_END; word += 2) rollPair(words, at + word, far);
    rollDouble(row.doubles, (at >> 1) + L.F_BYTES_IN_5M, far);
    rollDouble(row.doubles, (at >> 1) + L.F_BYTES_OUT_5M, far);
    rollWide(words, at + L.ROUTES_5M, 2, far);
    rollWide(words, at + L.PATHS_5M, 2, far);
    rollPair(words, at + L.AGENTS_5M, far);
    rollPair(words, at + L.OTHERS_5M, far);
  } else if (window === W1H) {
    rollPair(words, at + L.REQUESTS_1H, far);
    rollWide(words, at + L.ROUTES_1H, 2, far);
    rollPair(words, at + L.AGENTS_1H, far);
    rollPair(words, at + L.OTHERS_1H, far);
    rollWide(words, at + L.SEEN_OTHERS_1H, L.SEEN_OTHERS_WORDS, far);
    rollWide(words, at + L.SEEN_AGENTS_1H, L.SEEN_AGENTS_WORDS, far);
    rollWide(words, at + L.SEEN_ROUTES_1H, L.SEEN_ROUTES_WORDS, far);
  }
}

function bump(words: Uint32Array, word: number): void {
  const next = words[word]! + 1;
  if (next <= 0xffffffff) words[word] = next;
}

function mark32(words: Uint32Array, word: number, hash: number): void {
  words[word] = words[word]! | (1 << (hash & 31));
}

function mark64(words: Uint32Array, word: number, hash: number): void {
  const half = word + ((hash >>> 5) & 1);
  words[half] = words[half]! | (1 << (hash & 31));
}

/** Counts the request into a row that was rolled to the moment. */
export function addRequest(row: RowPlace, marks: RequestMarks): void {
  const { words, at } = row;
  bump(words, at + L.TOTAL);
  bump(words, at + L.REQUESTS_10S);
  bump(words, at + L.REQUESTS_1M);
  bump(words, at + L.REQUESTS_1H);
  bump(words, at + L.REQUESTS_5M);
  if (marks.methodPair !== 0) bump(words, at + marks.methodPair);
  mark64(words, at + L.ROUTES_5M, marks.route);
  mark64(words, at + L.PATHS_5M, marks.path);
  mark32(words, at + L.OTHERS_5M, marks.other);
  mark64(words, at + L.ROUTES_1H, marks.route);
  mark32(words, at + L.OTHERS_1H, marks.other);
  if (marks.agent !== 0) {
    mark32(words, at + L.AGENTS_5M, marks.agent);
    mark32(words, at + L.AGENTS_1H, marks.agent);
  }
}

/** Gap statistics: exponential mean and mean deviation with weight 1/8, as RFC 6298 section 2 does for round trips. */
export function addGap(row: RowPlace, gapMs: number, earlierRequests: number): void {
  const { doubles } = row;
  const mean = (row.at >> 1) + L.F_GAP_MEAN;
  const deviation = (row.at >> 1) + L.F_GAP_DEVIATION;
  if (earlierRequests === 1) {
    doubles[mean] = gapMs;
    return;
  }
  const distance = Math.abs(gapMs - doubles[mean]!);
  doubles[deviation] =
    earlierRequests === 2 ? distance : doubles[deviation]! + (distance - doubles[deviation]!) / 8;
  doubles[mean] = doubles[mean]! + (gapMs - doubles[mean]!) / 8;
}

/** Was the item marked in the current or previous slice of the filter? Marks it in the current one. */
export function seenBefore(words: Uint32Array, word: number, wordCount: number, hash: number): boolean {
  const mask = wordCount * 32 - 1;
  const first = hash & mask;
  const second = (hash >>> 16) & mask;
  const a = word + (first >>> 5);
  const b = word + (second >>> 5);
  const inA = (words[a]! | words[a + wordCount]!) & (1 << (first & 31));
  const inB = (words[b]! | words[b + wordCount]!) & (1 << (second & 31));
  words[a] = words[a]! | (1 << (first & 31));
  words[b] = words[b]! | (1 << (second & 31));
  return inA !== 0 && inB !== 0;
}

/** Counts an outcome into its slice; false if it is too old to count. The row must not be behind `outcome.atMs`. */
export function addOutcome(row: RowPlace, outcome: Outcome): boolean {
  const { words, doubles, at } = row;
  const age = words[at + L.SLICES + W5M]! - sliceOf(outcome.atMs, W5M);
  if (age > 1) return false;
  const slice = age <= 0 ? 0 : 1;
  const half = at >> 1;
  doubles[half + L.F_BYTES_IN_5M + slice] = doubles[half + L.F_BYTES_IN_5M + slice]! + outcome.bytesIn;
  doubles[half + L.F_BYTES_OUT_5M + slice] = doubles[half + L.F_BYTES_OUT_5M + slice]! + outcome.bytesOut;
  const { status } = outcome;
  if (status < 100) return true;
  bump(words, at + L.ANSWERS_5M + slice);
  if (status >= 500) bump(words, at + L.SERVER_ERRORS_5M + slice);
  else if (status >= 400) bump(words, at + L.CLIENT_ERRORS_5M + slice);
  const own = statusPair(status);
  if (own !== 0) bump(words, at + own + slice);
  return true;
}

function statusPair(status: number): number {
  if (status === 404) return L.STATUS_404_5M;
  if (status === 401) return L.STATUS_401_5M;
  if (status === 403) return L.STATUS_403_5M;
  return status === 429 ? L.STATUS_429_5M : 0;
}
