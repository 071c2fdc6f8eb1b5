// Who is asking: order of the sources, what counts as a credential, and that only its hash is kept.

import { expect, it } from 'vitest';
import { HeadView } from '../domain/head-view.ts';
import { IDENTITY_KINDS, type IdentitySource, newRequestIdentity } from '../domain/identity.ts';
import { sipHash128 } from '../domain/siphash.ts';
import { HeadReader, RequestHead } from './head.ts';
import { identify } from './identify.ts';

const KEY = new Uint32Array([1, 2, 3, 4]);
const client = { text: '9.9.9.9', bytes: new Uint8Array(16), key: new Uint32Array([9, 9, 9, 9]) };
const SOURCES: readonly IdentitySource[] = [
  { kind: 'bearer' },
  { kind: 'api_key', header: 'X-Api-Key' },
  { kind: 'cookie', name: 'session' },
];

/** Kind and key of a request with these fields. */
function who(fields: readonly string[], sources = SOURCES): { kind: string; key: string } {
  const view = new HeadView();
  const reader = new HeadReader(view);
  const rawHeaders = ['Host', 'a', ...fields];
  const raw = { method: 'GET', url: '/', httpVersionMajor: 1, httpVersionMinor: 1, rawHeaders };
  expect(reader.read(raw, new RequestHead(), false)).toBeNull();
  const out = newRequestIdentity();
  const hasher = {
    hash128: (start: number, end: number, into: Uint32Array) => sipHash128(view.bytes, start, end, KEY, into),
  };
  identify({ reader, rawHeaders, client, sources, hasher }, out);
  expect([...out.addressKey]).toEqual([9, 9, 9, 9]);
  return { kind: IDENTITY_KINDS[out.kind] as string, key: [...out.key].join() };
}

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
  expect(who([])).toEqual({ kind: 'address', key: '9,9,9,9' });
});
