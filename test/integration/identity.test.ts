// Principals through whole sidecars with a real data thread: tokens of one verified subject share one, forged ones do not, key
// sets change, headers and certificates of trusted peers count and those of others do not, and the identity key is rotated.
// Principals are read from the events that the sidecar would send.

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { PicketEvent } from '../../domain/event.ts';
import { Sidecar } from '../../proxy/main.ts';
import { memoryPlan } from '../../proxy/memory-plan.ts';
import { makeParts } from '../../proxy/parts.ts';
import { readStartFiles } from '../../proxy/start-files.ts';
import { hmacToken, keySet, Signer } from '../../proxy/testing/tokens.ts';
import { ask, Cleanup, sidecarConfig, until } from '../support/sidecars.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

type Headers = Record<string, string>;

/** A sidecar whose events are kept: its control plane is away. */
class Observed {
  readonly sidecar: Sidecar;
  readonly #policyFile: string;
  readonly #read: () => PicketEvent[];
  readonly #seen: PicketEvent[] = [];

  constructor(sidecar: Sidecar, policyFile: string, read: () => PicketEvent[]) {
    this.sidecar = sidecar;
    this.#policyFile = policyFile;
    this.#read = read;
  }

  writePolicy(policy: object): void {
    writeFileSync(this.#policyFile, JSON.stringify(policy));
  }

  /** One request, and its event. */
  async event(headers: Headers = {}, path = '/orders/1'): Promise<PicketEvent> {
    const url = `http://127.0.0.1:${this.sidecar.addresses.listeners[0]!.port}${path}`;
    const { headers: answered } = await ask(url, headers);
    // The origin echoes what it was sent; the request id is what the event is found by.
    const id = String(answered['x-seen-request-id']);
    await until(
      () => this.#seen.push(...this.#read()),
      () => this.#seen.some((event) => event.requestId === id),
    );
    return this.#seen.find((event) => event.requestId === id)!;
  }

  /** Asks with a token until its principal is named by it. */
  verified(token: string): Promise<PicketEvent> {
    return until(
      () => this.event(bearer(token)),
      (event) => event.principalSource === 'verified_jwt',
    );
  }

  get tokens() {
    return this.sidecar.status().identity.tokens!;
  }
}

async function startEcho(): Promise<string> {
  const server = createServer((req, res) => {
    res.setHeader('x-seen-request-id', String(req.headers['x-request-id']));
    res.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.add(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startObserved(args: readonly string[], policy: object = {}): Promise<Observed> {
  const policyFile = join(cleanup.folder(), 'policy.json');
  writeFileSync(policyFile, JSON.stringify(policy));
  const upstream = await startEcho();
  const config = sidecarConfig([
    ...[
      '--upstream',
      upstream,
      '--policy',
      policyFile,
      '--control-plane',
      '127.0.0.1:9',
      '--log-level',
      'silent',
    ],
    ...args,
  ]);
  const files = await readStartFiles(config);
  const parts = makeParts({ config }, files);
  const sidecar = new Sidecar(config, parts, memoryPlan(config, null));
  cleanup.add(() => sidecar.close());
  await sidecar.start(files);
  return new Observed(sidecar, policyFile, () =>
    parts.readers.flatMap((reader) => [...reader.read(1000, performance.now()).events]),
  );
}

const bearer = (token: string): Headers => ({ Authorization: `Bearer ${token}` });
const now = (): number => Math.floor(Date.now() / 1000);
const claims = (sub: string, more: object = {}) => ({
  iss: 'https://login.test',
  sub,
  exp: now() + 600,
  ...more,
});

describe('verified tokens', () => {
  test('refreshed tokens of one subject share a principal, forged ones and others do not', async () => {
    const signer = new Signer('RS256', 'k1');
    const jwks = join(cleanup.folder(), 'jwks.json');
    writeFileSync(jwks, keySet(signer));
    const observed = await startObserved(['--jwks', jwks], { jwt: { issuers: ['https://login.test'] } });
    const first = signer.token(claims('alice'));
    const unknown = await observed.event(bearer(first));
    expect(unknown).toMatchObject({ principalSource: 'credential', principalKey: unknown.identityKey });
    const alice = await observed.verified(first);
    expect(alice.identityKey).toBe(unknown.identityKey);
    const refreshed = await observed.verified(signer.token(claims('alice', { jti: '2' })));
    expect(refreshed.principalKey).toBe(alice.principalKey);
    expect(refreshed.identityKey).not.toBe(alice.identityKey);
    const bob = await observed.verified(signer.token(claims('bob')));
    expect(bob.principalKey).not.toBe(alice.principalKey);

    const pem = signer.publicKey.export({ type: 'spki', format: 'pem' });
    const unsigned = signer.token(claims('alice'), { alg: 'none' });
    const forged = {
      signature: new Signer('RS256', 'k1').token(claims('alice')),
      algorithm: hmacToken(pem, claims('alice'), { kid: 'k1' }),
      issuer: signer.token(claims('alice', { iss: 'https://evil.test' })),
      expired: signer.token(claims('alice', { exp: now() - 3600 })),
    };
    for (const [reason, token] of Object.entries({ ...forged, none: unsigned })) {
      await observed.event(bearer(token));
      const counted = reason === 'none' ? 'algorithm' : reason;
      await until(
        () => observed.tokens.refused_total[counted] ?? 0,
        (count) => count >= (reason === 'none' ? 2 : 1),
      );
      const event = await observed.event(bearer(token));
      expect(event, reason).toMatchObject({ principalSource: 'credential', principalKey: event.identityKey });
    }
    expect(observed.tokens).toMatchObject({ verified_total: 3, dropped_total: 0 });
    expect(observed.sidecar.status().identity.principals_total['verified_jwt']).toBeGreaterThanOrEqual(3);
  });

  test('a key set that is away, comes, changes: nothing is fatal, new keys are found', async () => {
    let set: string | null = null;
    const provider = createServer((_, res) => (set === null ? res.writeHead(503).end() : res.end(set)));
    provider.listen(0, '127.0.0.1');
    await once(provider, 'listening');
    cleanup.add(() => new Promise((resolve) => provider.close(resolve)));
    const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/jwks`;
    const observed = await startObserved(['--jwks', url]);
    const old = new Signer('ES256', 'old');
    const token = old.token(claims('alice'));
    expect(await observed.event(bearer(token))).toMatchObject({ principalSource: 'credential' });
    await until(
      () => observed.tokens.jwks.last_error,
      (error) => error.includes('503'),
    );
    set = keySet(old);
    expect(await observed.sidecar.reload()).toContain('key set: read, 1 keys');
    const before = await observed.verified(token);
    const fresh = new Signer('EdDSA', 'fresh');
    set = keySet(fresh);
    const after = await observed.verified(fresh.token(claims('alice')));
    expect(after.principalKey).toBe(before.principalKey);
    const revoked = await observed.event(bearer(token));
    expect(revoked, 'its key is gone from the set').toMatchObject({ principalSource: 'credential' });
  });

  test('a policy that wants another audience undoes what was verified', async () => {
    const signer = new Signer('PS256', 'k1');
    const jwks = join(cleanup.folder(), 'jwks.json');
    writeFileSync(jwks, keySet(signer));
    const observed = await startObserved(['--jwks', jwks]);
    const token = signer.token(claims('alice', { aud: 'cart' }));
    await observed.verified(token);
    observed.writePolicy({ jwt: { audiences: ['orders'] } });
    await observed.sidecar.reload();
    await until(
      () => observed.event(bearer(token)),
      (event) => event.principalSource === 'credential',
    );
    await until(
      () => observed.event(bearer(token)),
      () => (observed.tokens.refused_total['audience'] ?? 0) > 0,
    );
    observed.writePolicy({ jwt: { audiences: ['orders', 'cart'] } });
    await observed.sidecar.reload();
    await observed.verified(token);
  });
});

describe('what peers say', () => {
  const TRUSTED = ['--trusted-proxies', '127.0.0.0/8'];
  const policy = {
    identitySources: [
      { kind: 'bearer' },
      { kind: 'xfcc' },
      { kind: 'trusted_header', header: 'x-auth-user' },
      { kind: 'cookie', name: 'device', survivesRefresh: true },
    ],
  };
  const user = (token: string): Headers => ({ ...bearer(token), 'X-Auth-User': 'alice' });
  const XFCC = { 'X-Forwarded-Client-Cert': 'By=spiffe://a/x;Hash=1;Subject="";URI=spiffe://a/web' };

  test('a header and a certificate count from trusted peers', async () => {
    const observed = await startObserved(TRUSTED, policy);
    const [one, two] = [await observed.event(user('t1')), await observed.event(user('t2'))];
    expect([one.principalSource, two.principalSource]).toEqual(['trusted_header', 'trusted_header']);
    expect(two.principalKey).toBe(one.principalKey);
    expect(two.identityKey).not.toBe(one.identityKey);
    expect(await observed.event(XFCC)).toMatchObject({
      identityKind: 'spiffe',
      principalSource: 'credential',
    });
    expect(observed.sidecar.status().identity.principals_total).toEqual({
      credential: 1,
      verified_jwt: 0,
      trusted_header: 2,
      cookie: 0,
    });
  });

  test('of anybody else they say nothing', async () => {
    const observed = await startObserved([], policy);
    const one = await observed.event(user('t1'));
    expect(one).toMatchObject({ principalSource: 'credential', principalKey: one.identityKey });
    expect(await observed.event(XFCC)).toMatchObject({ identityKind: 'address' });
    expect(observed.sidecar.status().identity.tokens).toBeNull();
  });

  test('a cookie that survives refresh joins the tokens that come with it', async () => {
    const observed = await startObserved([], policy);
    const [one, two] = [
      await observed.event({ ...bearer('t1'), Cookie: 'device=d1; a=b' }),
      await observed.event({ ...bearer('t2'), Cookie: 'device=d1' }),
    ];
    expect([one.principalSource, one.identityKind]).toEqual(['cookie', 'bearer']);
    expect(two.principalKey).toBe(one.principalKey);
  });
});

test('the identity key is rotated without a restart; events say by which key they were made', async () => {
  const file = join(cleanup.folder(), 'key');
  writeFileSync(file, 'o'.repeat(32));
  const observed = await startObserved(['--identity-key-file', file]);
  const before = await observed.event(bearer('t1'));
  const name = (event: PicketEvent): string => event.identityKeyId.toString(16).padStart(8, '0');
  expect(observed.sidecar.status().identity).toMatchObject({ key_id: name(before), former_key_until: null });
  writeFileSync(file, 'n'.repeat(32));
  expect((await observed.sidecar.reload()).at(-1)).toMatch(/^identity key: read anew, the former one until /);
  const after = await observed.event(bearer('t1'));
  expect(after.identityKeyId).not.toBe(before.identityKeyId);
  expect([after.identityKey, after.addressKey]).not.toEqual([before.identityKey, before.addressKey]);
  expect(observed.sidecar.status().identity.key_id).toBe(name(after));
  expect(observed.sidecar.status().identity.former_key_until).toMatch(/^\d{4}-/);
});
