// Workload buckets all the way: two replicas count, the control plane merges, `picket ctl buckets` shows; and a control plane
// that is away for hours costs buckets that are counted.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { runPicket } from '../../cli/main.ts';
import { startIn } from '../../control-plane/testing/running.ts';
import { ManualClock } from '../../domain/clock.ts';
import { BUCKET_MS } from '../../domain/workload-bucket.ts';
import { BUCKET_SLOTS } from '../../proxy/event-ring.ts';
import type { Sidecar } from '../../proxy/main.ts';
import { captured } from '../support/captured.ts';
import { ask, Cleanup, runSidecar, startOrigin, until } from '../support/sidecars.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const START_MS = Math.ceil(Date.UTC(2026, 10, 22) / BUCKET_MS) * BUCKET_MS;

async function ctl(address: string, ...args: string[]): Promise<string> {
  const { io, out, err } = captured();
  const code = await runPicket(['ctl', ...args, '--control-plane', address], io);
  expect([code, err()]).toEqual([0, '']);
  return out();
}

async function bucketsOf(address: string): Promise<Record<string, unknown>[]> {
  const lines = (await ctl(address, 'buckets', '--json')).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

const delivered = (sidecar: Sidecar, count: number) =>
  until(
    () => sidecar.status().buckets,
    (buckets) => buckets.delivered === count && buckets.waiting === 0,
  );

test('the buckets of two replicas become one: sums added, a token seen by both counted once', async () => {
  const origin = await startOrigin(cleanup);
  const control = await startIn(cleanup.folder());
  cleanup.add(() => control.close());
  const key = join(cleanup.folder(), 'key');
  writeFileSync(key, 'one identity key for the fleet');
  const clock = new ManualClock(START_MS);
  const args = ['--upstream', origin.url, '--control-plane', control.grpcAddress, '--identity-key-file', key];
  const replicas = [
    await runSidecar(cleanup, [...args, '--workload', 'orders'], { clock }),
    await runSidecar(cleanup, [...args, '--workload', 'orders'], { clock }),
  ];
  for (const [i, { url }] of replicas.entries()) {
    for (const token of ['shared', `own-${i}`])
      for (const path of ['/orders', `/orders/${i}`])
        await ask(url + path, { authorization: `Bearer ${token}` });
  }
  clock.moveTo(START_MS + BUCKET_MS);
  for (const { sidecar } of replicas) await delivered(sidecar, 1);
  const [bucket, ...more] = await bucketsOf(control.grpcAddress);
  expect(more).toEqual([]);
  expect(bucket).toMatchObject({
    start_ms: START_MS,
    ...{ namespace: 'default', workload: 'orders', pieces: 2 },
    ...{ requests: 8, gets: 8, posts: 0, path_longest: 9, status_mean: 200, bytes: 8 * 21 },
  });
  const distinct = ['addresses', 'identities', 'paths', 'agents'].map((name) =>
    Math.round(Number(bucket?.[name])),
  );
  expect(distinct).toEqual([1, 3, 3, 0]);
  const table = await ctl(control.grpcAddress, 'buckets', '--workload', 'orders');
  expect(table).toMatch(/2026-11-22 00:00:00Z {2}default\/orders {2}2 {7}8 /);
  expect(await ctl(control.grpcAddress, 'status')).toContain('buckets  assigned 2, stored 2, dropped 0');
});

test('a bucket under way goes out at the stop; quiet times send none', async () => {
  const origin = await startOrigin(cleanup);
  const control = await startIn(cleanup.folder());
  cleanup.add(() => control.close());
  const clock = new ManualClock(START_MS);
  const args = ['--upstream', origin.url, '--control-plane', control.grpcAddress];
  const { sidecar, url } = await runSidecar(cleanup, args, { clock });
  await ask(url);
  clock.moveTo(START_MS + 3_600_000);
  await delivered(sidecar, 1);
  await ask(url);
  await ask(url);
  await sidecar.stop(1000);
  const shown = (await bucketsOf(control.grpcAddress)).map((bucket) => [
    bucket['start_ms'],
    bucket['requests'],
  ]);
  expect(shown).toEqual([
    [START_MS, 1],
    [START_MS + 3_600_000, 2],
  ]);
});

test('buckets that a lost control plane never fetched are counted as dropped, in both accounts', async () => {
  const origin = await startOrigin(cleanup);
  const dir = cleanup.folder();
  const first = await startIn(dir);
  const port = first.grpcAddress.split(':').at(-1);
  const clock = new ManualClock(START_MS);
  const args = ['--upstream', origin.url, '--control-plane', first.grpcAddress];
  const { sidecar, url } = await runSidecar(cleanup, args, { clock });
  await until(
    () => sidecar.status().control_plane.state,
    (state) => state === 'connected',
  );
  await first.close();
  const buckets = BUCKET_SLOTS + 5;
  for (let n = 1; n <= buckets; n++) {
    await ask(url);
    clock.moveTo(START_MS + n * BUCKET_MS);
  }
  await until(
    () => sidecar.status().buckets.assigned,
    (assigned) => assigned === buckets,
  );
  expect(sidecar.status().buckets).toMatchObject({ delivered: 0, dropped: 5 });
  const again = await startIn(dir, ['--listen', `127.0.0.1:${port}`]);
  cleanup.add(() => again.close());
  await delivered(sidecar, BUCKET_SLOTS);
  expect(sidecar.status().buckets).toEqual({
    assigned: buckets,
    delivered: BUCKET_SLOTS,
    dropped: 5,
    waiting: 0,
  });
  expect(await ctl(again.grpcAddress, 'status')).toContain(
    `buckets  assigned ${buckets}, stored ${BUCKET_SLOTS}, dropped 5`,
  );
}, 60_000);
