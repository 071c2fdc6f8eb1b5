// The event rings: what is written comes out alike and in order; outcomes patch, pend and amend; pressure samples.
// Accounting under random interleavings is in event-accounting.test.ts.

import { describe, expect, test } from 'vitest';
import type { PicketEvent } from '../domain/event.ts';
import { FEATURE_COUNT } from '../domain/features.ts';
import { METHODS } from '../domain/head-view.ts';
import { COUNTER, Counters } from './counters.ts';
import { ALLOWED, FLAGGED, RingShape, widen } from './event-ring.ts';
import { EventWriter, NO_EVENT, sampleWeightAt } from './event-writer.ts';
import { CONTEXT, draftOf, OUTCOME, readerOf, setUp } from './testing/rings.ts';

/** A value for every feature, one of them missing. */
const VECTOR = Float32Array.from({ length: FEATURE_COUNT }, (_, i) => (i === 3 ? Number.NaN : i / 3));

describe('one record', () => {
  test('every field comes out as it went in, text cut at its limits', () => {
    const { buffers, writer } = setUp(8);
    const draft = draftOf(1);
    Object.assign(draft, {
      requestId: 'i'.repeat(80),
      identityKind: 2,
      identityKey: new Uint32Array([1, 2, 0xffffffff, 4]),
      addressKey: new Uint32Array([5, 6, 7, 8]),
      ...{ principalKey: new Uint32Array([9, 10, 11, 12]), principalSource: 1, identityKeyId: 0xfedcba98 },
      method: METHODS.indexOf('DELETE'),
      route: 'DELETE /orders/{id}',
      pathBytes: Buffer.from(`GET/orders/\xe9${'p'.repeat(200)}?secret`, 'latin1'),
      pathStart: 3,
      pathEnd: 190,
      margin: 1.0000000000000002,
      attackClass: 'dos',
      reason: 'score.block',
      verdict: 'block',
      signals: 0x80000001,
      action: 'throttle',
      mode: 'block',
      modeSource: 'route',
      policyVersion: 'v12-ab34',
      bundleId: 'f'.repeat(64),
      vector: Float64Array.from(VECTOR),
    });
    const handle = writer.open(draft);
    writer.complete(handle, { ...OUTCOME, status: 403, refusal: 'policy.blocked' });
    const [event] = readerOf(buffers, FLAGGED).read(10, 0).events;
    expect(event).toEqual({
      ...CONTEXT,
      stream: FLAGGED,
      sequence: 1,
      requestId: 'i'.repeat(64),
      atMs: draft.atMs,
      identityKind: 'cookie',
      identityKey: '0000000100000002ffffffff00000004',
      addressKey: '00000005000000060000000700000008',
      principalKey: '000000090000000a0000000b0000000c',
      ...{ principalSource: 'verified_jwt', identityKeyId: 0xfedcba98 },
      method: 'DELETE',
      route: 'DELETE /orders/{id}',
      path: `/orders/\xe9${'p'.repeat(87)}`,
      score: 1 / (1 + Math.exp(-draft.margin)),
      margin: 1.0000000000000002,
      unscored: 'none',
      attackClass: 'dos',
      verdict: 'block',
      reason: 'score.block',
      signals: 0x80000001,
      action: 'throttle',
      mode: 'block',
      modeSource: 'route',
      policyVersion: 'v12-ab34',
      bundleId: 'f'.repeat(64),
      sampleWeight: 1,
      vector: VECTOR,
      outcome: { status: 403, latencyMs: 1.5, bytesIn: 10, bytesOut: 2 ** 40, refusal: 'policy.blocked' },
    } satisfies PicketEvent);
  });

  test('an unscored request has no score and may have no vector', () => {
    const { buffers, writer } = setUp(8);
    const draft = Object.assign(draftOf(1, 'allow'), {
      unscored: 'no_bundle',
      reason: 'uninspected.no_bundle',
    });
    writer.complete(writer.open(draft), OUTCOME);
    const [event] = readerOf(buffers, ALLOWED).read(10, 0).events;
    expect(event).toMatchObject({ score: Number.NaN, unscored: 'no_bundle', vector: new Float32Array(0) });
  });

  test('without a reader nothing is kept', () => {
    const writer = new EventWriter({ buffers: null, counters: new Counters() });
    expect(writer.enabled).toBe(false);
    const handle = writer.open(draftOf(1));
    expect(handle).toBe(NO_EVENT);
    writer.complete(handle, OUTCOME);
  });
});

describe('outcomes', () => {
  test('an event without an outcome holds its ring back, then goes out pending and is amended', () => {
    const { buffers, writer } = setUp(8);
    const reader = readerOf(buffers, FLAGGED, 2000);
    const handle = writer.open(draftOf(1));
    writer.complete(writer.open(draftOf(2)), OUTCOME);
    expect(reader.read(10, 0).events).toHaveLength(0);
    expect(reader.read(10, 1999).events).toHaveLength(0);
    const late = reader.read(10, 2000);
    expect(late.events.map((event) => [event.sequence, event.outcome?.status])).toEqual([
      [1, undefined],
      [2, 200],
    ]);
    writer.complete(handle, OUTCOME);
    expect(reader.read(10, 2001).amendments).toEqual([
      {
        bootId: CONTEXT.bootId,
        stream: FLAGGED,
        sequence: 3,
        amends: 1,
        outcome: { ...OUTCOME, refusal: '' },
      },
    ]);
  });

  test('old open events do not wait one after the other', () => {
    const { buffers, writer } = setUp(64);
    const reader = readerOf(buffers, FLAGGED, 2000);
    for (let n = 1; n <= 40; n++) writer.open(draftOf(n));
    reader.read(100, 0);
    expect(reader.read(100, 2000).events).toHaveLength(40);
  });

  test('a long request is amended even after its slot was used again; a lost event is not', () => {
    const { buffers, writer } = setUp(4);
    const reader = readerOf(buffers, FLAGGED, 0);
    const stored = writer.open(draftOf(1));
    reader.read(10, 0);
    reader.settle(1);
    const lost = writer.open(draftOf(2));
    for (let n = 3; n <= 9; n++) writer.complete(writer.open(draftOf(n)), OUTCOME);
    writer.complete(stored, OUTCOME);
    writer.complete(lost, OUTCOME);
    const batch = reader.read(100, 1);
    expect(batch.amendments.map((amendment) => amendment.amends)).toEqual([1]);
    expect(batch.dropped).toEqual([{ stream: FLAGGED, first: 2, last: 6 }]);
  });
});

describe('pressure', () => {
  test('allowed events are sampled with their weight, flagged ones never', () => {
    const { buffers, writer, counters } = setUp(64);
    for (let n = 0; n < 400; n++) {
      writer.complete(writer.open(draftOf(n, 'allow')), OUTCOME);
      writer.complete(writer.open(draftOf(n, 'flag')), OUTCOME);
    }
    const allowed = readerOf(buffers, ALLOWED);
    const weights = allowed.read(1000, 0).events.map((event) => event.sampleWeight);
    expect(Math.max(...weights)).toBe(8);
    expect(counters.get(COUNTER.eventsSampledOut)).toBe(400 - allowed.account().assigned);
    expect(readerOf(buffers, FLAGGED).account()).toMatchObject({ assigned: 400, dropped: 336, waiting: 64 });
  });

  test('the weight grows with the share that waits', () => {
    expect([0, 0.49, 0.5, 0.75, 0.875, 1].map(sampleWeightAt)).toEqual([1, 1, 2, 4, 8, 8]);
  });

  test('sequences go on beyond 2^32', () => {
    expect(widen(-5, 2 ** 32)).toBe(2 ** 32 - 5);
    expect(widen(3, 2 ** 32 - 2)).toBe(2 ** 32 + 3);
    expect(widen(0x7fffffff, 0)).toBe(2 ** 31 - 1);
  });
});

test('a ring that is kept drained touches few slots, whatever its size', () => {
  const { buffers, writer } = setUp(1000);
  const reader = readerOf(buffers, FLAGGED);
  const shape = new RingShape(buffers.rings[FLAGGED]!);
  const words = new Int32Array(buffers.rings[FLAGGED]!);
  const used = new Set<number>();
  for (let n = 1; n <= 5000; n++) {
    writer.complete(writer.open(draftOf(n)), OUTCOME);
    used.add(words[shape.indexWord(n)]!);
    if (n % 10 !== 0) continue;
    expect(reader.read(100, n).events).toHaveLength(10);
    reader.settle(n);
  }
  expect(used.size).toBeLessThanOrEqual(10);
});

test('a new producer on the same memory goes on after the last one', () => {
  const { buffers, writer, counters } = setUp(8);
  writer.complete(writer.open(draftOf(1)), OUTCOME);
  const next = new EventWriter({ buffers, counters });
  next.complete(next.open(draftOf(2)), OUTCOME);
  const { events } = readerOf(buffers, FLAGGED).read(10, 0);
  expect(events.map((event) => [event.sequence, event.route])).toEqual([
    [1, 'GET /r/1'],
    [2, 'GET /r/2'],
  ]);
});
