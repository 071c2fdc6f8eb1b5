// The object id of a path: its last segment that looks like an id. Linear in the path: a segment is read once, a long one not at
// all. Called by target.ts.

import { hashBytes, nonZero } from './hash-bytes';

/** Kinds of bytes for ids: 0 other, 1 digit, 2 hexadecimal letter, 4 other letter, 8 dash. */
const kinds: usize = memory.data(256, 64);
const DIGITS_MAX: usize = 15;
/** Longer segments are ids, whatever they are made of. */
const WORD_MAX: usize = 48;
const HEX_MIN: u32 = 16;
const MIXED_MIN: u32 = 8;

function fillKinds(from: u32, to: u32, kind: u32): void {
  for (let byte = from; byte <= to; byte++) store<u8>(kinds + <usize>byte, <u8>kind);
}

/** Fills the table; once. */
export function prepareIds(): void {
  fillKinds(0, 255, 0);
  fillKinds(0x30, 0x39, 1);
  fillKinds(0x41, 0x5a, 4);
  fillKinds(0x61, 0x7a, 4);
  fillKinds(0x41, 0x46, 2);
  fillKinds(0x61, 0x66, 2);
  fillKinds(0x2d, 0x2d, 8);
}

/** Is [at, end) an id: a number, a UUID, long hexadecimal, a mixed token, or very long? The same as that of route-template.ts. */
export function looksLikeId(at: usize, end: usize): bool {
  const length = end - at;
  if (length == 0) return false;
  if (length > WORD_MAX) return true;
  let digits: u32 = 0;
  let dashes: u32 = 0;
  /** Places where letters turn into digits or back. */
  let turns: u32 = 0;
  let seen: u32 = 0;
  let last = <u32>load<u8>(kinds + <usize>load<u8>(at)) & 1;
  for (; at < end; at++) {
    const kind = <u32>load<u8>(kinds + <usize>load<u8>(at));
    if (kind == 0) return false;
    seen |= kind;
    const side = kind & 1;
    digits += side;
    dashes += kind >> 3;
    turns += side ^ last;
    last = side;
  }
  if (seen == 1) return true;
  if (dashes > 0) return length == 36 && dashes == 4 && (seen & 4) == 0;
  if ((seen & 4) == 0 && <u32>length >= HEX_MIN) return true;
  return <u32>length >= MIXED_MIN && digits > 0 && (seen & 6) != 0 && turns >= 2;
}

/** The id as a number if it has at most 15 digits and nothing else, else NaN. */
function numberOf(start: usize, end: usize): f64 {
  if (end - start > DIGITS_MAX) return f64.NaN;
  let value: u64 = 0;
  for (let at = start; at < end; at++) {
    const digit = <u32>load<u8>(at) - 0x30;
    if (digit > 9) return f64.NaN;
    value = value * 10 + <u64>digit;
  }
  return <f64>value;
}

/** Writes hash (0: there is none) and number of the last segment of the path that looks like an id. */
export function readObject(start: usize, end: usize, hash: usize, number: usize, seed: u32): void {
  store<u32>(hash, 0);
  store<f64>(number, f64.NaN);
  for (let at = end; at-- > start; ) {
    if (load<u8>(at) != 0x2f) continue;
    if (end > at + 1 && looksLikeId(at + 1, end)) {
      store<u32>(hash, nonZero(hashBytes(at + 1, end, seed)));
      store<f64>(number, numberOf(at + 1, end));
      return;
    }
    end = at;
  }
}
