// Nothing that an event ring was given is lost without being counted, and nothing is delivered twice.
// The property test plays random interleavings of writing, completing, reading, settling, losing the connection and overflow
// against a plain model of the other side; the last test does it with a real worker thread as producer.

import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { EventAmendment, PicketEvent } from '../domain/event.ts';
import { FEATURE_COUNT } from '../domain/features.ts';
import type { StreamBatch } from './event-reader.ts';
import { createEventBuffers, FLAGGED } from './event-ring.ts';
import { EventWriter } from './event-writer.ts';
import { draftOf, OUTCOME, readerOf, setUp } from './testing/rings.ts';

/** The other side: stores what it gets, once; its high-water mark moves with what is stored or declared dropped. */
class Store {
  readonly stored = new Set<number>();
  readonly amended = new Map<number, number>();
  dropped = 0;
  highWater = 0;
  twice = 0;

  take(batch: StreamBatch): void {
    const records = [...batch.events, ...batch.amendments].map((record) => [
      record.sequence,
      record.sequence,
    ]);
    const parts = [...records, ...batch.dropped.map((range) => [range.first, range.last])] as [
      number,
      number,
    ][];
    for (const [first, last] of parts.sort((a, b) => a[0] - b[0])) {
      if (last <= this.highWater) continue;
      const isRange = batch.dropped.some((range) => range.first === first);
      if (!isRange && first !== this.highWater + 1) throw new Error(`a gap before ${first}`);
      if (isRange) this.dropped += last - Math.max(first, this.highWater + 1) + 1;
      else if (this.stored.has(first)) this.twice++;
      else this.stored.add(first);
      this.highWater = last;
    }
    for (const amendment of batch.amendments) this.amended.set(amendment.amends, amendment.outcome.status);
  }
}

type Step =
  | { do: 'open' | 'complete' | 'settle' | 'reconnect' | 'lose' | 'crash' }
  | { do: 'read'; max: number; afterMs: number };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.constant<Step>({ do: 'open' }) },
    { weight: 6, arbitrary: fc.constant<Step>({ do: 'complete' }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('read' as const),
        max: fc.integer({ min: 1, max: 12 }),
        afterMs: fc.nat(900),
      }),
    },
    { weight: 2, arbitrary: fc.constant<Step>({ do: 'settle' }) },
    { weight: 1, arbitrary: fc.constant<Step>({ do: 'reconnect' }) },
    { weight: 1, arbitrary: fc.constant<Step>({ do: 'lose' }) },
    { weight: 1, arbitrary: fc.constant<Step>({ do: 'crash' }) },
  ),
  { maxLength: 400 },
);

test('random interleavings: assigned = delivered + dropped + waiting, nothing twice', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 9 }), (plan, slots) => {
      const { buffers, writer: first, counters } = setUp(slots);
      let writer = first;
      const reader = readerOf(buffers, FLAGGED, 500);
      const store = new Store();
      const open: number[] = [];
      let nowMs = 0;
      let opened = 0;
      for (const step of plan) {
        if (step.do === 'crash') {
          // The data thread is gone with what it had under way; the next one takes over the same memory.
          open.length = 0;
          writer = new EventWriter({ buffers, counters });
        }
        if (step.do === 'open') open.push(writer.open(draftOf(++opened)));
        if (step.do === 'complete' && open.length > 0) {
          writer.complete(open.splice((opened * 7) % open.length, 1)[0]!, OUTCOME);
        }
        if (step.do === 'read') {
          nowMs += step.afterMs;
          store.take(reader.read(step.max, nowMs));
        }
        if (step.do === 'lose') reader.read(3, nowMs);
        if (step.do === 'lose' || step.do === 'reconnect') {
          reader.settle(store.highWater);
          reader.rewind();
        }
        if (step.do === 'settle') reader.settle(store.highWater);
        const now = reader.account();
        expect(now.delivered + now.dropped + now.waiting).toBe(now.assigned);
        expect(now.waiting).toBeGreaterThanOrEqual(0);
      }
      for (const handle of open) writer.complete(handle, OUTCOME);
      for (let i = 1; i <= 3; i++) store.take(reader.read(10_000, nowMs + i * 1000));
      reader.settle(store.highWater);
      const end = reader.account();
      expect(end).toEqual({
        assigned: store.highWater,
        delivered: store.stored.size,
        dropped: store.dropped,
        waiting: 0,
      });
      expect(store.twice).toBe(0);
    }),
    { numRuns: 400 },
  );
});

/** What the worker runs: events whose fields all follow from their number, completed a little later and out of order. */
const PRODUCER = `
  import { parentPort, workerData } from 'node:worker_threads';
  const { EventWriter } = await import(workerData.writer);
  const { EventDraft } = await import(workerData.record);
  const { Counters } = await import(workerData.counters);
  const writer = new EventWriter({ buffers: workerData.buffers, counters: new Counters() });
  const vector = new Float64Array(workerData.places);
  const draft = Object.assign(new EventDraft(), { verdict: 'flag', vector });
  const complete = ([m, handle]) =>
    writer.complete(handle, { status: 200, latencyMs: 1, bytesIn: m, bytesOut: m, refusal: null });
  const waiting = [];
  for (let n = 1; n <= workerData.total; n++) {
    Object.assign(draft, { requestId: 'r' + n, margin: n, atMs: n, route: 'GET /' + (n % 9000) });
    draft.identityKey.fill(n);
    draft.vector.fill(n % 1000);
    waiting.push([n, writer.open(draft)]);
    if (waiting.length > 50) complete(waiting.splice(n % 50, 1)[0]);
    if (n % 1500 === 0) await new Promise((done) => setImmediate(done));
  }
  waiting.forEach(complete);
  parentPort.postMessage('done');
`;

function expectWhole(record: PicketEvent | EventAmendment): void {
  if ('amends' in record) return;
  const n = record.margin;
  expect(record.requestId).toBe(`r${n}`);
  expect(record.atMs).toBe(n);
  expect(record.identityKey).toBe(n.toString(16).padStart(8, '0').repeat(4));
  expect(record.vector.every((value) => value === n % 1000)).toBe(true);
  if (record.route !== '') expect(record.route).toBe(`GET /${n % 9000}`);
  if (record.outcome !== null) expect(record.outcome.bytesOut).toBe(n);
}

describe('with a producer in a real thread', () => {
  let worker: Worker | undefined;
  afterEach(async () => {
    await worker?.terminate();
  });

  function produce(workerData: object): Promise<void> {
    const url = (name: string): string => new URL(name, import.meta.url).href;
    const modules = {
      writer: url('event-writer.ts'),
      record: url('event-record.ts'),
      counters: url('counters.ts'),
    };
    const entry = new URL(`data:text/javascript,${encodeURIComponent(PRODUCER)}`);
    const started = new Worker(entry, { workerData: { ...workerData, ...modules, places: FEATURE_COUNT } });
    worker = started;
    return new Promise((resolve, reject) => {
      started.once('message', () => resolve());
      started.once('error', reject);
    });
  }

  test('60,000 events through 512 slots: whole records only, and every one accounted for', async () => {
    const total = 60_000;
    const buffers = createEventBuffers({ flaggedSlots: 512, allowSlots: 8 });
    let done = false;
    const finished = produce({ buffers, total }).finally(() => {
      done = true;
    });
    const reader = readerOf(buffers, FLAGGED, 0);
    const store = new Store();
    let seen = 0;
    const drain = (): void => {
      const batch = reader.read(300, performance.now());
      store.take(batch);
      [...batch.events, ...batch.amendments].forEach(expectWhole);
      seen += batch.events.length;
      if (seen % 3 === 0) reader.settle(store.highWater);
    };
    while (!done) {
      drain();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await finished;
    for (let i = 0; i < 100; i++) drain();
    reader.settle(store.highWater);
    const end = reader.account();
    expect(end.assigned).toBeGreaterThanOrEqual(total);
    expect(end).toEqual({
      assigned: store.highWater,
      delivered: store.stored.size,
      dropped: store.dropped,
      waiting: 0,
    });
    expect(store.twice).toBe(0);
  });
});
