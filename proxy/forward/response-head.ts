// The origin's response head -> what is passed on: raw order, case and duplicates kept, hop-by-hop fields removed, and
// nothing that Node's writeHead would choke on. Reads undici's raw buffers; writes nothing. Called by forward.ts.

import { STATUS_CODES } from 'node:http';
import { connectionNames, FIELD, fieldKind } from '../head-fields.ts';

export interface ResponseHead {
  readonly fields: string[];
  /** Content-Length, or -1. */
  readonly contentLength: number;
}

/** A byte that may not stand in a field (RFC 9110 section 5.5), looked for in whole head lines at once. */
const FORBIDDEN = /[^\t\r\n\x20-\x7e\x80-\xff]/;
const DIGITS = /^[0-9]{1,15}$/;

/** 200..599, and the informational ones that are passed on. */
export function isForwardableStatus(status: number): boolean {
  return (status >= 200 && status <= 599) || status === 102 || status === 103;
}

/** Null if the head must not be passed on: forbidden bytes, or framing that is not clear. */
export function readResponseHead(raw: readonly Buffer[], status: number): ResponseHead | null {
  const texts = textsOf(raw);
  return texts === null ? null : responseHeadOf(texts, status);
}

/** The same for texts: name and value in turn. */
export function responseHeadOf(texts: readonly string[], status: number): ResponseHead | null {
  const fields: string[] = [];
  let lengthField = '';
  let contentLength = -1;
  let named: Set<string> | null = null;
  for (let i = 0; i < texts.length; i += 2) {
    const name = texts[i] as string;
    const value = texts[i + 1] as string;
    switch (fieldKind(name)) {
      case FIELD.HOP:
      case FIELD.TRANSFER_ENCODING:
      case FIELD.UPGRADE:
        break;
      case FIELD.CONNECTION:
        named = union(named, connectionNames(value));
        break;
      case FIELD.CONTENT_LENGTH:
        if (contentLength >= 0 || !DIGITS.test(value)) return null;
        contentLength = Number(value);
        lengthField = name;
        break;
      default:
        fields.push(name, value);
    }
  }
  const kept = named === null ? fields : without(fields, named);
  // RFC 9110 section 8.6: never with 204. Last in the list: Node re-reads a Content-Disposition behind it as UTF-8.
  if (contentLength >= 0 && status !== 204) kept.push(lengthField, String(contentLength));
  return { fields: kept, contentLength: status === 204 ? -1 : contentLength };
}

function union(a: Set<string> | null, b: Set<string> | null): Set<string> | null {
  return a === null || b === null ? (a ?? b) : new Set([...a, ...b]);
}

function without(fields: readonly string[], named: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (!named.has((fields[i] as string).toLowerCase()))
      kept.push(fields[i] as string, fields[i + 1] as string);
  }
  return kept;
}

/** Trailer fields as texts, or null if one holds forbidden bytes or would change framing (RFC 9110 section 6.5.1). */
export function readTrailers(raw: readonly Buffer[]): string[] | null {
  if (raw.length === 0) return null;
  const texts = textsOf(raw);
  if (texts === null) return null;
  const out: string[] = [];
  for (let i = 0; i < texts.length; i += 2) {
    const kind = fieldKind(texts[i] as string);
    const framing = kind === FIELD.CONTENT_LENGTH || kind === FIELD.TRANSFER_ENCODING || kind === FIELD.HOST;
    if (!framing && kind !== FIELD.HOP && kind !== FIELD.CONNECTION) {
      out.push(texts[i] as string, texts[i + 1] as string);
    }
  }
  return out.length === 0 ? null : out;
}

/**
 * All names and values as latin-1 texts. When first and last are views on one buffer the head came in one packet, and undici
 * has joined none of its parts: it is decoded at once and cut, one native call instead of two per field.
 */
function textsOf(raw: readonly Buffer[]): string[] | null {
  const count = raw.length;
  if (count === 0) return [];
  const first = raw[0] as Buffer;
  const last = raw[count - 1] as Buffer;
  const base = first.byteOffset;
  const bytes = last.byteOffset + last.length - base;
  if (bytes < 0 || bytes > 65_536 || last.buffer !== first.buffer) return oneByOne(raw);
  const text = Buffer.from(first.buffer as ArrayBuffer, base, bytes).toString('latin1');
  if (FORBIDDEN.test(text)) return oneByOne(raw);
  const out: string[] = [];
  let end = 0;
  for (let i = 0; i < count; i++) {
    const buffer = raw[i] as Buffer;
    const at = buffer.byteOffset - base;
    if (at < end) return oneByOne(raw);
    end = at + buffer.length;
    out.push(text.slice(at, end));
  }
  return end > bytes ? oneByOne(raw) : out;
}

function oneByOne(raw: readonly Buffer[]): string[] | null {
  const out: string[] = [];
  for (const buffer of raw) {
    const text = buffer.toString('latin1');
    if (FORBIDDEN.test(text)) return null;
    out.push(text);
  }
  return out;
}

const PRINTABLE = /^[\t\x20-\x7e]*$/;

/**
 * The reason phrase to pass on: the origin's own if it is whole beyond doubt, else the standard one of the status.
 * undici loses the first part of a phrase that two packets share, so ours is compared with the bytes before the first field.
 */
export function reasonPhrase(status: number, text: string, raw: readonly Buffer[]): string {
  const standard = STATUS_CODES[status] ?? '';
  if (text === standard || !PRINTABLE.test(text)) return standard;
  const first = raw[0];
  const line = ` ${status} ${text}\r\n`;
  if (first === undefined || first.byteOffset < line.length) return standard;
  const before = Buffer.from(first.buffer as ArrayBuffer, first.byteOffset - line.length, line.length);
  return before.toString('latin1') === line ? text : standard;
}
