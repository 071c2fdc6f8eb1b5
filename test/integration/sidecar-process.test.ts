// `picket sidecar` as a process of its own: wrong calls, signals, exit codes, `picket drain`, secrets that never show.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import {
  ask,
  Cleanup,
  type LogLine,
  type PicketProcess,
  spawnPicket,
  startOrigin,
  until,
} from '../support/sidecars.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

interface Started {
  readonly process: PicketProcess;
  readonly url: string;
  readonly admin: string;
  readonly line: LogLine;
}

async function start(args: readonly string[], env: Record<string, string> = {}): Promise<Started> {
  const free = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  const process = spawnPicket(cleanup, ['sidecar', ...free, ...args], env);
  const line = await process.said('sidecar started');
  return { process, line, url: `http://${String(line['listen'])}`, admin: `http://${String(line['admin'])}` };
}

test('a wrong call: problems of flags, environment and file at once, exit code 2', async () => {
  const config = join(cleanup.folder(), 'config.yaml');
  writeFileSync(config, 'identities: many\nlisten: 127.0.0.1:0\n');
  const args = [
    'sidecar',
    '--config',
    config,
    '--upstream',
    'https://app',
    '--clock-rat',
    '3',
    '--log-level',
    'loud',
  ];
  const process = spawnPicket(cleanup, args, { PICKET_DRAIN_SECONDS: '-1' });
  expect(await process.exit).toBe(2);
  expect(process.lines).toEqual([]);
  for (const part of [
    'identities (config file)',
    '--upstream',
    '--clock-rat',
    'did you mean',
    '--log-level',
    'PICKET_DRAIN_SECONDS',
  ]) {
    expect(process.errors()).toContain(part);
  }
});

test('a file that is not good: exit code 1 or 2 with its reason', async () => {
  const policy = join(cleanup.folder(), 'policy.yaml');
  writeFileSync(policy, 'fleet: {mode: perhaps}\n');
  const process = spawnPicket(cleanup, ['sidecar', '--upstream', 'http://127.0.0.1:1', '--policy', policy]);
  expect(await process.exit).toBe(1);
  expect(process.errors()).toContain('POLICY_INVALID');
  expect(process.errors()).toContain('fleet.mode');
});

test('help teaches: every option with its default, the signals, the exit codes', async () => {
  for (const command of ['sidecar', 'drain']) {
    const process = spawnPicket(cleanup, [command, '--help']);
    expect(await process.exit).toBe(0);
    expect(process.lines.join('\n')).toContain('--state-dir');
  }
});

test('SIGTERM finishes what is under way, then exit code 0', async () => {
  const origin = await startOrigin(cleanup);
  const { process, url, admin } = await start(['--upstream', origin.url]);
  expect((await ask(`${admin}/ready`)).status).toBe(200);
  origin.hold = true;
  const slow = ask(`${url}/slow`);
  await until(
    () => origin.held.length,
    (count) => count === 1,
  );
  process.child.kill('SIGTERM');
  await process.said('stopping: no new connections, waiting for what is under way');
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
  expect(await process.exit).toBe(0);
});

test('a second signal ends it at once, exit code 1; so do --drain-seconds, exit code 0', async () => {
  const origin = await startOrigin(cleanup);
  origin.hold = true;
  for (const [seconds, signals, code] of [
    ['600', ['SIGTERM', 'SIGINT'], 1],
    ['0', ['SIGINT'], 0],
  ] as const) {
    const { process, url } = await start(['--upstream', origin.url, '--drain-seconds', seconds]);
    const held = origin.held.length;
    const cut = ask(`${url}/slow`).catch((error: Error) => error);
    await until(
      () => origin.held.length,
      (count) => count === held + 1,
    );
    for (const signal of signals) {
      process.child.kill(signal);
      await process.said('stopping: no new connections, waiting for what is under way');
    }
    expect(await process.exit).toBe(code);
    expect(await cut).toBeInstanceOf(Error);
  }
});

test('SIGHUP reads the policy again; a bad one is said and changes nothing', async () => {
  const origin = await startOrigin(cleanup);
  const policy = join(cleanup.folder(), 'policy.yaml');
  writeFileSync(policy, 'fleet: {mode: monitor}\n');
  const { process, url } = await start(['--upstream', origin.url, '--policy', policy]);
  expect((await ask(url)).status).toBe(200);
  writeFileSync(policy, 'fleet: {mode: block, flagAt: 0, blockAt: 0}\n');
  process.child.kill('SIGHUP');
  await until(
    () => ask(url).then((answer) => answer.status),
    (status) => status === 403,
  );
  writeFileSync(policy, 'fleet: [');
  process.child.kill('SIGHUP');
  await until(
    () => process.lines.join('\n'),
    (text) => text.includes('the new policy is not good, the old one stays'),
  );
  expect((await ask(url)).status).toBe(403);
});

test('picket drain finds its sidecar by the state folder; without one it says so', async () => {
  const origin = await startOrigin(cleanup);
  const stateDir = cleanup.folder();
  const { admin, url } = await start(['--upstream', origin.url], { PICKET_STATE_DIR: stateDir });
  const drain = spawnPicket(cleanup, ['drain', '--state-dir', stateDir]);
  expect(await drain.exit).toBe(0);
  expect(drain.lines).toEqual(['draining']);
  expect((await ask(`${admin}/ready`)).status).toBe(503);
  expect((await ask(url)).status).toBe(200);
  const nobody = spawnPicket(cleanup, ['drain', '--state-dir', cleanup.folder()]);
  expect(await nobody.exit).toBe(1);
  expect(nobody.errors()).toContain('UNREACHABLE');
});

test('what a request carries never shows in the log, at any level', async () => {
  const origin = await startOrigin(cleanup);
  const { process, url } = await start(['--upstream', origin.url, '--log-level', 'trace']);
  const secret = 'sesame-0451';
  const headers = { authorization: `Bearer ${secret}`, cookie: `session=${secret}`, 'x-api-key': secret };
  await ask(`${url}/a?token=${secret}`, headers);
  await ask(`${url}/a`, { ...headers, 'content-length': '1', 'transfer-encoding': 'chunked' }).catch(
    () => null,
  );
  process.child.kill('SIGTERM');
  expect(await process.exit).toBe(0);
  expect(process.lines.join('\n') + process.errors()).not.toContain(secret);
});
