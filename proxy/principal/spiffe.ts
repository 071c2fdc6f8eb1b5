// Is this text a SPIFFE id? By the bytes, so that the hot path can ask of a header's part.
// Source: SPIFFE-ID.md sections 2 and 2.4: spiffe://trust-domain/path, no port, user, query, fragment, escape or empty segment.

const PREFIX = Buffer.from('spiffe://');
export const SPIFFE_MAX_BYTES = 2048;
const TRUST_DOMAIN_MAX_BYTES = 255;
const SLASH = 0x2f;
const DOT = 0x2e;

/** True if bytes [start, end) are a SPIFFE id. */
export function isSpiffeId(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > SPIFFE_MAX_BYTES || end - start <= PREFIX.length) return false;
  for (let i = 0; i < PREFIX.length; i++) if (bytes[start + i] !== PREFIX[i]) return false;
  const domain = start + PREFIX.length;
  let at = domain;
  while (at < end && isDomainByte(bytes[at]!)) at++;
  if (at === domain || at - domain > TRUST_DOMAIN_MAX_BYTES) return false;
  while (at < end) {
    if (bytes[at] !== SLASH) return false;
    const segment = ++at;
    while (at < end && isPathByte(bytes[at]!)) at++;
    if (isDots(bytes, segment, at)) return false;
  }
  return true;
}

/** Empty, "." or "..". */
function isDots(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > 2) return false;
  for (let at = start; at < end; at++) if (bytes[at] !== DOT) return false;
  return true;
}

function isDomainByte(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || isDigitOrMark(byte);
}

function isPathByte(byte: number): boolean {
  const lower = byte | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || isDigitOrMark(byte);
}

/** Digits, ".", "-", "_". */
function isDigitOrMark(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === DOT || byte === 0x2d || byte === 0x5f;
}
