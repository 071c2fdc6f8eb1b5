// A JSON Web Key Set (RFC 7517) -> keys that can verify, or why it is none. Only public signature keys of families that are
// allowed come through; a key that does not is left out and counted, so that one odd key does not cost the others.
// Symmetric keys are never taken: who could verify with one could also sign. Called by jwks-keeper.ts.

import { createPublicKey, type KeyObject, type webcrypto } from 'node:crypto';
import { member, parseStrictObject } from './strict-json.ts';

/** Largest key set that is read, bytes, and most keys of it. */
export const JWKS_MAX_BYTES = 256 * 1024;
const KEYS_MAX = 64;
const RSA_MIN_BITS = 2048;
const RSA_MAX_BITS = 8192;

export type KeyFamily = 'RSA' | 'P-256' | 'P-384' | 'Ed25519';

/** How an algorithm of RFC 7518 and RFC 8037 is checked: by a key of one family only, whatever the token would like. */
export interface Algorithm {
  readonly family: KeyFamily;
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null;
  readonly pss: boolean;
}

const ALGORITHM_TABLE: Readonly<Record<string, Algorithm>> = {
  RS256: { family: 'RSA', hash: 'sha256', pss: false },
  RS384: { family: 'RSA', hash: 'sha384', pss: false },
  RS512: { family: 'RSA', hash: 'sha512', pss: false },
  PS256: { family: 'RSA', hash: 'sha256', pss: true },
  ES256: { family: 'P-256', hash: 'sha256', pss: false },
  ES384: { family: 'P-384', hash: 'sha384', pss: false },
  EdDSA: { family: 'Ed25519', hash: null, pss: false },
  // The name that RFC 9864 gives EdDSA with this curve.
  Ed25519: { family: 'Ed25519', hash: null, pss: false },
};
export const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map(Object.entries(ALGORITHM_TABLE));

export interface VerifyKey {
  /** Null if the set does not name it. */
  readonly kid: string | null;
  readonly family: KeyFamily;
  /** The one algorithm that the set allows it for; null: any of its family. */
  readonly alg: string | null;
  readonly object: KeyObject;
  /** Tells keys apart: SPKI in base64. */
  readonly print: string;
}

export interface KeySet {
  readonly keys: readonly VerifyKey[];
  /** Keys of the set that cannot verify tokens here. */
  readonly skipped: number;
}

/** Reads a key set; a text says why it is none. Never throws. */
export function parseJwks(bytes: Uint8Array): KeySet | string {
  if (bytes.length > JWKS_MAX_BYTES) return `larger than ${JWKS_MAX_BYTES} bytes`;
  const root = parseStrictObject(bytes);
  const list = root === null ? undefined : member(root, 'keys');
  if (!Array.isArray(list)) return 'no JSON object with a list "keys" (RFC 7517 section 5)';
  if (list.length > KEYS_MAX) return `more than ${KEYS_MAX} keys`;
  const keys = (list as unknown[]).map(readKey).filter((key) => key !== null);
  if (keys.length === 0)
    return `none of its ${list.length} keys is a public RSA, P-256, P-384 or Ed25519 key`;
  return { keys, skipped: list.length - keys.length };
}

/** One key, or null if it is not for verifying tokens. */
function readKey(value: unknown): VerifyKey | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const jwk = value as Readonly<Record<string, unknown>>;
  const family = familyOf(jwk);
  if (family === null || !isForVerifying(jwk)) return null;
  const kid = member(jwk, 'kid');
  const alg = member(jwk, 'alg');
  if (kid !== undefined && typeof kid !== 'string') return null;
  if (alg !== undefined && ALGORITHMS.get(String(alg))?.family !== family) return null;
  const object = publicKey(jwk, family);
  if (object === null) return null;
  const print = object.export({ type: 'spki', format: 'der' }).toString('base64');
  return { kid: kid ?? null, family, alg: alg === undefined ? null : String(alg), object, print };
}

function familyOf(jwk: Readonly<Record<string, unknown>>): KeyFamily | null {
  const kty = member(jwk, 'kty');
  const crv = member(jwk, 'crv');
  if (kty === 'RSA') return 'RSA';
  if (kty === 'EC' && (crv === 'P-256' || crv === 'P-384')) return crv;
  return kty === 'OKP' && crv === 'Ed25519' ? crv : null;
}

/** `use` and `key_ops`, where they stand (RFC 7517 sections 4.2 and 4.3). */
function isForVerifying(jwk: Readonly<Record<string, unknown>>): boolean {
  const use = member(jwk, 'use');
  const operations = member(jwk, 'key_ops');
  if (use !== undefined && use !== 'sig') return false;
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'));
}

/** Made of the public members only, so that a set that leaks private keys is used no further than any other. */
function publicKey(jwk: Readonly<Record<string, unknown>>, family: KeyFamily): KeyObject | null {
  const names = family === 'RSA' ? ['kty', 'n', 'e'] : ['kty', 'crv', 'x', 'y'];
  const key: Record<string, string> = {};
  for (const name of names) {
    const part = member(jwk, name);
    if (typeof part === 'string') key[name] = part;
  }
  try {
    const object = createPublicKey({ key: key as webcrypto.JsonWebKey, format: 'jwk' });
    const bits = object.asymmetricKeyDetails?.modulusLength ?? 0;
    return family !== 'RSA' || (bits >= RSA_MIN_BITS && bits <= RSA_MAX_BITS) ? object : null;
  } catch {
    return null;
  }
}
