// Who stands behind a credential: what trusted peers say and others do not, lasting cookies, tokens that were verified.

import { describe, expect, it } from 'vitest';
import { hashHex, type IdentitySource } from '../domain/identity.ts';
import { bearer, JWT, NOW_SEC, queue, table, who } from './testing/identified.ts';

describe('what trusted peers say', () => {
  const header: IdentitySource[] = [{ kind: 'bearer' }, { kind: 'trusted_header', header: 'X-User' }];
  const xfcc = (by?: 'uri' | 'subject' | 'hash'): IdentitySource[] => [{ kind: 'xfcc', by }];
  const id = 'spiffe://prod.test/ns/shop/sa/web';
  const field = ['X-Forwarded-Client-Cert', `By=spiffe://x/y;Hash=ab12;Subject="CN=web,O=a";URI=${id}`];

  it('a header names the principal of whatever token comes with it', () => {
    const asked = { sources: header, trusted: true };
    const one = who([...bearer('t1'), 'X-User', 'alice'], asked);
    const two = who(['x-user', 'alice', ...bearer('t2')], asked);
    expect(one).toMatchObject({ kind: 'bearer', by: 'trusted_header', principal: two.principal });
    expect(one.key).not.toBe(two.key);
    const bare = who(['X-User', 'alice'], asked);
    expect(bare).toMatchObject({ kind: 'trusted_header', principal: one.principal, key: one.principal });
    expect(who([...bearer('t1'), 'X-User', 'bob'], asked).principal).not.toBe(one.principal);
  });

  it('the same header of another peer, twice, or named by Connection says nothing', () => {
    const fields = [...bearer('t1'), 'X-User', 'alice'];
    const nobody = who(bearer('t1'), { sources: header });
    expect(who(fields, { sources: header })).toEqual(nobody);
    expect(who([...fields, 'x-user', 'alice'], { sources: header, trusted: true })).toEqual(nobody);
    expect(who([...fields, 'Connection', 'x-user'], { sources: header, trusted: true })).toEqual(nobody);
  });

  it('a forwarded certificate names its SPIFFE id, subject or hash', () => {
    const asked = (by?: 'uri' | 'subject' | 'hash') => ({ sources: xfcc(by), trusted: true });
    expect(who(field, asked())).toMatchObject({ kind: 'spiffe', by: 'credential' });
    expect(who(field, asked('subject')).kind).toBe('client_cert');
    expect(who(field, asked('hash')).kind).toBe('client_cert');
    const keys = [undefined, 'subject', 'hash'].map((by) => who(field, asked(by as 'uri')).key);
    expect(new Set(keys).size).toBe(3);
  });

  it('a certificate is believed from trusted peers only, and once', () => {
    expect(who(field, { sources: xfcc() }).kind).toBe('address');
    expect(who([...field, ...field], { sources: xfcc(), trusted: true }).kind).toBe('address');
  });

  it('the connection has a certificate: the same SPIFFE id is the same identity either way', () => {
    const sources: IdentitySource[] = [{ kind: 'client_certificate' }, { kind: 'xfcc' }];
    const seen = who([], { sources, certificate: { kind: 'spiffe', text: id } });
    expect(seen.kind).toBe('spiffe');
    expect(who(field, { sources, trusted: true }).key).toBe(seen.key);
  });
});

describe('principals', () => {
  const device: IdentitySource[] = [
    { kind: 'bearer' },
    { kind: 'cookie', name: 'device', survivesRefresh: true },
    { kind: 'cookie', name: 'session' },
  ];

  it('a cookie that survives refresh outlives the token', () => {
    const one = who([...bearer('t1'), 'Cookie', 'device=d1'], { sources: device });
    const two = who([...bearer('t2'), 'Cookie', 'a=b; device=d1'], { sources: device });
    expect(one).toMatchObject({ kind: 'bearer', by: 'cookie', principal: two.principal });
    expect(one.key).not.toBe(two.key);
    expect(who(['Cookie', 'device=d1'], { sources: device }).key).toBe(one.principal);
  });

  it('any other cookie, and an API key beside a token, name nobody else', () => {
    const both = who([...bearer('t1'), 'Cookie', 'session=s', 'X-Api-Key', 'app']);
    expect(both).toMatchObject({ by: 'credential', principal: both.key });
  });

  it('a token that looks like a JWT is its own principal until it is known to be verified', () => {
    table.clear();
    const asked = { verifies: true };
    const first = who(bearer(JWT), asked);
    expect(first).toMatchObject({ by: 'credential', principal: first.key });
    expect(queue.take()).toMatchObject({ bytes: Buffer.from(JWT), source: 0 });
    who(bearer(JWT), asked);
    expect(queue.take(), 'not handed over again at once').toBeNull();
    const alice = new Uint32Array([11, 12, 13, 14]);
    table.putVerified(first.raw, alice, null, NOW_SEC + 60);
    expect(who(bearer(JWT), asked)).toMatchObject({ by: 'verified_jwt', principal: hashHex(alice) });
    expect(who(bearer(JWT)), 'nobody verifies here').toMatchObject({ by: 'credential' });
    table.putVerified(first.raw, alice, null, NOW_SEC);
    expect(who(bearer(JWT), asked), 'it has ended').toMatchObject({ by: 'credential' });
  });

  it('an opaque token is handed over to nobody', () => {
    who(bearer('0f3c2e1d'.repeat(8)), { verifies: true });
    expect(queue.take()).toBeNull();
  });

  it('a JWT beside another credential names the principal too', () => {
    const sources: IdentitySource[] = [
      { kind: 'api_key', header: 'x-api-key' },
      { kind: 'jwt_claim', claim: 'client_id', header: 'x-assertion' },
    ];
    const alone = who(['X-Assertion', JWT], { sources, verifies: true });
    expect(alone.kind).toBe('jwt');
    expect(queue.take()?.source).toBe(1);
    const owner = new Uint32Array([21, 22, 23, 24]);
    table.putVerified(alone.raw, owner, null, NOW_SEC + 60);
    const both = who(['X-Api-Key', 'k', 'X-Assertion', JWT], { sources, verifies: true });
    expect(both).toMatchObject({ kind: 'api_key', by: 'verified_jwt', principal: hashHex(owner) });
  });
});
