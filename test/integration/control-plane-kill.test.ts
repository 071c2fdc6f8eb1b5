// A control plane that is killed (SIGKILL) at random moments while batches come in: every event that it had acked is in its
// store, none is there twice, and the account adds up. The producer resends what was not acked, as a sidecar does.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../control-plane/store/sqlite-store.ts';
import { publisher } from '../../control-plane/testing/calls.ts';
import { RawSidecar } from '../../control-plane/testing/raw-sidecar.ts';
import {
  BOOT,
  encodeBatch,
  range,
  sampleEvent,
  sequencesOf,
} from '../../control-plane/testing/sample-events.ts';
import { systemClock } from '../../domain/clock.ts';
import { type Random, seededRandom } from '../../domain/random.ts';
import { PublishRequest, type PublishResponse } from '../../proto/gen/picket/v1/events.ts';
import { PICKET } from '../support/sidecars.ts';

const ROUNDS = 4;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'picket-kill-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Starts `picket control-plane` as a process and waits until it says where it listens. */
async function start(): Promise<{ child: ChildProcess; address: string }> {
  const args = [
    'control-plane',
    '--listen=127.0.0.1:0',
    '--http=127.0.0.1:0',
    '--data-dir',
    dir,
    '--log-level=silent',
  ];
  const child = spawn(process.execPath, [PICKET, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  return { child, address: /gRPC on (\S+),/.exec(line)?.[1] ?? '' };
}

function batchFrom(sequence: number, count: number): PublishRequest {
  const events = range(sequence, sequence + count - 1).map((n) =>
    sampleEvent(n, n % 7 === 0 ? { outcome: null } : {}),
  );
  return PublishRequest.decode(encodeBatch({ events }));
}

/** Sends batches from `acked` + 1 on until `ackCount` acks came, kills, and returns the last acked sequence. */
async function sendAndKill(acked: number, random: Random): Promise<number> {
  const { child, address } = await start();
  const client = publisher(address);
  const stream = client.publish();
  const exited = once(child, 'exit');
  let settled = acked;
  let sent = acked;
  const acksBeforeKill = 2 + random.int(40);
  const send = () => {
    const count = 1 + random.int(200);
    stream.write(batchFrom(sent + 1, count));
    sent += count;
  };
  await new Promise<void>((resolve) => {
    let acks = 0;
    stream.on('data', (response: PublishResponse) => {
      settled = Math.max(settled, ...response.highWater.map(({ sequence }) => sequence));
      acks += 1;
      if (acks === acksBeforeKill) setTimeout(() => child.kill('SIGKILL'), random.int(5));
      if (acks <= acksBeforeKill) send();
    });
    stream.on('error', () => resolve());
    stream.on('end', () => resolve());
    for (let i = 0; i < 6; i++) send();
  });
  await exited;
  client.close();
  return settled;
}

describe('a control plane killed in the middle', () => {
  test('loses nothing that it acked and stores nothing twice', async () => {
    const seed = Date.now() % 1_000_000;
    const random = seededRandom(seed);
    let acked = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const before = acked;
      acked = await sendAndKill(acked, random);
      expect(acked, `seed ${seed}, round ${round}`).toBeGreaterThan(before);
    }
    const { child, address } = await start();
    const sidecar = new RawSidecar(address, { bootId: BOOT });
    const mark = (await sidecar.welcome()).highWater[0]?.sequence ?? 0;
    expect(mark, `seed ${seed}`).toBeGreaterThanOrEqual(acked);
    sidecar.close();
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect((await exited)[0]).toBe(0);
    const store = await openSqliteStore({ dir, retentionDays: 0, clock: systemClock() });
    const stored = await sequencesOf(store, { limit: 1000 });
    expect(stored, `seed ${seed}`).toEqual(range(1, mark).map((n) => `request-${n}`));
    expect(await store.events.totals()).toMatchObject({ stored: mark, skipped: 0, dropped: 0, refused: 0 });
    await store.close();
  }, 60_000);
});
