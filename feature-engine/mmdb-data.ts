// The data section of a MaxMind DB file: typed values, read in place without building objects. A place is an offset in the file.
// `check` must have passed for a place (Mmdb does it for all of them) before it is read. Called by mmdb.ts and address-facts.ts.

const POINTER = 1;
const TEXT = 2;
const DOUBLE = 3;
const BYTES = 4;
const UINT16 = 5;
const UINT32 = 6;
const MAP = 7;
const INT32 = 8;
const UINT64 = 9;
const UINT128 = 10;
const ARRAY = 11;
const BOOLEAN = 14;
const FLOAT = 15;

/** Longest value of each type, bytes; the other types have rules of their own. */
const MAX_BYTES = new Map([
  [UINT16, 2],
  [UINT32, 4],
  [INT32, 4],
  [UINT64, 8],
  [UINT128, 16],
]);
const EXACT_BYTES = new Map([
  [DOUBLE, 8],
  [FLOAT, 4],
]);
const DEPTH_MAX = 16;
const decoder = new TextDecoder();
const POINTER_BASE = [0, 2048, 526_336, 0];

export class MmdbData {
  /** First byte of the section: what pointers count from. */
  readonly start: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  /** One bit a place: records and pointer targets that `check` found well formed, so that no byte is checked twice. */
  #checked = new Uint8Array(0);
  #problem = '';
  // The header of one value, as #head read it.
  #type = 0;
  #size = 0;
  #body = 0;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.start = start;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = end;
  }

  /** What is wrong with the value at `place` and all that it holds or points to; '' if nothing. */
  check(place: number): string {
    this.#problem = '';
    if (this.#checked.length === 0) this.#checked = new Uint8Array((this.#end >>> 3) + 1);
    this.#checkShared(place, 0);
    return this.#problem;
  }

  /** Frees what `check` remembers, when all is checked. */
  endChecks(): void {
    this.#checked = new Uint8Array(0);
  }

  /** Value of a key in the map at `place`, -1 if it is no map or has no such key. Follows pointers. */
  child(place: number, key: Uint8Array): number {
    if (place < 0) return -1;
    this.#head(this.#follow(place));
    if (this.#type !== MAP) return -1;
    const pairs = this.#size;
    let at = this.#body;
    for (let i = 0; i < pairs; i++) {
      const same = this.#isText(this.#follow(at), key);
      const value = this.#skip(at);
      if (same) return this.#follow(value);
      at = this.#skip(value);
    }
    return -1;
  }

  /** A number or boolean (as 0 or 1) at `place`, else NaN. 64-bit values beyond 2^53 lose their last bits. */
  number(place: number): number {
    if (place < 0) return Number.NaN;
    this.#head(place);
    if (this.#type === DOUBLE) return this.#view.getFloat64(this.#body);
    if (this.#type === FLOAT) return this.#view.getFloat32(this.#body);
    if (this.#type === BOOLEAN) return this.#size;
    if (!MAX_BYTES.has(this.#type)) return Number.NaN;
    let value = 0;
    for (let i = 0; i < this.#size; i++) value = value * 256 + this.#bytes[this.#body + i]!;
    return this.#type === INT32 && this.#size === 4 ? value | 0 : value;
  }

  /** The text at `place`, '' if it is none. */
  text(place: number): string {
    if (place < 0) return '';
    this.#head(place);
    if (this.#type !== TEXT) return '';
    return decoder.decode(this.#bytes.subarray(this.#body, this.#body + this.#size));
  }

  /** A code of two capital letters at `place`: the first one in the high byte; 0 if there is none. */
  letters(place: number): number {
    if (place < 0) return 0;
    this.#head(place);
    if (this.#type !== TEXT || this.#size !== 2) return 0;
    const first = this.#bytes[this.#body]!;
    const second = this.#bytes[this.#body + 1]!;
    return first >= 65 && first <= 90 && second >= 65 && second <= 90 ? (first << 8) | second : 0;
  }

  #isText(place: number, key: Uint8Array): boolean {
    this.#head(place);
    if (this.#type !== TEXT || this.#size !== key.length) return false;
    for (let i = 0; i < key.length; i++) if (this.#bytes[this.#body + i] !== key[i]) return false;
    return true;
  }

  /** Where the value at `place` stands: there, or where its pointer leads. */
  #follow(place: number): number {
    this.#head(place);
    return this.#type === POINTER ? this.start + this.#size : place;
  }

  /** End of the value at `place`, all that it holds included. */
  #skip(place: number): number {
    this.#head(place);
    const type = this.#type;
    const body = this.#body;
    if (type === POINTER || type === BOOLEAN) return body;
    if (type !== MAP && type !== ARRAY) return body + this.#size;
    let at = body;
    for (let left = this.#size * (type === MAP ? 2 : 1); left > 0; left--) at = this.#skip(at);
    return at;
  }

  /** Type, size (for a pointer its value, for containers their entries) and first byte of the value at `place`. */
  #head(place: number): void {
    const bytes = this.#bytes;
    const control = bytes[place]!;
    let at = place + 1;
    let type = control >> 5;
    if (type === POINTER) {
      const length = (control >> 3) & 3;
      let value = length === 3 ? 0 : control & 7;
      for (let i = 0; i <= length; i++) value = value * 256 + bytes[at++]!;
      this.#type = POINTER;
      this.#size = value + POINTER_BASE[length]!;
      this.#body = at;
      return;
    }
    if (type === 0) type = 7 + bytes[at++]!;
    let size = control & 31;
    if (size >= 29) {
      const length = size - 28;
      let more = 0;
      for (let i = 0; i < length; i++) more = more * 256 + bytes[at++]!;
      size = more + (length === 1 ? 29 : length === 2 ? 285 : 65_821);
    }
    this.#type = type;
    this.#size = size;
    this.#body = at;
  }

  /** End of the value; sets #problem and gives -1 if it is not well formed. */
  #check(place: number, depth: number): number {
    if (!(place >= this.start && place < this.#end)) return this.#fail(place, 'lies outside the data');
    if (depth > DEPTH_MAX) return this.#fail(place, `is nested deeper than ${DEPTH_MAX}`);
    this.#head(place);
    const type = this.#type;
    const size = this.#size;
    const body = this.#body;
    if (body > this.#end) return this.#fail(place, 'is cut off');
    let end = body;
    if (type === POINTER) {
      if (this.#checkPointer(place, depth) < 0) return -1;
    } else if (type === MAP || type === ARRAY) {
      if (size > this.#end - body) return this.#fail(place, 'has more entries than the file has bytes');
      end = this.#checkEntries({ body, type, size, depth });
      if (end < 0) return -1;
    } else {
      const problem = scalarProblem(type, size);
      if (problem !== '') return this.#fail(place, problem);
      if (type !== BOOLEAN) end = body + size;
      if (end > this.#end) return this.#fail(place, 'is cut off');
    }
    return end;
  }

  /** The same for what several records may lead to; 0 instead of its end if it is known to be good. */
  #checkShared(place: number, depth: number): number {
    if ((this.#checked[place >>> 3]! & (1 << (place & 7))) !== 0) return 0;
    const end = this.#check(place, depth);
    if (end >= 0) this.#checked[place >>> 3]! |= 1 << (place & 7);
    return end;
  }

  #checkPointer(place: number, depth: number): number {
    const target = this.start + this.#size;
    if (target >= this.#end) return this.#fail(place, 'points outside the data');
    this.#head(target);
    if (this.#type === POINTER) return this.#fail(place, 'points to a pointer');
    return this.#checkShared(target, depth + 1);
  }

  #checkEntries(map: { body: number; type: number; size: number; depth: number }): number {
    let at = map.body;
    for (let i = 0; i < map.size; i++) {
      if (map.type === MAP) {
        const key = at;
        at = this.#check(key, map.depth + 1);
        if (at < 0) return -1;
        this.#head(this.#follow(key));
        if (this.#type !== TEXT) return this.#fail(key, 'is a map key but no text');
      }
      at = this.#check(at, map.depth + 1);
      if (at < 0) return -1;
    }
    return at;
  }

  #fail(place: number, what: string): -1 {
    if (this.#problem === '') this.#problem = `the value at byte ${place} ${what}`;
    return -1;
  }
}

function scalarProblem(type: number, size: number): string {
  const exact = EXACT_BYTES.get(type);
  if (exact !== undefined) return size === exact ? '' : `is a number of ${size} bytes instead of ${exact}`;
  const max = MAX_BYTES.get(type);
  if (max !== undefined) return size <= max ? '' : `is a number of ${size} bytes, at most ${max}`;
  if (type === BOOLEAN) return size <= 1 ? '' : `is a boolean of value ${size}`;
  return type === TEXT || type === BYTES ? '' : `has the unknown type ${type}`;
}
