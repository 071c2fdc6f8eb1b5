// Keeps numbers that were worked out from a target or a header value, so that what comes with every request is read once. One
// place per hash; the bytes themselves are compared, so no crafted value can pass for another. Values over 256 bytes are not
// kept. Called by lexical.ts.

import { hashBytes } from './sketch.ts';

const SLOTS = 512;
const VALUE_MAX_BYTES = 256;

export class ValueCache {
  /** Whether the last `place` was of a value that is kept, so that its numbers hold. */
  known = false;
  /** Numbers of all places, and of one more for values that are not kept. */
  readonly numbers: Float64Array;
  readonly bytes: number;
  readonly #perValue: number;
  readonly #lengths = new Uint16Array(SLOTS);
  readonly #values = new Uint8Array(SLOTS * VALUE_MAX_BYTES);

  /** @param perValue numbers of each value. */
  constructor(perValue: number) {
    this.#perValue = perValue;
    this.numbers = new Float64Array((SLOTS + 1) * perValue);
    this.bytes = this.numbers.byteLength + this.#lengths.byteLength + this.#values.byteLength;
  }

  /** First number of the value bytes[start, end), not empty. Where it is not `known`, the caller writes its numbers there. */
  place(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    this.known = false;
    if (length > VALUE_MAX_BYTES) return SLOTS * this.#perValue;
    const slot = hashBytes(bytes, start, end, 0) & (SLOTS - 1);
    const at = slot * VALUE_MAX_BYTES;
    const values = this.#values;
    if (this.#lengths[slot] === length) {
      let i = 0;
      while (i < length && values[at + i] === bytes[start + i]) i++;
      this.known = i === length;
    }
    if (!this.known) {
      this.#lengths[slot] = length;
      for (let i = 0; i < length; i++) values[at + i] = bytes[start + i]!;
    }
    return slot * this.#perValue;
  }
}
