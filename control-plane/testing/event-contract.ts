// What every store owes of events, as cases: run by sqlite-store.test.ts today and by any later implementation.
// Only the public interface is used.

import { expect } from 'vitest';
import { PicketError } from '../../domain/errors.ts';
import { encodeAmendment } from '../../proto/wire.ts';
import type { ContractCase } from './contract-case.ts';
import {
  BOOT,
  encodeBatch,
  FEATURE_IDS,
  ids,
  QUERY,
  range,
  START_MS,
  sampleEvent,
  sequencesOf,
} from './sample-events.ts';

export const EVENT_CONTRACT: readonly ContractCase[] = [
  {
    name: 'what was acked is there after reopening, with every field',
    run: async (first, { open }) => {
      const event = sampleEvent(1, {
        verdict: 'block',
        reason: 'score.block',
        signals: 5,
        score: 0.9,
        action: 'forbid',
      });
      const result = await first.events.append(
        encodeBatch({ events: [event, sampleEvent(2, { outcome: null })] }),
      );
      expect(result).toEqual({
        batch: 1,
        highWater: [{ stream: 1, sequence: 2 }],
        stored: 2,
        repeated: 0,
        refused: 0,
        firstRefusal: '',
      });
      await first.close();
      const second = await open();
      const page = await second.events.page(QUERY);
      expect(page.events[0]).toMatchObject({
        requestId: 'request-1',
        atMs: event.atMs,
        namespace: 'shop',
        workload: 'orders',
        identity: `bearer:${'a'.repeat(32)}`,
        method: 'GET',
        route: '/orders/{id}',
        score: 0.9,
        verdict: 'block',
        reason: 'score.block',
        signals: 5,
        action: 'forbid',
        mode: 'monitor',
        modeSource: 'fleet',
        policyVersion: 'v1-00000000',
        outcome: event.outcome,
      });
      expect(page.events[1]?.outcome).toBeNull();
      const whole = await second.events.event(page.events[0]?.id ?? 0);
      expect(whole?.body).toMatchObject({
        path: '/orders/17',
        margin: event.margin,
        featureIds: FEATURE_IDS,
      });
      expect(Buffer.from(whole?.body.vector.buffer as ArrayBuffer)).toEqual(Buffer.from(event.vector.buffer));
      expect(await second.events.marks(BOOT)).toEqual([{ stream: 1, sequence: 2 }]);
      await second.close();
    },
  },
  {
    name: 'an unscored event keeps its NaN',
    run: async (store) => {
      const unscored = {
        score: Number.NaN,
        margin: Number.NaN,
        unscored: 'no_bundle',
        reason: 'uninspected.no_bundle',
      } as const;
      await store.events.append(
        encodeBatch({ events: [sampleEvent(1, { ...unscored, vector: new Float32Array() })] }),
      );
      const page = await store.events.page(QUERY);
      expect(page.events[0]?.score).toBeNaN();
      expect(page.events[0]?.unscored).toBe('no_bundle');
    },
  },
  {
    name: 'a batch that comes again, in part or whole, stores nothing twice',
    run: async (store) => {
      await store.events.append(encodeBatch({ events: range(1, 5).map((n) => sampleEvent(n)) }));
      const again = await store.events.append(
        encodeBatch({ events: range(3, 8).map((n) => sampleEvent(n)) }),
      );
      expect(again).toMatchObject({ stored: 3, repeated: 3, highWater: [{ stream: 1, sequence: 8 }] });
      expect(await sequencesOf(store)).toEqual(ids(1, 8));
    },
  },
  {
    name: 'dropped, skipped and refused are counted apart, and the sum is what was assigned',
    run: async (store) => {
      await store.events.append(
        encodeBatch({ events: [sampleEvent(1)], dropped: [{ stream: 1, first: 2, last: 4 }] }),
      );
      await store.events.append(encodeBatch({ events: [sampleEvent(7), sampleEvent(8, { score: 7 })] }));
      await store.events.noteAssigned([{ bootId: BOOT, marks: [{ stream: 1, sequence: 10 }] }]);
      const totals = await store.events.totals();
      expect(totals).toMatchObject({
        stored: 2,
        dropped: 3,
        skipped: 2,
        refused: 1,
        unsettled: { [BOOT]: 2 },
      });
      expect(totals.verdicts).toEqual({ allow: 2, flag: 0, block: 0 });
      await store.events.append(encodeBatch({ bootId: 'f'.repeat(32), events: [sampleEvent(1)] }));
      expect((await store.events.totals()).stored).toBe(3);
    },
  },
  {
    name: 'one bad event holds back nothing; a batch that is none is refused',
    run: async (store) => {
      const bad = sampleEvent(2, { identityKey: 'abcd' });
      const result = await store.events.append(
        encodeBatch({ events: [sampleEvent(1), bad, sampleEvent(3)] }),
      );
      expect(result).toMatchObject({ stored: 2, refused: 1, highWater: [{ stream: 1, sequence: 3 }] });
      expect(result.firstRefusal).toContain('identity_key');
      await expect(store.events.append(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({
        code: 'DATA_INVALID',
      });
      await expect(store.events.append(encodeBatch({ bootId: 'ab' }))).rejects.toBeInstanceOf(PicketError);
      expect(await sequencesOf(store)).toEqual(['request-1', 'request-3']);
    },
  },
  {
    name: 'an amendment completes its event once, also the day after',
    run: async (store, { clock }) => {
      await store.events.append(
        encodeBatch({ events: [sampleEvent(1, { outcome: null }), sampleEvent(2, { outcome: null })] }),
      );
      const outcome = {
        status: 504,
        latencyMs: 9000,
        bytesIn: 1,
        bytesOut: 2,
        refusal: 'upstream.head_timeout',
      };
      const amend = (sequence: number, amends: number, status: number) =>
        encodeAmendment({ bootId: BOOT, stream: 1, sequence, amends, outcome: { ...outcome, status } });
      await store.events.append(encodeBatch({ amendments: [amend(3, 1, 504)] }));
      clock.moveTo(START_MS + 86_400_000);
      await store.events.append(encodeBatch({ amendments: [amend(4, 2, 503), amend(5, 1, 200)] }));
      const page = await store.events.page(QUERY);
      expect(page.events.map((event) => event.outcome?.status)).toEqual([504, 503]);
      expect(page.events[0]?.outcome).toEqual(outcome);
    },
  },
  {
    name: 'marks, totals and schemas live on when a day ends',
    run: async (store, { clock }) => {
      await store.events.append(
        encodeBatch({ events: range(1, 3).map((n) => sampleEvent(n, { verdict: 'flag' })) }),
      );
      clock.moveTo(START_MS + 86_400_000);
      const result = await store.events.append(
        encodeBatch({ events: range(2, 5).map((n) => sampleEvent(n)) }),
      );
      expect(result).toMatchObject({ stored: 2, repeated: 2 });
      const totals = await store.events.totals();
      expect(totals).toMatchObject({ stored: 5, verdicts: { allow: 2, flag: 3, block: 0 } });
      expect(await sequencesOf(store, { limit: 2 })).toEqual(ids(1, 5));
      const last = (await store.events.page({ ...QUERY, newest: true, limit: 1 })).events[0];
      expect((await store.events.event(last?.id ?? 0))?.body.featureIds).toEqual(FEATURE_IDS);
    },
  },
  {
    name: 'pages by ascending id, filters, and newest first in ascending order',
    run: async (store, { clock }) => {
      const verdictOf = (n: number) => (n % 10 === 0 ? 'block' : 'allow') as 'block' | 'allow';
      await store.events.append(
        encodeBatch({ events: range(1, 40).map((n) => sampleEvent(n, { verdict: verdictOf(n) })) }),
      );
      clock.moveTo(START_MS + 86_400_000);
      await store.events.append(
        encodeBatch({ events: range(41, 60).map((n) => sampleEvent(n, { verdict: verdictOf(n) })) }),
      );
      expect(await sequencesOf(store, { limit: 7 })).toEqual(ids(1, 60));
      expect(await sequencesOf(store, { verdicts: ['block', 'flag'] })).toEqual(
        [10, 20, 30, 40, 50, 60].map((n) => `request-${n}`),
      );
      expect(await sequencesOf(store, { requestIds: ['request-59', 'request-7', 'none'] })).toEqual([
        'request-7',
        'request-59',
      ]);
      expect(await sequencesOf(store, { workload: 'other' })).toEqual([]);
      expect(
        await sequencesOf(store, { workload: 'orders', namespace: 'shop', sinceMs: START_MS + 60 }),
      ).toEqual(['request-60']);
      expect(await sequencesOf(store, { identity: `cookie:${'a'.repeat(32)}` })).toEqual([]);
      const newest = await store.events.page({ ...QUERY, newest: true, limit: 5, verdicts: ['block'] });
      expect(newest.events.map((event) => event.requestId)).toEqual(['request-50', 'request-60']);
      expect(newest.done).toBe(false);
      const before = await store.events.page({
        ...QUERY,
        newest: true,
        limit: 3,
        verdicts: ['block'],
        beforeId: newest.nextId,
      });
      expect(before.events.map((event) => event.requestId)).toEqual([
        'request-20',
        'request-30',
        'request-40',
      ]);
    },
  },
  {
    name: 'rollups count by minute, workload, verdict and action',
    run: async (store) => {
      const at = (n: number, atMs: number, sampleWeight = 1) => sampleEvent(n, { atMs, sampleWeight });
      await store.events.append(
        encodeBatch({ events: [at(1, START_MS), at(2, START_MS + 59_999, 8), at(3, START_MS + 60_000)] }),
      );
      await store.events.append(encodeBatch({ events: [at(4, START_MS)] }));
      const rollups = await store.events.rollups(START_MS);
      expect(rollups.map(({ minuteMs, events, weight }) => [minuteMs - START_MS, events, weight])).toEqual([
        [0, 3, 10],
        [60_000, 1, 1],
      ]);
      expect(rollups[0]).toMatchObject({
        namespace: 'shop',
        workload: 'orders',
        verdict: 'allow',
        action: 'forward',
      });
    },
  },
];
