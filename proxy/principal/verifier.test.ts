// From a queued token to a principal in the table: by claim, under both identity keys, refused ones remembered for as long as
// their reason holds, and a bounded number at a time.

import { describe, expect, it } from 'vitest';
import type { IdentitySource } from '../../domain/identity.ts';
import { type CompiledPolicy, compilePolicy } from '../../domain/policy.ts';
import { type IdentityKeys, identityKeys } from '../identity-key.ts';
import { newLog } from '../log.ts';
import { keySet, Signer } from '../testing/tokens.ts';
import { JwksKeeper } from './jwks-keeper.ts';
import { FOUND, PrincipalTable, principalTableBytes } from './principal-table.ts';
import { TokenQueue } from './token-queue.ts';
import { principalKeyOf, Verifier } from './verifier.ts';

const NOW_SEC = 1_760_000_000;
const SECRET = 'a-secret-of-the-fleet';
const OLD = 'the-secret-before-it';
const signer = new Signer('ES256', 'one');
const CLAIMS = { iss: 'https://login.test', sub: 'alice', client_id: 'app', exp: NOW_SEC + 600 };

function policyOf(identitySources: IdentitySource[]): CompiledPolicy {
  const context = { version: '1', origin: 'bootstrap', namespace: 'n', workload: 'w', nowMs: 0 } as const;
  return compilePolicy({ identitySources }, context);
}

function setUp(keys: IdentityKeys, sources: IdentitySource[] = [{ kind: 'bearer' }]) {
  const log = newLog({ level: 'silent', workload: 'w', bootId: 'b'.repeat(32) });
  const clock = { nowSec: NOW_SEC, monotonicMs: 0, readings: 0 };
  const keeper = new JwksKeeper({
    read: () => {
      clock.readings++;
      return Promise.resolve(Buffer.from(keySet(signer)));
    },
    ...{ refreshMs: 3_600_000, log, monotonicMs: () => clock.monotonicMs, onChange: () => {} },
  });
  const table = new PrincipalTable(new SharedArrayBuffer(principalTableBytes(1024)));
  const queue = new TokenQueue();
  const verifier = new Verifier({
    ...{ keeper, table, queue, policy: () => policyOf(sources), identityKeys: () => keys },
    nowMs: () => clock.nowSec * 1000,
    monotonicMs: () => clock.monotonicMs,
  });
  const keyOf = (n: number): Uint32Array => Uint32Array.of(n, n, n, n);
  const judge = (token: string, n: number, source = 0): void =>
    verifier.judge({ bytes: Buffer.from(token), key: keyOf(n), source });
  const find = (n: number, nowSec = clock.nowSec) => {
    const out = { principalKey: new Uint32Array(4), formerPrincipalKey: new Uint32Array(4) };
    return { found: table.find(keyOf(n), nowSec, out), ...out };
  };
  return { verifier, keeper, queue, judge, find, clock, keyOf };
}

const keys = identityKeys(Buffer.from(SECRET), 'shop', 0);

describe('a good token', () => {
  it('is known until it ends; it shares its principal with others of its subject and issuer', async () => {
    const { judge, find, keeper, verifier } = setUp(keys);
    await keeper.refresh();
    judge(signer.token(CLAIMS), 1);
    judge(signer.token({ ...CLAIMS, exp: NOW_SEC + 1200, jti: 'another' }), 2);
    judge(signer.token({ ...CLAIMS, sub: 'bob' }), 3);
    judge(signer.token({ ...CLAIMS, iss: 'https://other.test' }), 4);
    const alice = find(1);
    expect(alice.found).toBe(FOUND.verified);
    expect(find(2).principalKey).toEqual(alice.principalKey);
    expect(find(3).principalKey).not.toEqual(alice.principalKey);
    expect(find(4).principalKey).not.toEqual(alice.principalKey);
    expect(find(1, NOW_SEC + 659).found).toBe(FOUND.verified);
    expect(find(1, NOW_SEC + 660).found).toBe(FOUND.unknown);
    expect(verifier.verified).toBe(4);
    keeper.close();
  });

  it('another claim names another principal, even with the same value', async () => {
    const sources: IdentitySource[] = [{ kind: 'jwt_claim', claim: 'client_id' }, { kind: 'bearer' }];
    const { judge, find, keeper } = setUp(keys, sources);
    await keeper.refresh();
    judge(signer.token({ ...CLAIMS, client_id: 'alice' }), 1, 0);
    judge(signer.token({ ...CLAIMS, client_id: 'alice' }), 2, 1);
    expect([find(1).found, find(2).found]).toEqual([FOUND.verified, FOUND.verified]);
    expect(find(1).principalKey).not.toEqual(find(2).principalKey);
    keeper.close();
  });

  it('has its key under the former identity key too, as it was before the rotation', async () => {
    const rotated = identityKeys(
      Buffer.from(`current ${SECRET}\nformer ${OLD} until ${new Date(3_600_000).toISOString()}`),
      'shop',
      0,
    );
    const before = setUp(identityKeys(Buffer.from(OLD), 'shop', 0));
    const during = setUp(rotated);
    for (const { keeper, judge } of [before, during]) {
      await keeper.refresh();
      judge(signer.token(CLAIMS), 1);
      keeper.close();
    }
    expect(during.find(1).formerPrincipalKey).toEqual(before.find(1).principalKey);
    expect(during.find(1).principalKey).not.toEqual(before.find(1).principalKey);
  });
});

describe('a refused token', () => {
  it('is remembered: long for what cannot change, shortly for what can', async () => {
    const { judge, find, keeper, verifier, clock } = setUp(keys);
    judge(signer.token(CLAIMS), 1);
    await keeper.refresh();
    expect(clock.readings).toBe(1);
    judge(signer.token({ ...CLAIMS, exp: NOW_SEC - 100 }), 2);
    judge(new Signer('ES256', 'stranger').token(CLAIMS), 3);
    judge('eyJ', 4);
    expect(clock.readings, 'a key that is not in the set asks for it again').toBe(2);
    expect([1, 2, 3, 4].map((n) => find(n).found)).toEqual([2, 2, 2, 2]);
    expect([1, 2, 3, 4].map((n) => find(n, NOW_SEC + 30).found)).toEqual([0, 2, 0, 2]);
    expect(find(2, NOW_SEC + 600).found).toBe(FOUND.unknown);
    expect(Object.fromEntries([...verifier.refused].filter(([, count]) => count > 0))).toEqual({
      no_keys: 1,
      expired: 1,
      unknown_key: 1,
      malformed: 1,
    });
    keeper.close();
  });

  it('handed over under a policy that has gone is no judgement at all', async () => {
    const { judge, find, keeper } = setUp(keys, [{ kind: 'cookie', name: 'a' }]);
    await keeper.refresh();
    judge(signer.token(CLAIMS), 1, 0);
    judge(signer.token(CLAIMS), 2, 5);
    expect([find(1).found, find(2).found]).toEqual([FOUND.unknown, FOUND.unknown]);
    keeper.close();
  });
});

it('judges a bounded number: what is over the rate waits in the queue', async () => {
  const { verifier, keeper, queue, keyOf, clock } = setUp(keys);
  await keeper.refresh();
  const running = verifier.run();
  const bytes = Buffer.from('eyJ');
  let pushed = 0;
  const judged = (): number => [...verifier.refused.values()].reduce((sum, count) => sum + count, 0);
  while (judged() < 1000) {
    while (pushed < 1040 && queue.push(bytes, { start: 0, end: 3 }, keyOf(pushed), 0)) pushed++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  while (pushed < 1040) queue.push(bytes, { start: 0, end: 3 }, keyOf(pushed++), 0);
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(judged(), 'the clock stands, so nothing more is allowed').toBe(1000);
  clock.monotonicMs = 40;
  while (judged() < 1040) await new Promise((resolve) => setTimeout(resolve, 5));
  verifier.close();
  await running;
  keeper.close();
});

it('parts of a principal cannot run into one another', () => {
  const key = Uint32Array.of(1, 2, 3, 4);
  const of = (issuer: string, claim: string, subject: string): string =>
    principalKeyOf({ issuer, subject, endsSec: 0 }, claim, key).join();
  const all = [
    of('a', 'b', 'c'),
    of('ab', '', 'c'),
    of('', 'ab', 'c'),
    of('a', '', 'bc'),
    of('a 1 b', 'b', 'c'),
  ];
  expect(new Set(all).size).toBe(all.length);
});
