// What is remembered, over the restart of a real sidecar in the middle of its traffic: no burst of first-seen flags, an age that
// goes on, and a file that is refused and said when it is not good. Flags and counts are read from the events.

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import type { SidecarStatus } from '../../proxy/status.ts';
import { ask, Cleanup, runSidecar, spawnPicket, startOrigin, until } from '../support/sidecars.ts';
import { startWatched, type WatchedSidecar } from '../support/watched-sidecar.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const FLAGS = ['address_new', 'user_agent_new', 'route_new'] as const;
const SEEN = [...FLAGS, 'identity_requests_total', 'identity_requests_1h', 'state_age_s'] as const;
const SECRET = '0123456789abcdef0123456789abcdef';
/** Clients behind a trusted proxy: address and agent are their own. */
const PROXIED = ['--trusted-proxies', '127.0.0.1', '--client-ip-source', 'xff'];

function clientHeaders(n: number): Record<string, string> {
  return {
    authorization: `Bearer token-${n}`,
    'x-forwarded-for': `198.51.100.${n}`,
    'user-agent': `agent ${n % 3}`,
  };
}

async function askAll(sidecar: WatchedSidecar, clients: number) {
  const seen = [];
  for (let n = 1; n <= clients; n++)
    seen.push(await sidecar.features(SEEN, clientHeaders(n), `/orders/${n}`));
  return seen;
}

function keyFile(): string {
  const path = join(cleanup.folder(), 'identity.key');
  writeFileSync(path, SECRET);
  return path;
}

describe('a sidecar that was stopped and started again', () => {
  it('says "first seen" of nobody that it knew, and goes on counting', async () => {
    const args = ['--identity-key-file', keyFile(), '--state-dir', cleanup.folder(), ...PROXIED];
    const first = await startWatched(cleanup, args);
    for (let round = 0; round < 7; round++) await askAll(first, 6);
    const before = await askAll(first, 6);
    expect(before.every((seen) => FLAGS.every((flag) => seen[flag] === 0))).toBe(true);
    await first.sidecar.stop(0);

    const second = await startWatched(cleanup, args);
    expect(second.sidecar.status().state).toMatchObject({
      ...{ restored: 'restored', restore_problem: '', restored_left: 0 },
      restored_rows: { identities: 6, addresses: 6, profiles: 6 },
    });
    const after = await askAll(second, 6);
    for (const [i, seen] of after.entries()) {
      expect(FLAGS.map((flag) => seen[flag])).toEqual([0, 0, 0]);
      expect(seen.identity_requests_total).toBe(9);
      // An hour may have ended in between: its slice is then weighed by what is left of it.
      expect(seen.identity_requests_1h).toBeGreaterThan(8);
      expect(seen.state_age_s).toBeGreaterThanOrEqual(before[i]!.state_age_s);
    }
    const stranger = { ...clientHeaders(1), 'x-forwarded-for': '203.0.113.9' };
    expect((await second.features(FLAGS, stranger)).address_new).toBe(1);
  });

  it('keeps its own identity key in --state-dir, so that a restart needs no other option', async () => {
    const folder = cleanup.folder();
    const first = await startWatched(cleanup, ['--state-dir', folder]);
    await askAll(first, 2);
    await first.sidecar.stop(0);
    expect(statSync(join(folder, 'identity.key')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'rows.state')).mode & 0o777).toBe(0o600);
    const second = await startWatched(cleanup, ['--state-dir', folder]);
    const [seen] = await askAll(second, 1);
    expect(seen?.identity_requests_total).toBe(2);
  });

  it('refuses what another key wrote, and what is damaged; says so and begins anew', async () => {
    const folder = cleanup.folder();
    const first = await startWatched(cleanup, ['--state-dir', folder, '--identity-key-file', keyFile()]);
    await askAll(first, 2);
    await first.sidecar.stop(0);
    const other = join(cleanup.folder(), 'other.key');
    writeFileSync(other, `another ${SECRET}`);
    const second = await startWatched(cleanup, ['--state-dir', folder, '--identity-key-file', other]);
    expect(second.sidecar.status().state).toMatchObject({ restored: 'refused', restore_refused: 'key' });
    const [seen] = await askAll(second, 1);
    expect(seen?.identity_requests_total).toBe(1);
    await second.sidecar.stop(0);

    const path = join(folder, 'rows.state');
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 0x10;
    writeFileSync(path, bytes);
    const third = await startWatched(cleanup, ['--state-dir', folder, '--identity-key-file', other]);
    expect(third.sidecar.status().state).toMatchObject({ restored: 'refused', restore_refused: 'damaged' });
    expect(third.log.some(({ level, msg }) => level === 'error' && msg.includes('is not used'))).toBe(true);
    await askAll(third, 1);
  });

  it('keeps nothing with --state-dir-max-bytes 0, and without a lasting folder', async () => {
    const folder = cleanup.folder();
    const off = await startWatched(cleanup, ['--state-dir', folder, '--state-dir-max-bytes', '0']);
    await askAll(off, 1);
    await off.sidecar.stop(0);
    expect(readdirSync(folder)).not.toContain('rows.state');
    const temporary = await startWatched(cleanup, []);
    expect(temporary.sidecar.status().state).toMatchObject({ file: null, restored: 'off' });
    expect(temporary.sidecar.status().state.off_because).toContain('temporary');
    const hurried = await startWatched(cleanup, ['--state-dir', folder, '--clock-rate', '100']);
    expect(hurried.sidecar.status().state.off_because).toContain('--clock-rate');
  });
});

describe('a data thread that crashed', () => {
  it('is followed by one that knows what it knew', async () => {
    const origin = await startOrigin(cleanup);
    const threadEntry = new URL('../support/faulty-data-thread.ts', import.meta.url);
    const args = [
      '--upstream',
      origin.url,
      '--state-dir',
      cleanup.folder(),
      '--snapshot-interval-seconds',
      '0',
    ];
    const { sidecar, url } = await runSidecar(cleanup, args, { threadEntry });
    for (let n = 1; n <= 5; n++) await ask(url, clientHeaders(n));
    await until(
      () => sidecar.status(),
      ({ identities }) => identities === 5,
    );
    const faults = new BroadcastChannel('picket-test-faults');
    cleanup.add(() => faults.close());
    faults.postMessage({ crash: true });
    const { state } = await until(
      () => sidecar.status(),
      ({ data_thread, ready }) => data_thread.crashes === 1 && ready,
    );
    expect(state).toMatchObject({ restored: 'restored', restored_rows: { identities: 5 }, saves_total: 1 });
    expect((await ask(url, clientHeaders(1))).status).toBe(200);
  });
});

describe('a process', () => {
  async function run(args: readonly string[]) {
    const origin = await startOrigin(cleanup);
    const common = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--upstream', origin.url];
    const started = spawnPicket(cleanup, ['sidecar', ...common, ...args]);
    const line = await started.said('sidecar started');
    const status = async (): Promise<SidecarStatus> =>
      JSON.parse((await ask(`http://${String(line['admin'])}/status`)).body) as SidecarStatus;
    return { started, status, url: `http://${String(line['listen'])}` };
  }

  it('that is killed has lost no more than what came after its last save', async () => {
    const args = ['--state-dir', cleanup.folder(), '--snapshot-interval-seconds', '1'];
    const first = await run(args);
    for (let n = 0; n < 5; n++) await ask(first.url, clientHeaders(n));
    await until(first.status, ({ state }) => (state.last_save?.rows['identities'] ?? 0) === 5);
    first.started.child.kill('SIGKILL');
    await first.started.exit;
    const second = await run(args);
    expect((await second.status()).state).toMatchObject({ restored: 'restored', restore_problem: '' });
    expect((await second.status()).state.restored_rows['identities']).toBe(5);
    await until(second.status, ({ identities }) => identities === 5);
  });

  it('saves at "picket drain" and at SIGTERM', async () => {
    const folder = cleanup.folder();
    const args = ['--state-dir', folder, '--snapshot-interval-seconds', '0'];
    const first = await run(args);
    await ask(first.url, clientHeaders(1));
    const drained = spawnPicket(cleanup, ['drain', '--state-dir', folder]);
    expect(await drained.exit).toBe(0);
    await until(first.status, ({ state }) => state.saves_total === 1);
    await ask(first.url, clientHeaders(2));
    first.started.child.kill('SIGTERM');
    expect(await first.started.exit).toBe(0);
    const second = await run(args);
    expect((await second.status()).state.restored_rows['identities']).toBe(2);
  });
});
