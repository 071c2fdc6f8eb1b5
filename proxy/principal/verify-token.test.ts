// Which tokens may name a principal, and which may not: published vectors, every algorithm, and the known ways to cheat
// (RFC 8725): confusion of algorithms, none, other keys, time, issuer, audience, double members, other spellings.

import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JwtRules } from '../../domain/identity.ts';
import { hmacToken, keySet, SIGNING_ALGS, Signer } from '../testing/tokens.ts';
import { parseJwks, type VerifyKey } from './jwk.ts';
import { verifyToken } from './verify-token.ts';

const VECTORS = JSON.parse(
  readFileSync(new URL('../../test/fixtures/jws-vectors.json', import.meta.url), 'utf8'),
) as { source: string; header: string; claims: string; signature: string; jwk: object }[];
const NOW_SEC = 1_760_000_000;
const CLAIMS = { iss: 'https://login.test', sub: 'alice', aud: 'orders', exp: NOW_SEC + 600 };

const signers = new Map<string, Signer>();
beforeAll(() => {
  for (const alg of SIGNING_ALGS) signers.set(alg, new Signer(alg, `key-${alg}`));
});

function keysOf(set: string): readonly VerifyKey[] {
  const parsed = parseJwks(Buffer.from(set));
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed.keys;
}

interface Asked {
  readonly keys?: string;
  readonly rules?: JwtRules;
  readonly claim?: string;
  readonly nowSec?: number;
}

function judge(token: string, asked: Asked = {}) {
  const keys = keysOf(asked.keys ?? keySet(...signers.values()));
  const { rules = {}, claim = 'sub', nowSec = NOW_SEC } = asked;
  return verifyToken(Buffer.from(token, 'latin1'), { keys, rules, claim, nowSec });
}

const rs = (): Signer => signers.get('RS256') as Signer;
const es = (): Signer => signers.get('ES256') as Signer;
const GOOD = { issuer: 'https://login.test', subject: 'alice', endsSec: NOW_SEC + 660 };

describe('good tokens', () => {
  it.each(SIGNING_ALGS)('%s', (alg) => {
    expect(judge(signers.get(alg)!.token(CLAIMS))).toEqual(GOOD);
  });

  it('Ed25519 is another name of EdDSA; a token without kid is tried with all keys that fit', () => {
    expect(judge(signers.get('EdDSA')!.token(CLAIMS, { alg: 'Ed25519' }))).toEqual(GOOD);
    expect(judge(es().token(CLAIMS, { kid: undefined, typ: undefined }))).toEqual(GOOD);
    expect(judge(rs().token(CLAIMS, { typ: 'application/at+jwt' }))).toEqual(GOOD);
  });

  it('another claim by policy; no issuer is the empty one', () => {
    const token = rs().token({ sub: 'alice', client_id: 'shop-app', exp: NOW_SEC + 1 });
    expect(judge(token, { claim: 'client_id' })).toEqual({
      issuer: '',
      subject: 'shop-app',
      endsSec: NOW_SEC + 61,
    });
  });

  it.each(VECTORS)('the vector of $source', ({ header, claims, signature, jwk }) => {
    // Its claims have no subject: the issuer stands for it.
    const asked = { keys: JSON.stringify({ keys: [jwk] }), claim: 'iss', nowSec: 1_300_819_000 };
    expect(judge(`${header}.${claims}.${signature}`, asked)).toMatchObject({ subject: 'joe' });
    const other = `${signature.startsWith('c') ? 'd' : 'E'}${signature.slice(1)}`;
    expect(judge(`${header}.${claims}.${other}`, asked)).toBe('signature');
  });
});

describe('algorithms', () => {
  it('HS256 with the public key as secret is refused, in any spelling of the key', () => {
    const { publicKey, kid } = rs();
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const der = publicKey.export({ type: 'spki', format: 'der' });
    for (const secret of [pem, der]) expect(judge(hmacToken(secret, CLAIMS, { kid }))).toBe('algorithm');
  });

  it('a symmetric key in the set is not taken', () => {
    const oct = { kty: 'oct', k: Buffer.from('secret').toString('base64url'), kid: 'o', alg: 'HS256' };
    const keys = JSON.stringify({ keys: [oct, rs().jwk] });
    expect(keysOf(keys)).toHaveLength(1);
    expect(judge(hmacToken('secret', CLAIMS, { kid: 'o' }), { keys })).toBe('algorithm');
    expect(parseJwks(Buffer.from(JSON.stringify({ keys: [oct] })))).toContain('none of its 1 keys');
  });

  it.each(['none', 'None', 'nOnE', '', 'RS1', 'ES256K', 'HS512', 'rs256'])('alg %j is refused', (alg) => {
    const signed = rs().token(CLAIMS, { alg });
    expect(judge(signed)).toBe('algorithm');
    expect(judge(`${signed.slice(0, signed.lastIndexOf('.'))}.`)).toBe('algorithm');
  });

  it('an algorithm of another family, or another than the set allows the key for, is refused', () => {
    expect(judge(es().token(CLAIMS, { alg: 'RS256' }))).toBe('algorithm');
    expect(judge(rs().token(CLAIMS, { alg: 'ES256' }))).toBe('algorithm');
    expect(judge(signers.get('ES384')!.token(CLAIMS, { alg: 'ES256' }))).toBe('algorithm');
    const pinned = JSON.stringify({ keys: [{ ...rs().jwk, alg: 'PS256' }] });
    expect(judge(rs().token(CLAIMS), { keys: pinned })).toBe('algorithm');
    expect(judge(rs().token(CLAIMS, { alg: 'RS512' }))).toBe('signature');
    expect(judge(rs().token(CLAIMS, { alg: 'PS256' }))).toBe('signature');
  });

  it('an ECDSA signature in DER, or of zeros, is refused', () => {
    const token = es().token(CLAIMS);
    const signed = token.slice(0, token.lastIndexOf('.'));
    const der = sign('sha256', Buffer.from(signed), es().privateKey).toString('base64url');
    expect(judge(`${signed}.${der}`)).toBe('signature');
    expect(judge(`${signed}.${Buffer.alloc(64).toString('base64url')}`)).toBe('signature');
    expect(judge(`${signed}.`)).toBe('signature');
  });
});

describe('keys', () => {
  it('a kid that the set lacks is unknown; one that it has with other bits is a wrong signature', () => {
    const stranger = new Signer('ES256', 'stranger');
    expect(judge(stranger.token(CLAIMS))).toBe('unknown_key');
    expect(judge(stranger.token(CLAIMS, { kid: es().kid }))).toBe('signature');
    expect(judge(stranger.token(CLAIMS, { kid: undefined }))).toBe('signature');
    expect(
      verifyToken(Buffer.from(rs().token(CLAIMS)), { keys: [], rules: {}, claim: 'sub', nowSec: NOW_SEC }),
    ).toBe('no_keys');
  });

  it('a key that the token brings along, or points to, counts nothing', () => {
    const stranger = new Signer('ES256', 'stranger');
    const header = { kid: undefined, jwk: stranger.jwk, jku: 'https://evil.test/jwks', x5c: ['AAAA'] };
    expect(judge(stranger.token(CLAIMS, header))).toBe('signature');
  });

  it('only public signature keys of enough strength come out of a set', () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
    const x25519 = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' });
    const k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'jwk' });
    const odd = [
      { ...rs().jwk, use: 'enc' },
      { ...rs().jwk, key_ops: ['sign'] },
      { ...rs().jwk, alg: 'ES256' },
      { ...rs().jwk, kid: 7 },
      { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' },
      ...[weak, x25519, k1, null, 'key', [], {}],
    ];
    expect(parseJwks(Buffer.from(JSON.stringify({ keys: [...odd, es().jwk] })))).toMatchObject({
      keys: [{ kid: es().kid, family: 'P-256' }],
      skipped: odd.length,
    });
  });

  it('a set that leaks its private key gives a public one', () => {
    const jwk = { ...rs().privateKey.export({ format: 'jwk' }), kid: 'leaky' };
    const [key] = keysOf(JSON.stringify({ keys: [jwk] }));
    expect(key?.object.type).toBe('public');
    expect(key?.print).toBe(
      createPublicKey(rs().privateKey).export({ type: 'spki', format: 'der' }).toString('base64'),
    );
  });

  it.each([
    '',
    '{}',
    '[]',
    '{"keys":{}}',
    '{"keys":[]}',
    '{"keys":[],"keys":[]}',
    `{"keys":[${'{},'.repeat(64)}{}]}`,
  ])('no set: %.40s', (text) => {
    expect(typeof parseJwks(Buffer.from(text))).toBe('string');
  });
});

describe('claims', () => {
  const say = (claims: Record<string, unknown>, asked: Asked = {}) =>
    judge(rs().token({ ...CLAIMS, ...claims }), asked);

  it('expiry and not-before, with leeway', () => {
    expect(say({ exp: NOW_SEC - 59 })).toMatchObject({ endsSec: NOW_SEC + 1 });
    expect(say({ exp: NOW_SEC - 60 })).toBe('expired');
    expect(say({ exp: NOW_SEC }, { rules: { leewaySec: 0 } })).toBe('expired');
    expect(say({ exp: undefined })).toBe('no_expiry');
    expect(say({ exp: String(NOW_SEC + 600) })).toBe('no_expiry');
    expect(say({ nbf: NOW_SEC + 60 })).toEqual(GOOD);
    expect(say({ nbf: NOW_SEC + 61 })).toBe('not_yet_valid');
    expect(say({ nbf: 'soon' })).toBe('not_yet_valid');
    expect(judge(rs().token('{"sub":"a","exp":1e999}'))).toMatchObject({ endsSec: 0xffff_ffff });
  });

  it('issuer and audience, where the policy names them', () => {
    const rules = { issuers: ['https://login.test'], audiences: ['orders', 'cart'] };
    expect(say({}, { rules })).toEqual(GOOD);
    expect(say({ aud: ['x', 'cart'] }, { rules })).toEqual(GOOD);
    expect(say({ iss: 'https://login.test/' }, { rules })).toBe('issuer');
    expect(say({ iss: undefined }, { rules })).toBe('issuer');
    expect(say({ iss: ['https://login.test'] })).toBe('issuer');
    expect(say({ aud: 'ORDERS' }, { rules })).toBe('audience');
    expect(say({ aud: undefined }, { rules })).toBe('audience');
    expect(say({ aud: [['orders']] }, { rules })).toBe('audience');
  });

  it('the subject is a text that says something, and the claim an own member', () => {
    for (const sub of ['', 7, null, { a: 1 }, ['alice'], 'a'.repeat(1025)])
      expect(say({ sub })).toBe('no_claim');
    expect(say({}, { claim: 'toString' })).toBe('no_claim');
    expect(judge(rs().token(`{"__proto__":{"sub":"root"},"exp":${NOW_SEC + 9}}`))).toBe('no_claim');
  });
});

describe('spellings', () => {
  const claims = JSON.stringify(CLAIMS);
  const header = (): string => JSON.stringify({ alg: 'RS256', kid: rs().kid });

  it('a member twice, at any depth, in header or claims', () => {
    const twice = `{"sub":"bob","exp":${NOW_SEC + 600},"sub":"alice"}`;
    const escaped = `{"sub":"bob","exp":${NOW_SEC + 600},"s\\u0075b":"alice"}`;
    const deep = `{"sub":"bob","exp":${NOW_SEC + 600},"act":{"a":1,"b":[{"c":1,"c":2}]}}`;
    for (const text of [twice, escaped, deep]) expect(judge(rs().rawToken(header(), text))).toBe('malformed');
    expect(judge(rs().rawToken('{"alg":"none","alg":"RS256"}', claims))).toBe('malformed');
    expect(judge(rs().rawToken(header(), `${claims.slice(0, -1)},"a":{"sub":1},"b":["sub","sub"]}`))).toEqual(
      GOOD,
    );
  });

  it('extensions, other types, nesting and compression', () => {
    for (const more of [
      { crit: ['exp'] },
      { crit: [] },
      { b64: false },
      { cty: 'JWT' },
      { zip: 'DEF' },
      { enc: 'A' },
    ])
      expect(judge(rs().token(CLAIMS, more)), JSON.stringify(more)).toBe('unsupported_header');
    for (const typ of ['dpop+jwt', 'secevent+jwt', 'logout+jwt', 7, '', null])
      expect(judge(rs().token(CLAIMS, { typ })), String(typ)).toBe('unsupported_header');
    for (const kid of [7, null, 'k'.repeat(513)])
      expect(judge(rs().token(CLAIMS, { kid })), String(kid)).toBe('unsupported_header');
    for (const alg of [null, 256, ['RS256']])
      expect(judge(rs().token(CLAIMS, { alg }))).toBe('unsupported_header');
  });

  it('padding, other alphabets, loose bits, white space, missing and further parts, size', () => {
    const token = rs().token(CLAIMS);
    const [head = '', body = '', signature = ''] = token.split('.');
    const last = signature.at(-1) === 'A' ? 'B' : 'A';
    const loose = new Signer('EdDSA', 'x').token(CLAIMS);
    const bad = [
      `${head}=.${body}.${signature}`,
      `${head}.${body}.${signature}==`,
      ` ${token}`,
      `${head}.${body} .${signature}`,
      `${head}.${body}`,
      `${token}.`,
      `${token}.x`,
      `.${body}.${signature}`,
      `${head}..${signature}`,
      `${head}.${body}.${signature.replace(/[-_]/, '+')}+`,
      // 64 bytes end on 4 loose bits that must be zero.
      `${loose.slice(0, -1)}B`,
      rs().rawToken(header(), '\ufeff{}'),
      rs().rawToken(header(), '["sub"]'),
      rs().rawToken(header(), 'null'),
      rs().rawToken(header(), `{"a":${'['.repeat(17)}${']'.repeat(17)}}`),
      rs().token({ ...CLAIMS, pad: 'x'.repeat(8192) }),
      '',
      '..',
      'eyJ',
    ];
    for (const one of bad) expect(judge(one), one.slice(0, 60)).toBe('malformed');
    expect(judge(`${head}.${body}.${last}${signature.slice(1)}`)).toBe('signature');
  });
});
