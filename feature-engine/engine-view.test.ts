// A snapshot of a real engine, put back into another one, which then goes on as if nothing had happened; and what other replicas
// counted, added to an engine's own windows, against one engine that saw everything.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FEATURE_COUNT, FEATURES, placeOf } from '../domain/features.ts';
import { HeadView } from '../domain/head-view.ts';
import { type Random, seededRandom } from '../domain/random.ts';
import { FeatureEngine } from './engine.ts';
import { fieldsOf } from './engine-view.ts';
import { isSoundRow } from './row-check.ts';
import { IDENTITY_ROW_WORDS, LAST, VIEW_UNTIL } from './row-layout.ts';
import { RowMerger } from './row-merge.ts';
import { checkSnapshot, type ReadBytes, restoreSnapshot } from './snapshot-read.ts';
import { writeSnapshot } from './snapshot-write.ts';
import { TableReader } from './state-view.ts';
import { type DrawnRequest, drawRequest, fillHead, testIdentity } from './testing/random-traffic.ts';

const START_MS = 1_700_000_123_456;
const MAC_KEY = new Uint8Array(32).fill(7);
const HEAD = { keyId: '0011223344556677', owner: '8899aabbccddeeff', replica: '0000000000000001' };

interface Step {
  readonly drawn: DrawnRequest;
  readonly nowMs: number;
  readonly routeHash: number;
  /** Status of the answer, 0 for none. */
  readonly status: number;
}

function drawSteps(random: Random, count: number, fromMs: number): Step[] {
  let nowMs = fromMs;
  return Array.from({ length: count }, () => {
    nowMs += Math.floor(10 ** (random.next() * 5.5));
    const status = [0, 200, 200, 204, 304, 401, 404, 503][random.int(8)]!;
    return { drawn: drawRequest(random), nowMs, routeHash: 1 + random.int(6), status };
  });
}

const head = new HeadView();

function take(engine: FeatureEngine, { drawn, nowMs, routeHash, status }: Step): Float64Array {
  const who = testIdentity(drawn.identity, drawn.address);
  engine.observe({ head: fillHead(head, drawn), who, routeHash, nowMs });
  const vector = engine.vector.slice();
  const { lastIdentity, lastAddress, lastTrace } = engine;
  const outcome = { status, latencyMs: 5, bytesIn: 10, bytesOut: 300, atMs: nowMs + 5 };
  if (status !== 0) engine.outcome(lastIdentity, lastAddress, outcome, lastTrace);
  return vector;
}

function snapshotOf(engine: FeatureEngine, takenMs: number): Uint8Array {
  const options = {
    head: { ...HEAD, takenMs, startedMs: engine.stateStartedMs },
    ...{ macKey: MAC_KEY, bytesMax: 2 ** 25 },
  };
  return Buffer.concat([...writeSnapshot(engine.stateView, options)].filter((piece) => piece !== null));
}

function putBack(engine: FeatureEngine, file: Uint8Array, nowMs: number) {
  const read: ReadBytes = (at, bytes) => file.subarray(at, at + bytes);
  const keys = [{ keyId: HEAD.keyId, macKey: MAC_KEY }];
  const checked = checkSnapshot(read, { keys, owner: HEAD.owner, nowMs });
  engine.stateStartedMs = checked.head.startedMs;
  const { buffer, tables, regions } = engine.stateView;
  return restoreSnapshot(read, checked, {
    tables: tables.map(({ name, layout, rowWords }) => ({
      ...{ name, layout, rowWords },
      restore: (row) => {
        if (!isSoundRow(row.words, { fields: fieldsOf(name), latestMs: nowMs })) return false;
        if (name === 'profiles') return engine.restoreProfile(row);
        return engine.restoreRow(name === 'identities' ? 'identity' : 'address', row);
      },
    })),
    regions: regions.map(({ name, layout, at, words }) => {
      return { name, layout, words: new Uint32Array(buffer, at * 4, words) };
    }),
  });
}

/** Names of the features whose values differ. */
function differing(a: Float64Array, b: Float64Array): string[] {
  return FEATURES.filter((_, place) => !Object.is(a[place], b[place])).map(({ name }) => name);
}

describe('an engine that a snapshot was put back into', () => {
  it('gives the vectors that the first one gives, whatever came before and comes after', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        fc.integer({ min: 1, max: 300 }),
        (seed, count) => {
          const random = seededRandom(seed);
          const first = new FeatureEngine({ identities: 64, startedMs: START_MS, sketchSeed: seed });
          const before = drawSteps(random, count, START_MS);
          for (const step of before) take(first, step);
          const takenMs = before.at(-1)!.nowMs + 1000;
          const second = new FeatureEngine({ identities: 64, startedMs: takenMs + 500, sketchSeed: seed });
          const tally = putBack(second, snapshotOf(first, takenMs), takenMs + 500);
          expect(tally).toMatchObject({ left: 0, otherLayout: [] });
          expect(tally.rows['identities']).toBe(first.stats.identities.rows);
          expect(second.stats.profiles.rows).toBe(first.stats.profiles.rows);
          for (const step of drawSteps(random, 60, takenMs + 1000))
            expect(differing(take(first, step), take(second, step)), JSON.stringify(step)).toEqual([]);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('says "first seen" of nothing that was seen before, and goes on with the age of its memory', () => {
    const random = seededRandom(5);
    const first = new FeatureEngine({ identities: 64, startedMs: START_MS });
    const steps = drawSteps(random, 400, START_MS);
    for (const step of steps) take(first, step);
    const nowMs = steps.at(-1)!.nowMs + 2000;
    const second = new FeatureEngine({ identities: 64, startedMs: nowMs });
    putBack(second, snapshotOf(first, nowMs), nowMs);
    const flags = FEATURES.flatMap(({ name }, place) => (/_new(_24h)?$/.test(name) ? [place] : []));
    for (const step of steps.slice(-20)) {
      const vector = take(second, { ...step, nowMs });
      expect(flags.map((place) => vector[place])).not.toContain(1);
      // Answers that came meanwhile move the moment on by milliseconds.
      expect(vector[placeOf('state_age_s')]).toBeCloseTo((nowMs - START_MS) / 1000, 0);
      expect(vector[placeOf('identity_requests_total')]).toBeGreaterThan(5);
    }
  });

  it('keeps who is known in a table that is smaller', () => {
    const first = new FeatureEngine({ identities: 4096, startedMs: START_MS });
    const step = (n: number, status: number): Step => ({
      drawn: { ...drawRequest(seededRandom(1)), identity: `id${n}`, address: `address${n}` },
      ...{ nowMs: START_MS + n, routeHash: 1, status },
    });
    for (let n = 0; n < 3000; n++) {
      take(first, step(n, n < 100 ? 200 : 0));
      if (n < 100) for (let again = 0; again < 20; again++) take(first, step(n, 200));
    }
    const second = new FeatureEngine({ identities: 512, startedMs: START_MS + 9000 });
    putBack(second, snapshotOf(first, START_MS + 9000), START_MS + 9000);
    let known = 0;
    for (let n = 0; n < 100; n++) if (second.identities.slot(testIdentity(`id${n}`, '').key) >= 0) known++;
    expect(known).toBe(100);
    expect(second.stats.identities.rows).toBe(512);
  });
});

/** Shows `engine` what the others counted of the identity, as shared windows do, until `untilMs`. */
function showOthers(
  engine: FeatureEngine,
  others: readonly FeatureEngine[],
  identity: string,
  untilMs: number,
) {
  const { buffer, overlays, tables } = engine.stateView;
  const merger = new RowMerger(fieldsOf('identities'), IDENTITY_ROW_WORDS);
  const { key } = testIdentity(identity, '');
  const sum = new Uint32Array(IDENTITY_ROW_WORDS);
  merger.roll(sum, Math.floor(untilMs / 10_000));
  const row = new Uint32Array(IDENTITY_ROW_WORDS);
  for (const other of others) {
    const slot = other.identities.slot(key);
    const view = other.stateView.tables.find(({ name }) => name === 'identities')!;
    if (slot < 0 || !new TableReader(other.stateView.buffer, view).copy(slot, row)) continue;
    merger.strip(row);
    merger.roll(row, Math.floor(untilMs / 10_000));
    merger.add(sum, row);
  }
  sum.set(key, 0);
  const slot = engine.identities.slot(key);
  if (slot < 0 || tables.length === 0) return;
  const place = 3;
  const words = new Uint32Array(buffer);
  words.set(sum, overlays!.rowsAt + place * overlays!.rowWords);
  new Float64Array(buffer)[(overlays!.rowsAt + place * overlays!.rowWords + VIEW_UNTIL) / 2] = untilMs;
  new Uint16Array(buffer)[overlays!.slotsAt * 2 + slot] = place + 1;
}

/** Identity features that are sums over replicas: all but what a row knows of itself. */
const OWN = /_(gap|age|total|interval)|gap_/;
const SHARED = FEATURES.filter(({ name }) => /^identity_/.test(name) && !OWN.test(name)).map(
  ({ name }) => name,
);

describe('an engine that is shown what other replicas counted', () => {
  it('reads the windows of one that saw everything', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        fc.integer({ min: 2, max: 200 }),
        (seed, count) => {
          const random = seededRandom(seed);
          const make = () => new FeatureEngine({ identities: 64, startedMs: START_MS, sharedViews: 8 });
          const all = make();
          const replicas = [make(), make(), make()];
          const steps = drawSteps(random, count, START_MS);
          for (const step of steps) {
            take(all, step);
            take(replicas[random.int(3)]!, step);
          }
          const last = steps.at(-1)!;
          const nowMs = last.nowMs + random.int(4000);
          const [own, ...others] = replicas;
          const step = { ...last, nowMs, status: 0 };
          // Without a row of its own there is no view either: that identity's first request here.
          take(own!, { ...step, nowMs: last.nowMs });
          take(all, { ...step, nowMs: last.nowMs });
          showOthers(own!, others, step.drawn.identity, nowMs);
          const different = differing(take(all, step), take(own!, step));
          expect(different.filter((name) => SHARED.includes(name))).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
    expect(SHARED.length).toBeGreaterThan(80);
  });

  it('takes for seen what another replica saw', () => {
    const make = () => new FeatureEngine({ identities: 64, startedMs: START_MS, sharedViews: 8 });
    const [own, other] = [make(), make()];
    const drawn = {
      ...drawRequest(seededRandom(1)),
      identity: 'id1',
      address: 'address1',
      agent: 'agent one',
    };
    const at = (nowMs: number, address: string): Step => ({
      ...{ drawn: { ...drawn, address }, nowMs, routeHash: 1, status: 200 },
    });
    for (let n = 0; n < 6; n++) take(own!, at(START_MS + n, 'address1'));
    take(other!, at(START_MS + 10, 'address2'));
    showOthers(own!, [other!], 'id1', START_MS + 5000);
    expect(take(own!, at(START_MS + 20, 'address2'))[placeOf('address_new')]).toBe(0);
    expect(take(own!, at(START_MS + 30, 'address3'))[placeOf('address_new')]).toBe(1);
  });

  it('uses no view that is too old, and none of another identity', () => {
    const make = () => new FeatureEngine({ identities: 64, startedMs: START_MS, sharedViews: 8 });
    const [own, other] = [make(), make()];
    const drawn = { ...drawRequest(seededRandom(1)), identity: 'id1', address: 'address1' };
    const step = (nowMs: number): Step => ({ drawn, nowMs, routeHash: 1, status: 0 });
    for (let n = 0; n < 5; n++) take(other!, step(START_MS + n));
    take(own!, step(START_MS));
    const requests = placeOf('identity_requests_5m');
    showOthers(own!, [other!], 'id1', START_MS + 1000);
    expect(take(own!, step(START_MS + 1000))[requests]).toBe(7);
    expect(take(own!, step(START_MS + 1001))[requests]).toBe(3);
    showOthers(own!, [other!], 'id1', START_MS + 5000);
    const { overlays, buffer } = own!.stateView;
    new Uint32Array(buffer)[overlays!.rowsAt + 3 * overlays!.rowWords + 2] = 1;
    expect(take(own!, step(START_MS + 2000))[requests]).toBe(4);
  });
});

describe('the layout of rows', () => {
  it('covers each axis, and its times can be checked', () => {
    for (const table of ['identities', 'addresses'] as const) {
      const last = fieldsOf(table).find(({ kind }) => kind === 'last');
      expect(last?.word).toBe(LAST);
    }
    expect(fieldsOf('profiles')).toEqual([]);
    expect(new FeatureEngine({ identities: 8, startedMs: START_MS }).vector).toHaveLength(FEATURE_COUNT);
  });
});
