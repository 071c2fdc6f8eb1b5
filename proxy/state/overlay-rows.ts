// What other replicas counted, put where the engine reads it: a row beside the identity's own. A view is written to a free row
// and then named in the slot by one store, so the engine meets the old view or the new one, never half of one; a row that was
// replaced rests for two ticks before it is used again. Writes only overlay rows. Called by shared-windows.ts.

import type { OverlayView } from '../../feature-engine/state-view.ts';

/** Identities with a view of the others, and how many are exchanged in one tick. */
export const ACTIVE_MAX = 4096;
export const BATCH_MAX = 2048;
/** Rows for views: one per active identity, and those that rest for two ticks. */
export const OVERLAY_ROWS = ACTIVE_MAX + 2 * BATCH_MAX;

export class OverlayRows {
  readonly #view: OverlayView;
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  readonly #halves: Uint16Array;
  /** Free rows; those that rest since the last tick; since the one before. */
  #free: number[];
  #resting: number[] = [];
  #rested: number[] = [];
  readonly #slots = new Set<number>();

  constructor(buffer: SharedArrayBuffer, view: OverlayView) {
    this.#view = view;
    this.#words = new Uint32Array(buffer);
    this.#doubles = new Float64Array(buffer);
    this.#halves = new Uint16Array(buffer);
    this.#free = Array.from({ length: view.count }, (_, i) => view.count - 1 - i);
  }

  /** Slots that have a view. */
  get size(): number {
    return this.#slots.size;
  }

  /** Once per tick: rows that were replaced two ticks ago may be used again. */
  tick(): void {
    this.#free.push(...this.#rested);
    this.#rested = this.#resting;
    this.#resting = [];
  }

  /** Shows `row` beside the slot's own until `untilMs`; false if no row is free now. */
  put(slot: number, row: Uint32Array, untilMs: number): boolean {
    const place = this.#free.pop();
    if (place === undefined) return false;
    const { rowsAt, rowWords, untilWord } = this.#view;
    const at = rowsAt + place * rowWords;
    this.#words.set(row, at);
    this.#doubles[(at + untilWord) >> 1] = untilMs;
    this.#name(slot, place + 1);
    this.#slots.add(slot);
    return true;
  }

  /** The slot has no view any more. */
  clear(slot: number): void {
    if (this.#slots.delete(slot)) this.#name(slot, 0);
  }

  clearAll(): void {
    for (const slot of [...this.#slots]) this.clear(slot);
  }

  #name(slot: number, value: number): void {
    const before = Atomics.exchange(this.#halves, this.#view.slotsAt * 2 + slot, value);
    if (before !== 0) this.#resting.push(before - 1);
  }
}
