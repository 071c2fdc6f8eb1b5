// May this token name a principal? Signature by a key of the set, algorithm by the key's family, expiry, issuer, audience, claim.
// Synchronous and pure; costs one signature check (some 30 to 150 microseconds), so only the control thread calls it, off every
// request's way. Knows nothing of HTTP. Sources: RFC 7515, RFC 7518, RFC 7519 section 4.1, RFC 8037, RFC 8725.

import { constants, verify } from 'node:crypto';
import { JWT_LEEWAY_DEFAULT_SEC, type JwtRules } from '../../domain/identity.ts';
import { ALGORITHMS, type Algorithm, type VerifyKey } from './jwk.ts';
import { type ParsedToken, parseToken } from './jwt.ts';
import { member } from './strict-json.ts';

/** Why a token names nobody. Closed list: each has its counter. */
export const TOKEN_REFUSALS = [
  'malformed',
  'unsupported_header',
  'algorithm',
  'no_keys',
  'unknown_key',
  'signature',
  'expired',
  'not_yet_valid',
  'no_expiry',
  'issuer',
  'audience',
  'no_claim',
] as const;
export type TokenRefusal = (typeof TOKEN_REFUSALS)[number];

/** Keys that are tried for a token that names none. */
const KEYS_TRIED_MAX = 4;
const CLAIM_MAX_CHARS = 1024;
const SEC_MAX = 0xffff_ffff;

/** What a good token says. */
export interface VerifiedToken {
  /** Empty if the token has no `iss`. */
  readonly issuer: string;
  /** Value of the claim that names the principal. */
  readonly subject: string;
  /** Seconds since the epoch until which this holds, leeway included. */
  readonly endsSec: number;
}

export interface VerifyContext {
  readonly keys: readonly VerifyKey[];
  readonly rules: JwtRules;
  /** The claim that names the principal: `sub`, unless the policy says another. */
  readonly claim: string;
  readonly nowSec: number;
}

/** Judges a token; a word of TOKEN_REFUSALS if it names nobody. Never throws. */
export function verifyToken(bytes: Buffer, context: VerifyContext): VerifiedToken | TokenRefusal {
  const token = parseToken(bytes);
  if (typeof token === 'string') return token;
  // The claims are cheap to look at, so a token that could not count costs no signature check.
  const said = checkClaims(token, context);
  if (typeof said === 'string') return said;
  const refused = checkSignature(token, context.keys);
  return refused ?? said;
}

function checkClaims(token: ParsedToken, context: VerifyContext): VerifiedToken | TokenRefusal {
  const { claims } = token;
  const { rules, nowSec } = context;
  const leewaySec = rules.leewaySec ?? JWT_LEEWAY_DEFAULT_SEC;
  const exp = member(claims, 'exp');
  const nbf = member(claims, 'nbf');
  if (typeof exp !== 'number') return 'no_expiry';
  if (exp + leewaySec <= nowSec) return 'expired';
  if (nbf !== undefined && (typeof nbf !== 'number' || nbf - leewaySec > nowSec)) return 'not_yet_valid';
  const issuer = member(claims, 'iss') ?? '';
  if (typeof issuer !== 'string' || issuer.length > CLAIM_MAX_CHARS) return 'issuer';
  if (rules.issuers !== undefined && !rules.issuers.includes(issuer)) return 'issuer';
  if (rules.audiences !== undefined && !isFor(member(claims, 'aud'), rules.audiences)) return 'audience';
  const subject = member(claims, context.claim);
  if (typeof subject !== 'string' || subject === '' || subject.length > CLAIM_MAX_CHARS) return 'no_claim';
  return { issuer, subject, endsSec: Math.min(SEC_MAX, Math.floor(exp + leewaySec)) };
}

/** `aud` is a text or a list of texts (RFC 7519 section 4.1.3). */
function isFor(audience: unknown, wanted: readonly string[]): boolean {
  const list: readonly unknown[] = Array.isArray(audience) ? audience : [audience];
  return list.some((one) => typeof one === 'string' && wanted.includes(one));
}

/** Null if one key of the set made the signature. The key's family decides what is computed, never the token alone. */
function checkSignature(token: ParsedToken, keys: readonly VerifyKey[]): TokenRefusal | null {
  const algorithm = ALGORITHMS.get(token.alg);
  if (algorithm === undefined) return 'algorithm';
  if (keys.length === 0) return 'no_keys';
  const named = token.kid === null ? keys : keys.filter((key) => key.kid === token.kid);
  if (named.length === 0) return 'unknown_key';
  const fitting = named.filter(
    (key) => key.family === algorithm.family && (key.alg === null || key.alg === token.alg),
  );
  if (fitting.length === 0) return 'algorithm';
  return fitting.slice(0, KEYS_TRIED_MAX).some((key) => isSignedBy(token, algorithm, key))
    ? null
    : 'signature';
}

function isSignedBy(token: ParsedToken, algorithm: Algorithm, key: VerifyKey): boolean {
  const { hash, pss } = algorithm;
  const { signed, signature } = token;
  try {
    if (hash === null) return verify(null, signed, key.object, signature);
    if (algorithm.family !== 'RSA') {
      return verify(hash, signed, { key: key.object, dsaEncoding: 'ieee-p1363' }, signature);
    }
    const { RSA_PKCS1_PSS_PADDING, RSA_PKCS1_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants;
    if (!pss) return verify(hash, signed, { key: key.object, padding: RSA_PKCS1_PADDING }, signature);
    const options = { key: key.object, padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST };
    return verify(hash, signed, options, signature);
  } catch {
    return false;
  }
}
