// The request target in passes over its bytes: shape counts, whether normalising would change the path, the path's hash, the
// object id (the last path segment that looks like an id) and the hashes of the query's keys and values. Linear in the target.
// It judges nothing: ambiguity is refused elsewhere. Called by head.ts for targets that its cache does not hold.

import { mix32 } from './mix';
import { hexValue } from './text';

const PLAIN: u32 = 0;
const SLASH: u32 = 1;
const DOT: u32 = 2;
const PERCENT: u32 = 3;
const SEMICOLON: u32 = 4;
const AMPERSAND: u32 = 5;
const ODD: u32 = 6;

/** Class of each byte; "plain" are letters, digits and "-_~?=". */
const classes: usize = memory.data(256, 64);
/** Kinds of bytes for ids: 0 other, 1 digit, 2 hexadecimal letter, 4 other letter, 8 dash. */
const kinds: usize = memory.data(256, 64);

/** What a scan finds, 160 bytes: u32 each unless said otherwise. */
export const SEGMENTS: usize = 0;
export const QUERY_PARAMS: usize = 4;
export const ENCODED_BYTES: usize = 8;
export const ODD_BYTES: usize = 12;
/** 1: dot segments (also percent-encoded), "//", encoded "/" or "\", "\", ";". */
export const REWRITTEN: usize = 16;
export const PATH_HASH: usize = 20;
/** 0: the path holds no id. */
export const OBJECT_HASH: usize = 24;
/** Parameters that were read, at most 8. */
export const PARAMS_READ: usize = 28;
/** f64: the id as a number if it has at most 15 digits and nothing else, else NaN. */
export const NUMBER: usize = 32;
/** 8 x u32, 8 x u32. */
export const KEYS: usize = 40;
export const VALUES: usize = 72;
/** u32: bytes of the longest value of the query. */
export const LONGEST_VALUE: usize = 104;
export const TARGET_NUMBERS: usize = 112;

const PARAMS_MAX: u32 = 8;
const DIGITS_MAX: usize = 15;
/** Longer segments are ids, whatever they are made of. */
const WORD_MAX: usize = 48;
const HEX_MIN: u32 = 16;
const MIXED_MIN: u32 = 8;

function fill(table: usize, from: u32, to: u32, kind: u32): void {
  for (let byte = from; byte <= to; byte++) store<u8>(table + <usize>byte, <u8>kind);
}

/** Fills the tables; once. */
export function prepareTarget(): void {
  fill(classes, 0, 255, ODD);
  fill(classes, 0x30, 0x39, PLAIN);
  fill(classes, 0x41, 0x5a, PLAIN);
  fill(classes, 0x61, 0x7a, PLAIN);
  fill(classes, 0x2d, 0x2d, PLAIN);
  fill(classes, 0x5f, 0x5f, PLAIN);
  fill(classes, 0x7e, 0x7e, PLAIN);
  fill(classes, 0x3d, 0x3d, PLAIN);
  fill(classes, 0x3f, 0x3f, PLAIN);
  fill(classes, 0x2f, 0x2f, SLASH);
  fill(classes, 0x2e, 0x2e, DOT);
  fill(classes, 0x25, 0x25, PERCENT);
  fill(classes, 0x3b, 0x3b, SEMICOLON);
  fill(classes, 0x26, 0x26, AMPERSAND);
  fill(kinds, 0, 255, 0);
  fill(kinds, 0x30, 0x39, 1);
  fill(kinds, 0x41, 0x5a, 4);
  fill(kinds, 0x61, 0x7a, 4);
  fill(kinds, 0x41, 0x46, 2);
  fill(kinds, 0x61, 0x66, 2);
  fill(kinds, 0x2d, 0x2d, 8);
}

/** 32-bit hash of [at, end): FNV-1a steps over 4 bytes at once, then mixed. The same as hashBytes of sketch.ts. */
export function hashBytes(at: usize, end: usize, seed: u32): u32 {
  let h = seed ^ <u32>(end - at);
  for (; at + 4 <= end; at += 4) {
    h = (h ^ (load<u32>(at) * 0xcc9e2d51)) * 0x01000193;
    h ^= h >>> 15;
  }
  for (; at < end; at++) h = (h ^ <u32>load<u8>(at)) * 0x01000193;
  return mix32(h);
}

// @ts-ignore: decorator
@inline
function nonZero(hash: u32): u32 {
  return hash == 0 ? 1 : hash;
}

// @ts-ignore: decorator
@inline
function classOf(at: usize): u32 {
  return <u32>load<u8>(classes + <usize>load<u8>(at));
}

/** The byte that the escape at `at` ("%") stands for, 256 if it is none. */
// @ts-ignore: decorator
@inline
function escaped(at: usize, end: usize): u32 {
  if (at + 2 >= end) return 256;
  const high = hexValue(<u32>load<u8>(at + 1));
  const low = hexValue(<u32>load<u8>(at + 2));
  return (high | low) > 15 ? 256 : (high << 4) | low;
}

// @ts-ignore: decorator
@inline
function isDotSegment(length: u32, dots: u32): bool {
  return length == dots && length - 1 < 2;
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

function readPath(start: usize, end: usize, into: usize): void {
  let segments: u32 = 0;
  let rewritten: u32 = 0;
  let encoded: u32 = 0;
  let odd: u32 = 0;
  // Bytes of the segment so far, escapes counted as one; dots among them.
  let length: u32 = 0;
  let dots: u32 = 0;
  for (let at = start; at < end; at++) {
    const kind = classOf(at);
    if (kind == PLAIN) {
      length++;
      continue;
    }
    if (kind == SLASH) {
      if (length > 0) segments++;
      else if (at > start) rewritten = 1;
      if (isDotSegment(length, dots)) rewritten = 1;
      length = 0;
      dots = 0;
      continue;
    }
    length++;
    if (kind == DOT) dots++;
    else if (kind == PERCENT) {
      const value = escaped(at, end);
      if (value == 256) continue;
      if (value == 0x2f || value == 0x5c) rewritten = 1;
      if (value == 0x2e) dots++;
      encoded += 3;
      at += 2;
    } else if (kind != AMPERSAND) {
      if (kind == SEMICOLON || load<u8>(at) == 0x5c) rewritten = 1;
      odd++;
    }
  }
  if (length > 0) segments++;
  if (isDotSegment(length, dots)) rewritten = 1;
  store<u32>(into, segments, SEGMENTS);
  store<u32>(into, rewritten, REWRITTEN);
  store<u32>(into, encoded, ENCODED_BYTES);
  store<u32>(into, odd, ODD_BYTES);
}

/** Counts parameters, and hashes the first 8 of them: keys without "=", values behind it. */
function readQuery(start: usize, end: usize, into: usize, seed: u32): void {
  let params: u32 = 0;
  let encoded: u32 = 0;
  let odd: u32 = 0;
  let longest: usize = 0;
  let read: u32 = 0;
  while (start < end) {
    let equals: usize = 0;
    let at = start;
    for (; at < end; at++) {
      const kind = classOf(at);
      if (kind == PLAIN) {
        if (equals == 0 && load<u8>(at) == 0x3d) equals = at;
        continue;
      }
      if (kind == AMPERSAND) break;
      if (kind == PERCENT) {
        if (escaped(at, end) == 256) continue;
        encoded += 3;
        at += 2;
      } else if (kind >= ODD || kind == SEMICOLON) odd++;
    }
    if (at > start) {
      params++;
      const keyEnd = equals == 0 ? at : equals;
      const value = min<usize>(keyEnd + 1, at);
      longest = max<usize>(longest, at - value);
      if (read < PARAMS_MAX) {
        const to = into + (<usize>read << 2);
        store<u32>(to, nonZero(hashBytes(start, keyEnd, seed)), KEYS);
        store<u32>(to, hashBytes(value, at, seed), VALUES);
        read++;
      }
    }
    start = at + 1;
  }
  store<u32>(into, params, QUERY_PARAMS);
  store<u32>(into, load<u32>(into, ENCODED_BYTES) + encoded, ENCODED_BYTES);
  store<u32>(into, load<u32>(into, ODD_BYTES) + odd, ODD_BYTES);
  store<u32>(into, read, PARAMS_READ);
  store<u32>(into, <u32>longest, LONGEST_VALUE);
}

function takeObject(start: usize, end: usize, into: usize, seed: u32): void {
  store<u32>(into, nonZero(hashBytes(start, end, seed)), OBJECT_HASH);
  if (end - start > DIGITS_MAX) return;
  let value: u64 = 0;
  for (let at = start; at < end; at++) {
    const digit = <u32>load<u8>(at) - 0x30;
    if (digit > 9) return;
    value = value * 10 + <u64>digit;
  }
  store<f64>(into, <f64>value, NUMBER);
}

function readObject(start: usize, end: usize, into: usize, seed: u32): void {
  store<u32>(into, 0, OBJECT_HASH);
  store<f64>(into, f64.NaN, NUMBER);
  for (let at = end; at-- > start; ) {
    if (load<u8>(at) != 0x2f) continue;
    if (end > at + 1 && looksLikeId(at + 1, end)) {
      takeObject(at + 1, end, into, seed);
      return;
    }
    end = at;
  }
}

/** Reads the target [start, end), whose path ends at `pathEnd`, and writes what it finds to `into`. */
export function readTarget(start: usize, pathEnd: usize, end: usize, into: usize, seed: u32): void {
  readPath(start, pathEnd, into);
  readQuery(pathEnd + 1, end, into, seed);
  store<u32>(into, hashBytes(start, pathEnd, seed), PATH_HASH);
  readObject(start, pathEnd, into, seed);
}
