// What a feature engine shows of its memory to another thread: tables of rows and plain regions, as places in one shared buffer,
// each with the id of its layout. Can be posted between threads. Reads only; snapshots and shared windows are made through it.

import { createHash } from 'node:crypto';

export const TABLE_NAMES = ['identities', 'addresses', 'profiles'] as const;
export type TableName = (typeof TABLE_NAMES)[number];

/** One table of rows; the first four words of a row are its key. */
export interface TableView {
  readonly name: TableName;
  /** 16 hex digits: rows of equal layout mean the same. */
  readonly layout: string;
  readonly rowWords: number;
  /** A multiple of 8. */
  readonly capacity: number;
  /** First word of the first row. */
  readonly rowsAt: number;
  /** First word of the first set: 16 words for eight slots, see TableReader. */
  readonly setsAt: number;
  /** Word that counts look-ups, modulo 2^32. */
  readonly tickAt: number;
  /** Words of a row that mean something in its own process only: 0 when written. */
  readonly localWords: readonly number[];
}

/** A region without rows, such as a table of how often things occur: written and put back as it is. */
export interface RegionView {
  readonly name: string;
  readonly layout: string;
  readonly at: number;
  readonly words: number;
}

/**
 * Rows that hold what other replicas counted of an identity, for the engine to add when it reads windows: identity rows with the
 * key at their place, and at `untilWord` (f64) the time up to which they may be used, ms since the epoch.
 */
export interface OverlayView {
  /** First word of the first row, and how many there are. */
  readonly rowsAt: number;
  readonly count: number;
  readonly rowWords: number;
  readonly untilWord: number;
  /** First word of a u16 for each slot of `identities`: 0 for none, else number of the overlay row, plus 1. */
  readonly slotsAt: number;
}

export interface StateView {
  readonly buffer: SharedArrayBuffer;
  readonly tables: readonly TableView[];
  readonly regions: readonly RegionView[];
  /** Null unless the engine was made for shared windows. */
  readonly overlays: OverlayView | null;
}

/** Id of whatever describes a layout: the first 16 hex digits of the SHA-256 of its JSON. */
export function layoutId(description: unknown): string {
  return createHash('sha256').update(JSON.stringify(description)).digest('hex').slice(0, 16);
}

/*
 * A set: 8 tags u16 (0 = empty slot, else the low half of the key's second word, 0 read as 1) | 8 good answers u16 (0 = on
 * probation) | 8 u32: look-up at which each row was seen last. As kernel/assembly/table.ts keeps it.
 */
const SET_WORDS = 16;
const GOOD_HALF = 8;
const SEEN_WORD = 8;
const ATTEMPTS = 4;

/** One table as another thread reads it while its own thread changes it. */
export class TableReader {
  readonly view: TableView;
  readonly #words: Uint32Array;
  readonly #halves: Uint16Array;

  constructor(buffer: SharedArrayBuffer, view: TableView) {
    this.view = view;
    this.#words = new Uint32Array(buffer);
    this.#halves = new Uint16Array(buffer);
  }

  /** Look-ups so far, modulo 2^32. */
  get tick(): number {
    return Atomics.load(this.#words, this.view.tickAt);
  }

  /** 0: the slot is empty. */
  tag(slot: number): number {
    return Atomics.load(this.#halves, this.#setOf(slot) * 2 + (slot & 7));
  }

  /** Good answers of the slot's row, 0 on probation. */
  good(slot: number): number {
    return Atomics.load(this.#halves, this.#setOf(slot) * 2 + GOOD_HALF + (slot & 7));
  }

  /** Look-up at which the slot's row was seen last, modulo 2^32. */
  seen(slot: number): number {
    return Atomics.load(this.#words, this.#setOf(slot) + SEEN_WORD + (slot & 7));
  }

  /**
   * Copies the slot's row into `row`, its local words as 0; false if the slot is empty, or so busy that each attempt met a
   * change. What the slot says of the row is read before and after: if the row was looked up, given away or answered well
   * meanwhile, it is copied again. What can remain is one request or one answer that is counted in part: each counter is whole,
   * but not all of them may count it yet.
   */
  copy(slot: number, row: Uint32Array): boolean {
    const words = this.#words;
    const { rowsAt, rowWords, localWords } = this.view;
    const from = rowsAt + slot * rowWords;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const seen = this.seen(slot);
      const good = this.good(slot);
      const tag = this.tag(slot);
      if (tag === 0) return false;
      for (let i = 0; i < rowWords; i++) row[i] = words[from + i]!;
      if (this.seen(slot) !== seen || this.good(slot) !== good || this.tag(slot) !== tag) continue;
      if (!this.#isWhole(row, tag, from)) continue;
      for (const word of localWords) row[word] = 0;
      return true;
    }
    return false;
  }

  /** The key was not given away while the row was copied, and is not being written. */
  #isWhole(row: Uint32Array, tag: number, from: number): boolean {
    const low = row[1]! & 0xffff;
    if ((low === 0 ? 1 : low) !== tag) return false;
    for (let i = 0; i < 4; i++) if (Atomics.load(this.#words, from + i) !== row[i]) return false;
    return (row[0]! | row[1]! | row[2]! | row[3]!) !== 0;
  }

  #setOf(slot: number): number {
    return this.view.setsAt + (slot >>> 3) * SET_WORDS;
  }
}
