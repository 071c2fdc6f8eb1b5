// One replica's row of one identity as it lies in the shared store: a few words of head, then the row's windows, zeros left out.
// A value of the hash of that identity, in the field that bears the replica's name; a replica only ever replaces its own value,
// and what is lost, doubled or late on the way changes nothing (a state-based counter). Called by shared-windows.ts.

import { putRecord, recordWordsMax, takeRecord } from '../../feature-engine/sparse-words.ts';

/*
 *  words: 0 version   1 32 bits of the writer's boot   2 written, f64 ms since the epoch   4 record (sparse-words.ts)
 */
const VERSION = 1;
const HEAD_WORDS = 4;

export interface SharedRecord {
  /** 32 bits of the boot of whoever wrote it. */
  readonly boot: number;
  readonly writtenMs: number;
}

export class RecordCodec {
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  readonly #bytes: Uint8Array;

  /** One codec serves one thread: its memory is used for every record. */
  constructor(rowWords: number) {
    const words = HEAD_WORDS + recordWordsMax(rowWords);
    this.#words = new Uint32Array(words + (words % 2));
    this.#doubles = new Float64Array(this.#words.buffer);
    this.#bytes = new Uint8Array(this.#words.buffer);
  }

  encode(row: Uint32Array, { boot, writtenMs }: SharedRecord): Buffer {
    this.#words[0] = VERSION;
    this.#words[1] = boot;
    this.#doubles[1] = writtenMs;
    const words = putRecord(this.#words, HEAD_WORDS, 0, row);
    return Buffer.from(this.#bytes.slice(0, (HEAD_WORDS + words) * 4));
  }

  /** Fills `row`; null if the value is no record of such a row (another version's, or damaged). */
  decode(value: Uint8Array, row: Uint32Array): SharedRecord | null {
    if (value.length % 4 !== 0 || value.length > this.#bytes.length || value.length < HEAD_WORDS * 4)
      return null;
    this.#bytes.set(value);
    const words = this.#words.subarray(0, value.length / 4);
    if (words[0] !== VERSION || takeRecord(words, HEAD_WORDS, row) !== words.length - HEAD_WORDS) return null;
    const writtenMs = this.#doubles[1]!;
    return Number.isFinite(writtenMs) ? { boot: words[1]!, writtenMs } : null;
  }
}
