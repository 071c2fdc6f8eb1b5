// How many identities had a session of exactly this set of edges, within about 24 hours: a set that nobody else has is odd.
// A fixed table of edge sets in sets of four, each with two daily slices of a 32-bit linear counter (sketch.ts): the count is
// within about 12 % up to 16 and stops at 133. In a full set the one with the fewest identities makes room and starts anew.

import { estimateTwo, mix32, popCount, sketchKind } from './sketch.ts';
import { type Moment, W24H } from './windows.ts';

const WAYS = 4;
const TAG = 0;
const SLICE = 1;
const CURRENT = 2;
const PREVIOUS = 3;
const ENTRY_WORDS = 4;
const KIND = sketchKind(1, W24H);

export class GraphRarity {
  readonly bytes: number;
  readonly #setMask: number;
  readonly #entries: Uint32Array;

  /** @param edgeSets how many can be told apart, rounded up to a power of two. */
  constructor(edgeSets = 8192) {
    const sets = 2 ** Math.ceil(Math.log2(Math.max(edgeSets / WAYS, 1)));
    this.#setMask = sets - 1;
    this.#entries = new Uint32Array(sets * WAYS * ENTRY_WORDS);
    this.bytes = this.#entries.byteLength;
  }

  /**
   * Marks the identity with the edge set and tells how many identities have it.
   * @param fingerprint 32 bits of the edge set. @param mark a 32-bit hash of the identity.
   * @returns nothing: the number, 1..133, this identity included, is in ESTIMATE[0] of sketch.ts.
   */
  share(fingerprint: number, mark: number, moment: Moment): void {
    const slice = moment.slices[W24H]!;
    const entries = this.#entries;
    const at = this.#entryOf(fingerprint, slice);
    const behind = slice - entries[at + SLICE]!;
    if (behind > 0) {
      entries[at + PREVIOUS] = behind === 1 ? entries[at + CURRENT]! : 0;
      entries[at + CURRENT] = 0;
      entries[at + SLICE] = slice;
    }
    entries[at + CURRENT] = entries[at + CURRENT]! | (1 << (mark & 31));
    estimateTwo(entries, at + CURRENT, KIND, moment.overlaps);
  }

  #entryOf(fingerprint: number, slice: number): number {
    const entries = this.#entries;
    const tag = fingerprint === 0 ? 1 : fingerprint >>> 0;
    const first = (mix32(fingerprint) & this.#setMask) * WAYS * ENTRY_WORDS;
    let least = first;
    let fewest = Number.POSITIVE_INFINITY;
    for (let at = first; at < first + WAYS * ENTRY_WORDS; at += ENTRY_WORDS) {
      if (entries[at + TAG] === tag) return at;
      const stale = slice - entries[at + SLICE]! > 1;
      const bits = popCount(entries[at + CURRENT]! | entries[at + PREVIOUS]!);
      const rank = entries[at + TAG] === 0 ? -2 : stale ? -1 : bits;
      if (rank < fewest) {
        fewest = rank;
        least = at;
      }
    }
    entries[least + TAG] = tag;
    entries[least + SLICE] = slice;
    entries[least + CURRENT] = 0;
    entries[least + PREVIOUS] = 0;
    return least;
  }
}
