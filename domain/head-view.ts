// The request head as bytes and offsets: the one thing that every stage, feature and hash reads.
// Every parser fills it (proxy from rawHeaders, replay from a log line); nothing here judges what it holds.
// Bytes and ends may lie in the feature engine's memory, so that its kernels read them in place.

import { LIMITS } from './limits.ts';

/** Method classes; the text of an unusual method stays in the bytes. */
export const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'OTHER'] as const;
export type MethodName = (typeof METHODS)[number];
export const METHOD_OTHER = METHODS.length - 1;
const METHOD_CODES = new Map<string, number>(METHODS.slice(0, -1).map((name, code) => [name, code]));

/** Code of a method name, METHOD_OTHER for one outside METHODS. */
export function methodCode(name: string): number {
  return METHOD_CODES.get(name) ?? METHOD_OTHER;
}

/** Bytes that a HeadView needs at most: target and head limits, plus room for the method. */
export const HEAD_VIEW_BYTES = LIMITS.targetMaxBytes + LIMITS.headMaxBytes + 256;

/** Words that the ends of its fields need at most. */
export const HEAD_VIEW_ENDS = 2 * LIMITS.fieldsMax;

const NONE = -1;

/** Layout of `bytes`: method, target, then each field's name and value without separators. */
export class HeadView {
  readonly bytes: Uint8Array;
  /** Two ends per field: nameEnd, valueEnd. A name starts where the value before it ended. */
  readonly ends: Uint32Array;
  method = METHOD_OTHER;
  targetStart = 0;
  /** End of the path: the place of the first "?" or targetEnd. */
  pathEnd = 0;
  targetEnd = 0;
  fieldCount = 0;
  /** Sum of the bytes of all names and values. */
  fieldBytes = 0;
  /** Content-Length, or NaN. */
  contentLength = Number.NaN;
  /** Index of the User-Agent field, or -1. */
  userAgentField = NONE;
  #end = 0;

  /** In memory of its own, or in the memory that it is given: bytes, and two ends for each field that it may hold. */
  constructor(
    bytes: Uint8Array = new Uint8Array(HEAD_VIEW_BYTES),
    ends: Uint32Array = new Uint32Array(HEAD_VIEW_ENDS),
  ) {
    this.bytes = bytes;
    this.ends = ends;
  }

  /** Starts a new head; false if method and target do not fit. The caller adds the fields then. */
  begin(method: string, target: string): boolean {
    this.fieldCount = 0;
    this.fieldBytes = 0;
    this.contentLength = Number.NaN;
    this.userAgentField = NONE;
    this.#end = 0;
    if (method.length + target.length > this.bytes.length) return false;
    this.method = methodCode(method);
    this.#end = writeLatin1(this.bytes, 0, method);
    this.targetStart = this.#end;
    this.#end = writeLatin1(this.bytes, this.#end, target);
    this.targetEnd = this.#end;
    const query = target.indexOf('?');
    this.pathEnd = query < 0 ? this.targetEnd : this.targetStart + query;
    return true;
  }

  /** Adds a field as received; returns its index, or -1 if it does not fit. */
  add(name: string, value: string): number {
    const index = this.fieldCount;
    if (2 * index >= this.ends.length || this.#end + name.length + value.length > this.bytes.length)
      return NONE;
    const nameEnd = writeLatin1(this.bytes, this.#end, name);
    this.#end = writeLatin1(this.bytes, nameEnd, value);
    this.ends[2 * index] = nameEnd;
    this.ends[2 * index + 1] = this.#end;
    this.fieldBytes += name.length + value.length;
    this.fieldCount = index + 1;
    return index;
  }

  valueStart(field: number): number {
    return this.ends[2 * field] ?? 0;
  }

  valueEnd(field: number): number {
    return this.ends[2 * field + 1] ?? 0;
  }

  /** Latin-1 text of a range of bytes; for edges (events, logs), not for the hot path. */
  text(start: number, end: number): string {
    let out = '';
    for (let i = start; i < end; i++) out += String.fromCharCode(this.bytes[i] ?? 0);
    return out;
  }
}

/** Writes the low byte of each code unit (Node gives header bytes as latin-1 strings); returns the end. */
function writeLatin1(bytes: Uint8Array, start: number, text: string): number {
  const length = text.length;
  for (let i = 0; i < length; i++) bytes[start + i] = text.charCodeAt(i);
  return start + length;
}
