// What of a path is an id, told from its bytes alone, and the hash that templates have: declared and learned ones with the same
// words have the same, in every process. Nothing is learned from traffic here: that is learned-routes.ts.

import type { SegmentTemplate } from '../domain/path-template.ts';
import { mix32 } from './sketch.ts';

/** Longer segments are ids, whatever they are made of. */
const WORD_MAX_BYTES = 48;
/** Hexadecimal digits from this length on are an id even without a decimal digit among them. */
const HEX_MIN_BYTES = 16;
/** Letters and digits mixed, without separators, are an id from this length on. */
const MIXED_MIN_BYTES = 8;
const FNV_PRIME = 0x01000193;
/** Hash of the empty prefix. */
export const ROOT_HASH = 0x811c9dc5 | 0;

const DIGIT = 1;
const HEX_LETTER = 2;
const LETTER = 3;
const DASH = 4;
const OTHER = 5;
const KIND = new Uint8Array(256).fill(OTHER);
for (const char of '0123456789') KIND[char.charCodeAt(0)] = DIGIT;
for (const char of 'abcdefABCDEF') KIND[char.charCodeAt(0)] = HEX_LETTER;
for (const char of 'ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ') KIND[char.charCodeAt(0)] = LETTER;
KIND[0x2d] = DASH;

/** Is bytes[start, end) an id: a number, a UUID, long hexadecimal, a mixed token, or very long? */
export function looksLikeId(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length === 0) return false;
  if (length > WORD_MAX_BYTES) return true;
  let digits = 0;
  let hexLetters = 0;
  let letters = 0;
  let dashes = 0;
  /** Places where letters turn into digits or back. */
  let turns = 0;
  let last = 0;
  for (let i = start; i < end; i++) {
    const kind = KIND[bytes[i]!]!;
    if (kind === OTHER) return false;
    if (kind === DIGIT) digits++;
    else if (kind === HEX_LETTER) hexLetters++;
    else if (kind === LETTER) letters++;
    else dashes++;
    const side = kind === DIGIT ? 1 : 2;
    if (last !== 0 && side !== last) turns++;
    last = side;
  }
  if (digits === length) return true;
  if (dashes > 0) return length === 36 && dashes === 4 && letters === 0;
  if (letters === 0 && length >= HEX_MIN_BYTES) return true;
  return length >= MIXED_MIN_BYTES && digits > 0 && hexLetters + letters > 0 && turns >= 2;
}

/** Is bytes[start, end) a parameter: an id, a date, or a digest with its algorithm before it? */
export function looksLikeParameter(bytes: Uint8Array, start: number, end: number): boolean {
  return looksLikeId(bytes, start, end) || looksLikeDate(bytes, start, end) || isDigest(bytes, start, end);
}

const DATE = 'dddd-dd-dd';
const MONTH = 'dddd-dd';
const WEEK = 'dddd-Wdd';

/** `2026-11-22`, also with a time behind it, `2026-11` and `2026-W47` (ISO 8601); plain digits are ids anyway. */
export function looksLikeDate(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length === MONTH.length) return fits(MONTH, bytes, start);
  if (length === WEEK.length) return fits(WEEK, bytes, start);
  if (length < DATE.length || !fits(DATE, bytes, start)) return false;
  const next = length === DATE.length ? 0x54 : bytes[start + DATE.length]!;
  // "T" or "t", "_", a blank as "%20" or "+".
  return next === 0x54 || next === 0x74 || next === 0x5f || next === 0x25 || next === 0x2b;
}

function fits(pattern: string, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < pattern.length; i++) {
    const wanted = pattern.charCodeAt(i);
    const found = bytes[start + i]!;
    if (wanted === 0x64 ? KIND[found] !== DIGIT : wanted !== found) return false;
  }
  return true;
}

/** `sha256:9f86d0…`, as registries write it: a short name, a colon, long hexadecimal. */
function isDigest(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && bytes[at] !== 0x3a) at++;
  if (at === start || at - start > WORD_MAX_BYTES || end - at - 1 < HEX_MIN_BYTES) return false;
  for (let i = at + 1; i < end; i++) if (KIND[bytes[i]!]! > HEX_LETTER) return false;
  return true;
}

/** Hash of a prefix with a word behind it. Signed 32 bits, as all of these. */
export function hashWord(prefix: number, bytes: Uint8Array, start: number, end: number): number {
  let hash = Math.imul(prefix ^ 0x2f, FNV_PRIME);
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
  return hash;
}

/** Hash of a prefix with a parameter behind it, whatever its name. */
export function hashParameter(prefix: number): number {
  return Math.imul(Math.imul(prefix ^ 0x2f, FNV_PRIME) ^ 0x7b, FNV_PRIME);
}

/** Hash of a declared template: its segments as literals around parameters (domain/path-template.ts). */
export function hashSegments(segments: readonly SegmentTemplate[]): number {
  let hash = ROOT_HASH;
  for (const segment of segments) {
    hash = Math.imul(hash ^ 0x2f, FNV_PRIME);
    for (const [i, literal] of segment.entries()) {
      if (i > 0) hash = Math.imul(hash ^ 0x7b, FNV_PRIME);
      for (let k = 0; k < literal.length; k++)
        hash = Math.imul(hash ^ (literal.charCodeAt(k) & 0xff), FNV_PRIME);
    }
  }
  return hash;
}

/** Of the template and the method class: what features count a route by. */
export function routeHash(template: number, method: number): number {
  return mix32(mix32(template) ^ Math.imul(method + 1, 0x9e3779b1));
}
