// How a request and its answer change a row: rolling the windows, counting, marking. Where things lie: row-words.ts.
// Two-slice windows as windows.ts defines them; an answer goes, window by window, into the slice of its own time, and counts
// nowhere in a window whose previous slice is younger. Called by observe.ts and answer.ts; read-rows.ts reads.

import * as L from '../row-words';
import {
  AGENT,
  AT_MS,
  BYTES_IN,
  BYTES_OUT,
  call,
  METHOD,
  nowMs,
  PATH,
  ROUTE,
  slice,
  STATUS,
} from './call';

const SLICE_MS: f64 = 10_000;
const COUNT_MAX: u32 = 0xffffffff;
export const W5M: usize = 2;
const WINDOW_COUNT: usize = 5;

/** How many 10 s slices a slice of each window holds. */
const perSlice: usize = memory.data<u32>([1, 6, 30, 360, 8640], 16);
/** Answers that were too old for each window, u32. */
export const late: usize = memory.data(20, 16);

/** Where each method class is counted, from a window's first word, in bytes; 0 = nowhere. Index into METHODS. */
const methodAt: usize = memory.data<u8>([24, 24, 24, 28, 32, 32, 36, 0]);

// @ts-ignore: decorator
@inline
function windowAt(row: usize, w: usize): usize {
  return row + (L.WINDOWS << 2) + w * (L.WINDOW_WORDS << 2);
}

// @ts-ignore: decorator
@inline
function shiftPacked(at: usize): void {
  v128.store(at, i32x4.shl(v128.load(at), 16));
}

/** Moves a window of a row on by one slice, or empties it where more have passed. */
function rollWindow(row: usize, w: usize, far: bool): void {
  const at = windowAt(row, w);
  if (far) memory.fill(at, 0, L.WINDOW_WORDS << 2);
  else {
    store<u64>(at, load<u64>(at), L.WIDE_COUNT << 2);
    store<u32>(at, load<u32>(at, 8), 20);
    store<u64>(at, 0);
    store<u32>(at, 0, 8);
    shiftPacked(at + (L.PACKED << 2));
    shiftPacked(at + (L.PACKED << 2) + 16);
    shiftPacked(at + (L.PACKED << 2) + 32);
  }
}

/** Moves a sketch or filter of one, two or four words a slice on. */
// @ts-ignore: decorator
@inline
function roll1(at: usize, far: bool): void {
  store<u32>(at, far ? 0 : load<u32>(at), 4);
  store<u32>(at, 0);
}

// @ts-ignore: decorator
@inline
function roll2(at: usize, far: bool): void {
  store<u64>(at, far ? 0 : load<u64>(at), 8);
  store<u64>(at, 0);
}

// @ts-ignore: decorator
@inline
function roll4(at: usize, far: bool): void {
  v128.store(at, far ? i64x2.splat(0) : v128.load(at), 16);
  v128.store(at, i64x2.splat(0));
}

function roll5m(row: usize, far: bool): void {
  roll2(row + (L.ROUTES_5M << 2), far);
  roll2(row + (L.PATHS_5M << 2), far);
  roll1(row + (L.AGENTS_5M << 2), far);
  roll1(row + (L.OTHERS_5M << 2), far);
}

function roll1h(row: usize, far: bool, identity: bool): void {
  roll2(row + (L.ROUTES_1H << 2), far);
  roll1(row + (L.AGENTS_1H << 2), far);
  roll1(row + (L.OTHERS_1H << 2), far);
  if (!identity) return;
  roll2(row + (L.SEEN_OTHERS_1H << 2), far);
  roll2(row + (L.SEEN_AGENTS_1H << 2), far);
  roll4(row + (L.SEEN_ROUTES_1H << 2), far);
}

function roll24h(row: usize, far: bool): void {
  roll2(row + (L.SEEN_OTHERS_24H << 2), far);
  roll2(row + (L.SEEN_AGENTS_24H << 2), far);
  roll1(row + (L.SEEN_NETWORKS_24H << 2), far);
}

function rollAll(row: usize, was: u32, identity: bool): void {
  const now = slice(0);
  store<u32>(row, now, L.SLICE << 2);
  for (let w: usize = 0; w < WINDOW_COUNT; w++) {
    const behind = slice(w) - was / load<u32>(perSlice + (w << 2));
    if (behind == 0) return;
    const far = behind > 1;
    rollWindow(row, w, far);
    if (w == 1 && !identity) store<u32>(row, far ? 0 : load<u32>(row, L.MADE_1M << 2) << 16, L.MADE_1M << 2);
    else if (w == 2) roll5m(row, far);
    else if (w == 3) roll1h(row, far, identity);
    else if (w == 4 && identity) roll24h(row, far);
  }
}

/**
 * Brings all windows of the row to the moment; longer slices are multiples of shorter ones, so a window that has not moved ends
 * it. A row never rolls back: one that is ahead (restored, from a clock that was) waits for the moment.
 */
// @ts-ignore: decorator
@inline
export function rollRow(row: usize, identity: bool): void {
  const was = load<u32>(row, L.SLICE << 2);
  if (slice(0) > was) rollAll(row, was, identity);
}

// @ts-ignore: decorator
@inline
function bump(at: usize): void {
  const count = load<u32>(at);
  if (count != COUNT_MAX) store<u32>(at, count + 1);
}

/** Adds one to a half of a packed word: the low one (current slice), or the high one by `previous`. */
// @ts-ignore: decorator
@inline
function bumpPacked(at: usize, previous: bool): void {
  const half = at + (previous ? 2 : 0);
  const count = <u32>load<u16>(half);
  if (count != 0xffff) store<u16>(half, <u16>(count + 1));
}

// @ts-ignore: decorator
@inline
function addBytes(at: usize, bytes: f64): void {
  const sum = <f64>load<u32>(at) + bytes;
  store<u32>(at, sum < 4294967295 ? <u32>sum : COUNT_MAX);
}

// @ts-ignore: decorator
@inline
function mark1(at: usize, hash: u32): void {
  store<u32>(at, load<u32>(at) | (1 << (hash & 31)));
}

// @ts-ignore: decorator
@inline
function mark2(at: usize, hash: u32): void {
  mark1(at + (((hash >>> 5) & 1) << 2), hash);
}

/** Gap statistics: exponential mean and mean deviation with weight 1/8, as RFC 6298 section 2 does for round trips. */
function addGap(row: usize, gapMs: f64, earlier: u32): void {
  if (earlier == 1) {
    store<f64>(row, gapMs, L.GAP_MEAN << 2);
    return;
  }
  const mean = load<f64>(row, L.GAP_MEAN << 2);
  const distance = abs(gapMs - mean);
  const deviation = load<f64>(row, L.GAP_DEVIATION << 2);
  store<f64>(row, earlier == 2 ? distance : deviation + (distance - deviation) / 8, L.GAP_DEVIATION << 2);
  store<f64>(row, mean + (gapMs - mean) / 8, L.GAP_MEAN << 2);
}

/**
 * Counts the request at hand into a row, rolled to its moment.
 * @param other mark of the opposite axis. @returns ms since the row's request before, NaN if it was made anew.
 */
export function addRequest(row: usize, made: bool, identity: bool, other: u32): f64 {
  const now = nowMs();
  let gapMs = f64.NaN;
  if (made) {
    store<f64>(row, now, L.CREATED << 2);
    store<u32>(row, slice(0), L.SLICE << 2);
  } else {
    // Never below 0: a restored row may come from a clock that was ahead.
    gapMs = max<f64>(now - load<f64>(row, L.LAST << 2), 0);
    addGap(row, gapMs, load<u32>(row, L.TOTAL << 2));
    rollRow(row, identity);
  }
  store<f64>(row, now, L.LAST << 2);
  bump(row + (L.TOTAL << 2));
  const method = <usize>load<u8>(methodAt + load<u32>(call, METHOD));
  for (let w: usize = 0; w < WINDOW_COUNT; w++) {
    const at = windowAt(row, w);
    bump(at);
    if (method != 0) bumpPacked(at + method, false);
  }
  const route = load<u32>(call, ROUTE);
  const agent = load<u32>(call, AGENT);
  mark2(row + (L.ROUTES_5M << 2), route);
  mark2(row + (L.PATHS_5M << 2), load<u32>(call, PATH));
  mark1(row + (L.OTHERS_5M << 2), other);
  mark2(row + (L.ROUTES_1H << 2), route);
  mark1(row + (L.OTHERS_1H << 2), other);
  if (agent != 0) {
    mark1(row + (L.AGENTS_5M << 2), agent);
    mark1(row + (L.AGENTS_1H << 2), agent);
  }
  return gapMs;
}

/** Was the item marked in the current or previous slice of a filter of `words` words? Marks it in the current one. */
// @ts-ignore: decorator
@inline
export function seenBefore(at: usize, words: u32, hash: u32): bool {
  const mask = (words << 5) - 1;
  const first = hash & mask;
  const second = (hash >>> 16) & mask;
  const a = at + ((first >>> 5) << 2);
  const b = at + ((second >>> 5) << 2);
  const span = <usize>words << 2;
  const inA = (load<u32>(a) | load<u32>(a + span)) & (1 << (first & 31));
  const inB = (load<u32>(b) | load<u32>(b + span)) & (1 << (second & 31));
  store<u32>(a, load<u32>(a) | (1 << (first & 31)));
  store<u32>(b, load<u32>(b) | (1 << (second & 31)));
  return inA != 0 && inB != 0;
}

/** Was the item marked in the current or previous slice of a filter? Changes nothing. */
// @ts-ignore: decorator
@inline
export function isSeen(at: usize, words: u32, hash: u32): bool {
  const mask = (words << 5) - 1;
  const first = hash & mask;
  const second = (hash >>> 16) & mask;
  const a = at + ((first >>> 5) << 2);
  const b = at + ((second >>> 5) << 2);
  const span = <usize>words << 2;
  const inA = (load<u32>(a) | load<u32>(a + span)) & (1 << (first & 31));
  const inB = (load<u32>(b) | load<u32>(b + span)) & (1 << (second & 31));
  return inA != 0 && inB != 0;
}

/** Word of a status's class, and of its own counter (0: none), from a window's first word, in bytes. */
// @ts-ignore: decorator
@inline
function classAt(status: u32): usize {
  if (status < 300) return <usize>L.STATUS_2XX << 2;
  if (status < 400) return <usize>L.STATUS_3XX << 2;
  return status < 500 ? <usize>L.STATUS_4XX << 2 : <usize>L.STATUS_5XX << 2;
}

// @ts-ignore: decorator
@inline
function ownAt(status: u32): usize {
  if (status == 404) return <usize>L.STATUS_404 << 2;
  if (status == 401) return <usize>L.STATUS_401 << 2;
  if (status == 403) return <usize>L.STATUS_403 << 2;
  return status == 429 ? <usize>L.STATUS_429 << 2 : 0;
}

/** Counts the answer at hand into a row, rolled to the moment; status 0 brings only bytes. */
export function addAnswer(row: usize): void {
  const status = load<u32>(call, STATUS);
  const bytesIn = load<f64>(call, BYTES_IN);
  const bytesOut = load<f64>(call, BYTES_OUT);
  const kind: usize = status < 100 ? 0 : classAt(status);
  const own = ownAt(status);
  const at10s = <u32>floor(load<f64>(call, AT_MS) / SLICE_MS);
  const rolled = load<u32>(row, L.SLICE << 2);
  for (let w: usize = 0; w < WINDOW_COUNT; w++) {
    const per = load<u32>(perSlice + (w << 2));
    const age = <i32>(rolled / per - at10s / per);
    if (age > 1) {
      store<u32>(late + (w << 2), load<u32>(late + (w << 2)) + 1);
      continue;
    }
    const previous = age == 1;
    const at = windowAt(row, w);
    const wide = previous ? at + (L.WIDE_COUNT << 2) : at;
    addBytes(wide + (L.BYTES_IN << 2), bytesIn);
    addBytes(wide + (L.BYTES_OUT << 2), bytesOut);
    if (kind == 0) continue;
    bumpPacked(at + kind, previous);
    if (own != 0) bumpPacked(at + own, previous);
  }
}
