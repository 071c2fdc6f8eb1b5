// Buckets in their ring: read whole, lost ones counted like events, a new data thread goes on where the last one stopped.
import { expect, test } from 'vitest';
import { BUCKET_MS, BUCKET_STREAM_FIRST, newBucketParts } from '../domain/workload-bucket.ts';
import { Counters } from './counters.ts';
import { EventReader } from './event-reader.ts';
import {
  BUCKET_SLOTS,
  createEventBuffers,
  type EventBuffers,
  LABEL_TEXTS,
  ROUTE_TEXTS,
} from './event-ring.ts';
import { EventWriter } from './event-writer.ts';
import { CONTEXT, draftOf } from './testing/rings.ts';
import { TextTableReader } from './text-table.ts';

function readerOf(buffers: EventBuffers): EventReader {
  const texts = {
    routes: new TextTableReader(buffers.routes, ROUTE_TEXTS),
    labels: new TextTableReader(buffers.labels, LABEL_TEXTS),
  };
  return new EventReader(buffers.buckets, { context: { ...CONTEXT, stream: BUCKET_STREAM_FIRST }, texts });
}

function write(writer: EventWriter, number: number): void {
  const parts = newBucketParts();
  parts.sums.fill(number);
  parts.sets.fill(number % 26);
  writer.bucket(number * BUCKET_MS, parts);
}

test('buckets are read whole and apart from events', () => {
  const buffers = createEventBuffers({ flaggedSlots: 8, allowSlots: 8 });
  const writer = new EventWriter({ buffers, counters: new Counters() });
  writer.open(draftOf(1));
  for (let number = 1; number <= 3; number++) write(writer, number);
  const reader = readerOf(buffers);
  const { buckets, events, dropped } = reader.read(100, 0);
  expect([events, dropped]).toEqual([[], []]);
  expect(buckets.map(({ sequence, stream, startMs }) => [sequence, stream, startMs])).toEqual([
    [1, BUCKET_STREAM_FIRST, 10_000],
    [2, BUCKET_STREAM_FIRST, 20_000],
    [3, BUCKET_STREAM_FIRST, 30_000],
  ]);
  expect([...new Set(buckets[2]?.sums)]).toEqual([3]);
  expect([...new Set(buckets[2]?.sets)]).toEqual([3]);
  reader.settle(2);
  expect(reader.account()).toEqual({ assigned: 3, delivered: 2, dropped: 0, waiting: 1 });
  write(new EventWriter({ buffers, counters: new Counters() }), 4);
  expect(reader.read(100, 0).buckets.map((bucket) => bucket.sequence)).toEqual([4]);
});

test('what nobody fetched for too long is overwritten and counted', () => {
  const buffers = createEventBuffers({ flaggedSlots: 8, allowSlots: 8 });
  const writer = new EventWriter({ buffers, counters: new Counters() });
  for (let number = 1; number <= BUCKET_SLOTS + 10; number++) write(writer, number);
  const reader = readerOf(buffers);
  const { buckets, dropped } = reader.read(10_000, 0);
  expect(dropped).toEqual([{ stream: BUCKET_STREAM_FIRST, first: 1, last: 10 }]);
  expect(buckets.map((bucket) => bucket.startMs / BUCKET_MS)).toEqual(
    Array.from({ length: BUCKET_SLOTS }, (_, i) => i + 11),
  );
  reader.settle(BUCKET_SLOTS + 10);
  expect(reader.account()).toEqual({ assigned: 522, delivered: 512, dropped: 10, waiting: 0 });
});

test('without a control plane no bucket is kept', () => {
  write(new EventWriter({ buffers: null, counters: new Counters() }), 1);
});
