// The identity key file: a bare secret as ever, two secrets while one is rotated; the ring that reads it again, keeps the key
// before a change for a day, and forgets it when its time is over.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { PicketError } from '../domain/errors.ts';
import type { ThreadOrder } from './data-thread-host.ts';
import { identityKeys } from './identity-key.ts';
import { IdentityKeyRing } from './identity-key-ring.ts';
import { newLog } from './log.ts';

const folder = mkdtempSync(join(tmpdir(), 'picket-key-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NOW_MS = Date.parse('2026-11-22T12:00:00Z');
const NEW = 'n'.repeat(32);
const OLD = 'o'.repeat(32);
const of = (text: string) => identityKeys(Buffer.from(text), 'shop', NOW_MS);

describe('the file', () => {
  it('holds a secret, or two: each gives the key that it gives alone', () => {
    const both = of(`current ${NEW}\nformer ${OLD} until 2026-11-23T11:00:00Z\n`);
    expect(both.current).toEqual(of(NEW).current);
    expect(both.former).toEqual({ key: of(OLD).current, untilMs: NOW_MS + 23 * 3_600_000 });
    expect(of(`former ${OLD} until 2026-11-23T12:00:00+01:00\r\n\ncurrent  ${NEW}`)).toEqual(both);
    expect(of(`current ${NEW}`)).toEqual(of(NEW));
    expect(of(`current ${NEW}\nformer ${OLD} until 2026-11-22T12:00:00Z`).former).toBeNull();
  });

  it('names its key, by a number that follows from secret and namespace and is never 0', () => {
    expect(of(NEW).keyId).toBe(of(`current ${NEW}`).keyId);
    expect(of(NEW).keyId).not.toBe(of(OLD).keyId);
    expect(of(NEW).keyId).not.toBe(identityKeys(Buffer.from(NEW), 'pay', NOW_MS).keyId);
    expect(of(NEW).keyId).toBeGreaterThan(0);
    expect(identityKeys(null, 'shop', 0).keyId).not.toBe(identityKeys(null, 'shop', 0).keyId);
  });

  it.each([
    'short',
    `current short`,
    `current ${NEW}\nformer short until 2026-11-23T11:00:00Z`,
    `current ${NEW}\nformer ${OLD}`,
    `current ${NEW}\nformer ${OLD} until tomorrow`,
    `current ${NEW}\nformer ${OLD} until 2026-11-24T12:00:00Z`,
    `current ${NEW}\ncurrent ${OLD}`,
    `former ${OLD} until 2026-11-23T11:00:00Z`,
    `current ${NEW} and more`,
    `current ${NEW}\nformer ${OLD} until 2026-11-23T11:00:00Z\n${OLD}`,
  ])('is refused with a reason: %j', (text) => {
    try {
      of(text);
      expect.unreachable();
    } catch (thrown) {
      const error = PicketError.from(thrown);
      expect([error.code, error.problems[0]?.field]).toEqual(['CONFIG_INVALID', '--identity-key-file']);
      expect(JSON.stringify([error.message, error.problems])).not.toMatch(/nnnn|oooo/);
    }
  });
});

describe('the ring', () => {
  function ringOf(text: string) {
    const file = join(folder, `${Math.random()}`);
    const write = (content: string): void => writeFileSync(file, content);
    write(text);
    const orders: ThreadOrder[] = [];
    const clock = { nowMs: NOW_MS };
    const ring = new IdentityKeyRing({
      keys: of(text),
      file,
      namespace: 'shop',
      log: newLog({ level: 'silent', workload: 'w', bootId: 'b'.repeat(32) }),
      wallMs: () => clock.nowMs,
      send: (order) => {
        orders.push(order);
        return Promise.resolve();
      },
    });
    return { ring, write, orders, clock };
  }

  it('a new secret takes over, the one before stays for a day, whether the file says so or not', async () => {
    const { ring, write, orders, clock } = ringOf(OLD);
    expect(await ring.reload()).toEqual(['identity key: unchanged']);
    write(NEW);
    expect(await ring.reload()).toEqual([
      'identity key: read anew, the former one until 2026-11-23T12:00:00.000Z',
    ]);
    expect(ring.hashKeys).toEqual({
      current: of(NEW).current,
      keyId: of(NEW).keyId,
      former: of(OLD).current,
    });
    expect(orders).toEqual([{ kind: 'identity_keys', keys: ring.hashKeys }]);
    expect(await ring.reload()).toEqual(['identity key: unchanged']);
    clock.nowMs += 24 * 3_600_000 - 1;
    ring.tick();
    expect(ring.hashKeys.former).not.toBeNull();
    clock.nowMs += 1;
    ring.tick();
    ring.tick();
    expect(ring.hashKeys.former).toBeNull();
    expect(orders).toHaveLength(2);
  });

  it('two secrets in the file: that one, until then', async () => {
    const { ring, write } = ringOf(OLD);
    write(`current ${NEW}\nformer ${OLD} until 2026-11-22T13:00:00Z`);
    await ring.reload();
    expect(ring.keys).toEqual(of(`current ${NEW}\nformer ${OLD} until 2026-11-22T13:00:00Z`));
  });

  it('a bad file changes nothing', async () => {
    const { ring, write, orders } = ringOf(OLD);
    write('short');
    expect(await ring.reload()).toEqual(['identity key: refused, CONFIG_INVALID']);
    expect([ring.keys, orders]).toEqual([of(OLD), []]);
  });
});
