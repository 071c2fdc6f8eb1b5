// The bytes of a bundle image while it is built: reserved piece by piece, addresses kept relative to its
// start.
// Relocation ranges say where relative addresses stand, so that the image can be put into any arena. Called
// by prepare.ts and tables.

import { PicketError } from '../../domain/errors.ts';
import { ALIGN_BYTES } from '../layout.ts';
import { alignUp } from './bundle-format.ts';

export class Image {
  readonly #maxBytes: number;
  readonly #relocations: number[] = [];
  #bytes = new Uint8Array(65536);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Reserves zeroed bytes; gives their offset, aligned to a cache line. Throws BUNDLE_TOO_LARGE beyond the limit. */
  reserve(bytes: number): number {
    const at = alignUp(this.#end, ALIGN_BYTES);
    const end = at + bytes;
    if (end > this.#maxBytes) {
      throw new PicketError('BUNDLE_TOO_LARGE', `bundle: its tables need over ${this.#maxBytes} bytes`, {
        hint: 'raise the arena size, or train fewer or smaller trees',
      });
    }
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#end = end;
    return at;
  }

  /** Valid until the next `reserve`. */
  get view(): DataView {
    return this.#view;
  }

  u32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  f64(at: number, value: number): void {
    this.#view.setFloat64(at, value, true);
  }

  /** Notes that `count` u32 values, `stride` bytes apart from `start` on, are offsets into this image. */
  relocate(start: number, stride = 4, count = 1): void {
    this.#relocations.push(start, stride, count);
  }

  /** Writes an offset into this image and notes it. */
  address(at: number, offset: number): void {
    this.u32(at, offset);
    this.relocate(at);
  }

  /** The finished image and its relocation ranges as (start, stride, count) triples. */
  finish(): { bytes: ArrayBuffer; relocations: Uint32Array } {
    const bytes = this.#bytes.buffer.slice(0, alignUp(this.#end, ALIGN_BYTES));
    return { bytes, relocations: Uint32Array.from(this.#relocations) };
  }
}
