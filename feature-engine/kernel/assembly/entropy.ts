// Entropy and classes of the bytes of a text, one step a byte: the sums grow with each byte, so nothing is gone through again.
// Called by text.ts.

import { log2 } from './log2';

/** n * log2(n) for n up to 1024. */
const N_LOG_N_MAX: u32 = 1024;
const nLogN: usize = memory.data(8200, 64);

/** In fixed point of 43 bits: how much (n + 1) * log2(n + 1) is over n * log2(n), for n up to 1023. */
const FIXED_ONE: f64 = 8796093022208;
const growth: usize = memory.data(8192, 64);
/** u16: 8 times the occurrences of each byte, all 0 between texts. */
const counts: usize = memory.data(512, 64);

/** Of longer texts: occurrences of each byte, all 0 between texts; and the bytes that occurred, the first one first. */
const histogram: usize = memory.data(1024, 64);
const distinct: usize = memory.data(264, 64);
/** What a byte adds to the five counts of 12 bits: digits, upper case, symbols, high bytes, delimiters. */
const lanes: usize = memory.data(2048, 64);
const LANE_MAX: usize = 4095;

/** Fills the tables; once. */
export function prepareEntropy(): void {
  for (let n: u32 = 1; n <= N_LOG_N_MAX; n++) store<f64>(nLogN + (<usize>n << 3), <f64>n * log2(<f64>n));
  for (let n: u32 = 0; n < N_LOG_N_MAX; n++)
    store<u64>(growth + (<usize>n << 3), fixed(n + 1) - fixed(n));
  for (let byte: u32 = 0; byte < 256; byte++) {
    let lane: u64 = 0;
    if (byte - 0x30 < 10) lane = 1;
    else if (byte - 0x41 < 26) lane = 1 << 12;
    else if (byte - 0x61 >= 26) lane = byte - 0x20 < 95 ? 1 << 24 : (<u64>1) << 36;
    if (isDelimiter(byte)) lane |= (<u64>1) << 48;
    store<u64>(lanes + (<usize>byte << 3), lane);
  }
}

/** n * log2(n) in fixed point. */
// @ts-ignore: decorator
@inline
function fixed(n: u32): u64 {
  return <u64>(load<f64>(nLogN + (<usize>n << 3)) * FIXED_ONE + 0.5);
}

/** One of ' " ; < > ( ) | ` $ { } \ */
export function isDelimiter(byte: u32): bool {
  if (byte < 0x40)
    return byte == 0x22 || byte == 0x24 || (byte - 0x27 < 3) || byte == 0x3b || byte == 0x3c || byte == 0x3e;
  return byte == 0x5c || byte == 0x60 || byte - 0x7b < 3;
}

// @ts-ignore: decorator
@inline
function nLog2(n: u32): f64 {
  return n <= N_LOG_N_MAX ? load<f64>(nLogN + (<usize>n << 3)) : <f64>n * log2(<f64>n);
}

/** What the last entropy() counted: bytes of each class. */
export let digits: u32 = 0;
export let uppers: u32 = 0;
export let symbols: u32 = 0;
export let highs: u32 = 0;
export let marks: u32 = 0;

// @ts-ignore: decorator
@inline
function addLanes(sums: u64): void {
  digits += <u32>sums & 0xfff;
  uppers += <u32>(sums >>> 12) & 0xfff;
  symbols += <u32>(sums >>> 24) & 0xfff;
  highs += <u32>(sums >>> 36) & 0xfff;
  marks += <u32>(sums >>> 48);
}

/** Texts of up to 1024 bytes. The sum of n * log2(n) is in fixed point, so it does not depend on the order of the bytes. */
// @ts-ignore: decorator
@inline
function count(start: usize, end: usize, per: f64): f64 {
  let sums: u64 = 0;
  let sum: u64 = 0;
  for (let at = start; at < end; at++) {
    const byte = <usize>load<u8>(at);
    const place = counts + (byte << 1);
    const seen = <usize>load<u16>(place);
    sum += load<u64>(growth + seen);
    sums += load<u64>(lanes + (byte << 3));
    store<u16>(place, <u16>(seen + 8));
  }
  const zero = i64x2.splat(0);
  for (let i: usize = 0; i < 512; i += 64) {
    v128.store(counts + i, zero);
    v128.store(counts + i, zero, 16);
    v128.store(counts + i, zero, 32);
    v128.store(counts + i, zero, 48);
  }
  digits = uppers = symbols = highs = marks = 0;
  addLanes(sums);
  const all = fixed(<u32>(end - start));
  return <f64>(<i64>(all - sum)) * (1 / FIXED_ONE) * per;
}

/** Longer texts: counted, then summed in the order in which their bytes occurred first. */
function countLong(start: usize, end: usize, per: f64): f64 {
  let kinds: usize = 0;
  digits = uppers = symbols = highs = marks = 0;
  for (let at = start; at < end; ) {
    const stop = end - at > LANE_MAX ? at + LANE_MAX : end;
    let sums: u64 = 0;
    for (; at < stop; at++) {
      const byte = <usize>load<u8>(at);
      const place = histogram + (byte << 2);
      const seen = load<u32>(place);
      sums += load<u64>(lanes + (byte << 3));
      store<u32>(place, seen + 1);
      store<u8>(distinct + kinds, <u8>byte);
      kinds += <usize>(seen == 0);
    }
    addLanes(sums);
  }
  let sum: f64 = 0;
  for (let i: usize = 0; i < kinds; i++) {
    const place = histogram + (<usize>load<u8>(distinct + i) << 2);
    sum += nLog2(load<u32>(place));
    store<u32>(place, 0);
  }
  return max<f64>(0, (nLog2(<u32>(end - start)) - sum) * per);
}

/** Counts the bytes of [start, end) by class; its entropy in bits. `per` is 1 over its length, 0 for an empty one. */
// @ts-ignore: decorator
@inline
export function entropy(start: usize, end: usize, per: f64): f64 {
  return end - start > <usize>N_LOG_N_MAX ? countLong(start, end, per) : count(start, end, per);
}
