// A table of rows with a capacity that is fixed at start: sets of eight slots, and in a full set the least recently seen
// row makes room.
// Every look-up touches one set only, so a flood of new keys costs evictions and never memory or long probes.
// Does not know what a row holds beyond its key. Owned by the feature engine, one table per axis.

import { KEY, ROW_BYTES, ROW_WORDS } from './row-layout.ts';

const WAYS = 8;
/** A handle is generation * HANDLE_SLOTS + slot, an exact integer of 48 bits. */
const HANDLE_SLOTS = 2 ** 24;
const GENERATION_MASK = 0xffffff;

export interface TableStats {
  readonly capacity: number;
  /** Rows in use. */
  readonly rows: number;
  /** Rows that made room for a new key. */
  readonly evictions: number;
}

export class RowTable {
  readonly capacity: number;
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
  readonly bytes: number;
  /** True if the last `find` made its row anew. */
  madeNew = false;
  readonly #setCount: number;
  /** 0 = empty slot; else the second word of the key, 0 read as 1. */
  readonly #tags: Uint32Array;
  readonly #seen: Uint32Array;
  readonly #generations: Uint32Array;
  /** Counts look-ups; differences are taken modulo 2^32, so wrapping does no harm. */
  #tick = 0;
  #used = 0;
  #evictions = 0;

  /** @param capacity rows, rounded up to whole sets; at most 2^24. */
  constructor(capacity: number, shared: boolean) {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > HANDLE_SLOTS - WAYS)
      throw new RangeError(`a table needs 1..${HANDLE_SLOTS - WAYS} rows, not ${capacity}`);
    this.#setCount = Math.ceil(capacity / WAYS);
    this.capacity = this.#setCount * WAYS;
    const rows = allocate(this.capacity * ROW_BYTES, shared);
    this.words = new Uint32Array(rows);
    this.doubles = new Float64Array(rows);
    this.#tags = new Uint32Array(allocate(this.capacity * 4, shared));
    this.#seen = new Uint32Array(allocate(this.capacity * 4, shared));
    this.#generations = new Uint32Array(allocate(this.capacity * 4, shared));
    this.bytes = this.capacity * (ROW_BYTES + 12);
  }

  /** Slot of the key's row; makes one (zeroed but for the key, `madeNew` set) where there is none. */
  find(key: Uint32Array): number {
    const tag = key[1]! === 0 ? 1 : key[1]!;
    const first = Math.floor((key[0]! / 4294967296) * this.#setCount) * WAYS;
    const tick = (this.#tick + 1) >>> 0;
    this.#tick = tick;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (this.#tags[slot] === tag && this.#sameKey(slot, key)) {
        this.#seen[slot] = tick;
        this.madeNew = false;
        return slot;
      }
    }
    const slot = this.#makeRoom(first);
    this.#tags[slot] = tag;
    this.#seen[slot] = tick;
    this.#generations[slot] = (this.#generations[slot]! + 1) & GENERATION_MASK;
    const at = slot * ROW_WORDS;
    this.words.fill(0, at, at + ROW_WORDS);
    for (let i = 0; i < 4; i++) this.words[at + KEY + i] = key[i]!;
    this.madeNew = true;
    return slot;
  }

  /** Names this slot as it is now; no longer valid once the row has made room for another key. */
  handleOf(slot: number): number {
    return this.#generations[slot]! * HANDLE_SLOTS + slot;
  }

  /** Slot of a handle, or -1 if its row is gone. */
  slotOf(handle: number): number {
    const slot = handle % HANDLE_SLOTS;
    if (!(slot < this.capacity) || this.#generations[slot] !== Math.floor(handle / HANDLE_SLOTS)) return -1;
    return slot;
  }

  stats(): TableStats {
    return { capacity: this.capacity, rows: this.#used, evictions: this.#evictions };
  }

  #sameKey(slot: number, key: Uint32Array): boolean {
    const at = slot * ROW_WORDS + KEY;
    const words = this.words;
    return (
      words[at] === key[0] && words[at + 1] === key[1] && words[at + 2] === key[2] && words[at + 3] === key[3]
    );
  }

  /** An empty slot of the set, else the one that was seen longest ago. */
  #makeRoom(first: number): number {
    let oldest = first;
    let oldestAge = -1;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (this.#tags[slot] === 0) {
        this.#used++;
        return slot;
      }
      const age = (this.#tick - this.#seen[slot]!) >>> 0;
      if (age > oldestAge) {
        oldestAge = age;
        oldest = slot;
      }
    }
    this.#evictions++;
    return oldest;
  }
}

function allocate(bytes: number, shared: boolean): ArrayBuffer | SharedArrayBuffer {
  return shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
}
