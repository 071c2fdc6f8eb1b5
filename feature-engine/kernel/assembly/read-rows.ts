// What the rows say, written into the vector in the order of domain/features-axis.ts: 75 counters window by window, then shares,
// distinct counts and times; then what joins the two axes. All values are f64 rounded to f32. Called by observe.ts.

import * as L from '../row-words';
import { AGENT, ASN, call, nowMs, overlap, ROUTE, STATE_AGE_MS } from './call';
import { mix32 } from './mix';
import { isSeen, seenBefore, W5M } from './rows';
import { estimateTwo } from './sketch';

/** Features of a window, and of all five. */
const WINDOW_FEATURES: usize = 15;
const COUNTERS: usize = 75;
const W1H: usize = 3;
/** First-seen flags are missing until an identity has this many requests. */
const FIRST_SEEN_REQUESTS: u32 = 5;
const DAY_MS: f64 = 86_400_000;

// @ts-ignore: decorator
@inline
function round(value: f64): f64 {
  return <f64>(<f32>value);
}

/** Two counts at once: current + overlap * previous, rounded to f32, from the low two lanes of each. */
// @ts-ignore: decorator
@inline
function putTwo(out: usize, current: v128, previous: v128, share: v128): void {
  const sum = f64x2.add(
    f64x2.convert_low_i32x4_u(current),
    f64x2.mul(share, f64x2.convert_low_i32x4_u(previous)),
  );
  v128.store(out, f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(sum)));
}

// @ts-ignore: decorator
@inline
function high(lanes: v128): v128 {
  return i64x2.shuffle(lanes, lanes, 1, 1);
}

/** Four packed counters. */
// @ts-ignore: decorator
@inline
function putPacked(out: usize, at: usize, share: v128): void {
  const words = v128.load(at);
  const current = v128.and(words, i32x4.splat(0xffff));
  const previous = i32x4.shr_u(words, 16);
  putTwo(out, current, previous, share);
  putTwo(out + 16, high(current), high(previous), share);
}

/** Writes 15 places for each of the windows [from, to). */
export function writeWindows(out: usize, row: usize, from: usize, to: usize): void {
  for (let w = from; w < to; w++) {
    const at = row + (L.WINDOWS << 2) + w * (L.WINDOW_WORDS << 2);
    const to = out + w * (WINDOW_FEATURES << 3);
    const share = f64x2.splat(overlap(w));
    // Lanes 3 belong to what follows; the fourth place is written over by the counter that stands there.
    const current = v128.load(at);
    const previous = v128.load(at, L.WIDE_COUNT << 2);
    putTwo(to, current, previous, share);
    putTwo(to + 16, high(current), high(previous), share);
    putPacked(to + 24, at + (L.PACKED << 2), share);
    putPacked(to + 56, at + (L.PACKED << 2) + 16, share);
    putPacked(to + 88, at + (L.PACKED << 2) + 32, share);
  }
}

// @ts-ignore: decorator
@inline
function weighed(word: u32, share: f64): f64 {
  return <f64>(word & 0xffff) + share * <f64>(word >>> 16);
}

/** Shares of the 5-minute counters: 5 places. */
function writeShares(out: usize, row: usize): void {
  const at = row + ((L.WINDOWS + 2 * L.WINDOW_WORDS) << 2);
  const share = overlap(W5M);
  const requests = <f64>load<u32>(at) + share * <f64>load<u32>(at, L.WIDE_COUNT << 2);
  store<f64>(out, round(weighed(load<u32>(at, L.METHOD_POST << 2), share) / requests));
  store<f64>(out, round(weighed(load<u32>(at, L.METHOD_PUT << 2), share) / requests), 8);
  store<f64>(out, round(weighed(load<u32>(at, L.METHOD_DELETE << 2), share) / requests), 16);
  const answers2 = load<u32>(at, L.STATUS_2XX << 2);
  const answers3 = load<u32>(at, L.STATUS_3XX << 2);
  const answers4 = load<u32>(at, L.STATUS_4XX << 2);
  const answers5 = load<u32>(at, L.STATUS_5XX << 2);
  const current = (answers2 & 0xffff) + (answers3 & 0xffff) + (answers4 & 0xffff) + (answers5 & 0xffff);
  const previous = (answers2 >>> 16) + (answers3 >>> 16) + (answers4 >>> 16) + (answers5 >>> 16);
  const answers = <f64>current + share * <f64>previous;
  store<f64>(out, answers == 0 ? f64.NaN : round(weighed(answers4, share) / answers), 24);
  store<f64>(out, answers == 0 ? f64.NaN : round(weighed(answers5, share) / answers), 32);
}

/**
 * What one axis says: 90 places. For identities whose credential and principal differ, `row` is the credential's and `long` the
 * principal's, which gives the windows of 1 h and more; else they are the same.
 * @param gapMs since the row's request before, NaN for a first one.
 */
export function writeAxis(out: usize, row: usize, long: usize, gapMs: f64): void {
  writeWindows(out, row, 0, W1H);
  writeWindows(out, long, W1H, 5);
  writeShares(out + (COUNTERS << 3), row);
  const at = out + ((COUNTERS + 5) << 3);
  store<f64>(at, round(estimateTwo(row + (L.ROUTES_5M << 2), 2, overlap(W5M))));
  store<f64>(at, round(estimateTwo(long + (L.ROUTES_1H << 2), 2, overlap(W1H))), 8);
  store<f64>(at, round(estimateTwo(row + (L.PATHS_5M << 2), 2, overlap(W5M))), 16);
  store<f64>(at, round(estimateTwo(row + (L.AGENTS_5M << 2), 1, overlap(W5M))), 24);
  store<f64>(at, round(estimateTwo(long + (L.AGENTS_1H << 2), 1, overlap(W1H))), 32);
  const total = load<u32>(row, L.TOTAL << 2);
  const mean = load<f64>(row, L.GAP_MEAN << 2);
  store<f64>(at, round(gapMs), 40);
  store<f64>(at, total < 2 ? f64.NaN : round(mean), 48);
  const variation = mean == 0 ? 0 : round(load<f64>(row, L.GAP_DEVIATION << 2) / mean);
  store<f64>(at, total < 3 ? f64.NaN : variation, 56);
  store<f64>(at, round(max<f64>(nowMs() - load<f64>(row, L.CREATED << 2), 0) / 1000), 64);
  store<f64>(at, round(<f64>total), 72);
}

// @ts-ignore: decorator
@inline
function flag(seen: bool): f64 {
  return seen ? 0 : 1;
}

/**
 * Was the item seen before in the filter at word `word`? Marks it in the identity's own row `row`; `read` is that row, or its sum
 * with what other replicas saw.
 */
// @ts-ignore: decorator
@inline
function seen(row: usize, read: usize, word: usize, words: u32, hash: u32): bool {
  const own = seenBefore(row + (word << 2), words, hash);
  return read == row ? own : own || isSeen(read + (word << 2), words, hash);
}

/**
 * What joins the axes: 10 places. Marks address, agent, route and network as seen with the identity, in `row` and `long`; reads
 * `read` and `readLong`, which are the same rows or their sums with what other replicas counted.
 */
export function writeLink(
  out: usize,
  row: usize,
  long: usize,
  address: usize,
  other: u32,
  read: usize,
  readLong: usize,
): void {
  store<f64>(out, round(estimateTwo(read + (L.OTHERS_5M << 2), 1, overlap(W5M))));
  store<f64>(out, round(estimateTwo(readLong + (L.OTHERS_1H << 2), 1, overlap(W1H))), 8);
  store<f64>(out, round(estimateTwo(address + (L.OTHERS_5M << 2), 1, overlap(W5M))), 16);
  store<f64>(out, round(estimateTwo(address + (L.OTHERS_1H << 2), 1, overlap(W1H))), 24);
  const agent = load<u32>(call, AGENT);
  const route = load<u32>(call, ROUTE);
  const seenAddress = seen(row, read, L.SEEN_OTHERS_1H, L.SEEN_OTHERS_WORDS, other);
  const seenAgent = agent == 0 || seen(row, read, L.SEEN_AGENTS_1H, L.SEEN_AGENTS_WORDS, agent);
  const seenRoute = seen(row, read, L.SEEN_ROUTES_1H, L.SEEN_ROUTES_WORDS, route);
  const young = load<u32>(row, L.TOTAL << 2) < FIRST_SEEN_REQUESTS;
  store<f64>(out, young ? f64.NaN : flag(seenAddress), 32);
  store<f64>(out, young ? f64.NaN : flag(seenAgent), 40);
  store<f64>(out, young ? f64.NaN : flag(seenRoute), 48);
  writeDay(out + 56, long, readLong, other);
}

/** First seen within 24 h with this principal: 3 places; missing while the memory is younger than that. */
// @ts-ignore: decorator
@inline
function writeDay(out: usize, long: usize, read: usize, other: u32): void {
  const asn = load<u32>(call, ASN);
  const agent = load<u32>(call, AGENT);
  const address = flag(seen(long, read, L.SEEN_OTHERS_24H, L.SEEN_OTHERS_WORDS, other));
  let agentNew = f64.NaN;
  let networkNew = f64.NaN;
  if (agent != 0) agentNew = flag(seen(long, read, L.SEEN_AGENTS_24H, L.SEEN_AGENTS_WORDS, agent));
  if (asn != 0) networkNew = flag(seen(long, read, L.SEEN_NETWORKS_24H, L.SEEN_NETWORKS_WORDS, mix32(asn)));
  const young = load<f64>(call, STATE_AGE_MS) < DAY_MS || load<u32>(long, L.TOTAL << 2) < FIRST_SEEN_REQUESTS;
  store<f64>(out, young ? f64.NaN : address);
  store<f64>(out, young ? f64.NaN : agentNew, 8);
  store<f64>(out, young ? f64.NaN : networkNew, 16);
}
