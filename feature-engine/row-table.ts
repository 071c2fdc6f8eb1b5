// A table of rows with a capacity that is fixed at start: sets of eight slots; in a full set a row on probation makes room first.
// Every look-up touches one set only, so a flood of new keys costs evictions and never memory or long probes. A row leaves
// probation by good answers of the origin and then ages the slower the more it had (docs/adr/0010-who-makes-room.md).
// Does not know what a row holds beyond its key. Owned by the feature engine, one table per axis and one of profiles.

import { KEY, ROW_WORDS } from './row-layout-before.ts';

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
  /** Those of them that had left probation. */
  readonly evictedKnown: number;
  /** Look-ups that got no row, because all of the set were known and not idle. */
  readonly refused: number;
}

export interface TableShape {
  /** Words of one row, an even number, the key in the first four; default ROW_WORDS. */
  readonly rowWords?: number;
  /**
   * Look-ups for which a known row is safe after it was seen, so that a table that is too small for all serves some of them
   * well and not all badly; a new key then gets no row. Default 0: a new key always gets one.
   */
  readonly patience?: number;
  /** In a SharedArrayBuffer, so that other threads may read it. */
  readonly shared: boolean;
}

/** Good answers are counted up to here; 2^15 of them make a row age 32,768 times slower. */
const GOOD_ANSWERS_MAX = 0xffff;
/** Words beside each row, those of a set side by side: tag, last look-up, generation, good answers. */
const TAG = 0;
const SEEN = 1;
const GENERATION = 2;
const GOOD = 3;
const SLOT_WORDS = 4;
export const SLOT_BYTES = SLOT_WORDS * 4;

export class RowTable {
  readonly capacity: number;
  readonly words: Uint32Array;
  readonly floats: Float32Array;
  readonly doubles: Float64Array;
  readonly bytes: number;
  /** True if the last `find` made its row anew. */
  madeNew = false;
  readonly #setCount: number;
  /** SLOT_WORDS of each slot. Tag 0 = empty slot; else the second word of the key, 0 read as 1. Good answers 0 = on probation. */
  readonly #slots: Uint32Array;
  readonly #rowWords: number;
  readonly #patience: number;
  /** Counts look-ups; differences are taken modulo 2^32, so wrapping does no harm. */
  #tick = 0;
  #used = 0;
  #evictions = 0;
  #evictedKnown = 0;
  #refused = 0;

  /** @param capacity rows, rounded up to whole sets; at most 2^24. */
  constructor(capacity: number, { rowWords = ROW_WORDS, patience = 0, shared }: TableShape) {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > HANDLE_SLOTS - WAYS)
      throw new RangeError(`a table needs 1..${HANDLE_SLOTS - WAYS} rows, not ${capacity}`);
    this.#setCount = Math.ceil(capacity / WAYS);
    this.capacity = this.#setCount * WAYS;
    this.#rowWords = rowWords;
    this.#patience = patience;
    const rows = allocate(this.capacity * rowWords * 4, shared);
    this.words = new Uint32Array(rows);
    this.floats = new Float32Array(rows);
    this.doubles = new Float64Array(rows);
    this.#slots = new Uint32Array(allocate(this.capacity * SLOT_BYTES, shared));
    this.bytes = this.capacity * (rowWords * 4 + SLOT_BYTES);
  }

  /** Slot of the key's row; makes one (zeroed but for the key, `madeNew` set) where there is none. -1: see `patience`. */
  find(key: Uint32Array): number {
    const tag = key[1]! === 0 ? 1 : key[1]!;
    const first = this.#setOf(key);
    const tick = (this.#tick + 1) >>> 0;
    this.#tick = tick;
    const slots = this.#slots;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (slots[slot * SLOT_WORDS] === tag && this.#sameKey(slot, key)) {
        slots[slot * SLOT_WORDS + SEEN] = tick;
        this.madeNew = false;
        return slot;
      }
    }
    const slot = this.#makeRoom(first);
    if (slot < 0) return -1;
    const meta = slot * SLOT_WORDS;
    slots[meta + TAG] = tag;
    slots[meta + SEEN] = tick;
    slots[meta + GENERATION] = (slots[meta + GENERATION]! + 1) & GENERATION_MASK;
    slots[meta + GOOD] = 0;
    const at = slot * this.#rowWords;
    this.words.fill(0, at, at + this.#rowWords);
    for (let i = 0; i < 4; i++) this.words[at + KEY + i] = key[i]!;
    this.madeNew = true;
    return slot;
  }

  /** Counts an answer 2xx or 3xx of the origin: the first one ends the probation of the row. */
  addGoodAnswer(slot: number): void {
    const at = slot * SLOT_WORDS + GOOD;
    const count = this.#slots[at]!;
    if (count < GOOD_ANSWERS_MAX) this.#slots[at] = count + 1;
  }

  /** Slot of the key's row or -1; changes nothing. */
  peek(key: Uint32Array): number {
    const tag = key[1]! === 0 ? 1 : key[1]!;
    const first = this.#setOf(key);
    for (let slot = first; slot < first + WAYS; slot++)
      if (this.#slots[slot * SLOT_WORDS] === tag && this.#sameKey(slot, key)) return slot;
    return -1;
  }

  /** Names this slot as it is now; no longer valid once the row has made room for another key. */
  handleOf(slot: number): number {
    return this.#slots[slot * SLOT_WORDS + GENERATION]! * HANDLE_SLOTS + slot;
  }

  /** Slot of a handle, or -1 if its row is gone. */
  slotOf(handle: number): number {
    const slot = handle % HANDLE_SLOTS;
    if (!(slot < this.capacity)) return -1;
    const generation = this.#slots[slot * SLOT_WORDS + GENERATION];
    return generation === Math.floor(handle / HANDLE_SLOTS) ? slot : -1;
  }

  stats(): TableStats {
    return {
      capacity: this.capacity,
      rows: this.#used,
      evictions: this.#evictions,
      evictedKnown: this.#evictedKnown,
      refused: this.#refused,
    };
  }

  #setOf(key: Uint32Array): number {
    return Math.floor((key[0]! / 4294967296) * this.#setCount) * WAYS;
  }

  #sameKey(slot: number, key: Uint32Array): boolean {
    const at = slot * this.#rowWords + KEY;
    const words = this.words;
    return (
      words[at] === key[0] && words[at + 1] === key[1] && words[at + 2] === key[2] && words[at + 3] === key[3]
    );
  }

  /**
   * An empty slot of the set; else the row on probation that was seen longest ago; else, where all are known, the one with
   * the largest age / 2^floor(log2(good answers)), ages in look-ups. So newcomers drive out each other, one way in eight
   * is always theirs, and a row that was answered well a thousand times stays about a thousand times longer.
   * -1 where that one was seen within the table's patience.
   */
  #makeRoom(first: number): number {
    const slots = this.#slots;
    let probation = -1;
    let probationAge = -1;
    let known = first;
    let knownAge = -1;
    for (let slot = first; slot < first + WAYS; slot++) {
      const meta = slot * SLOT_WORDS;
      if (slots[meta + TAG] === 0) {
        this.#used++;
        return slot;
      }
      const age = (this.#tick - slots[meta + SEEN]!) >>> 0;
      const good = slots[meta + GOOD]!;
      if (good === 0) {
        if (age > probationAge) {
          probationAge = age;
          probation = slot;
        }
      } else if (age / 2 ** (31 - Math.clz32(good)) > knownAge) {
        knownAge = age / 2 ** (31 - Math.clz32(good));
        known = slot;
      }
    }
    if (probation >= 0) {
      this.#evictions++;
      return probation;
    }
    if ((this.#tick - slots[known * SLOT_WORDS + SEEN]!) >>> 0 < this.#patience) {
      this.#refused++;
      return -1;
    }
    this.#evictions++;
    this.#evictedKnown++;
    return known;
  }
}

function allocate(bytes: number, shared: boolean): ArrayBuffer | SharedArrayBuffer {
  return shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
}
