// What every store owes, as one suite: run by sqlite-store.test.ts today and by any later implementation.
// Only the public interface is used. `open` makes a store on the same data each time it is called within one test.

import { describe, expect, test } from 'vitest';
import type { ManualClock } from '../../domain/clock.ts';
import { PicketError } from '../../domain/errors.ts';
import type { PicketEvent } from '../../domain/event.ts';
import { schemaId } from '../../domain/schema-id.ts';
import { type DroppedRange, PublishRequest } from '../../proto/gen/picket/v1/events.ts';
import { encodeAmendment, encodeEvent, keyBytes } from '../../proto/wire.ts';
import type { EventQuery, NewModel, Store } from './store.ts';

export const START_MS = Date.parse('2026-11-22T10:00:00Z');
export const BOOT = '0123456789abcdef0123456789abcdef';
export const FEATURE_IDS = [1, 2, 3];

/** A plain event; parts of it are overridden by the caller. */
export function sampleEvent(sequence: number, parts: Partial<PicketEvent> = {}): PicketEvent {
  return {
    bootId: BOOT,
    stream: 1,
    sequence,
    requestId: `request-${sequence}`,
    atMs: START_MS + sequence,
    namespace: 'shop',
    workload: 'orders',
    identityKind: 'bearer',
    identityKey: 'a'.repeat(32),
    addressKey: 'b'.repeat(32),
    method: 'GET',
    route: '/orders/{id}',
    path: '/orders/17',
    score: 0.25,
    margin: -1.0986122886681098,
    unscored: 'none',
    attackClass: '',
    verdict: 'allow',
    reason: 'score.below_flag',
    signals: 0,
    action: 'forward',
    mode: 'monitor',
    modeSource: 'fleet',
    policyVersion: 'v1-00000000',
    bundleId: 'c'.repeat(64),
    sampleWeight: 1,
    schemaId: schemaId(FEATURE_IDS),
    vector: Float32Array.of(1, Number.NaN, 3.5),
    outcome: { status: 200, latencyMs: 12, bytesIn: 0, bytesOut: 512, refusal: '' },
    ...parts,
  };
}

interface BatchParts {
  readonly bootId?: string;
  readonly events?: readonly PicketEvent[];
  readonly dropped?: DroppedRange[];
  readonly amendments?: ReturnType<typeof encodeAmendment>[];
}

export function encodeBatch(parts: BatchParts): Uint8Array {
  return PublishRequest.encode({
    batch: 1,
    bootId: keyBytes(parts.bootId ?? BOOT),
    namespace: 'shop',
    workload: 'orders',
    schemas: [{ schemaId: schemaId(FEATURE_IDS), featureIds: FEATURE_IDS }],
    events: (parts.events ?? []).map(encodeEvent),
    amendments: parts.amendments ?? [],
    dropped: parts.dropped ?? [],
  }).finish();
}

export const QUERY: EventQuery = {
  afterId: 0,
  limit: 100,
  newest: false,
  beforeId: 0,
  verdicts: [],
  namespace: '',
  workload: '',
  requestIds: [],
  sinceMs: 0,
  identity: '',
};

/** All sequences that a query gives, over all its pages. */
export async function sequencesOf(store: Store, query: Partial<EventQuery> = {}): Promise<string[]> {
  const found: string[] = [];
  let afterId = 0;
  for (;;) {
    const page = await store.events.page({ ...QUERY, ...query, afterId });
    found.push(...page.events.map((event) => event.requestId));
    if (page.done) return found;
    afterId = page.nextId;
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const ids = (from: number, to: number) => range(from, to).map((sequence) => `request-${sequence}`);

export interface ContractContext {
  readonly clock: ManualClock;
  open(): Promise<Store>;
}

export function storeContract(
  name: string,
  inContext: (run: (context: ContractContext) => Promise<void>) => Promise<void>,
): void {
  const withStore = (run: (store: Store, context: ContractContext) => Promise<void>) => () =>
    inContext(async (context) => {
      const store = await context.open();
      try {
        await run(store, context);
      } finally {
        await store.close();
      }
    });

  describe(`${name}: events`, () => {
    test('what was acked is there after reopening, with every field', () =>
      inContext(async ({ open }) => {
        const first = await open();
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
        expect(Buffer.from(whole?.body.vector.buffer as ArrayBuffer)).toEqual(
          Buffer.from(event.vector.buffer),
        );
        expect(await second.events.marks(BOOT)).toEqual([{ stream: 1, sequence: 2 }]);
        await second.close();
      }));

    test(
      'an unscored event keeps its NaN',
      withStore(async (store) => {
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
      }),
    );

    test(
      'a batch that comes again, in part or whole, stores nothing twice',
      withStore(async (store) => {
        await store.events.append(encodeBatch({ events: range(1, 5).map((n) => sampleEvent(n)) }));
        const again = await store.events.append(
          encodeBatch({ events: range(3, 8).map((n) => sampleEvent(n)) }),
        );
        expect(again).toMatchObject({ stored: 3, repeated: 3, highWater: [{ stream: 1, sequence: 8 }] });
        expect(await sequencesOf(store)).toEqual(ids(1, 8));
      }),
    );

    test(
      'dropped, skipped and refused are counted apart, and the sum is what was assigned',
      withStore(async (store) => {
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
      }),
    );

    test(
      'one bad event holds back nothing; a batch that is none is refused',
      withStore(async (store) => {
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
      }),
    );

    test(
      'an amendment completes its event once, also the day after',
      withStore(async (store, { clock }) => {
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
      }),
    );

    test(
      'marks, totals and schemas live on when a day ends',
      withStore(async (store, { clock }) => {
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
      }),
    );

    test(
      'pages by ascending id, filters, and newest first in ascending order',
      withStore(async (store, { clock }) => {
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
      }),
    );

    test(
      'rollups count by minute, workload, verdict and action',
      withStore(async (store) => {
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
      }),
    );
  });

  recordContract(name, withStore);
}

function recordContract(
  name: string,
  withStore: (run: (store: Store, context: ContractContext) => Promise<void>) => () => Promise<void>,
): void {
  const policy = { document: '{}', atMs: START_MS, actor: 'ann', change: 'first', expectedVersion: null };
  const model: NewModel = {
    digest: 'd1'.repeat(32),
    bundleId: 'e1'.repeat(32),
    sizeBytes: 10,
    manifest: '{}',
    signedBy: '',
    pushedMs: START_MS,
    pushedBy: 'ann',
  };

  describe(`${name}: policies and models`, () => {
    test(
      'policy versions: compare and set, history newest first',
      withStore(async (store) => {
        expect(await store.policies.newest()).toBeNull();
        const first = await store.policies.append({ ...policy, expectedVersion: '' });
        expect(first.version).toMatch(/^v1-[0-9a-f]{8}$/);
        const conflict = store.policies.append({ ...policy, expectedVersion: '' });
        await expect(conflict).rejects.toMatchObject({ code: 'POLICY_VERSION_CONFLICT' });
        const second = await store.policies.append({
          ...policy,
          document: '{"fleet":{}}',
          expectedVersion: first.version,
        });
        expect(second.version).toMatch(/^v2-/);
        expect(await store.policies.newest()).toEqual(second);
        expect(await store.policies.get(first.version)).toEqual(first);
        expect((await store.policies.list(10, '')).map((p) => p.version)).toEqual([
          second.version,
          first.version,
        ]);
        expect((await store.policies.list(10, second.version)).map((p) => p.version)).toEqual([
          first.version,
        ]);
      }),
    );

    test(
      'of two writers with the same expectation one wins',
      withStore(async (store) => {
        const base = await store.policies.append(policy);
        const attempts = range(1, 8).map((n) =>
          store.policies.append({ ...policy, document: `{"n":${n}}`, expectedVersion: base.version }),
        );
        const settled = await Promise.allSettled(attempts);
        expect(settled.filter((attempt) => attempt.status === 'fulfilled')).toHaveLength(1);
      }),
    );

    test(
      'models: candidate, active, retired; the one before; prefixes',
      withStore(async (store) => {
        const other = { ...model, digest: 'd2'.repeat(32), bundleId: 'e2'.repeat(32) };
        expect(await store.models.add(model)).toBe(true);
        expect(await store.models.add(model)).toBe(false);
        await store.models.add(other);
        expect((await store.models.list(10)).map((m) => m.stage)).toEqual(['candidate', 'candidate']);
        expect(await store.models.active()).toBeNull();
        await store.models.activate(model.digest, 'ann', START_MS);
        expect(await store.models.previous()).toBeNull();
        const active = await store.models.activate(other.digest, 'bob', START_MS + 1);
        expect(active).toMatchObject({ stage: 'active', activatedBy: 'bob', activatedMs: START_MS + 1 });
        expect((await store.models.previous())?.digest).toBe(model.digest);
        expect((await store.models.list(10)).map((m) => m.stage)).toEqual(['active', 'retired']);
        expect(await store.models.find('d')).toHaveLength(2);
        expect((await store.models.find('e2'))[0]?.digest).toBe(other.digest);
        await expect(store.models.activate('nope', '', 0)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      }),
    );
  });
}
