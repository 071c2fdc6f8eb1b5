// Keyed hashes of bytes of the head, where they lie: a secret is never copied to be hashed. One object for each key that is in
// use; made by head-memory.ts, called by whoever finds out who is asking.

import { HEAD_VIEW_BYTES } from '../../domain/head-view.ts';
import type { EngineMemory } from './memory.ts';

/** Bytes of memory of one hasher: its key, the hash just computed. */
export const HASHER_BYTES = 64;
const OUT_BYTES = 16;

export class HeadHasher {
  readonly #words: Uint32Array;
  readonly #siphash: EngineMemory['kernels']['siphash128'];
  readonly #headAt: number;
  readonly #at: number;

  /** @param headAt address of the head's bytes. */
  constructor(memory: EngineMemory, headAt: number) {
    this.#words = memory.words;
    this.#siphash = memory.kernels.siphash128;
    this.#headAt = headAt;
    this.#at = memory.take(HASHER_BYTES);
  }

  /** Sets the key: four 32-bit words, little-endian. It is all zeros until then. */
  setKey(key: Uint32Array): void {
    for (let i = 0; i < 4; i++) this.#words[this.#at / 4 + i] = key[i]!;
  }

  /** SipHash-2-4-128 of bytes [start, end) of the head's view into four words; equal to `sipHash128` of domain/siphash.ts. */
  hash128(start: number, end: number, out: Uint32Array): void {
    if (!(start >= 0 && start <= end && end <= HEAD_VIEW_BYTES))
      throw new RangeError(`hash128 of [${start}, ${end}) in ${HEAD_VIEW_BYTES} head bytes`);
    const into = this.#at + OUT_BYTES;
    this.#siphash(this.#headAt + start, end - start, this.#at, into);
    const word = into / 4;
    for (let i = 0; i < 4; i++) out[i] = this.#words[word + i]!;
  }
}
