// Three real sidecars before one application, a real Redis between them, one identity whose requests reach all of them: each
// soon judges it by everything that it did. And the store is killed in the middle of the traffic: requests go on, each sidecar
// by its own view.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { REDIS_MISSING, startRedis } from '../support/redis.ts';
import { ask, Cleanup, sidecarConfig, until } from '../support/sidecars.ts';
import { startWatched, type WatchedSidecar } from '../support/watched-sidecar.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const WINDOWS = ['identity_requests_5m', 'identity_requests_1h', 'identity_post_1h'] as const;
const CLIENT = { authorization: 'Bearer one-for-all' };

async function startThree(url: string, more: readonly string[] = []): Promise<WatchedSidecar[]> {
  const key = join(cleanup.folder(), 'identity.key');
  writeFileSync(key, '0123456789abcdef0123456789abcdef');
  const sidecars: WatchedSidecar[] = [];
  for (let i = 0; i < 3; i++) {
    const args = ['--identity-key-file', key, '--shared-windows', url, ...more];
    sidecars.push(await startWatched(cleanup, args));
  }
  await until(
    () => states(sidecars),
    (all) => all.every(({ state }) => state === 'connected'),
  );
  return sidecars;
}

/** One request to each; what each counted of the last hour. */
async function hours(sidecars: readonly WatchedSidecar[]): Promise<number[]> {
  const seen = [];
  for (const sidecar of sidecars) seen.push((await sidecar.features(WINDOWS, CLIENT)).identity_requests_1h);
  return seen;
}

const states = (sidecars: readonly WatchedSidecar[]) =>
  sidecars.map(({ sidecar }) => sidecar.status().shared_windows);

/** Waits until each has exchanged so many times more: every 250 ms by default, so two ticks after a request all know of it. */
async function exchanged(sidecars: readonly WatchedSidecar[], times: number): Promise<void> {
  const before = states(sidecars).map(({ exchanges_total }) => exchanges_total);
  await until(
    () => states(sidecars),
    (all) => all.every(({ exchanges_total }, i) => exchanges_total >= before[i]! + times),
  );
}

describe.skipIf(REDIS_MISSING !== null)(`shared windows (${REDIS_MISSING ?? 'with a real store'})`, () => {
  it('let three sidecars agree on an identity within three exchanges (0.75 s)', async () => {
    const redis = await startRedis(cleanup);
    const sidecars = await startThree(redis.url);
    for (let n = 0; n < 30; n++) await ask(sidecars[n % 3]!.url, CLIENT);
    await exchanged(sidecars, 3);
    // Each of these three requests is one more, which the next one need not have heard of.
    const seen = await hours(sidecars);
    for (const count of seen) {
      expect(count).toBeGreaterThan(30 - 2);
      expect(count).toBeLessThanOrEqual(33);
    }
    expect(states(sidecars)).toMatchObject([{ merged: 1 }, { merged: 1 }, { merged: 1 }]);
    expect(states(sidecars)[0]).toMatchObject({ failures_total: 0, unusable_total: 0, left_total: 0 });
  });

  it('go on by their own view when the store is killed, and agree when it is back', async () => {
    const redis = await startRedis(cleanup);
    const sidecars = await startThree(redis.url, ['--shared-windows-interval', '50ms']);
    const agree = (all: readonly number[]): boolean => Math.max(...all) - Math.min(...all) <= 3;
    const together = async (): Promise<number[]> => {
      await hours(sidecars);
      await exchanged(sidecars, 3);
      return hours(sidecars);
    };
    await until(together, (all) => all.every((count) => count >= 9) && agree(all));
    await redis.stop();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) => ask(sidecars[n % 3]!.url, CLIENT).then(({ status }) => status)),
    );
    expect(new Set(answers)).toEqual(new Set([200]));
    const away = await until(
      () => states(sidecars),
      (all) => all.every(({ state }) => state === 'away'),
    );
    expect(away.every(({ failures_total, merged }) => failures_total > 0 && merged === 0)).toBe(true);
    const total = (await hours(sidecars)).reduce((sum, count) => sum + count, 0);
    await redis.start();
    const again = await until(together, (all) => all.every((count) => count > total * 0.9) && agree(all));
    expect(Math.min(...again)).toBeGreaterThanOrEqual(Math.floor(total * 0.9));
    for (const { log } of sidecars)
      expect(log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  });

  it('make no stranger of a client that another replica knows', async () => {
    const redis = await startRedis(cleanup);
    const [one, two] = await startThree(redis.url, ['--shared-windows-interval', '50ms']);
    const flags = ['address_new', 'user_agent_new', 'route_new'] as const;
    const agent = { ...CLIENT, 'user-agent': 'the usual one' };
    for (let n = 0; n < 8; n++) await one!.features(flags, agent, '/shop');
    for (let n = 0; n < 5; n++) await two!.features(flags, CLIENT, '/other');
    await until(
      () => states([two!])[0]!.merged,
      (merged) => merged === 1,
    );
    expect(await two!.features(flags, agent, '/shop')).toEqual({
      address_new: 0,
      user_agent_new: 0,
      route_new: 0,
    });
  });
});

describe('the option', () => {
  it('needs an identity key that all replicas have, and a store that can be named', () => {
    const given = ['--upstream', 'http://127.0.0.1:1', '--shared-windows'];
    expect(() => sidecarConfig([...given, 'redis://127.0.0.1:6379'])).toThrow('--identity-key-file');
    const key = ['--identity-key-file', '/etc/picket/key'];
    for (const url of ['127.0.0.1:6379', 'http://127.0.0.1', 'redis://h/abc', 'redis://h?x=1', 'redis:///1'])
      expect(() => sidecarConfig([...given, url, ...key]), url).toThrow('redis://');
    for (const url of [
      'redis://h',
      'redis://h:1/2',
      'rediss://me:secret@h:6380/0',
      'redis://:secret@[::1]:6379',
    ])
      expect(sidecarConfig([...given, url, ...key]).sharedWindows).toBe(url);
  });
});
