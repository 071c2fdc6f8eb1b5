// Finds the object id of a request: the last path segment that looks like an id; and the keys and values of the query, as hashes.
// One object per thread, refilled for each request; linear in the target, allocates nothing. Called by the engine for objects.ts.

import type { HeadView } from '../domain/head-view.ts';
import { looksLikeId } from './route-template.ts';
import { hashBytes } from './sketch.ts';

/** Query parameters that are read; later ones are not. */
export const QUERY_PARAMS_MAX = 8;
/** Longer digit strings are not read as numbers: they would not be exact. */
const DIGITS_MAX = 15;
const SLASH = 0x2f;
const EQUALS = 0x3d;
const AMPERSAND = 0x26;

export class ObjectId {
  /** 32 bits of the id, never 0; 0 = the path holds none. */
  hash = 0;
  /** Its value if it is a decimal number of at most 15 digits, else NaN. */
  number = Number.NaN;
  /** Parameters of the query that were read. */
  paramCount = 0;
  /** Never 0. */
  readonly keys = new Uint32Array(QUERY_PARAMS_MAX);
  readonly values = new Uint32Array(QUERY_PARAMS_MAX);

  read(head: HeadView, seed: number): void {
    this.hash = 0;
    this.number = Number.NaN;
    const { bytes, targetStart, pathEnd } = head;
    let end = pathEnd;
    for (let i = pathEnd - 1; i >= targetStart && this.hash === 0; i--) {
      if (bytes[i] !== SLASH) continue;
      if (end > i + 1 && looksLikeId(bytes, i + 1, end)) this.#take(bytes, i + 1, end, seed);
      end = i;
    }
    this.#readQuery(head, seed);
  }

  #take(bytes: Uint8Array, start: number, end: number, seed: number): void {
    this.hash = nonZero(hashBytes(bytes, start, end, seed));
    if (end - start > DIGITS_MAX) return;
    let value = 0;
    for (let i = start; i < end; i++) {
      const digit = bytes[i]! - 0x30;
      if (digit < 0 || digit > 9) return;
      value = value * 10 + digit;
    }
    this.number = value;
  }

  #readQuery(head: HeadView, seed: number): void {
    const { bytes, targetEnd } = head;
    let count = 0;
    let start = head.pathEnd + 1;
    while (start < targetEnd && count < QUERY_PARAMS_MAX) {
      let end = start;
      let keyEnd = -1;
      for (; end < targetEnd && bytes[end] !== AMPERSAND; end++)
        if (keyEnd < 0 && bytes[end] === EQUALS) keyEnd = end;
      if (end > start) {
        const equals = keyEnd < 0 ? end : keyEnd;
        this.keys[count] = nonZero(hashBytes(bytes, start, equals, seed));
        this.values[count] = hashBytes(bytes, Math.min(equals + 1, end), end, seed);
        count++;
      }
      start = end + 1;
    }
    this.paramCount = count;
  }
}

function nonZero(hash: number): number {
  return hash === 0 ? 1 : hash;
}
