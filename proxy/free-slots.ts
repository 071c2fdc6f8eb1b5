// Which slots of an event ring are free, known to its producer alone: a stack, so that the slot freed last is used next and
// a ring that is kept drained stays in a few warm pages. Called by event-writer.ts.

import type { RingShape } from './event-ring.ts';

export class FreeSlots {
  readonly #index: Int32Array;
  readonly #shape: RingShape;
  readonly #stack: Int32Array;
  #count = 0;
  /** Sequences before this one hold no slot any more. */
  #from: number;

  /** `held`: the sequences whose slots are in use, as the index names them (none if `to` is below `from`). */
  constructor(index: Int32Array, shape: RingShape, held: { readonly from: number; readonly to: number }) {
    this.#index = index;
    this.#shape = shape;
    this.#stack = new Int32Array(shape.slots);
    this.#from = held.from;
    const used = new Uint8Array(shape.slots);
    for (let sequence = held.from; sequence <= held.to; sequence++)
      used[index[shape.indexWord(sequence)]!] = 1;
    for (let slot = shape.slots - 1; slot >= 0; slot--)
      if (used[slot] === 0) this.#stack[this.#count++] = slot;
  }

  /** Everything up to `settled` gives its slot back. */
  reclaim(settled: number): void {
    for (; this.#from <= settled; this.#from++) {
      this.#stack[this.#count++] = this.#index[this.#shape.indexWord(this.#from)]!;
    }
  }

  /** Sequences before `oldest` lost their slot to newer ones: nothing comes back from them. */
  overwritten(oldest: number): void {
    if (oldest > this.#from) this.#from = Math.max(this.#from, oldest);
  }

  pop(): number | undefined {
    return this.#count === 0 ? undefined : this.#stack[--this.#count]!;
  }
}
