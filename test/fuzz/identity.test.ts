// Whatever arrives as a token, a key set or a forwarded certificate: an answer, never an exception, and never a principal
// without a signature. Good tokens are damaged one byte at a time; JSON is compared with JSON.parse; heads are searched.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeadView } from '../../domain/head-view.ts';
import { type IdentitySource, newRequestIdentity } from '../../domain/identity.ts';
import { sipHash128 } from '../../domain/siphash.ts';
import { HeadReader, RequestHead } from '../../proxy/head.ts';
import { Identifier } from '../../proxy/identify.ts';
import { KeyedHash } from '../../proxy/keyed-hash.ts';
import { compileSources } from '../../proxy/principal/compiled-source.ts';
import { parseJwks } from '../../proxy/principal/jwk.ts';
import { parseToken } from '../../proxy/principal/jwt.ts';
import { isSpiffeId } from '../../proxy/principal/spiffe.ts';
import { parseStrictObject } from '../../proxy/principal/strict-json.ts';
import { TOKEN_REFUSALS, verifyToken } from '../../proxy/principal/verify-token.ts';
import { xfccValue } from '../../proxy/principal/xfcc.ts';
import { keySet, Signer } from '../../proxy/testing/tokens.ts';

const NOW_SEC = 1_760_000_000;
const signer = new Signer('EdDSA', 'k');
const parsed = parseJwks(Buffer.from(keySet(signer)));
const keys = typeof parsed === 'string' ? [] : parsed.keys;
const context = { keys, rules: {}, claim: 'sub', nowSec: NOW_SEC };
const TOKEN = Buffer.from(signer.token({ sub: 'alice', exp: NOW_SEC + 600 }));

const part = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'eyJhbGciOiJFZERTQSJ9_-=+/'), maxLength: 40 }),
  fc.json().map((text) => Buffer.from(text).toString('base64url')),
  fc
    .dictionary(fc.constantFrom('alg', 'kid', 'typ', 'crit', 'exp', 'sub'), fc.jsonValue())
    .map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
);
const compact = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => Buffer.from(parts.join('.')));
const anyBytes = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

describe('tokens', () => {
  it('whatever the bytes, an answer of the closed list', () => {
    fc.assert(
      fc.property(fc.oneof(compact, anyBytes), (bytes) => {
        const token = parseToken(bytes);
        const outcome = verifyToken(bytes, context);
        expect(TOKEN_REFUSALS).toContain(outcome);
        if (typeof token === 'string') expect(outcome).toBe(token);
      }),
      { numRuns: 3000 },
    );
  });

  it('a good token with any byte changed, lost or added is good no more', () => {
    expect(verifyToken(TOKEN, context)).toMatchObject({ subject: 'alice' });
    const change = fc.record({
      at: fc.nat({ max: TOKEN.length - 1 }),
      byte: fc.nat({ max: 255 }),
      kind: fc.constantFrom('set', 'drop', 'insert'),
    });
    fc.assert(
      fc.property(change, ({ at, byte, kind }) => {
        const [before, after] = [TOKEN.subarray(0, at), TOKEN.subarray(at + (kind === 'insert' ? 0 : 1))];
        const damaged = Buffer.concat([before, kind === 'drop' ? Buffer.alloc(0) : Buffer.of(byte), after]);
        fc.pre(!damaged.equals(TOKEN));
        expect(TOKEN_REFUSALS).toContain(verifyToken(damaged, context));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('JSON', () => {
  it('is taken if JSON.parse takes it as an object, and only without a member twice', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (text) => {
        const value: unknown = JSON.parse(text);
        const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
        // fast-check writes each member of an object once.
        expect(parseStrictObject(Buffer.from(text))).toEqual(isObject ? value : null);
        if (isObject) expect(parseStrictObject(Buffer.from(`{"a":[${text}],"b":{"c":1,"c":2}}`))).toBeNull();
      }),
      { numRuns: 1000 },
    );
    fc.assert(fc.property(anyBytes, (bytes) => void parseStrictObject(bytes)));
  });

  it('any key set is a set or a reason', () => {
    const member = fc.constantFrom('kty', 'crv', 'n', 'e', 'x', 'y', 'kid', 'alg', 'use', 'key_ops');
    const word = fc.constantFrom('RSA', 'EC', 'OKP', 'P-256', 'Ed25519', 'AQAB', 'RS256', 'sig', '', 'AA');
    const key = fc.dictionary(member, fc.oneof(word, fc.jsonValue()));
    const set = fc.array(key, { maxLength: 5 }).map((list) => Buffer.from(JSON.stringify({ keys: list })));
    fc.assert(
      fc.property(fc.oneof(set, anyBytes), (bytes) => {
        const result = parseJwks(bytes);
        if (typeof result === 'string') expect(result).not.toBe('');
        else expect(result.keys.length).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('heads', () => {
  const SOURCES: readonly IdentitySource[] = [
    { kind: 'xfcc' },
    { kind: 'jwt_claim', claim: 'sub', cookie: 'jwt' },
    { kind: 'trusted_header', header: 'x-user' },
    { kind: 'bearer' },
    { kind: 'api_key', query: 'k' },
    { kind: 'api_key', header: 'x-api-key' },
    { kind: 'cookie', name: 's', survivesRefresh: true },
  ];
  const keyWords = Uint32Array.of(1, 2, 3, 4);

  function identify(
    view: HeadView,
    reader: HeadReader,
    former: boolean,
  ): ReturnType<typeof newRequestIdentity> {
    const head = {
      setKey: () => {},
      hash128: (start: number, end: number, out: Uint32Array) => {
        if (!(start >= 0 && start < end && end <= view.bytes.length))
          throw new RangeError(`${start}..${end}`);
        sipHash128(view.bytes, start, end, keyWords, out);
      },
    };
    const hash = new KeyedHash(
      { hasher: head, formerHasher: head },
      { current: keyWords, former: former ? keyWords : null, keyId: 1 },
    );
    const who = newRequestIdentity();
    const client = { text: '', ...hash.keyed(new Uint8Array(16)) };
    const sources = compileSources(SOURCES, false);
    new Identifier(hash, null).identify(
      { reader, client, trusted: true, certificate: null, sources, nowMs: 0 },
      who,
    );
    return who;
  }

  it('any value in any place is found within its bytes, or not at all', () => {
    const name = fc.constantFrom(
      'Authorization',
      'Cookie',
      'X-User',
      'X-Api-Key',
      'X-Forwarded-Client-Cert',
      'A',
    );
    const piece = fc.constantFrom(
      'Bearer ',
      's=',
      'jwt=',
      'URI=',
      ';',
      ',',
      '"',
      '\\',
      '%',
      '%4',
      '%41',
      '=',
      ' ',
      'x',
    );
    const value = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(''));
    const query = fc.array(fc.constantFrom('k=', '&', '%6b=', '+', '%', '?', 'v'), { maxLength: 8 });
    const fields = fc.array(fc.tuple(name, value), { maxLength: 5 });
    fc.assert(
      fc.property(fields, query, fc.boolean(), (pairs, parts, former) => {
        const view = new HeadView();
        const reader = new HeadReader(view);
        const rawHeaders = ['Host', 'a', ...pairs.flat()];
        const url = `/a?${parts.join('')}`;
        const raw = { method: 'GET', url, httpVersionMajor: 1, httpVersionMinor: 1, rawHeaders };
        expect(reader.read(raw, new RequestHead(), false)).toBeNull();
        const who = identify(view, reader, former);
        expect(who.formerKey === null).toBe(!former);
        if (former) expect(who.formerKey).toEqual(who.key);
        if (former) expect(who.formerPrincipalKey).toEqual(who.principalKey);
      }),
      { numRuns: 3000 },
    );
  });

  it('certificates and SPIFFE ids of any bytes', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const range = { start: 0, end: bytes.length };
        if (xfccValue(bytes, 'uri', range)) expect(range.end).toBeGreaterThan(range.start);
        isSpiffeId(bytes, 0, bytes.length);
      }),
      { numRuns: 2000 },
    );
  });
});
