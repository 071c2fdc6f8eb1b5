// A fixed table of things that many identities may share (an address, a network, a login name): distinct counts and answers by
// status over two hourly slices. Sets of four; the one with the fewest answers makes room. Keys lie apart from entries, so that
// a look-up costs one line of keys and one entry. Does not know what its keys mean. Called by crossing.ts.

import { overlap, slice } from './call';
import { mix32 } from './mix';
import { distinct64, markWide } from './sketch';
import { bump, keepOf, makeRoom, rollCounter, rollCounters4, rollSketch64, windowed } from './slices';

const W1H: usize = 3;
const WAYS: usize = 4;
const ENTRY_SHIFT: usize = 6;
/*
 * A table of 2^n sets: 16 bytes of keys for each set, then 64 bytes for each entry. Bytes of an entry:
 *   0 hourly slice   4 answers  8 401  12 403  16 429  20 404  24 other 4xx
 *  32 sketch of the first kind, 2 x 2 words   48 sketch of the second kind, 2 x 2
 * When the answers of the current slice reach 65,535, they and the statuses are halved: shares keep their meaning.
 */
const ANSWERS: usize = 4;
const STATUS_401: usize = 8;
const STATUS_403: usize = 12;
const STATUS_429: usize = 16;
const STATUS_404: usize = 20;
const STATUS_4XX: usize = 24;
const COUNTERS: usize = 6;
export const FIRST: usize = 32;
const SECOND: usize = 48;

// @ts-ignore: decorator
@inline
function entryAt(table: usize, setMask: u32, index: usize): usize {
  return table + ((<usize>setMask + 1) << 4) + (index << ENTRY_SHIFT);
}

/** Address of the key's entry, 0 if there is none. Keys are 32-bit hashes; 0 has no entry. Its slices may be old: `roll`. */
export function find(table: usize, setMask: u32, key: u32): usize {
  if (key == 0) return 0;
  const set = <usize>(mix32(key) & setMask);
  const same = i32x4.eq(v128.load(table + (set << 4)), i32x4.splat(key));
  const way = <usize>ctz<u32>(<u32>i32x4.bitmask(same));
  return way < WAYS ? entryAt(table, setMask, (set << 2) + way) : 0;
}

/** The same at the moment of the call, making the entry where there is none; the key is not 0. */
export function findOrMake(table: usize, setMask: u32, key: u32): usize {
  const found = find(table, setMask, key);
  if (found != 0) {
    roll(found);
    return found;
  }
  const set = <usize>(mix32(key) & setMask);
  const keys = table + (set << 4);
  const first = entryAt(table, setMask, set << 2);
  let rarest: usize = 0;
  let fewest: u32 = u32.MAX_VALUE;
  for (let way: usize = 0; way < WAYS && fewest > 0; way++) {
    const entry = first + (way << ENTRY_SHIFT);
    roll(entry);
    const answers = load<u32>(entry, ANSWERS);
    // An entry in use whose answers are all gone is still worth one more than a free one.
    const worth: u32 = load<u32>(keys + (way << 2)) == 0 ? 0 : 1 + (answers & 0xffff) + (answers >>> 16);
    if (worth < fewest) {
      fewest = worth;
      rarest = way;
    }
  }
  const entry = first + (rarest << ENTRY_SHIFT);
  memory.fill(entry, 0, 1 << ENTRY_SHIFT);
  store<u32>(keys + (rarest << 2), key);
  store<u32>(entry, slice(W1H));
  return entry;
}

/** Counts an answer in an entry: its status, and an item for each sketch (0: none). */
export function countAnswer(entry: usize, status: u32, first: u32, second: u32): void {
  makeRoom(entry + ANSWERS, COUNTERS);
  bump(entry + ANSWERS);
  if (status >= 400 && status < 500) {
    if (status == 401) bump(entry + STATUS_401);
    else if (status == 403) bump(entry + STATUS_403);
    else if (status == 429) bump(entry + STATUS_429);
    else if (status == 404) bump(entry + STATUS_404);
    else bump(entry + STATUS_4XX);
  }
  if (first != 0) markWide(entry + FIRST, 2, first);
  if (second != 0) markWide(entry + SECOND, 2, second);
}

/** Distinct items of the first sketch. */
export function distinctFirst(entry: usize): f64 {
  return distinct64(entry + FIRST, overlap(W1H));
}

/** Answers with 401 or 403. */
export function refusedIn(entry: usize): f64 {
  const hour = overlap(W1H);
  return windowed(entry + STATUS_401, hour) + windowed(entry + STATUS_403, hour);
}

/**
 * Writes the eight features of an entry (0: none): distinct items of both sketches and the shares of 401, 403 and 429 to `out`;
 * answers and the shares of 404 and of other 4xx to `more`. NaN where it has no answers.
 */
export function writeEntry(entry: usize, out: usize, more: usize): void {
  const hour = overlap(W1H);
  if (entry != 0) roll(entry);
  const answers: f64 = entry == 0 ? 0 : windowed(entry + ANSWERS, hour);
  if (answers == 0) {
    for (let i: usize = 0; i < 40; i += 8) store<f64>(out + i, f64.NaN);
    for (let i: usize = 0; i < 24; i += 8) store<f64>(more + i, f64.NaN);
    return;
  }
  put(out, 0, distinct64(entry + FIRST, hour));
  put(out, 8, distinct64(entry + SECOND, hour));
  put(out, 16, windowed(entry + STATUS_401, hour) / answers);
  put(out, 24, windowed(entry + STATUS_403, hour) / answers);
  put(out, 32, windowed(entry + STATUS_429, hour) / answers);
  put(more, 0, answers);
  put(more, 8, windowed(entry + STATUS_404, hour) / answers);
  put(more, 16, windowed(entry + STATUS_4XX, hour) / answers);
}

// @ts-ignore: decorator
@inline
function put(out: usize, at: usize, value: f64): void {
  store<f64>(out + at, <f64>(<f32>value));
}

/** Moves an entry on to the hour of the call. */
export function roll(entry: usize): void {
  const hour = slice(W1H);
  const behind = hour - load<u32>(entry);
  if (<i32>behind <= 0) return;
  const keep = keepOf(behind);
  rollCounters4(entry + ANSWERS, keep);
  rollCounter(entry + STATUS_404, keep);
  rollCounter(entry + STATUS_4XX, keep);
  rollSketch64(entry + FIRST, keep);
  rollSketch64(entry + SECOND, keep);
  store<u32>(entry, hour);
}
