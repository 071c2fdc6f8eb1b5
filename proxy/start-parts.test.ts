// Small parts of the control thread: memory plan, identity key, log, notes, back-off, drain socket, clocks.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { PicketError } from '../domain/errors.ts';
import { FeatureEngine } from '../feature-engine/engine.ts';
import { Core } from '../wasm-core/host/core.ts';
import { Backoff } from './control/backoff.ts';
import { drainSocketPath, listenForDrain, makeStateDir, requestDrain } from './drain-socket.ts';
import { identityKey } from './identity-key.ts';
import { newLog } from './log.ts';
import { checkMemoryPlan, containerLimitBytes, memoryPlan } from './memory-plan.ts';
import { NoteLimiter } from './note.ts';
import { clockFrom, monotonicMs, newClockBase } from './shared-clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'picket-parts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const PLANNED = {
  identities: 25_000,
  flaggedRingSlots: 16_384,
  allowRingSlots: 49_152,
  controlPlane: '127.0.0.1:1',
  memoryLimitBytes: undefined,
  heldBodiesMax: 64,
  bodyPrefixBytes: 8192,
  stateDirMaxBytes: 2 ** 25,
};

describe('memory plan', () => {
  test('fixed parts are planned as they are made', () => {
    const planned = Object.fromEntries(
      memoryPlan(PLANNED, null).items.map((item) => [item.name, item.bytes]),
    );
    const engine = new FeatureEngine({ identities: 25_000, startedMs: 0 });
    for (const item of engine.memoryPlan()) expect(planned[item.name], item.name).toBe(item.bytes);
    const core = new Core().memoryPlan().totalBytes;
    expect(Math.abs(planned['scoring core']! - core)).toBeLessThan(65_536);
    expect(planned['event rings']).toBeGreaterThan(65_536 * 512);
  });

  test('without a control plane there are no rings', () => {
    const plan = memoryPlan({ ...PLANNED, controlPlane: undefined }, null);
    expect(plan.items.find((item) => item.name === 'event rings')?.bytes).toBe(0);
  });

  test('a plan above the limit is refused, with every item; the option wins over the container', () => {
    expect(() => checkMemoryPlan(memoryPlan(PLANNED, 2 ** 40))).not.toThrow();
    expect(() => checkMemoryPlan(memoryPlan({ ...PLANNED, memoryLimitBytes: 2 ** 40 }, 1))).not.toThrow();
    const plan = memoryPlan({ ...PLANNED, identities: 10_000_000 }, 2 ** 30);
    try {
      checkMemoryPlan(plan);
      expect.unreachable();
    } catch (thrown) {
      const error = PicketError.from(thrown);
      expect(error.code).toBe('MEMORY_PLAN');
      expect(error.problems.map((problem) => problem.field)).toEqual(plan.items.map((item) => item.name));
    }
  });

  test('the container says its limit in either version of cgroups', () => {
    const file = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const v1none = file('v1none', '9223372036854771712\n');
    const none = file('none', 'max\n');
    const some = file('some', '402653184\n');
    expect(containerLimitBytes([join(folder, 'absent'), some])).toBe(402_653_184);
    expect(containerLimitBytes([none, v1none])).toBeNull();
    expect(containerLimitBytes([])).toBeNull();
  });
});

describe('identity key', () => {
  const secret = Buffer.from('0123456789abcdef0123456789abcdef\n');

  test('follows from secret and namespace, and from nothing else', () => {
    expect(identityKey(secret, 'shop')).toEqual(identityKey(Buffer.from(` ${secret.toString()}\n`), 'shop'));
    expect(identityKey(secret, 'shop')).not.toEqual(identityKey(secret, 'pay'));
    expect(identityKey(Buffer.from('f'.repeat(32)), 'shop')).not.toEqual(identityKey(secret, 'shop'));
    expect(identityKey(null, 'shop')).not.toEqual(identityKey(null, 'shop'));
    expect(identityKey(secret, 'shop')).toHaveLength(4);
  });

  test('a short secret is refused', () => {
    expect(() => identityKey(Buffer.from('short\n'), 'shop')).toThrow(PicketError);
  });
});

describe('log', () => {
  test('secrets do not show, wherever they stand; levels are words', () => {
    const lines: string[] = [];
    const log = newLog({
      level: 'info',
      workload: 'w',
      bootId: 'ab'.repeat(16),
      stream: { write: (line) => lines.push(line) },
    });
    log.warn(
      {
        authorization: 'Bearer x1x',
        request: { cookie: 'x2x', headers: { 'x-api-key': 'x3x' } },
        token: 'x4x',
      },
      'odd',
    );
    log.debug('not at this level');
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(/x\dx/);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: 'warn',
      msg: 'odd',
      workload: 'w',
      boot: 'abababab',
    });
  });

  test('notes are limited, and what was left out is counted', () => {
    let nowMs = 0;
    const limiter = new NoteLimiter(() => nowMs);
    const burst = Array.from({ length: 200 }, () => limiter.admit()).filter(Boolean).length;
    expect(burst).toBe(50);
    expect(limiter.admit()).toBe(false);
    nowMs = 1000;
    expect(Array.from({ length: 200 }, () => limiter.admit()).filter(Boolean)).toHaveLength(10);
    expect(limiter.takeSuppressed()).toBe(341);
    expect(limiter.takeSuppressed()).toBe(0);
  });
});

test('back-off: full jitter under a growing ceiling, from the start again after a success', () => {
  const highest = new Backoff(() => 0.999_999);
  const delays = Array.from({ length: 12 }, () => highest.next());
  expect(delays.slice(0, 4)).toEqual([199, 399, 799, 1599]);
  expect(Math.max(...delays)).toBe(7999);
  highest.reset();
  expect(highest.next()).toBe(199);
  const lowest = new Backoff(() => 0);
  expect(Array.from({ length: 12 }, () => lowest.next()).every((ms) => ms === 0)).toBe(true);
});

test('threads that start at different times have the same clock, at any rate', () => {
  const base = newClockBase(1000);
  const early = clockFrom(base);
  const late = clockFrom({ ...base });
  const before = early.nowMs();
  expect(late.nowMs()).toBeGreaterThanOrEqual(before);
  expect(late.nowMs() - before).toBeLessThan(60_000_000);
  expect(monotonicMs()).toBeLessThanOrEqual(monotonicMs());
});

describe('drain socket', () => {
  test('one word drains; a second sidecar in the folder is refused; a dead one is replaced', async () => {
    const path = drainSocketPath(join(folder, 'state'));
    await makeStateDir(join(folder, 'state'), false);
    let drains = 0;
    const server = await listenForDrain(path, () => {
      drains++;
    });
    expect(await requestDrain(path)).toBe('draining');
    expect(drains).toBe(1);
    await expect(listenForDrain(path, () => {})).rejects.toMatchObject({ code: 'LISTEN_REFUSED' });
    await new Promise((resolve) => server.close(resolve));
    await expect(requestDrain(path)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    writeFileSync(path, '');
    const next = await listenForDrain(path, () => {});
    await new Promise((resolve) => next.close(resolve));
  });

  test('a folder in a shared place must be ours alone; one that cannot be made is said', async () => {
    const shared = join(folder, 'shared', 'own');
    await makeStateDir(shared, true);
    const { chmodSync } = await import('node:fs');
    chmodSync(shared, 0o777);
    await expect(makeStateDir(shared, true)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    writeFileSync(join(folder, 'file'), '');
    await expect(makeStateDir(join(folder, 'file', 'x'), false)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});
