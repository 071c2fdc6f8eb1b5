// The single rules of a request head: version, method, target, Host, framing values. Pure; each answers a refusal or null.
// The order in which they run, and what is forwarded, is head.ts's business. Sources: RFC 9110, RFC 9112.

import type { RefusalCode } from '../domain/refusal.ts';

/** A reason code and, where the code has two, which status. */
export interface HeadRefusal {
  readonly code: RefusalCode;
  readonly status?: number;
}

export function refusal(code: RefusalCode, status?: number): HeadRefusal {
  return status === undefined ? { code } : { code, status };
}

/** Everything but visible ASCII, and "#" (RFC 9112 section 3.2). */
const ODD_TARGET = /[^\x21-\x22\x24-\x7e]/;
const FORBIDDEN_TARGET = /[^\x21-\x7e]/;
/** uri-host [ ":" port ] of RFC 9110 section 7.2, without userinfo; "," is taken for an attempt at two hosts. */
const AUTHORITY = /^(?:[A-Za-z0-9\-._~!$&'()*+;=%]+|\[[0-9A-Za-z:.%_~-]+\])(?::[0-9]*)?$/;
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//;

/** Only 1.0 and 1.1; Node's parser also lets 0.9 and 2.0 pass. */
export function checkVersion(major: number, minor: number): HeadRefusal | null {
  return major === 1 && (minor === 1 || minor === 0) ? null : refusal('protocol.version', 505);
}

/** Characters of a target, whatever its form. */
export function checkTargetChars(target: string): HeadRefusal | null {
  if (!ODD_TARGET.test(target)) return null;
  return refusal(FORBIDDEN_TARGET.test(target) ? 'protocol.target_chars' : 'protocol.target_fragment');
}

/** A target that does not start with "/": `*`, absolute-form, or neither. `origin` is filled for an absolute one. */
export function readOtherTarget(method: string, target: string): OtherTarget | HeadRefusal {
  if (target === '*') {
    return method === 'OPTIONS' ? refusal('protocol.options_asterisk') : refusal('protocol.target_form');
  }
  const scheme = SCHEME.exec(target);
  if (scheme === null) return refusal('protocol.target_form');
  const name = (scheme[1] as string).toLowerCase();
  const start = (scheme[0] as string).length;
  let end = start;
  while (end < target.length && target[end] !== '/' && target[end] !== '?') end++;
  const authority = target.slice(start, end);
  if ((name !== 'http' && name !== 'https') || !AUTHORITY.test(authority)) {
    return refusal('protocol.target_absolute');
  }
  const rest = target.slice(end);
  return {
    authority: normalAuthority(authority, name),
    scheme: name,
    origin: rest[0] === '/' ? rest : `/${rest}`,
  };
}

export interface OtherTarget {
  /** Lower case, default port left out. */
  readonly authority: string;
  readonly scheme: string;
  /** The same target in origin-form. */
  readonly origin: string;
}

export function isHost(value: string): boolean {
  return AUTHORITY.test(value);
}

/** Lower case, without the default port of the scheme (RFC 9110 section 4.2.3). */
export function normalAuthority(authority: string, scheme: string): string {
  const lower = authority.toLowerCase();
  const port = scheme === 'https' ? ':443' : ':80';
  if (lower.endsWith(port)) return lower.slice(0, -port.length);
  return lower.endsWith(':') ? lower.slice(0, -1) : lower;
}

const DIGITS = /^[0-9]+$/;

/** Content-Length as a number, or a refusal (RFC 9110 section 8.6). */
export function readContentLength(value: string): number | HeadRefusal {
  if (!DIGITS.test(value)) return refusal('protocol.content_length');
  const length = Number(value);
  return length <= Number.MAX_SAFE_INTEGER ? length : refusal('limit.content_length');
}

/** Transfer-Encoding lines, joined: exactly one `chunked` (RFC 9112 section 6.1). */
export function checkTransferEncoding(value: string): HeadRefusal | null {
  if (value === 'chunked') return null;
  const codings = value
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim());
  if (codings.length === 1 && codings[0] === 'chunked') return null;
  const last = codings.length - 1;
  const known =
    codings[last] === 'chunked' &&
    codings.every((coding, i) => i === last || /^[a-z-]+$/.test(coding)) &&
    codings.indexOf('chunked') === last;
  return known ? refusal('protocol.transfer_coding', 501) : refusal('protocol.transfer_coding');
}
