// Which principal a verified token stands for: a table of fixed size in shared memory, keyed by the credential's 128-bit hash.
// The control thread writes it, data threads read it; a reader that meets a half-written place takes it for unknown.
// Tokens that were judged and refused are kept too, in a place of their own per set, so that a flood of forged ones costs one
// judgement each and never displaces a good one. Holds hashes only.

// A set of 4 places; a place is 16 words of 32 bits, one cache line:
//   0 sequence (odd while it is written)   1 ends, seconds since the epoch   2..5 credential key
//   6..9 principal key   10..13 principal key under the former identity key   14 state   15 unused

import type { Hash128 } from '../../domain/identity.ts';

const PLACE_WORDS = 16;
const WAYS = 4;
/** The last way of a set holds refused tokens, the others verified ones. */
const REFUSED_WAY = WAYS - 1;
const SET_WORDS = WAYS * PLACE_WORDS;
const ENDS = 1;
const KEY = 2;
const PRINCIPAL = 6;
const FORMER = 10;
const STATE = 14;

const EMPTY = 0;
const VERIFIED = 1;
const REFUSED = 2;

export const FOUND = { unknown: 0, verified: 1, refused: 2 } as const;
export type Found = (typeof FOUND)[keyof typeof FOUND];

/** Where a reader puts what it found. */
export interface PrincipalOut {
  readonly principalKey: Hash128;
  readonly formerPrincipalKey: Hash128 | null;
}

/** Bytes of a table for about `tokens` verified tokens. */
export function principalTableBytes(tokens: number): number {
  return setCount(tokens) * SET_WORDS * Uint32Array.BYTES_PER_ELEMENT;
}

/** A power of two, with room for a third more verified tokens than were asked for, since sets fill unevenly. */
function setCount(tokens: number): number {
  return 2 ** Math.max(4, Math.ceil(Math.log2((4 * tokens) / 3 / REFUSED_WAY)));
}

export class PrincipalTable {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Uint32Array;
  readonly #setMask: number;

  /** Throws RangeError if the buffer is none that principalTableBytes sized. */
  constructor(buffer: SharedArrayBuffer) {
    const sets = buffer.byteLength / (SET_WORDS * Uint32Array.BYTES_PER_ELEMENT);
    if (sets < 1 || 2 ** Math.round(Math.log2(sets)) !== sets)
      throw new RangeError(`no table of ${sets} sets`);
    this.buffer = buffer;
    this.#words = new Uint32Array(buffer);
    this.#setMask = sets - 1;
  }

  /** Looks a credential up; fills `out` if it is verified and has not ended at `nowSec`. Allocates nothing. */
  find(key: Hash128, nowSec: number, out: PrincipalOut): Found {
    const words = this.#words;
    let at = this.#setOf(key);
    for (let way = 0; way < WAYS; way++, at += PLACE_WORDS) {
      if (words[at + KEY] !== key[0]) continue;
      const found = this.#read(at, key, nowSec, out);
      if (found !== FOUND.unknown) return found;
    }
    return FOUND.unknown;
  }

  /**
   * One place, all of it from one writing or nothing: the sequence is read first and last, the second time by a
   * read-modify-write, so that no load between the two can be ordered after it (Boehm, "Can seqlocks get along with
   * programming language memory models?", 2012). Atomic loads of every word would do too, and cost more: they are calls.
   */
  #read(at: number, key: Hash128, nowSec: number, out: PrincipalOut): Found {
    const words = this.#words;
    const sequence = Atomics.load(words, at);
    const state = words[at + STATE];
    if ((sequence & 1) === 1 || state === EMPTY || words[at + ENDS]! <= nowSec) return FOUND.unknown;
    for (let i = 1; i < 4; i++) if (words[at + KEY + i] !== key[i]) return FOUND.unknown;
    const { principalKey, formerPrincipalKey } = out;
    if (state === VERIFIED) {
      for (let i = 0; i < 4; i++) principalKey[i] = words[at + PRINCIPAL + i]!;
      if (formerPrincipalKey !== null) {
        for (let i = 0; i < 4; i++) formerPrincipalKey[i] = words[at + FORMER + i]!;
      }
    }
    if (Atomics.add(words, at, 0) !== sequence) return FOUND.unknown;
    return state === VERIFIED ? FOUND.verified : FOUND.refused;
  }

  /** Writer only. Displaces what has ended, else what ends first. `former` is null while no identity key is being rotated. */
  putVerified(key: Hash128, principal: Hash128, former: Hash128 | null, endsSec: number): void {
    const set = this.#setOf(key);
    let best = set;
    for (let way = 0, at = set; way < REFUSED_WAY; way++, at += PLACE_WORDS) {
      if (this.#holds(at, key)) {
        best = at;
        break;
      }
      if (this.#endsOf(at) < this.#endsOf(best)) best = at;
    }
    this.#write(best, { state: VERIFIED, key, endsSec, principal, former });
    const refused = set + REFUSED_WAY * PLACE_WORDS;
    if (this.#holds(refused, key)) this.#empty(refused);
  }

  /** Writer only: the token names nobody, and need not be judged again until `endsSec`. */
  putRefused(key: Hash128, endsSec: number): void {
    const at = this.#setOf(key) + REFUSED_WAY * PLACE_WORDS;
    this.#write(at, { state: REFUSED, key, endsSec, principal: null, former: null });
  }

  /** Writer only: forgets what was refused, since it may be judged differently now. */
  clearRefused(): void {
    const first = REFUSED_WAY * PLACE_WORDS;
    for (let at = first; at < this.#words.length; at += SET_WORDS) this.#empty(at);
  }

  /** Writer only: forgets everything. */
  clear(): void {
    for (let at = 0; at < this.#words.length; at += PLACE_WORDS) this.#empty(at);
  }

  #setOf(key: Hash128): number {
    return (key[1]! & this.#setMask) * SET_WORDS;
  }

  #holds(at: number, key: Hash128): boolean {
    const words = this.#words;
    if (words[at + STATE] === EMPTY) return false;
    for (let i = 0; i < 4; i++) if (words[at + KEY + i] !== key[i]) return false;
    return true;
  }

  #endsOf(at: number): number {
    return this.#words[at + STATE] === EMPTY ? 0 : this.#words[at + ENDS]!;
  }

  #empty(at: number): void {
    if (this.#words[at + STATE] === EMPTY) return;
    this.#begin(at);
    Atomics.store(this.#words, at + STATE, EMPTY);
    this.#finish(at);
  }

  #write(at: number, entry: Entry): void {
    const words = this.#words;
    const { key, principal, former } = entry;
    this.#begin(at);
    Atomics.store(words, at + STATE, entry.state);
    Atomics.store(words, at + ENDS, entry.endsSec);
    for (let i = 0; i < 4; i++) {
      Atomics.store(words, at + KEY + i, key[i]!);
      Atomics.store(words, at + PRINCIPAL + i, principal?.[i] ?? 0);
      Atomics.store(words, at + FORMER + i, former?.[i] ?? 0);
    }
    this.#finish(at);
  }

  #begin(at: number): void {
    Atomics.store(this.#words, at, Atomics.load(this.#words, at) | 1);
  }

  #finish(at: number): void {
    Atomics.store(this.#words, at, Atomics.load(this.#words, at) + 1);
  }
}

interface Entry {
  readonly state: number;
  readonly key: Hash128;
  readonly endsSec: number;
  readonly principal: Hash128 | null;
  readonly former: Hash128 | null;
}
