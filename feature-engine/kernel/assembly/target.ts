// The request target in passes over its bytes: shape counts, whether normalising would change the path, the path's hash, its
// object id, hashes of the query's keys and values, what its values are made of. Linear in the target. It judges nothing:
// ambiguity is refused elsewhere. Called by head.ts for targets that its cache does not hold.

import { isDelimiter } from './entropy';
import { decodeAt, hexValue, PERCENT } from './escapes';
import { hashBytes, nonZero } from './hash-bytes';
import { prepareIds, readObject } from './object-id';

const PLAIN: u32 = 0;
const SLASH: u32 = 1;
const DOT: u32 = 2;
const ESCAPE: u32 = 3;
const SEMICOLON: u32 = 4;
const AMPERSAND: u32 = 5;
const ODD: u32 = 6;

/** Class of each byte; "plain" are letters, digits and "-_~?=". */
const classes: usize = memory.data(256, 64);
/** Classes of bytes in values, a bit each: lower case, upper case, digit, "-._~", space or "+", delimiter, other, high. */
const valueClasses: usize = memory.data(256, 64);

/** What a scan finds: u32 each unless said otherwise. */
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
/** u32: bytes of the longest value of the query; classes of bytes in its values, decoded. */
export const LONGEST_VALUE: usize = 104;
export const VALUE_CLASSES: usize = 108;
/** 128 bits: bytes under 128 in its values, decoded. */
export const VALUE_BYTES: usize = 112;
export const TARGET_NUMBERS: usize = 128;

const PARAMS_MAX: u32 = 8;

function fill(table: usize, from: u32, to: u32, kind: u32): void {
  for (let byte = from; byte <= to; byte++) store<u8>(table + <usize>byte, <u8>kind);
}

/** Fills the tables; once. */
export function prepareTarget(): void {
  prepareIds();
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
  fill(classes, 0x25, 0x25, ESCAPE);
  fill(classes, 0x3b, 0x3b, SEMICOLON);
  fill(classes, 0x26, 0x26, AMPERSAND);
  fill(valueClasses, 0, 255, 128);
  fill(valueClasses, 0x21, 0x7e, 64);
  fill(valueClasses, 0x61, 0x7a, 1);
  fill(valueClasses, 0x41, 0x5a, 2);
  fill(valueClasses, 0x30, 0x39, 4);
  fill(valueClasses, 0x2d, 0x2e, 8);
  fill(valueClasses, 0x5f, 0x5f, 8);
  fill(valueClasses, 0x7e, 0x7e, 8);
  fill(valueClasses, 0x20, 0x20, 16);
  fill(valueClasses, 0x2b, 0x2b, 16);
  for (let byte: u32 = 0x21; byte < 0x7f; byte++) if (isDelimiter(byte)) fill(valueClasses, byte, byte, 32);
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
    else if (kind == ESCAPE) {
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

let classesSeen: u32 = 0;
let lowSeen: u64 = 0;
let highSeen: u64 = 0;

/** Takes in the bytes of a value, decoded. */
// @ts-ignore: decorator
@inline
function readValue(at: usize, end: usize): void {
  while (at < end) {
    let byte = <u32>load<u8>(at++);
    if (byte == PERCENT) {
      const found = decodeAt(at - 1, end);
      byte = found & 0xff;
      at += ((found >>> 8) & 0xff) - 1;
    }
    classesSeen |= <u32>load<u8>(valueClasses + <usize>byte);
    const bit = (<u64>1) << (<u64>byte & 63);
    lowSeen |= byte < 64 ? bit : 0;
    highSeen |= byte - 64 < 64 ? bit : 0;
  }
}

/** Counts parameters, and hashes the first 8 of them: keys without "=", values behind it. */
function readQuery(start: usize, end: usize, into: usize, seed: u32): void {
  let params: u32 = 0;
  let encoded: u32 = 0;
  let odd: u32 = 0;
  let longest: usize = 0;
  let read: u32 = 0;
  classesSeen = 0;
  lowSeen = 0;
  highSeen = 0;
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
      if (kind == ESCAPE) {
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
      readValue(value, at);
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
  store<u32>(into, classesSeen, VALUE_CLASSES);
  store<u64>(into, lowSeen, VALUE_BYTES);
  store<u64>(into, highSeen, VALUE_BYTES + 8);
}

/** Reads the target [start, end), whose path ends at `pathEnd`, and writes what it finds to `into`. */
export function readTarget(start: usize, pathEnd: usize, end: usize, into: usize, seed: u32): void {
  readPath(start, pathEnd, into);
  readQuery(pathEnd + 1, end, into, seed);
  store<u32>(into, hashBytes(start, pathEnd, seed), PATH_HASH);
  readObject(start, pathEnd, into + OBJECT_HASH, into + NUMBER, seed);
}
