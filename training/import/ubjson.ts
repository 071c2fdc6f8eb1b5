// Universal Binary JSON, draft 12, as XGBoost writes it: big-endian, sized and typed containers. Typed arrays of numbers
// become typed arrays. Every count is checked against the bytes that are left before memory is taken; nesting is bounded.
// Called by xgboost.ts.
import { malformed } from './imported-model.ts';

const DEPTH_MAX = 32;
const MEMBERS_MAX = 4_000_000;

/** Bytes of a fixed-width value by its marker. */
const WIDTHS: Readonly<Record<string, number>> = { i: 1, U: 1, I: 2, l: 4, L: 8, d: 4, D: 8 };

type Typed = Float64Array | Float32Array | Int32Array | Int16Array | Int8Array | Uint8Array;

class Reader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #at = 0;
  #members = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  document(): unknown {
    const value = this.#value(this.#marker(), 0);
    while (this.#at < this.#bytes.length && this.#bytes[this.#at] === 0x4e) this.#at++;
    return this.#at === this.#bytes.length ? value : this.#refuse('bytes follow the document');
  }

  #refuse(reason: string): never {
    return malformed(`UBJSON, byte ${this.#at}`, reason);
  }

  #need(bytes: number): number {
    if (!(bytes <= this.#bytes.length - this.#at))
      this.#refuse(`${bytes} bytes expected, the file ends before`);
    const at = this.#at;
    this.#at += bytes;
    return at;
  }

  /** The next marker; N is padding. */
  #marker(): string {
    for (;;) {
      const marker = String.fromCharCode(this.#bytes[this.#need(1)]!);
      if (marker !== 'N') return marker;
    }
  }

  #isNext(marker: string): boolean {
    if (this.#bytes[this.#at] !== marker.charCodeAt(0)) return false;
    this.#at++;
    return true;
  }

  #number(marker: string): number {
    const at = this.#need(WIDTHS[marker]!);
    return readNumber(this.#view, marker, at);
  }

  #count(): number {
    const marker = this.#marker();
    if (!(marker in WIDTHS) || marker === 'd' || marker === 'D')
      this.#refuse(`"${marker}" is no type of a count`);
    const count = this.#number(marker);
    if (!Number.isSafeInteger(count) || count < 0) this.#refuse(`a count of ${count}`);
    return count;
  }

  #text(): string {
    const length = this.#count();
    const at = this.#need(length);
    try {
      return this.#decoder.decode(this.#bytes.subarray(at, at + length));
    } catch {
      return this.#refuse('text that is not UTF-8');
    }
  }

  #value(marker: string, depth: number): unknown {
    if (++this.#members > MEMBERS_MAX) this.#refuse(`more than ${MEMBERS_MAX} values outside typed arrays`);
    if (Object.hasOwn(WIDTHS, marker)) return this.#number(marker);
    switch (marker) {
      case '{':
        return this.#object(depth + 1);
      case '[':
        return this.#list(depth + 1);
      case 'S':
      case 'H':
        return this.#text();
      case 'C':
        return String.fromCharCode(this.#bytes[this.#need(1)]!);
      case 'T':
        return true;
      case 'F':
        return false;
      case 'Z':
        return null;
      default:
        return this.#refuse(`unknown marker ${marker.charCodeAt(0)}`);
    }
  }

  /** `$` type and `#` count of a container, where it has them. */
  #shape(depth: number): { type: string | null; count: number | null } {
    if (depth > DEPTH_MAX) this.#refuse(`more than ${DEPTH_MAX} levels`);
    const type = this.#isNext('$') ? String.fromCharCode(this.#bytes[this.#need(1)]!) : null;
    const count = this.#isNext('#') ? this.#count() : null;
    if (type !== null && count === null) this.#refuse('a typed container without a count');
    if (type !== null && !Object.hasOwn(WIDTHS, type) && !'SHC{['.includes(type)) {
      this.#refuse(`a container of type ${type.charCodeAt(0)}`);
    }
    return { type, count };
  }

  #list(depth: number): unknown {
    const { type, count } = this.#shape(depth);
    if (type !== null && Object.hasOwn(WIDTHS, type)) return this.#numbers(type, count!);
    const list: unknown[] = [];
    if (count === null) {
      while (!this.#isNext(']')) list.push(this.#value(this.#marker(), depth));
      return list;
    }
    for (let i = 0; i < count; i++) list.push(this.#value(type ?? this.#marker(), depth));
    return list;
  }

  #numbers(type: string, count: number): Typed {
    const width = WIDTHS[type]!;
    const from = this.#need(count * width);
    const out = typedFor(type, count);
    for (let i = 0; i < count; i++) out[i] = readNumber(this.#view, type, from + i * width);
    return out;
  }

  #object(depth: number): unknown {
    const { type, count } = this.#shape(depth);
    const members = new Map<string, unknown>();
    const add = () => {
      const key = this.#text();
      if (members.has(key)) this.#refuse(`the member "${key.slice(0, 40)}" stands twice`);
      members.set(key, this.#value(type ?? this.#marker(), depth));
    };
    if (count === null) while (!this.#isNext('}')) add();
    else for (let i = 0; i < count; i++) add();
    return Object.fromEntries(members);
  }
}

function readNumber(view: DataView, marker: string, at: number): number {
  switch (marker) {
    case 'i':
      return view.getInt8(at);
    case 'U':
      return view.getUint8(at);
    case 'I':
      return view.getInt16(at);
    case 'l':
      return view.getInt32(at);
    case 'L':
      return Number(view.getBigInt64(at));
    case 'd':
      return view.getFloat32(at);
    default:
      return view.getFloat64(at);
  }
}

function typedFor(marker: string, count: number): Typed {
  switch (marker) {
    case 'i':
      return new Int8Array(count);
    case 'U':
      return new Uint8Array(count);
    case 'I':
      return new Int16Array(count);
    case 'l':
      return new Int32Array(count);
    case 'd':
      return new Float32Array(count);
    default:
      return new Float64Array(count);
  }
}

/** The document as plain objects, lists and typed arrays. Throws DATA_INVALID naming the byte. */
export function parseUbjson(bytes: Uint8Array): unknown {
  return new Reader(bytes).document();
}
