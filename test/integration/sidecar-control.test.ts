// Sidecar and control plane, both real: mode switches that are acked, events that arrive once, bundles that are refused or
// taken, a start without the control plane from what is on disk, and a control plane that is killed again and again.

import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { runPicket } from '../../cli/main.ts';
import { getStatus, operator } from '../../control-plane/testing/calls.ts';
import { startIn } from '../../control-plane/testing/running.ts';
import type { GetStatusResponse } from '../../proto/gen/picket/v1/control.ts';
import type { Sidecar } from '../../proxy/main.ts';
import { signBundle } from '../../wasm-core/host/bundle.ts';
import { ask, Cleanup, runSidecar, spawnPicket, startOrigin, until } from '../support/sidecars.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const BUNDLE = fileURLToPath(new URL('../../models/default.bundle', import.meta.url));
const BLOCK_ALL = 'fleet: {mode: block, flagAt: 0, blockAt: 0}\n';

/** Runs `picket ctl … --control-plane ADDRESS --json` and gives its last line, decoded. */
async function ctl(address: string, ...args: string[]): Promise<Record<string, unknown>> {
  let out = '';
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      out += chunk.toString();
      done();
    },
  });
  const code = await runPicket(['ctl', ...args, '--control-plane', address, '--json'], {
    stdout: sink,
    stderr: sink,
    env: {},
  });
  if (code !== 0) throw new Error(`ctl ${args.join(' ')} ended with ${code}: ${out}`);
  return JSON.parse(out.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

function connected(sidecar: Sidecar): Promise<unknown> {
  return until(
    () => sidecar.status().control_plane.state,
    (state) => state === 'connected',
  );
}

async function statusOf(address: string): Promise<GetStatusResponse> {
  const client = operator(address);
  try {
    return await getStatus(client);
  } finally {
    client.close();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('a mode switch is acked and takes effect at once; events of both modes arrive', async () => {
  const origin = await startOrigin(cleanup);
  const running = await startIn(cleanup.folder());
  cleanup.add(() => running.close());
  const address = running.grpcAddress;
  const args = ['--upstream', origin.url, '--control-plane', address, '--workload', 'orders'];
  const { sidecar, url } = await runSidecar(cleanup, args);
  await connected(sidecar);
  await ctl(address, 'policy', 'apply', policyFile('fleet: {flagAt: 0, blockAt: 0}\n'));
  await until(
    () => sidecar.status().policy_origin,
    (from) => from === 'control_plane',
  );
  expect((await ask(`${url}/orders/1?secret=2`)).status).toBe(200);
  const switched = await ctl(address, 'mode', 'block', '--workload', 'orders');
  expect(switched).toMatchObject({ acks: [{ acked: true, workload: 'orders' }] });
  expect(sidecar.status()).toMatchObject({ mode: 'block', mode_source: 'workload' });
  expect(sidecar.status().policy_version).toBe(switched['policy_version']);
  expect((await ask(`${url}/orders/2`)).status).toBe(403);
  await ctl(address, 'mode', 'monitor', '--workload', 'orders');
  expect((await ask(`${url}/orders/3`)).status).toBe(200);
  expect(origin.requests).toEqual(['GET /orders/1?secret=2', 'GET /orders/3']);
  const account = await until(
    () => sidecar.status().events,
    (events) => events.waiting === 0,
  );
  expect(account).toMatchObject({ assigned: 3, delivered: 3, dropped: 0 });
  expect((await statusOf(address)).events).toMatchObject({ assigned: 3, stored: 3, dropped: 0, lost: 0 });
  const last = await ctl(address, 'verdicts', '--limit', '3');
  expect(JSON.stringify(last)).not.toContain('secret');
});

test('a bundle that is made active is fetched, taken and acked', async () => {
  const origin = await startOrigin(cleanup);
  const running = await startIn(cleanup.folder());
  cleanup.add(() => running.close());
  const address = running.grpcAddress;
  const { sidecar, url } = await runSidecar(cleanup, ['--upstream', origin.url, '--control-plane', address]);
  await connected(sidecar);
  expect(sidecar.status().bundle_origin).toBe('default');
  expect(JSON.stringify(await ctl(address, 'model', 'push', BUNDLE, '--activate'))).toContain('"acked":true');
  expect(sidecar.status()).toMatchObject({ bundle_origin: 'control_plane', blind: false });
  expect((await ask(url)).status).toBe(200);
});

test('a bundle that is nacked holds back no mode switch', async () => {
  const origin = await startOrigin(cleanup);
  const running = await startIn(cleanup.folder());
  cleanup.add(() => running.close());
  const address = running.grpcAddress;
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const folder = cleanup.folder();
  const [keys, signed] = [join(folder, 'keys'), join(folder, 'signed.bundle')];
  writeFileSync(keys, `k ${publicKey.export({ format: 'der', type: 'spki' }).toString('base64')}\n`);
  writeFileSync(signed, signBundle(readFileSync(BUNDLE), privateKey, 'k'));
  const args = ['--upstream', origin.url, '--control-plane', address, '--bundle', signed];
  const { sidecar, log, url } = await runSidecar(cleanup, [
    ...args,
    '--require-signed',
    '--trusted-keys',
    keys,
  ]);
  await connected(sidecar);
  const before = sidecar.status().bundle_id;
  await expect(ctl(address, 'model', 'push', BUNDLE, '--activate')).rejects.toThrow(
    /BUNDLE_UNSIGNED|no signature/,
  );
  await until(
    () => log.some((line) => line['code'] === 'BUNDLE_UNSIGNED'),
    (seen) => seen,
  );
  expect(sidecar.status()).toMatchObject({ bundle_id: before, bundle_origin: 'bootstrap', blind: false });
  await ctl(address, 'policy', 'apply', policyFile(BLOCK_ALL));
  await until(
    () => sidecar.status().mode,
    (mode) => mode === 'block',
  );
  expect((await ask(url)).status).toBe(403);
});

test('without the control plane it starts from what is on disk; damage is said and ignored', async () => {
  const origin = await startOrigin(cleanup);
  const running = await startIn(cleanup.folder());
  let stopped = false;
  cleanup.add(() => (stopped ? undefined : running.close()));
  const stateDir = cleanup.folder();
  const args = ['--upstream', origin.url, '--control-plane', running.grpcAddress, '--state-dir', stateDir];
  const first = await runSidecar(cleanup, args);
  await connected(first.sidecar);
  await ctl(running.grpcAddress, 'policy', 'apply', policyFile(BLOCK_ALL));
  await ctl(running.grpcAddress, 'model', 'push', BUNDLE, '--activate');
  const before = await until(
    () => first.sidecar.status(),
    (now) => now.mode === 'block' && now.bundle_origin === 'control_plane',
  );
  stopped = true;
  await running.close();
  await until(
    () => first.sidecar.status().control_plane.state,
    (state) => state !== 'connected',
  );
  expect((await ask(first.url)).status).toBe(403);
  await first.sidecar.stop(0);
  const second = await runSidecar(cleanup, args);
  expect(second.sidecar.status()).toMatchObject({
    mode: 'block',
    mode_source: 'fleet',
    policy_version: before.policy_version,
    policy_origin: 'control_plane',
    bundle_id: before.bundle_id,
    bundle_origin: 'control_plane',
  });
  expect((await ask(second.url)).status).toBe(403);
  await second.sidecar.stop(0);
  for (const name of ['policy.state', 'bundle.state'])
    writeFileSync(join(stateDir, name), 'picket-state 1 zz 3\nabc');
  const third = await runSidecar(cleanup, args);
  expect(third.sidecar.status()).toMatchObject({
    mode: 'monitor',
    mode_source: 'default',
    bundle_origin: 'default',
  });
  expect(third.log.filter((line) => line.level === 'warn' && line.msg.includes('damaged'))).toHaveLength(2);
});

/** Four callers that ask one after the other until they are stopped. */
function keepAsking(url: string) {
  let asking = true;
  let count = 0;
  const callers = Array.from({ length: 4 }, async () => {
    while (asking) {
      expect((await ask(`${url}/orders/${count}`)).status).toBe(200);
      count++;
    }
  });
  const reached = (goal: number) =>
    until(
      () => count,
      (now) => now >= goal,
    );
  const stop = async (): Promise<number> => {
    asking = false;
    await Promise.all(callers);
    return count;
  };
  return { reached, stop, count: () => count };
}

test('a control plane killed again and again: every event is stored or dropped, none twice', async () => {
  const origin = await startOrigin(cleanup);
  const dataDir = cleanup.folder();
  const address = `127.0.0.1:${await freePort()}`;
  const control = ['control-plane', '--listen', address, '--http', '127.0.0.1:0', '--data-dir', dataDir];
  const start = () => spawnPicket(cleanup, [...control, '--heartbeat', '500ms']);
  const rings = ['--allow-ring-slots', '256', '--flagged-ring-slots', '64'];
  const args = ['--upstream', origin.url, '--control-plane', address, ...rings];
  const { sidecar, url } = await runSidecar(cleanup, args);
  const seed = Date.now() % 2 ** 31;
  console.log(`kill moments from seed ${seed}`);
  const load = keepAsking(url);
  for (const afterRequests of fc.sample(fc.nat(120), { seed, numRuns: 3 })) {
    const running = start();
    await connected(sidecar);
    const goal = load.count() + afterRequests;
    await load.reached(goal);
    running.child.kill('SIGKILL');
    await running.exit;
    await load.reached(goal + 100);
  }
  const sent = await load.stop();
  start();
  const account = await until(
    () => sidecar.status().events,
    (events) => events.waiting === 0 && events.assigned > 0,
  );
  const totals = await until(
    async () => (await statusOf(address)).events,
    (events) => events?.assigned === account.assigned && events.pending === 0,
  );
  expect(account.assigned + account.sampled_out).toBeGreaterThanOrEqual(sent);
  expect(account.delivered + account.dropped).toBe(account.assigned);
  expect(totals).toMatchObject({ stored: account.delivered, dropped: account.dropped, refused: 0, lost: 0 });
}, 120_000);

function policyFile(content: string): string {
  const path = join(cleanup.folder(), 'policy.yaml');
  writeFileSync(path, content);
  return path;
}
