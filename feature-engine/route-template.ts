// Guesses a template from one path: a segment that looks like an id becomes `{id}`. A pure guess from the path alone, so the
// same path has the same template in every process; nothing is learned from traffic here.
// Learned templates serve features and metrics only, never policy. Called by routes.ts when its cache misses.

import { LIMITS } from '../domain/limits.ts';
import { mix32 } from './sketch.ts';

/** Longer segments are ids, whatever they are made of. */
const WORD_MAX_BYTES = 48;
/** Hexadecimal digits from this length on are an id even without a decimal digit among them. */
const HEX_MIN_BYTES = 16;
/** Letters and digits mixed, without separators, are an id from this length on. */
const MIXED_MIN_BYTES = 8;
const REST = '/{rest}';
const ID = '/{id}';
const FNV_PRIME = 0x01000193;
const FNV_BASIS = 0x811c9dc5;

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

export interface Template {
  /** At most LIMITS.eventRouteMaxBytes; what does not fit is `/{rest}`. */
  readonly text: string;
  /** Of the whole template, also of what `text` leaves out. */
  readonly hash: number;
}

/** Template of the path bytes[start, end). */
export function templateOf(bytes: Uint8Array, start: number, end: number): Template {
  let hash = FNV_BASIS;
  let text = '';
  let full = false;
  let at = start;
  while (at < end) {
    const from = bytes[at] === 0x2f ? at + 1 : at;
    let to = from;
    while (to < end && bytes[to] !== 0x2f) to++;
    const id = looksLikeId(bytes, from, to);
    hash = Math.imul(hash ^ 0x2f, FNV_PRIME);
    if (id) hash = Math.imul(hash ^ 0x7b, FNV_PRIME);
    else for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
    if (!full) {
      const length = id ? ID.length : to - from + 1;
      full = text.length + length + REST.length > LIMITS.eventRouteMaxBytes;
      text += full ? REST : id ? ID : `/${latin1(bytes, from, to)}`;
    }
    at = to;
  }
  return { text: text === '' ? '/' : text, hash: mix32(hash) };
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
