// Texts that repeat (routes, versions, class names) as small numbers, in shared memory: one thread interns, others look up.
// An entry is { serial i32, byte length i32, bytes }; serials start at 1 and go round the table, so an old text may be
// overwritten: a reader then gets the empty text, never a wrong one. Used by the event rings only.

const HEADER_WORDS = 2;
const ENTRY_HEADER_BYTES = 8;
const LAST_SERIAL = 0;

export interface TextTableShape {
  readonly entries: number;
  /** Longer texts are cut; a multiple of 4. */
  readonly textMaxBytes: number;
}

export function textTableBytes(shape: TextTableShape): number {
  return HEADER_WORDS * 4 + shape.entries * (ENTRY_HEADER_BYTES + shape.textMaxBytes);
}

class Table {
  readonly shape: TextTableShape;
  readonly words: Int32Array;
  readonly bytes: Uint8Array;

  constructor(buffer: SharedArrayBuffer, shape: TextTableShape) {
    if (buffer.byteLength !== textTableBytes(shape) || shape.textMaxBytes % 4 !== 0) {
      throw new RangeError(`a text table of ${shape.entries} entries needs ${textTableBytes(shape)} bytes`);
    }
    this.shape = shape;
    this.words = new Int32Array(buffer);
    this.bytes = new Uint8Array(buffer);
  }

  /** Word index of the entry that a serial falls into. */
  wordOf(serial: number): number {
    const entryWords = (ENTRY_HEADER_BYTES + this.shape.textMaxBytes) / 4;
    return HEADER_WORDS + (serial % this.shape.entries) * entryWords;
  }
}

/** The writing end; one per table. A new one on a used buffer goes on where the last one stopped. */
export class TextTableWriter {
  readonly #table: Table;
  readonly #serials = new Map<string, number>();
  readonly #texts: (string | undefined)[];
  #last: number;

  constructor(buffer: SharedArrayBuffer, shape: TextTableShape) {
    this.#table = new Table(buffer, shape);
    this.#texts = new Array<string | undefined>(shape.entries);
    this.#last = Atomics.load(this.#table.words, LAST_SERIAL);
  }

  /** The serial of a text, 0 for the empty one. */
  intern(text: string): number {
    const known = this.#serials.get(text);
    if (known !== undefined) return known;
    return text === '' ? 0 : this.#add(text);
  }

  #add(text: string): number {
    const table = this.#table;
    const serial = this.#last === 0x7fffffff ? 1 : this.#last + 1;
    const index = serial % table.shape.entries;
    const before = this.#texts[index];
    if (before !== undefined) this.#serials.delete(before);
    const word = table.wordOf(serial);
    Atomics.exchange(table.words, word, 0);
    const encoded = Buffer.from(text).subarray(0, table.shape.textMaxBytes);
    table.bytes.set(encoded, word * 4 + ENTRY_HEADER_BYTES);
    table.words[word + 1] = encoded.length;
    Atomics.store(table.words, word, serial);
    Atomics.store(table.words, LAST_SERIAL, serial);
    this.#last = serial;
    this.#texts[index] = text;
    this.#serials.set(text, serial);
    return serial;
  }
}

export class TextTableReader {
  readonly #table: Table;
  readonly #texts: string[];
  readonly #serials: Int32Array;

  constructor(buffer: SharedArrayBuffer, shape: TextTableShape) {
    this.#table = new Table(buffer, shape);
    this.#texts = new Array<string>(shape.entries).fill('');
    this.#serials = new Int32Array(shape.entries);
  }

  /** The text behind a serial; empty for 0 and for one that has been overwritten. */
  text(serial: number): string {
    if (serial <= 0) return '';
    const table = this.#table;
    const index = serial % table.shape.entries;
    if (this.#serials[index] === serial) return this.#texts[index]!;
    const word = table.wordOf(serial);
    if (Atomics.load(table.words, word) !== serial) return '';
    const start = word * 4 + ENTRY_HEADER_BYTES;
    const length = Math.min(table.words[word + 1]!, table.shape.textMaxBytes);
    const text = Buffer.from(table.bytes.slice(start, start + length)).toString();
    if (Atomics.add(table.words, word, 0) !== serial) return '';
    this.#serials[index] = serial;
    this.#texts[index] = text;
    return text;
  }
}
