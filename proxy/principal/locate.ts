// Finds a credential in the head: the bytes of a bearer token, a header, a query parameter or a cookie, where they lie.
// What is shown twice with different values is shown to nobody: origins differ in which one they take, and whoever sends both
// could be a new identity with every request. Spellings that origins decode are decoded, for the same reason.
// Hashes nothing and copies nothing but values with escapes. Called by identify.ts, several times per request: allocates nothing.

import type { HeadView } from '../../domain/head-view.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { HeadReader } from '../head.ts';
import { FIELD } from '../head-fields.ts';
import type { CompiledSource } from './compiled-source.ts';
import { xfccValue } from './xfcc.ts';

/** Where a value was found: in the head, or decoded in `scratch`. One object for all; the next call overwrites it. */
export interface Located {
  start: number;
  end: number;
  decoded: boolean;
  readonly scratch: Uint8Array;
}

export function newLocated(): Located {
  return { start: 0, end: 0, decoded: false, scratch: new Uint8Array(LIMITS.headMaxBytes) };
}

const SPACE = 0x20;
const TAB = 0x09;
const QUOTE = 0x22;
const PERCENT = 0x25;
const AMPERSAND = 0x26;
const PLUS = 0x2b;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;

/** Looks for what `source` names; false if it is not there, empty, ambiguous, or not to be believed. */
export function locate(source: CompiledSource, reader: HeadReader, out: Located): boolean {
  out.decoded = false;
  switch (source.spot) {
    case 'authorization':
      return locateBearer(reader, out);
    case 'header':
      return locateHeader(source, reader, out);
    case 'query':
      return locateQuery(source.nameBytes, reader.view, out);
    case 'cookie':
      return locateCookie(source.nameBytes, reader, out);
    case 'xfcc':
      return locateHeader(source, reader, out) && xfccValue(reader.view.bytes, source.part, out);
    default:
      return false;
  }
}

/** A field that Connection named does not reach the origin: it identifies nobody. */
function isDropped(reader: HeadReader, name: string): boolean {
  return reader.named?.has(name) ?? false;
}

/** "Bearer", any case, spaces, token (RFC 6750 section 2.1, RFC 9110 section 11.1). */
function locateBearer(reader: HeadReader, out: Located): boolean {
  const { view, kinds } = reader;
  let seen = false;
  for (let i = 0; i < view.fieldCount; i++) {
    if (kinds[i] !== FIELD.AUTHORIZATION) continue;
    const end = view.valueEnd(i);
    let start = view.valueStart(i);
    if (!isBearer(view.bytes, start)) return false;
    start += 7;
    while (start < end && view.bytes[start] === SPACE) start++;
    if (start >= end) return false;
    if (seen && !sameBytes(view.bytes, out, start, end)) return false;
    seen = true;
    out.start = start;
    out.end = end;
  }
  return seen && !isDropped(reader, 'authorization');
}

const BEARER = [0x62, 0x65, 0x61, 0x72, 0x65, 0x72];

function isBearer(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 6; i++) if ((bytes[at + i]! | 0x20) !== BEARER[i]) return false;
  return bytes[at + 6] === SPACE;
}

function sameBytes(bytes: Uint8Array, out: Located, start: number, end: number): boolean {
  if (out.end - out.start !== end - start) return false;
  for (let i = 0; start + i < end; i++) if (bytes[out.start + i] !== bytes[start + i]) return false;
  return true;
}

/** A header that a trusted peer answers for must stand there once: a second one may be the client's. */
function locateHeader(source: CompiledSource, reader: HeadReader, out: Located): boolean {
  const { view } = reader;
  let seen = false;
  for (let i = 0; i < view.fieldCount; i++) {
    if (!isField(view, i, source.nameBytes)) continue;
    const start = view.valueStart(i);
    const end = view.valueEnd(i);
    if (start === end) return false;
    if (seen && (source.trustedOnly || !sameBytes(view.bytes, out, start, end))) return false;
    seen = true;
    out.start = start;
    out.end = end;
  }
  return seen && !isDropped(reader, source.name);
}

/** Is `lower` the name of field `i`, in any case? */
function isField(view: HeadView, i: number, lower: Uint8Array): boolean {
  const start = i === 0 ? view.targetEnd : view.valueEnd(i - 1);
  if (view.ends[2 * i]! - start !== lower.length) return false;
  const { bytes } = view;
  for (let k = 0; k < lower.length; k++) {
    const byte = bytes[start + k]!;
    const folded = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (folded !== lower[k]) return false;
  }
  return true;
}

function locateCookie(name: Uint8Array, reader: HeadReader, out: Located): boolean {
  const { view, kinds } = reader;
  const { bytes } = view;
  let seen = false;
  for (let i = 0; i < view.fieldCount; i++) {
    if (kinds[i] !== FIELD.COOKIE) continue;
    const end = view.valueEnd(i);
    for (let at = view.valueStart(i); at < end; ) {
      while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
      let stop = at;
      while (stop < end && bytes[stop] !== SEMICOLON) stop++;
      const value = at + name.length + 1;
      if (value < stop && hasName(bytes, at, name)) {
        if (seen && !sameBytes(bytes, out, value, stop)) return false;
        seen = true;
        out.start = value;
        out.end = stop;
      }
      at = stop + 1;
    }
  }
  if (!seen || isDropped(reader, 'cookie')) return false;
  trimCookie(bytes, out);
  return decode(bytes, out, false);
}

/** Does `name=` stand at `at`? */
function hasName(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return false;
  return bytes[at + name.length] === EQUALS;
}

/** White space before the semicolon, and one pair of quotes (RFC 6265 section 4.1.1), are not part of a value. */
function trimCookie(bytes: Uint8Array, out: Located): void {
  while (out.end > out.start && (bytes[out.end - 1] === SPACE || bytes[out.end - 1] === TAB)) out.end--;
  if (out.end - out.start < 2 || bytes[out.start] !== QUOTE || bytes[out.end - 1] !== QUOTE) return;
  out.start++;
  out.end--;
}

function locateQuery(name: Uint8Array, view: HeadView, out: Located): boolean {
  const { bytes, targetEnd } = view;
  let seen = 0;
  for (let at = view.pathEnd + 1; at < targetEnd; ) {
    let stop = at;
    while (stop < targetEnd && bytes[stop] !== AMPERSAND) stop++;
    const value = afterName(bytes, at, stop, name);
    if (value >= 0) {
      // Twice the same would be harmless, but no client does that.
      if (++seen > 1) return false;
      out.start = value;
      out.end = stop;
    }
    at = stop + 1;
  }
  return seen === 1 && decode(bytes, out, true);
}

/** Place after `name=` if the parameter at [at, stop) has that name, however it is escaped; else -1. */
function afterName(bytes: Uint8Array, at: number, stop: number, name: Uint8Array): number {
  let from = at;
  for (let i = 0; i < name.length; i++) {
    if (from >= stop) return -1;
    const escaped = bytes[from] === PERCENT ? escapeAt(bytes, from, stop) : -1;
    if ((escaped >= 0 ? escaped : bytes[from]) !== name[i]) return -1;
    from += escaped >= 0 ? 3 : 1;
  }
  return from < stop && bytes[from] === EQUALS ? from + 1 : -1;
}

/** Undoes percent-encoding (and "+" in a query) into the scratch bytes, if there is any. False if nothing is left. */
function decode(bytes: Uint8Array, out: Located, plusIsSpace: boolean): boolean {
  const { start, end, scratch } = out;
  let at = start;
  while (at < end && bytes[at] !== PERCENT && !(plusIsSpace && bytes[at] === PLUS)) at++;
  if (at === end) return end > start;
  let to = 0;
  for (at = start; at < end; ) {
    const escaped = bytes[at] === PERCENT ? escapeAt(bytes, at, end) : -1;
    scratch[to++] = escaped >= 0 ? escaped : plusIsSpace && bytes[at] === PLUS ? SPACE : bytes[at]!;
    at += escaped >= 0 ? 3 : 1;
  }
  out.decoded = true;
  out.start = 0;
  out.end = to;
  return true;
}

/** The byte that `%XX` at `at` stands for, or -1. */
function escapeAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 2 >= end) return -1;
  const high = hexDigit(bytes[at + 1]!);
  const low = hexDigit(bytes[at + 2]!);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
