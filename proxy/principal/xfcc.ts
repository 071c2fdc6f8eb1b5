// X-Forwarded-Client-Cert as Envoy and Istio write it: elements parted by commas, each of key=value pairs parted by semicolons,
// values in double quotes where they need it. The last element is read: it is what the nearest proxy, the trusted one, says of
// the certificate that it was shown; elements before it came with the request. Strict: any flaw anywhere and nobody is named.
// Source: Envoy, "HTTP header manipulation", x-forwarded-client-cert. Called by locate.ts; allocates nothing.

import type { XfccPart } from '../../domain/identity.ts';

const SPACE = 0x20;
const TAB = 0x09;
const QUOTE = 0x22;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

const PARTS: Readonly<Record<XfccPart, Uint8Array>> = {
  uri: Buffer.from('uri'),
  subject: Buffer.from('subject'),
  hash: Buffer.from('hash'),
};

/** A range of bytes; read and then overwritten. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * Narrows `range` from the whole header value to the value of `part` in its last element, without its quotes. False if that
 * element has none, or more than one, or it is empty, or the header is malformed. Escapes within quotes stay as they are.
 */
export function xfccValue(bytes: Uint8Array, part: XfccPart, range: ByteRange): boolean {
  const wanted = PARTS[part];
  const { end } = range;
  let at = range.start;
  let found = 0;
  for (;;) {
    const key = at;
    while (at < end && isKeyByte(bytes[at]!)) at++;
    if (at === key || at >= end || bytes[at] !== EQUALS) return false;
    const isWanted = equalsFolded(bytes, key, at, wanted);
    const quoted = at + 1 < end && bytes[at + 1] === QUOTE;
    const start = at + (quoted ? 2 : 1);
    const stop = quoted ? endOfQuoted(bytes, start, end) : endOfPlain(bytes, start, end);
    if (stop < 0) return false;
    if (isWanted) {
      found++;
      range.start = start;
      range.end = stop;
    }
    at = quoted ? stop + 1 : stop;
    if (at === end) return found === 1 && range.end > range.start;
    if (bytes[at] === COMMA) {
      found = 0;
      at++;
      while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
    } else if (bytes[at] === SEMICOLON) at++;
    else return false;
  }
}

/** Place of the closing quote, or -1. */
function endOfQuoted(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at < end ? at : -1;
}

/** Place of the separator or the end, or -1 at a byte that such a value must not have. */
function endOfPlain(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  for (; at < end && bytes[at] !== SEMICOLON && bytes[at] !== COMMA; at++) {
    if (bytes[at] === QUOTE || bytes[at] === BACKSLASH || bytes[at]! <= SPACE || bytes[at]! >= 0x7f)
      return -1;
  }
  return at;
}

function isKeyByte(byte: number): boolean {
  const lower = byte | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || byte === 0x2d || byte === 0x5f;
}

function equalsFolded(bytes: Uint8Array, start: number, end: number, lower: Uint8Array): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) if ((bytes[start + i]! | 0x20) !== lower[i]) return false;
  return true;
}
