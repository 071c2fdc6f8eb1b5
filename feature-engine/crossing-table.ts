// A fixed table of things that many identities may share (an address, a network, a login name): distinct counts and answers by
// status over two hourly slices. Sets of four; the one with the fewest answers makes room. An entry is one cache line, 64 bytes.
// Does not know what its keys mean. Called by crossing.ts.

import { putMissing } from './missing.ts';
import { ESTIMATE, estimateTwo, markWide, mix32, sketchKind } from './sketch.ts';
import { type Moment, W1H } from './windows.ts';

const WAYS = 4;
/*
 * Words of an entry: 0 key  1 hourly slice  2 answers  3 401  4 403  5 429 (current slice low half, previous one high half)
 *   6 sketch of the first kind, 2 x 2   10 sketch of the second kind, 2 x 2
 */
const ENTRY_WORDS = 16;
const SLICE = 1;
export const ANSWERS = 2;
export const STATUS_401 = 3;
export const STATUS_403 = 4;
export const STATUS_429 = 5;
export const FIRST = 6;
export const SECOND = 10;
const KIND = sketchKind(2, W1H);

export class CrossingTable {
  readonly bytes: number;
  readonly #setMask: number;
  readonly #words: Uint32Array;

  /** @param capacity entries, rounded up to a power of two. */
  constructor(capacity: number) {
    const sets = 2 ** Math.ceil(Math.log2(Math.max(capacity / WAYS, 1)));
    this.#setMask = sets - 1;
    this.#words = new Uint32Array(sets * WAYS * ENTRY_WORDS);
    this.bytes = this.#words.byteLength;
  }

  /** First word of the key's entry at the moment, -1 if there is none. Keys are 32-bit hashes, never 0. */
  find(key: number, moment: Moment): number {
    const words = this.#words;
    const first = this.#firstOf(key);
    for (let at = first; at < first + WAYS * ENTRY_WORDS; at += ENTRY_WORDS) {
      if (words[at] !== key >>> 0) continue;
      this.#roll(at, moment);
      return at;
    }
    return -1;
  }

  /** The same, making the entry where there is none. */
  findOrMake(key: number, moment: Moment): number {
    const found = this.find(key, moment);
    if (found >= 0) return found;
    const words = this.#words;
    const first = this.#firstOf(key);
    let rarest = first;
    let fewest = Number.POSITIVE_INFINITY;
    for (let at = first; at < first + WAYS * ENTRY_WORDS; at += ENTRY_WORDS) {
      this.#roll(at, moment);
      const answers = words[at] === 0 ? -1 : (words[at + ANSWERS]! & 0xffff) + (words[at + ANSWERS]! >>> 16);
      if (answers < fewest) {
        fewest = answers;
        rarest = at;
      }
    }
    words.fill(0, rarest, rarest + ENTRY_WORDS);
    words[rarest] = key;
    words[rarest + SLICE] = moment.slices[W1H]!;
    return rarest;
  }

  /** Counts an answer in an entry: its status, and an item for each sketch (0: none). */
  count(at: number, status: number, first: number, second: number): void {
    const words = this.#words;
    this.#bump(at + ANSWERS);
    if (status === 401) this.#bump(at + STATUS_401);
    else if (status === 403) this.#bump(at + STATUS_403);
    else if (status === 429) this.#bump(at + STATUS_429);
    if (first !== 0) markWide(words, at + FIRST, 2, first);
    if (second !== 0) markWide(words, at + SECOND, 2, second);
  }

  /** Distinct items of a sketch (FIRST or SECOND) of an entry, into ESTIMATE[0]. */
  distinct(at: number, sketch: number, moment: Moment): void {
    estimateTwo(this.#words, at + sketch, KIND, moment.overlaps);
  }

  /** Writes the five features of an entry to out[place]; NaN where it has no answers or is -1. */
  write(at: number, moment: Moment, out: Float64Array, place: number): void {
    const words = this.#words;
    const overlap = moment.overlaps[W1H]!;
    const all = at < 0 ? 0 : words[at + ANSWERS]!;
    const answers = (all & 0xffff) + overlap * (all >>> 16);
    if (answers === 0) {
      putMissing(out, place, place + 5);
      return;
    }
    this.distinct(at, FIRST, moment);
    out[place] = Math.fround(ESTIMATE[0]!);
    this.distinct(at, SECOND, moment);
    out[place + 1] = Math.fround(ESTIMATE[0]!);
    for (let i = 0; i < 3; i++) {
      const word = words[at + STATUS_401 + i]!;
      out[place + 2 + i] = Math.fround(((word & 0xffff) + overlap * (word >>> 16)) / answers);
    }
  }

  #firstOf(key: number): number {
    return (mix32(key) & this.#setMask) * WAYS * ENTRY_WORDS;
  }

  #bump(at: number): void {
    if ((this.#words[at]! & 0xffff) !== 0xffff) this.#words[at] = this.#words[at]! + 1;
  }

  #roll(at: number, moment: Moment): void {
    const words = this.#words;
    const behind = moment.slices[W1H]! - words[at + SLICE]!;
    if (behind <= 0) return;
    words[at + SLICE] = moment.slices[W1H]!;
    for (let i = at + ANSWERS; i <= at + STATUS_429; i++) words[i] = behind === 1 ? words[i]! << 16 : 0;
    for (let sketch = at + FIRST; sketch <= at + SECOND; sketch += 4) {
      for (let i = sketch; i < sketch + 2; i++) {
        words[i + 2] = behind === 1 ? words[i]! : 0;
        words[i] = 0;
      }
    }
  }
}
