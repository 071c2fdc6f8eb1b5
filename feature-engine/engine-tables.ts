// The engine's three tables as the host sees them: regions handed to the kernels at start, figures, and rows going out to and
// coming back from snapshots. Finds and changes no row for a request: that is the kernels' (kernel/assembly/table.ts).
// Called by engine.ts.

import type { TableStats } from './engine-types.ts';
import type { EngineMemory } from './kernel/memory.ts';
import { SLOT_BYTES, TABLE, WAYS } from './kernel/row-kernels.ts';
import type { TableView } from './state-view.ts';

export interface TableSize {
  /** Rows, a multiple of 8. */
  readonly rows: number;
  readonly rowBytes: number;
  /** Look-ups for which a known row is safe after it was seen; a new key may then get none. 0: it always gets one. */
  readonly patience: number;
}

/** A row as a snapshot keeps it. */
export interface RankedRow {
  /** Good answers of the origin, at most 65,535: what it is worth. */
  readonly good: number;
  /** Look-ups since it was seen. */
  readonly age: number;
  /** The row's own memory; copy what is to be kept. */
  readonly words: Uint32Array;
}

export class EngineTable {
  readonly capacity: number;
  readonly #memory: EngineMemory;
  readonly #table: number;
  readonly #rowsAt: number;
  readonly #rowBytes: number;
  readonly #keyAt: number;

  /** @param table which one: an address that the kernels export. */
  constructor(memory: EngineMemory, table: number, { rows, rowBytes, patience }: TableSize) {
    this.capacity = rows;
    this.#memory = memory;
    this.#table = table;
    this.#rowBytes = rowBytes;
    const sets = memory.take(rows * SLOT_BYTES);
    this.#rowsAt = memory.take(rows * rowBytes);
    this.#keyAt = memory.take(16);
    memory.kernels.configureTable(table, rows / WAYS, sets, this.#rowsAt, rowBytes, patience);
  }

  /** Where all of it lies, for other threads. */
  view(shape: Pick<TableView, 'name' | 'layout' | 'localWords'>): TableView {
    return {
      ...shape,
      rowWords: this.#rowBytes / 4,
      capacity: this.capacity,
      rowsAt: this.#rowsAt / 4,
      setsAt: this.#word(TABLE.setsAt) / 4,
      tickAt: (this.#table + TABLE.tick) / 4,
    };
  }

  stats(): TableStats {
    return {
      capacity: this.capacity,
      rows: this.#word(TABLE.used),
      evictions: this.#word(TABLE.evictions),
      evictedKnown: this.#word(TABLE.evictedKnown),
      refused: this.#word(TABLE.refused),
      renamed: this.#word(TABLE.renamed),
    };
  }

  /** Every row in use, in no order. Not for the request's way. */
  *rows(): Generator<RankedRow> {
    const { kernels, words } = this.#memory;
    const rowWords = this.#rowBytes / 4;
    for (let slot = 0; slot < this.capacity; slot++) {
      const rank = kernels.slotRank(this.#table, slot);
      if (rank === 0) continue;
      const at = this.#rowsAt / 4 + slot * rowWords;
      const age = kernels.slotAge(this.#table, slot) >>> 0;
      yield { good: rank - 1, age, words: words.subarray(at, at + rowWords) };
    }
  }

  /** Words of the key's row, or null; the row's own memory. */
  row(key: ArrayLike<number>): Uint32Array | null {
    const at = this.#memory.kernels.peek(this.#table, this.#key(key)) >>> 0;
    return at === 0 ? null : this.#memory.words.subarray(at / 4, at / 4 + this.#rowBytes / 4);
  }

  /** Number of the key's row, -1 without one. */
  slot(key: ArrayLike<number>): number {
    const at = this.#memory.kernels.peek(this.#table, this.#key(key)) >>> 0;
    return at === 0 ? -1 : (at - this.#rowsAt) / this.#rowBytes;
  }

  /**
   * Puts a row back under the key in its first four words, over one that is there. Best first: a full set keeps its better rows
   * only against those on probation. Throws RangeError for words of another length.
   * @returns the row, or null if it found no room.
   */
  restore({ good, age, words }: RankedRow): Uint32Array | null {
    if (words.length * 4 !== this.#rowBytes)
      throw new RangeError(`a row of ${words.length * 4} bytes, not ${this.#rowBytes}`);
    const { kernels } = this.#memory;
    const at = kernels.restore(this.#table, this.#key(words), good, age) >>> 0;
    if (at === 0) return null;
    this.#memory.words.set(words, at / 4);
    return this.#memory.words.subarray(at / 4, at / 4 + words.length);
  }

  #key(key: ArrayLike<number>): number {
    for (let i = 0; i < 4; i++) this.#memory.words[this.#keyAt / 4 + i] = key[i] ?? 0;
    return this.#keyAt;
  }

  #word(place: number): number {
    return this.#memory.words[(this.#table + place) / 4] ?? 0;
  }
}
