// `picket ctl` against a real control plane and raw sidecars: what each sub-command prints, asks and returns.
// Wrong calls end with 2, an unreachable control plane with 1 and its address.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runPicket } from '../../cli/main.ts';
import type { RunningControlPlane } from '../../control-plane/main.ts';
import { getStatus, operator, publish, publisher } from '../../control-plane/testing/calls.ts';
import { RawSidecar } from '../../control-plane/testing/raw-sidecar.ts';
import { startIn } from '../../control-plane/testing/running.ts';
import { encodeBatch, range, sampleEvent } from '../../control-plane/testing/sample-events.ts';
import { PublishRequest } from '../../proto/gen/picket/v1/events.ts';
import { packBundle } from '../../wasm-core/host/bundle.ts';
import { smallSpec } from '../../wasm-core/testing/test-bundle.ts';

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let folder: string;
let running: RunningControlPlane;

/** Runs `picket ctl ARGS` in this process against the test's control plane. */
async function ctl(...args: string[]): Promise<Ran> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  stdout.on('data', (chunk: Buffer) => out.push(chunk));
  stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const env = { PICKET_CONTROL_PLANE: running.grpcAddress, USER: 'ann' };
  const code = await runPicket(['ctl', ...args], { stdout, stderr, env });
  await new Promise((resolve) => setImmediate(resolve));
  return { code, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') };
}

/** Closes a sidecar's stream and waits until the control plane has noticed. */
async function leave(sidecar: RawSidecar): Promise<void> {
  sidecar.close();
  const client = operator(running.grpcAddress);
  while ((await getStatus(client)).sidecars.length > 0);
  client.close();
}

const json = (ran: Ran) => JSON.parse(ran.stdout) as Record<string, unknown>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'picket-ctl-'));
  running = await startIn(join(folder, 'data'));
});

afterAll(async () => {
  await running.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('ctl mode', () => {
  test('sets, shows and counts the sidecars that took it', async () => {
    const sidecar = new RawSidecar(running.grpcAddress);
    await sidecar.welcome();
    sidecar.keepAcking();
    const set = await ctl('mode', 'block');
    expect(set).toMatchObject({ code: 0, stderr: '' });
    expect(set.stdout).toMatch(/^mode=block for the fleet, policy v\d+-[0-9a-f]{8}/);
    expect(set.stdout).toContain('1/1 sidecars applied it in ');
    const answer = json(await ctl('mode', 'monitor', '--workload', 'orders', '--json'));
    expect(answer).toMatchObject({
      mode: 'monitor',
      workload: 'orders',
      acks: [{ acked: true, mode: 'monitor' }],
    });
    const kept = await ctl('mode', 'block');
    expect(kept.stdout).toMatch(/keeps mode=monitor, set by its workload/);
    expect((await ctl('mode')).stdout).toMatch(/^mode=block for the fleet, set by: fleet/);
    expect(json(await ctl('mode', '--workload', 'orders', '--json'))).toMatchObject({
      mode_source: 'workload',
    });
    await leave(sidecar);
  });

  test('a sidecar that does not answer makes it fail, and is named', async () => {
    const sidecar = new RawSidecar(running.grpcAddress);
    await sidecar.welcome();
    const set = await ctl('mode', 'monitor', '--wait', '50ms');
    expect(set.code).toBe(1);
    expect(set.stdout).toContain('0/1 sidecars');
    expect(set.stdout).toContain('shop/orders 01234567: not applied: no answer in time');
    await leave(sidecar);
  });

  test('a timed mode, an undeclared route, a wrong word', async () => {
    expect((await ctl('mode', 'block', '--for', '30m')).code).toBe(0);
    expect((await ctl('policy', 'get')).stdout).toContain('modeUntil: ');
    const route = await ctl('mode', 'block', '--workload', 'orders', '--route', 'GET /x');
    expect(route).toMatchObject({ code: 1 });
    expect(route.stderr).toContain('NOT_FOUND: the policy of workload orders does not declare');
    expect((await ctl('mode', 'shadow')).code).toBe(2);
    expect((await ctl('mode', 'block', '--route', 'GET /x')).code).toBe(2);
    expect((await ctl('mode', 'block', 'twice')).code).toBe(2);
  });
});

describe('ctl policy', () => {
  test('apply, get and history go round; a wrong file shows every problem', async () => {
    const file = join(folder, 'policy.yaml');
    writeFileSync(file, 'fleet:\n  mode: monitor\n  flagAt: 0.5\n');
    const applied = await ctl('policy', 'apply', file);
    expect(applied).toMatchObject({ code: 0, stderr: '' });
    const got = await ctl('policy', 'get');
    expect(got.stdout).toMatch(/^# version v\d+-/);
    expect(got.stdout).toContain('flagAt: 0.5');
    writeFileSync(file, got.stdout);
    expect((await ctl('policy', 'apply', file)).stdout).toMatch(/^unchanged: v/);
    expect((await ctl('policy', 'apply', file, '--expect', 'v1-00000000')).stderr).toContain(
      'POLICY_VERSION_CONFLICT',
    );
    writeFileSync(file, 'fleet: {mode: on, flagat: 1}\n');
    const wrong = await ctl('policy', 'apply', file);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('fleet.mode: found "on"');
    expect(wrong.stderr).toContain('flagat');
    const history = await ctl('policy', 'history', '--limit', '1');
    expect(history.stdout).toMatch(
      /^v\d+-[0-9a-f]{8} {2}\d{4}-\d\d-\d\d .* ann {2}a policy document was applied\n$/,
    );
    expect((await ctl('policy', 'apply')).code).toBe(2);
    expect((await ctl('policy', 'apply', join(folder, 'none.yaml'))).code).toBe(1);
  });
});

describe('ctl model', () => {
  test('push, activate, roll back, list; a damaged bundle is refused with its reason', async () => {
    const paths = [1, 2].map((seed) => {
      const path = join(folder, `m${seed}.bundle`);
      writeFileSync(path, packBundle(smallSpec(seed)));
      return path;
    });
    const damaged = packBundle(smallSpec(3));
    damaged[damaged.length - 9]! ^= 1;
    writeFileSync(join(folder, 'damaged.bundle'), damaged);
    const refused = await ctl('model', 'push', join(folder, 'damaged.bundle'));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('BUNDLE_CORRUPT');
    const first = json(await ctl('model', 'push', paths[0] ?? '', '--json'));
    expect(first).toMatchObject({ known: false, model: { stage: 'candidate' } });
    const digest = (first['model'] as { digest: string }).digest;
    expect((await ctl('model', 'activate', digest.slice(0, 12))).stdout).toContain('none was active before');
    expect((await ctl('model', 'push', paths[1] ?? '', '--activate')).code).toBe(0);
    const list = JSON.parse((await ctl('model', 'list', '--json')).stdout) as { stage: string }[];
    expect(list.map((model) => model.stage)).toEqual(['active', 'retired']);
    const back = json(await ctl('model', 'rollback', '--json'));
    expect(back).toMatchObject({ model: { digest, stage: 'active', activated_by: 'ann' } });
    expect((await ctl('model', 'list')).stdout).toContain(digest.slice(0, 16));
    expect((await ctl('model', 'activate', 'abc')).code).toBe(1);
    expect((await ctl('model', 'push')).code).toBe(2);
  });
});

describe('ctl status and verdicts', () => {
  test('what was stored is shown, filtered, counted', async () => {
    const events = range(1, 30).map((n) => sampleEvent(n, n % 10 === 0 ? FLAGGED : {}));
    const client = publisher(running.grpcAddress);
    await publish(client, [PublishRequest.decode(encodeBatch({ events }))]);
    client.close();
    const shown = await ctl('verdicts', '--limit', '2');
    expect(shown.stdout.split('\n')).toHaveLength(3);
    expect(shown.stdout).toMatch(/flag {2}forward {2}0\.9000 .*GET \/orders\/\{id\} {2}score\.flag\n$/);
    const lines = (await ctl('verdicts', '--json', '--verdict', 'flag,block')).stdout.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { request_id: string }).request_id)).toEqual([
      'request-10',
      'request-20',
      'request-30',
    ]);
    const one = await ctl('verdicts', '--json', '--request-id', 'request-7');
    expect(json(one)).toMatchObject({ request_id: 'request-7', outcome: { status: 200 } });
    expect((await ctl('verdicts', '--verdict', 'bad')).code).toBe(2);
    const status = json(await ctl('status', '--json'));
    expect(status).toMatchObject({
      verdicts: { allow: 27, flag: 3, block: 0 },
      events: { stored: 30, lost: 0 },
    });
    expect((await ctl('status')).stdout).toMatch(/events {3}assigned 30, stored 30/);
  });
});

const FLAGGED = { verdict: 'flag', reason: 'score.flag', score: 0.9 } as const;

describe('ctl, called wrongly or in vain', () => {
  test('no or unknown sub-command, unknown option: 2, and the hint helps', async () => {
    expect((await ctl()).code).toBe(2);
    const unknown = await ctl('modes');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('mode, policy, model, status, verdicts');
    expect((await ctl('status', '--controlplane', 'x:1')).code).toBe(2);
    expect((await ctl('--help')).stdout).toContain(
      "picket ctl mode block --workload orders --route 'GET /orders/{id}'",
    );
  });

  test('nobody answers: 1, with the address', async () => {
    const ran = await ctl('status', '--control-plane', '127.0.0.1:1');
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('UNREACHABLE: no control plane answers at 127.0.0.1:1');
  });

  test('nothing goes in the clear to another machine', async () => {
    const ran = await ctl('status', '--control-plane', 'control.example:443');
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('TLS beyond loopback');
  });
});
