// Which identities are in use right now, found by looking at when each row was last seen: no request tells anybody anything. A
// bounded set, the most recently seen first; what does not fit is counted. Reads the data thread's memory from the control
// thread, once per tick. Called by shared-windows.ts.

import type { TableReader } from '../../feature-engine/state-view.ts';

export interface ActiveRow {
  readonly slot: number;
  /** When the row was seen last, as far as ticks tell. */
  seenMs: number;
  /** When it was last exchanged; 0 = never. */
  exchangedMs: number;
  /** Fingerprint of what was last published, 0 = nothing; and when its life in the store was last prolonged. */
  published: number;
  prolongedMs: number;
  /** Its key when it was last exchanged, as hex digits; another one means another identity. */
  key: string;
}

export interface ActiveRowsOptions {
  readonly max: number;
  /** A row that was not seen for so long is no longer active. */
  readonly idleMs: number;
}

export class ActiveRows {
  /** Rows that were seen but found no room, so far. */
  left = 0;
  readonly #table: TableReader;
  readonly #options: ActiveRowsOptions;
  readonly #seen: Uint32Array;
  readonly #rows = new Map<number, ActiveRow>();

  constructor(table: TableReader, options: ActiveRowsOptions) {
    this.#table = table;
    this.#options = options;
    // What was seen before the first look is not active.
    this.#seen = Uint32Array.from({ length: table.view.capacity }, (_, slot) => table.seen(slot));
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Looks at all slots. Returns those that are no longer active. */
  scan(nowMs: number): ActiveRow[] {
    const gone: ActiveRow[] = [];
    for (const row of this.#rows.values()) if (nowMs - row.seenMs > this.#options.idleMs) gone.push(row);
    for (const row of gone) this.#rows.delete(row.slot);
    let oldest: ActiveRow[] | null = null;
    const table = this.#table;
    for (let slot = 0; slot < this.#seen.length; slot++) {
      const seen = table.seen(slot);
      if (seen === this.#seen[slot]) continue;
      this.#seen[slot] = seen;
      const row = this.#rows.get(slot);
      if (row !== undefined) row.seenMs = nowMs;
      else if (this.#rows.size < this.#options.max) this.#add(slot, nowMs);
      else {
        oldest ??= [...this.#rows.values()].toSorted((a, b) => b.seenMs - a.seenMs);
        const last = oldest.pop();
        if (last === undefined || last.seenMs === nowMs) this.left++;
        else {
          this.#rows.delete(last.slot);
          gone.push(last);
          this.#add(slot, nowMs);
        }
      }
    }
    return gone;
  }

  /** Everything is to be published anew. */
  forgetPublished(): void {
    for (const row of this.#rows.values()) {
      row.published = 0;
      row.prolongedMs = 0;
    }
  }

  /** At most `max` rows to exchange: those seen since their last exchange first, then those exchanged longest ago. */
  batch(max: number): ActiveRow[] {
    const rows = [...this.#rows.values()].toSorted(
      (a, b) =>
        Number(b.seenMs > b.exchangedMs) - Number(a.seenMs > a.exchangedMs) || a.exchangedMs - b.exchangedMs,
    );
    return rows.slice(0, max);
  }

  #add(slot: number, seenMs: number): void {
    const row = { slot, seenMs, exchangedMs: 0, published: 0, prolongedMs: 0, key: '' };
    this.#rows.set(slot, row);
  }
}
