// A whole sidecar in process: what it says of itself, probes that see a stalled data thread, crashes that heal, reload, drain.

import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../domain/clock.ts';
import { PicketError } from '../../domain/errors.ts';
import { drainSocketPath, requestDrain } from '../../proxy/drain-socket.ts';
import { ask, Cleanup, runSidecar, startOrigin, until } from '../support/sidecars.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const FAULTY = new URL('../support/faulty-data-thread.ts', import.meta.url);
const DEFAULT_BUNDLE = new URL('../../models/default.bundle', import.meta.url);

function faults(message: { stallMs?: number; crash?: boolean }): void {
  const channel = new BroadcastChannel('picket-test-faults');
  channel.postMessage(message);
  setTimeout(() => channel.close(), 100);
}

async function statusOf(admin: string): Promise<Record<string, unknown>> {
  return JSON.parse((await ask(`${admin}/status`)).body) as Record<string, unknown>;
}

describe('what it says of itself', () => {
  test('/status has the fields of the contract, and they add up', async () => {
    const origin = await startOrigin(cleanup);
    const { url, admin } = await runSidecar(cleanup, ['--upstream', origin.url, '--workload', 'orders']);
    for (let i = 0; i < 5; i++) expect((await ask(`${url}/orders/${i}`)).body).toBe('hello from the origin');
    expect(
      (await ask(`${url}/bad`, { 'Content-Length': '1', 'Transfer-Encoding': 'chunked' }).catch(() => null))
        ?.status,
    ).toBe(400);
    const status = await until(
      () => statusOf(admin),
      (now) => now['requests_total'] === 6,
    );
    expect(status).toMatchObject({
      mode: 'monitor',
      mode_source: 'default',
      policy_version: 'default',
      control_plane: { state: 'off', address: null },
      requests_total: 6,
      scored_total: 5,
      forwarded_total: 5,
      verdicts_total: { allow: 5, flag: 0, block: 0 },
      refused_total: { 'policy.blocked': 0 },
      rejected_total: { 'protocol.cl_te': 1 },
      uninspected_total: { trap: 0, no_bundle: 0 },
      events_dropped_total: 0,
      ready: true,
      blind: false,
      workload: 'orders',
    });
    expect(status['bundle_id']).toMatch(/^[0-9a-f]{64}$/);
    const identities = await until(
      () => statusOf(admin),
      (now) => now['identities'] === 1,
    );
    expect(identities['added_latency_ms']).toMatchObject({ count: 5 });
    expect((status['memory'] as Record<string, number>)['plan_bytes']).toBeGreaterThan(2 ** 27);
  });

  test('/metrics is Prometheus text: each metric once with its TYPE, samples after it', async () => {
    const origin = await startOrigin(cleanup);
    const { url, admin } = await runSidecar(cleanup, ['--upstream', origin.url]);
    await ask(`${url}/a`);
    const { body, headers } = await ask(`${admin}/metrics`);
    expect(headers['content-type']).toContain('version=0.0.4');
    const types = new Map<string, string>();
    const values = new Map<string, number>();
    for (const line of body.trimEnd().split('\n')) {
      const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
      if (type !== null) {
        expect(types.has(type[1]!)).toBe(false);
        types.set(type[1]!, type[2]!);
      } else if (!line.startsWith('# HELP ')) {
        const sample = /^(picket_[a-z_]+)(\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? (\S+)$/.exec(line);
        expect(sample, line).not.toBeNull();
        expect(
          types.has(sample![1]!) || types.has(sample![1]!.replace(/_(bucket|sum|count)$/, '')),
          line,
        ).toBe(true);
        values.set(`${sample![1]}${sample![2] ?? ''}`, Number(sample![3]));
      }
    }
    expect(values.get('picket_requests_total')).toBe(1);
    expect(values.get('picket_added_latency_seconds_bucket{le="+Inf"}')).toBe(
      values.get('picket_added_latency_seconds_count'),
    );
    expect(values.get('picket_verdicts_total{verdict="allow",mode="monitor"}')).toBe(1);
  });

  test('the admin listener is read-only and knows five paths', async () => {
    const origin = await startOrigin(cleanup);
    const { admin } = await runSidecar(cleanup, ['--upstream', origin.url]);
    for (const path of ['startup', 'live', 'ready', 'metrics', 'status']) {
      expect((await ask(`${admin}/${path}`)).status, path).toBe(200);
      for (const method of ['POST', 'DELETE'])
        expect((await fetch(`${admin}/${path}`, { method })).status).toBe(405);
      expect((await fetch(`${admin}/${path}`, { method: 'HEAD' })).status).toBe(200);
    }
    for (const path of ['', 'drain', 'status/x', '..', '__proto__', 'constructor']) {
      expect((await ask(`${admin}/${path}`)).status, path).toBe(404);
    }
  });
});

describe('start', () => {
  test('a taken port is said, and nothing stays open', async () => {
    const origin = await startOrigin(cleanup);
    const busy = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => busy.once('listening', resolve));
    cleanup.add(() => new Promise((resolve) => busy.close(resolve)));
    const { port } = busy.address() as { port: number };
    const stateDir = cleanup.folder();
    for (const flag of ['--listen', '--admin']) {
      const start = runSidecar(cleanup, [
        '--upstream',
        origin.url,
        flag,
        `127.0.0.1:${port}`,
        '--state-dir',
        stateDir,
      ]);
      await expect(start).rejects.toMatchObject({ code: 'LISTEN_REFUSED' });
    }
    await runSidecar(cleanup, ['--upstream', origin.url, '--state-dir', stateDir]);
  });

  test('bad files: all of them at once', async () => {
    const folder = cleanup.folder();
    writeFileSync(join(folder, 'policy.yaml'), 'fleet: {mode: blok}\nextra: 1\n');
    writeFileSync(join(folder, 'key'), 'short');
    const args = ['--upstream', 'http://127.0.0.1:1', '--policy', join(folder, 'policy.yaml')];
    const more = ['--identity-key-file', join(folder, 'key'), '--bundle', join(folder, 'none.bundle')];
    const error = await runSidecar(cleanup, [...args, ...more]).catch((thrown: unknown) =>
      PicketError.from(thrown),
    );
    expect(error).toBeInstanceOf(PicketError);
    const fields = (error as PicketError).problems.map((problem) => problem.field);
    expect(fields).toEqual(['--identity-key-file', 'fleet.mode', 'extra', '--bundle']);
    const damaged = join(folder, 'damaged.bundle');
    writeFileSync(damaged, readFileSync(DEFAULT_BUNDLE).subarray(0, 5000));
    await expect(runSidecar(cleanup, [...args.slice(0, 2), '--bundle', damaged])).rejects.toMatchObject({
      code: 'BUNDLE_CORRUPT',
    });
  });

  test('a plan above the limit is refused', async () => {
    const start = runSidecar(cleanup, ['--upstream', 'http://127.0.0.1:1', '--memory-limit-bytes', '100MiB']);
    await expect(start).rejects.toMatchObject({ code: 'MEMORY_PLAN' });
  });
});

describe('the data thread', () => {
  test('a stall is seen by /live and /ready while the admin listener answers', async () => {
    const origin = await startOrigin(cleanup);
    const { url, admin } = await runSidecar(cleanup, ['--upstream', origin.url], { threadEntry: FAULTY });
    await ask(url);
    faults({ stallMs: 4500 });
    await until(
      () => ask(`${admin}/live`),
      (answer) => answer.status === 503,
    );
    expect((await ask(`${admin}/ready`)).status).toBe(503);
    expect(await statusOf(admin)).toMatchObject({ data_thread: { stalled: true, crashes: 0 } });
    await until(
      () => ask(`${admin}/live`),
      (answer) => answer.status === 200,
    );
    expect((await ask(url)).status).toBe(200);
  });

  test('a crash is counted and healed on the same port, with the policy of the moment', async () => {
    const origin = await startOrigin(cleanup);
    const folder = cleanup.folder();
    const policy = join(folder, 'policy.yaml');
    writeFileSync(policy, 'fleet: {mode: monitor}\n');
    const args = ['--upstream', origin.url, '--policy', policy];
    const { sidecar, url, log } = await runSidecar(cleanup, args, { threadEntry: FAULTY });
    await ask(url);
    writeFileSync(policy, 'fleet: {mode: block, flagAt: 0, blockAt: 0}\n');
    await sidecar.reload();
    expect((await ask(url)).status).toBe(403);
    faults({ crash: true });
    await until(
      () => sidecar.status(),
      (now) => now.data_thread.crashes === 1 && now.ready,
    );
    expect((await ask(url)).status).toBe(403);
    expect(sidecar.status()).toMatchObject({ mode: 'block', mode_source: 'bootstrap', requests_total: 3 });
    expect(log.some((line) => line.level === 'error' && line.msg.includes('the data thread ended'))).toBe(
      true,
    );
  });
});

describe('reload', () => {
  test('a good file takes over, a bad one changes nothing and is said', async () => {
    const origin = await startOrigin(cleanup);
    const folder = cleanup.folder();
    const [policy, bundle] = [join(folder, 'policy.yaml'), join(folder, 'model.bundle')];
    writeFileSync(policy, 'fleet: {mode: monitor}\n');
    writeFileSync(bundle, readFileSync(DEFAULT_BUNDLE));
    const args = ['--upstream', origin.url, '--policy', policy, '--bundle', bundle];
    const { sidecar, url, log } = await runSidecar(cleanup, args);
    const before = sidecar.status();
    expect(before).toMatchObject({ mode: 'monitor', mode_source: 'bootstrap', bundle_origin: 'bootstrap' });
    expect(await sidecar.reload()).toEqual(['policy: unchanged', 'bundle: unchanged']);
    writeFileSync(policy, 'fleet: {mode: block, flagAt: 0, blockAt: 0}\n');
    writeFileSync(bundle, Buffer.concat([readFileSync(DEFAULT_BUNDLE), Buffer.from('x')]));
    expect(await sidecar.reload()).toEqual([
      expect.stringMatching(/^policy: now file-/),
      'bundle: refused, BUNDLE_CORRUPT',
    ]);
    const refused = await ask(url);
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.body)).toMatchObject({ reason: 'policy.blocked' });
    expect(sidecar.status().bundle_id).toBe(before.bundle_id);
    writeFileSync(policy, 'fleet: {mode: blok}\n');
    expect(await sidecar.reload()).toEqual([
      'policy: refused, POLICY_INVALID',
      'bundle: refused, BUNDLE_CORRUPT',
    ]);
    expect(sidecar.status().mode).toBe('block');
    expect(log.filter((line) => line.level === 'error').map((line) => line['code'])).toContain(
      'POLICY_INVALID',
    );
  });

  test('a mode that runs out falls back by itself', async () => {
    const origin = await startOrigin(cleanup);
    const folder = cleanup.folder();
    const policy = join(folder, 'policy.yaml');
    const clock = new ManualClock(Date.parse('2026-01-01T00:00:00Z'));
    writeFileSync(policy, 'fleet: {mode: block, modeUntil: 2026-01-01T01:00:00Z, flagAt: 0, blockAt: 0}\n');
    const { sidecar, url } = await runSidecar(cleanup, ['--upstream', origin.url, '--policy', policy], {
      clock,
    });
    expect((await ask(url)).status).toBe(403);
    clock.moveTo(Date.parse('2026-01-01T01:00:00Z'));
    await until(
      () => sidecar.status(),
      (now) => now.mode === 'monitor',
    );
    expect((await ask(url)).status).toBe(200);
  });
});

test('drain: not ready, connections closed after answers, all still served; then a stop waits', async () => {
  const origin = await startOrigin(cleanup);
  const stateDir = cleanup.folder();
  const { sidecar, url, admin } = await runSidecar(cleanup, [
    '--upstream',
    origin.url,
    '--state-dir',
    stateDir,
  ]);
  expect(await requestDrain(drainSocketPath(stateDir))).toBe('draining');
  expect((await ask(`${admin}/ready`)).status).toBe(503);
  expect((await ask(`${admin}/live`)).status).toBe(200);
  const drained = await until(
    () => ask(url),
    (answer) => answer.headers.connection === 'close',
  );
  expect(drained.status).toBe(200);
  origin.hold = true;
  const slow = ask(`${url}/slow`);
  await until(
    () => origin.held.length,
    (count) => count === 1,
  );
  const stopped = sidecar.stop(20_000);
  await until(
    () =>
      ask(url).then(
        () => 'open',
        () => 'closed',
      ),
    (state) => state === 'closed',
  );
  origin.held[0]!();
  expect((await slow).body).toBe('hello from the origin');
  await stopped;
});
