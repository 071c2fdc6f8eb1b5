// A JWT in compact form taken apart: three parts of canonical base64url, header and claims as strict JSON, and nothing believed
// yet. Sources: RFC 7515 sections 3.1 and 4, RFC 7519, RFC 8725. Checks no signature and no claim: verify-token.ts does.

import { member, parseStrictObject } from './strict-json.ts';

/** Longest token that is looked at, bytes. The head limit is twice that. */
export const TOKEN_MAX_BYTES = 8 * 1024;
const KID_MAX_CHARS = 512;
const ALG_MAX_CHARS = 32;

/** Types that are (or may be) tokens of access or identity; others are made for something else (RFC 8725 section 3.11). */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'id+jwt', 'jwt-svid', 'jose']);

export interface ParsedToken {
  readonly alg: string;
  /** Null if the header names no key. */
  readonly kid: string | null;
  /** The bytes that were signed. */
  readonly signed: Buffer;
  readonly signature: Buffer;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Why a token cannot be read as a JWT. */
export type TokenFlaw = 'malformed' | 'unsupported_header';

/** Takes a token apart. Never throws. */
export function parseToken(bytes: Buffer): ParsedToken | TokenFlaw {
  if (bytes.length > TOKEN_MAX_BYTES) return 'malformed';
  const text = bytes.toString('latin1');
  const firstDot = text.indexOf('.');
  const lastDot = text.lastIndexOf('.');
  if (firstDot <= 0 || lastDot === firstDot || text.indexOf('.', firstDot + 1) !== lastDot)
    return 'malformed';
  const header = jsonPart(text.slice(0, firstDot));
  const claims = jsonPart(text.slice(firstDot + 1, lastDot));
  const signature = decodePart(text.slice(lastDot + 1));
  if (header === null || claims === null || signature === null) return 'malformed';
  const alg = member(header, 'alg');
  const kid = member(header, 'kid');
  if (typeof alg !== 'string' || alg.length > ALG_MAX_CHARS) return 'unsupported_header';
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > KID_MAX_CHARS))
    return 'unsupported_header';
  if (!isPlainHeader(header)) return 'unsupported_header';
  return { alg, kid: kid ?? null, signed: bytes.subarray(0, lastDot), signature, claims };
}

/** No critical extension (RFC 7515 section 4.1.11), not another kind of token, not one JWT within another, not compressed. */
function isPlainHeader(header: Readonly<Record<string, unknown>>): boolean {
  for (const name of ['crit', 'b64', 'cty', 'zip', 'enc'])
    if (member(header, name) !== undefined) return false;
  const typ = member(header, 'typ');
  if (typ === undefined) return true;
  return typeof typ === 'string' && TYPES.has(typ.toLowerCase().replace(/^application\//, ''));
}

function jsonPart(part: string): Readonly<Record<string, unknown>> | null {
  const bytes = decodePart(part);
  return bytes === null ? null : parseStrictObject(bytes);
}

/** Base64url without padding, in its one canonical spelling (RFC 4648 section 3.5): Node's decoder would take more. */
function decodePart(part: string): Buffer | null {
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : null;
}
