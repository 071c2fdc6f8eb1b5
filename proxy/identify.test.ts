// Who is asking: order of the sources, what counts as a credential, that only its hash is kept, and what a rotation adds.

import { describe, expect, it } from 'vitest';
import type { IdentitySource } from '../domain/identity.ts';
import { KeyedHash } from './keyed-hash.ts';
import { bearer, engine, FORMER, KEY, who } from './testing/identified.ts';

describe('credentials', () => {
  it.each([
    ['bearer', ['Authorization', 'Bearer abc']],
    ['bearer', ['authorization', 'bEARER abc', 'X-Api-Key', 'k', 'Cookie', 'session=1']],
    ['api_key', ['x-api-key', 'k', 'Cookie', 'session=1']],
    ['api_key', ['Authorization', 'Basic abc', 'X-API-KEY', 'k']],
    ['api_key', ['Authorization', 'Bearer ', 'X-Api-Key', 'k']],
    ['cookie', ['Cookie', 'a=1; session=abc; b=2']],
    ['cookie', ['Cookie', 'a=1', 'Cookie', ' session=abc']],
    ['address', ['Cookie', 'a=1; xsession=abc; session']],
    ['address', ['Cookie', 'session=']],
    ['address', ['Cookie', 'session=""']],
    ['address', ['X-Api-Key', '']],
    [
      'address',
      ['Connection', 'authorization, x-api-key, cookie', 'Authorization', 'Bearer a', 'Cookie', 'session=1'],
    ],
    ['address', []],
  ])('%s: %j', (kind, fields) => {
    expect(who(fields).kind).toBe(kind);
  });

  it('the same secret is the same identity, wherever it stands; another is another', () => {
    const one = who(['Cookie', 'a=1; session=abc; b=2']);
    expect(who(['X', 'y', 'Cookie', 'session=abc'])).toEqual(one);
    expect(who(['Cookie', 'session=abd']).key).not.toBe(one.key);
  });

  it('one secret shown in two ways is two identities', () => {
    const keys = [
      ['Authorization', 'Bearer abc'],
      ['X-Api-Key', 'abc'],
      ['Cookie', 'session=abc'],
    ].map((f) => who(f).key);
    expect(new Set(keys).size).toBe(3);
  });

  it('without a credential the address is the identity', () => {
    const { kind, key, address, principal, by } = who([]);
    expect({ kind, key, principal, by }).toEqual({
      kind: 'address',
      key: address,
      principal: address,
      by: 'credential',
    });
  });

  it.each([
    [
      ['Cookie', 'session=abc'],
      ['Cookie', 'session="abc" ; x=1'],
    ],
    [
      ['Cookie', 'session=abc'],
      ['Cookie', 'session=%61b%63'],
    ],
    [
      ['Cookie', 'session=abc'],
      ['Cookie', 'session=abc; session=abc'],
    ],
    [bearer('abc'), ['Authorization', 'bearer   abc']],
  ])('spellings that an origin takes for the same are the same: %j %j', (one, other) => {
    expect(who(other)).toEqual(who(one));
  });

  it.each([
    [['Authorization', 'Bearer a', 'Authorization', 'Bearer b']],
    [['X-Api-Key', 'a', 'X-API-Key', 'b']],
    [['Cookie', 'session=a; session=b']],
    [['Cookie', 'session=a', 'Cookie', 'session=b']],
  ])('shown twice with different values, it is shown to nobody: %j', (fields) => {
    expect(who(fields).kind).toBe('address');
  });
});

describe('an API key in the query', () => {
  const sources: IdentitySource[] = [{ kind: 'api_key', query: 'api_key' }];
  const ask = (target: string) => who([], { sources, target });

  it('is found by its name, escaped or not, and is the same identity then', () => {
    const one = ask('/a?api_key=s3cret');
    expect(one.kind).toBe('api_key');
    for (const target of ['/b?x=1&api_key=s3cret', '/b?api%5fkey=s3cret', '/b?api_key=s3cr%65t&y'])
      expect(ask(target).key, target).toBe(one.key);
    expect(ask('/a?api_key=s3c+ret').key).toBe(ask('/a?api_key=s3c%20ret').key);
    expect(who(['X-Api-Key', 's3cret']).key).toBe(one.key);
  });

  it.each([
    '/a',
    '/a?',
    '/a?api_key',
    '/a?api_key=',
    '/a?xapi_key=1',
    '/a?api_key=1&api_key=2',
    '/api_key=1',
  ])('is not found in %s', (target) => {
    expect(ask(target).kind).toBe('address');
  });
});

describe('rotation of the identity key', () => {
  it('gives the former keys of credential, principal and address too, and nothing after it', () => {
    const sources: IdentitySource[] = [
      { kind: 'bearer' },
      { kind: 'cookie', name: 'device', survivesRefresh: true },
    ];
    const fields = [...bearer('t1'), 'Cookie', 'device=%64'];
    const before = who(fields, { sources, key: FORMER });
    const during = who(fields, { sources, key: KEY, former: FORMER });
    const after = who(fields, { sources, key: KEY });
    expect(during).toMatchObject({
      key: after.key,
      principal: after.principal,
      former: before.key,
      formerPrincipal: before.principal,
      formerAddress: before.address,
    });
    expect(after).toMatchObject({ former: null, formerPrincipal: null, formerAddress: null });
    const anyone = who([], { key: KEY, former: FORMER });
    expect(anyone.former).toBe(who([], { key: FORMER }).key);
  });

  it('what was hashed for a whole connection is hashed again', () => {
    const hash = new KeyedHash(engine, { current: KEY, former: null, keyId: 1 });
    const keyed = hash.keyed(Buffer.from('10.0.0.1'));
    const first = keyed.key.slice();
    hash.setKeys({ current: FORMER, former: KEY, keyId: 2 });
    hash.refresh(keyed);
    expect([...keyed.formerKey]).toEqual([...first]);
    expect([...keyed.key]).not.toEqual([...first]);
  });
});
