// One pass over the bytes of a request target: shape counts, whether normalising would change the path, and the path's hash.
// It judges nothing (ambiguity is refused elsewhere) and allocates nothing. Called by the engine once per request.

import type { HeadView } from '../domain/head-view.ts';
import { hashBytes } from './sketch.ts';

const PLAIN = 0;
const SLASH = 1;
const DOT = 2;
const PERCENT = 3;
const SEMICOLON = 4;
const AMPERSAND = 5;
const ODD = 6;

/** Class of each byte; "plain" are letters, digits and "-_~?=". */
const CLASS = new Uint8Array(256).fill(ODD);
for (const char of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~?=')
  CLASS[char.charCodeAt(0)] = PLAIN;
CLASS[0x2f] = SLASH;
CLASS[0x2e] = DOT;
CLASS[0x25] = PERCENT;
CLASS[0x3b] = SEMICOLON;
CLASS[0x26] = AMPERSAND;

/** Hex digit value, or 255. */
const HEX = new Uint8Array(256).fill(255);
for (let i = 0; i < 16; i++) {
  HEX['0123456789abcdef'.charCodeAt(i)] = i;
  HEX['0123456789ABCDEF'.charCodeAt(i)] = i;
}

export class TargetScan {
  segments = 0;
  queryParams = 0;
  encodedBytes = 0;
  oddBytes = 0;
  /** The normalised path would differ: dot segments (also percent-encoded), "//", encoded "/" or "\", "\", ";". */
  rewritten = false;
  pathHash = 0;

  /** Reads the target of `head`; `seed` keys the path hash. */
  read(head: HeadView, seed: number): void {
    this.encodedBytes = 0;
    this.oddBytes = 0;
    this.#readPath(head.bytes, head.targetStart, head.pathEnd);
    this.#readQuery(head.bytes, head.pathEnd, head.targetEnd);
    this.pathHash = hashBytes(head.bytes, head.targetStart, head.pathEnd, seed);
  }

  #readPath(bytes: Uint8Array, start: number, end: number): void {
    let segments = 0;
    let rewritten = false;
    /** Bytes of the segment so far, escapes counted as one; dots among them. */
    let length = 0;
    let dots = 0;
    for (let i = start; i < end; i++) {
      const kind = CLASS[bytes[i]!]!;
      if (kind === SLASH) {
        if (length > 0) segments++;
        else if (i > start) rewritten = true;
        if (isDotSegment(length, dots)) rewritten = true;
        length = 0;
        dots = 0;
        continue;
      }
      length++;
      if (kind === PLAIN) continue;
      if (kind === DOT) dots++;
      else if (kind === PERCENT && i + 2 < end && HEX[bytes[i + 1]!]! < 16 && HEX[bytes[i + 2]!]! < 16) {
        const value = HEX[bytes[i + 1]!]! * 16 + HEX[bytes[i + 2]!]!;
        if (value === 0x2f || value === 0x5c) rewritten = true;
        if (value === 0x2e) dots++;
        this.encodedBytes += 3;
        i += 2;
      } else if (kind !== PERCENT && kind !== AMPERSAND) {
        if (kind === SEMICOLON || bytes[i] === 0x5c) rewritten = true;
        this.oddBytes++;
      }
    }
    if (length > 0) segments++;
    this.segments = segments;
    this.rewritten = rewritten || isDotSegment(length, dots);
  }

  #readQuery(bytes: Uint8Array, start: number, end: number): void {
    let params = 0;
    let empty = true;
    for (let i = start + 1; i < end; i++) {
      const kind = CLASS[bytes[i]!]!;
      if (kind === AMPERSAND) {
        empty = true;
        continue;
      }
      if (empty) params++;
      empty = false;
      if (kind === PERCENT && i + 2 < end && HEX[bytes[i + 1]!]! < 16 && HEX[bytes[i + 2]!]! < 16) {
        this.encodedBytes += 3;
        i += 2;
      } else if (kind === ODD || kind === SEMICOLON) {
        this.oddBytes++;
      }
    }
    this.queryParams = params;
  }
}

function isDotSegment(length: number, dots: number): boolean {
  return length === dots && (length === 1 || length === 2);
}
