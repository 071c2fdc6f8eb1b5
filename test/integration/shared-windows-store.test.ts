// Three replicas that share windows by a real Redis: their views agree, and nothing but the views suffers when it is away.

import { afterEach, describe, expect, it } from 'vitest';
import { RowMerger, SLICE_MS } from '../../feature-engine/row-merge.ts';
import {
  countInto,
  MERGE_FIELDS,
  MERGE_ROW_WORDS,
  SLICE_WORD,
  windowAt,
} from '../../feature-engine/testing/merge-fields.ts';
import { type PlainState, plainState } from '../../feature-engine/testing/plain-state.ts';
import { newLog } from '../../proxy/log.ts';
import { SharedWindows, type SharedWindowsOptions } from '../../proxy/state/shared-windows.ts';
import { REDIS_MISSING, startRedis } from '../support/redis.ts';
import { Cleanup, until } from '../support/sidecars.ts';

const HOUR = 3;
const merger = new RowMerger(MERGE_FIELDS, MERGE_ROW_WORDS);
const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** One replica: plain memory and real sharing. */
class Replica {
  readonly state: PlainState = plainState([{ name: 'identities', capacity: 64, rowWords: MERGE_ROW_WORDS }], {
    overlayRows: 16,
  });
  readonly lines: { level: string; msg: string }[] = [];
  readonly windows: SharedWindows;
  name: string;
  #ticks = 0;

  constructor(name: string, url: string, options: Partial<SharedWindowsOptions> = {}) {
    this.name = name;
    const stream = { write: (line: string): void => void this.lines.push(JSON.parse(line)) };
    this.windows = new SharedWindows({
      ...{ url, intervalMs: 20, stalenessMs: 1000, clockRate: 1, fields: MERGE_FIELDS },
      ...{ owner: '0123456789abcdef', keyId: () => 'fedcba9876543210', view: () => this.state.view },
      ...{ replica: () => this.name, random: () => 0.1, monotonicMs: () => performance.now() },
      rename: (next) => {
        this.name = next;
      },
      clock: { nowMs: () => Date.now() },
      log: newLog({ level: 'debug', workload: 'w', bootId: name, stream }),
      ...options,
    });
    this.windows.start();
    cleanup.add(() => this.windows.close());
  }

  /** Counts `times` requests of identity `n`, whose row it makes if need be; returns its slot. */
  request(n: number, times: number, slot = -1): number {
    const { state } = this;
    const [table] = state.view.tables;
    const row = new Uint32Array(MERGE_ROW_WORDS);
    row.set([n, 5, 6, 7]);
    row[SLICE_WORD] = Math.floor(Date.now() / SLICE_MS);
    const place = slot >= 0 ? slot : state.put('identities', row, { seen: ++this.#ticks, good: 1 });
    const own = state.words.subarray(table!.rowsAt + place * MERGE_ROW_WORDS).subarray(0, MERGE_ROW_WORDS);
    const slice = Math.floor(Date.now() / SLICE_MS);
    for (let i = 0; i < times; i++) countInto(merger, own, { slice, item: n % 64 });
    this.look(place);
    return place;
  }

  /** The slot's row is looked up, as by a request. */
  look(slot: number): void {
    const { setsAt } = this.state.view.tables[0]!;
    this.state.words[setsAt + (slot >>> 3) * 16 + 8 + (slot & 7)] = ++this.#ticks;
  }

  /** Requests of the last hour as the engine would read them: own ones and, if they may still be used, the others'. */
  hour(slot: number): number {
    const own =
      this.state.words[this.state.view.tables[0]!.rowsAt + slot * MERGE_ROW_WORDS + windowAt(HOUR)]!;
    return own + (this.overlay(slot)?.[windowAt(HOUR)] ?? 0);
  }

  overlay(slot: number): Uint32Array | null {
    const { words } = this.state;
    const view = this.state.view.overlays!;
    const place = new Uint16Array(words.buffer)[view.slotsAt * 2 + slot]!;
    if (place === 0) return null;
    const row = words.slice(view.rowsAt + (place - 1) * view.rowWords, view.rowsAt + place * view.rowWords);
    const untilMs = new Float64Array(row.buffer)[view.untilWord / 2]!;
    return untilMs >= Date.now() ? row : null;
  }
}

describe.skipIf(REDIS_MISSING !== null)(`shared windows (${REDIS_MISSING ?? 'with a real store'})`, () => {
  it('agree on what all replicas counted of an identity, and on nothing of a stranger', async () => {
    const redis = await startRedis(cleanup);
    const replicas = ['aa', 'bb', 'cc'].map((name) => new Replica(name.repeat(8), redis.url));
    await until(
      () => replicas[0]!.windows.status(),
      ({ connects_total }) => connects_total >= 0,
    );
    const slots = await joined(replicas, [10, 20, 5]);
    const stranger = replicas[0]!.request(99, 4);
    await until(
      () => replicas.map((replica, i) => replica.hour(slots[i]!)),
      (sums) => sums.every((sum) => sum === 35),
    );
    expect(replicas[0]!.hour(stranger)).toBe(4);
    const overlay = replicas[2]!.overlay(slots[2]!)!;
    expect([...overlay.subarray(0, 4)]).toEqual([1, 5, 6, 7]);
    expect(overlay[windowAt(HOUR) + 3]).toBe(2);
    expect(replicas[1]!.windows.status()).toMatchObject({
      ...{
        state: 'connected',
        store: redis.url,
        merged: 1,
        unusable_total: 0,
        left_total: 0,
        last_error: '',
      },
    });

    replicas[1]!.request(1, 7, slots[1]!);
    await until(
      () => replicas.map((replica, i) => replica.hour(slots[i]!)),
      (sums) => sums.every((sum) => sum === 42),
    );
  });

  it('go on with their own view while the store is away, and agree again when it is back', async () => {
    const redis = await startRedis(cleanup);
    const replicas = ['aa', 'bb', 'cc'].map(
      (name) => new Replica(name.repeat(8), redis.url, { stalenessMs: 300 }),
    );
    const slots = await joined(replicas, [1, 2, 3]);
    const sums = () => replicas.map((replica, i) => replica.hour(slots[i]!));
    await until(sums, (all) => all.every((sum) => sum === 6));
    await redis.stop();
    const states = () => replicas.map(({ windows }) => windows.status().state);
    await until(states, (all) => all.every((state) => state === 'away'));
    await until(sums, (all) => all.join() === '1,2,3');
    expect(replicas[0]!.windows.status()).toMatchObject({ merged: 0 });
    expect(replicas[0]!.windows.status().failures_total).toBeGreaterThan(0);
    expect(replicas[0]!.lines.filter(({ level }) => level === 'warn').length).toBeLessThan(4);
    for (const [i, replica] of replicas.entries()) replica.request(1, 10, slots[i]!);
    await redis.start();
    await until(sums, (all) => all.every((sum) => sum === 36));
    expect(states()).toEqual(['connected', 'connected', 'connected']);
  });

  it('treat a store that hangs as one that is away', async () => {
    const redis = await startRedis(cleanup);
    const replicas = ['aa', 'bb'].map((name) => new Replica(name.repeat(8), redis.url, { stalenessMs: 300 }));
    const slots = await joined(replicas, [4, 5]);
    const sums = () => replicas.map((replica, i) => replica.hour(slots[i]!));
    await until(sums, (all) => all.join() === '9,9');
    redis.freeze();
    await until(sums, (all) => all.join() === '4,5');
    await until(
      () => replicas[0]!.windows.status(),
      ({ state }) => state === 'away',
    );
    expect(replicas[0]!.windows.status().last_error).toContain('no answer in');
    redis.thaw();
    await until(sums, (all) => all.join() === '9,9');
  });

  it('take another name when somebody else writes under theirs', async () => {
    const redis = await startRedis(cleanup);
    const replicas = ['aa', 'aa'].map((name) => new Replica(name.repeat(8), redis.url));
    const slots = await joined(replicas, [3, 4]);
    for (const _ of [1, 2, 3]) {
      // What is counted under one name by two is written in turn until one of them notices.
      await until(
        () => new Set(replicas.map(({ name }) => name)).size,
        (names) => {
          for (const [i, replica] of replicas.entries()) replica.request(1, 0, slots[i]!);
          return names === 2;
        },
      );
    }
    for (const [i, replica] of replicas.entries()) replica.request(1, 1, slots[i]!);
    await until(
      () => replicas.map((replica, i) => replica.hour(slots[i]!)),
      ([a = 0, b = 0]) => a >= 9 && b >= 9,
    );
  });

  it('need a password where the store does, and never show it', async () => {
    const redis = await startRedis(cleanup, ['--requirepass', 'open-sesame-7']);
    const refused = new Replica('aa'.repeat(8), redis.url);
    refused.request(1, 1);
    await until(
      () => refused.windows.status(),
      ({ state }) => state === 'away',
    );
    expect(refused.windows.status().last_error).toContain('NOAUTH');
    const url = redis.url.replace('redis://', 'redis://:open-sesame-7@');
    const let_in = new Replica('bb'.repeat(8), `${url}/2`);
    let_in.request(1, 1);
    await until(
      () => let_in.windows.status(),
      ({ state }) => state === 'connected',
    );
    const shown = JSON.stringify([let_in.windows.status(), let_in.lines]);
    expect(shown).not.toContain('open-sesame-7');
    expect(let_in.windows.status().store).toBe(`${redis.url}/2`);
  });

  it('leave out what does not fit, and count it', async () => {
    const redis = await startRedis(cleanup);
    const one = new Replica('aa'.repeat(8), redis.url);
    const two = new Replica('bb'.repeat(8), redis.url);
    await joined([one, two], [1, 1]);
    for (let n = 2; n < 40; n++) {
      one.request(n, 1);
      two.request(n, 1);
    }
    // 16 overlay rows, of which those replaced lately rest: never more than 16 views, and never a view of another identity.
    await until(
      () => two.windows.status(),
      ({ active }) => active === 39,
    );
    await until(
      () => two.windows.status(),
      ({ merged }) => merged > 8,
    );
    for (let slot = 0; slot < 39; slot++) {
      const overlay = two.overlay(slot);
      if (overlay !== null)
        expect(overlay[0]).toBe(two.state.words[two.state.view.tables[0]!.rowsAt + slot * 64]);
    }
    expect(two.windows.status().merged).toBeLessThanOrEqual(16);
  });
});

describe('without any store', () => {
  it('nothing is thrown, and every row is one of its own', async () => {
    const replica = new Replica('aa'.repeat(8), 'redis://127.0.0.1:1');
    const slot = replica.request(1, 3);
    await until(
      () => replica.windows.status(),
      ({ failures_total }) => failures_total >= 2,
    );
    expect(replica.hour(slot)).toBe(3);
    expect(replica.windows.status()).toMatchObject({ state: 'away', connects_total: 0, exchanges_total: 0 });
  });
});

/** Replica i counts `times[i]` requests of identity 1, seen again until all have exchanged it. */
async function joined(replicas: readonly Replica[], times: readonly number[]): Promise<number[]> {
  await until(
    () => replicas.map(({ windows }) => windows.status().active),
    (active) => active.every((count) => count === 0),
  );
  const slots = replicas.map((replica, i) => replica.request(1, times[i]!));
  await until(
    () => replicas.map(({ windows }) => windows.status().published_total),
    (published) => {
      for (const [i, replica] of replicas.entries()) replica.look(slots[i]!);
      return published.every((count) => count > 0);
    },
  );
  return slots;
}
