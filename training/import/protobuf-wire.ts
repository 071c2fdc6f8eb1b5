// Reads protobuf wire format: fields one by one, packed and unpacked repeats alike. Every length is checked against its
// message before anything is taken, lists are capped, groups are refused. Knows no schema. Called by onnx-graph.ts and
// onnx-values.ts.
import { malformed } from './imported-model.ts';

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const LIST_MAX = 16_000_000;

/** One message. `next()` steps to a field; then one of the readers takes its value, else it is skipped. */
export class Message {
  readonly place: string;
  field = 0;
  #wire = -1;
  #at = 0;
  #valueAt = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, place: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.place = place;
  }

  /** Steps over the field before, to the next one; false at the end. */
  next(): boolean {
    if (this.#at >= this.#bytes.length) return false;
    const key = this.#varint();
    this.field = Math.floor(key / 8);
    this.#wire = key % 8;
    if (this.field < 1 || this.field > 0x1fffffff) this.#refuse(`field number ${this.field}`);
    this.#valueAt = this.#at;
    this.#skip();
    return true;
  }

  #refuse(reason: string): never {
    return malformed(`${this.place}, byte ${this.#at}`, reason);
  }

  #skip(): void {
    if (this.#wire === VARINT) this.#varint();
    else if (this.#wire === FIXED64) this.#forward(8);
    else if (this.#wire === FIXED32) this.#forward(4);
    else if (this.#wire === BYTES) this.#forward(this.#varint());
    else this.#refuse(`wire type ${this.#wire}`);
  }

  #forward(bytes: number): void {
    const left = this.#bytes.length - this.#at;
    if (!(bytes >= 0 && bytes <= left)) this.#refuse(`${bytes} bytes expected, ${left} are left`);
    this.#at += bytes;
  }

  /** An int64 as a number: exact up to 2 ** 53, which every count and id of a model is. */
  #varint(): number {
    let low = 0;
    let high = 0n;
    for (let i = 0; i < 10; i++) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) this.#refuse('the message ends inside a number');
      this.#at++;
      if (i < 4) low += (byte! & 127) * 2 ** (7 * i);
      else high |= BigInt(byte! & 127) << BigInt(7 * (i - 4));
      if ((byte! & 128) === 0) return i < 4 ? low : Number(BigInt.asIntN(64, (high << 28n) | BigInt(low)));
    }
    return this.#refuse('a number of more than ten bytes');
  }

  #expect(wire: number): void {
    if (this.#wire !== wire)
      this.#refuse(`field ${this.field} has wire type ${this.#wire}, expected ${wire}`);
  }

  int(): number {
    this.#expect(VARINT);
    this.#at = this.#valueAt;
    return this.#varint();
  }

  bytes(): Uint8Array {
    this.#expect(BYTES);
    this.#at = this.#valueAt;
    const length = this.#varint();
    const from = this.#at;
    this.#forward(length);
    return this.#bytes.subarray(from, from + length);
  }

  text(): string {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(this.bytes());
    } catch {
      return this.#refuse(`field ${this.field} is not text in UTF-8`);
    }
  }

  message(place: string): Message {
    return new Message(this.bytes(), place);
  }

  float(): number {
    this.#expect(FIXED32);
    return this.#view.getFloat32(this.#valueAt, true);
  }

  /** Adds the field's integers, packed or single. */
  pushInts(list: number[]): void {
    if (this.#wire !== BYTES) list.push(this.int());
    else {
      const packed = this.message(this.place);
      while (packed.#at < packed.#bytes.length) this.#push(list, packed.#varint());
    }
    this.#checkLength(list);
  }

  /** Adds the field's numbers of 4 or 8 bytes, packed or single. */
  pushFloats(list: number[], width: 4 | 8): void {
    const isPacked = this.#wire === BYTES;
    if (!isPacked) this.#expect(width === 4 ? FIXED32 : FIXED64);
    const bytes = isPacked ? this.bytes() : this.#bytes.subarray(this.#valueAt, this.#valueAt + width);
    if (bytes.length % width !== 0) this.#refuse(`${bytes.length} bytes are no numbers of ${width} bytes`);
    for (const value of floatsOf(bytes, width)) this.#push(list, value);
  }

  #push(list: number[], value: number): void {
    list.push(value);
    this.#checkLength(list);
  }

  #checkLength(list: readonly number[]): void {
    if (list.length > LIST_MAX) this.#refuse(`a list of more than ${LIST_MAX} numbers`);
  }
}

/** Little-endian numbers of 4 or 8 bytes. */
export function floatsOf(bytes: Uint8Array, width: 4 | 8): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: Math.floor(bytes.length / width) }, (_, i) =>
    width === 4 ? view.getFloat32(i * 4, true) : view.getFloat64(i * 8, true),
  );
}
