// Keys and signed tokens for tests, made with node:crypto: what an identity provider would do. Signs anything it is told to,
// also what no provider would.

import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export type SigningAlg = 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'ES256' | 'ES384' | 'EdDSA';
export const SIGNING_ALGS: readonly SigningAlg[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'ES256',
  'ES384',
  'EdDSA',
];

type Json = Readonly<Record<string, unknown>>;

const PSS = { padding: 6, saltLength: 32 } as const;

function encode(value: Json | string): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** One key pair of an identity provider. */
export class Signer {
  readonly alg: SigningAlg;
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;

  constructor(alg: SigningAlg, kid: string) {
    const pair =
      alg === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : alg.startsWith('ES')
          ? generateKeyPairSync('ec', { namedCurve: alg === 'ES256' ? 'P-256' : 'P-384' })
          : generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.alg = alg;
    this.kid = kid;
    this.privateKey = pair.privateKey;
    this.publicKey = pair.publicKey;
  }

  get jwk(): Json {
    return { ...this.publicKey.export({ format: 'jwk' }), kid: this.kid, use: 'sig' };
  }

  /** A token; header members are added to `alg` and `kid`, undefined ones are left out. */
  token(claims: Json | string, header: Json = {}): string {
    const signed = `${encode({ alg: this.alg, kid: this.kid, typ: 'JWT', ...header })}.${encode(claims)}`;
    return `${signed}.${this.signature(Buffer.from(signed)).toString('base64url')}`;
  }

  /** A token whose header is written as it stands. */
  rawToken(header: string, claims: string): string {
    const signed = `${encode(header)}.${encode(claims)}`;
    return `${signed}.${this.signature(Buffer.from(signed)).toString('base64url')}`;
  }

  signature(bytes: Buffer): Buffer {
    const { alg, privateKey: key } = this;
    if (alg === 'EdDSA') return sign(null, bytes, key);
    const hash = `sha${alg.slice(2)}`;
    if (alg.startsWith('ES')) return sign(hash, bytes, { key, dsaEncoding: 'ieee-p1363' });
    return alg.startsWith('PS') ? sign(hash, bytes, { key, ...PSS }) : sign(hash, bytes, key);
  }
}

export function keySet(...signers: readonly Signer[]): string {
  return JSON.stringify({ keys: signers.map((signer) => signer.jwk) });
}

/** A token under HS256, as in the attack that takes a public key for the shared secret. */
export function hmacToken(secret: string | Buffer, claims: Json, header: Json = {}): string {
  const signed = `${encode({ alg: 'HS256', ...header })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
