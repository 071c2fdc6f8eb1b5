// What every store owes of workload buckets, as cases: run by sqlite-store.test.ts today and by any later implementation.
// Only the public interface is used.

import { expect } from 'vitest';
import { BUCKET_MS, BUCKET_STREAM_FIRST, namedBucketFields } from '../../domain/workload-bucket.ts';
import type { BucketQuery, Store, StoredBucket } from '../store/store.ts';
import type { ContractCase } from './contract-case.ts';
import { BOOT, encodeBatch, START_MS, sampleBucket, sampleEvent } from './sample-events.ts';

const OTHER = 'f'.repeat(32);
const QUERY: BucketQuery = { sinceMs: 0, namespace: '', workload: '', limit: 100 };

async function shown(store: Store, query: Partial<BucketQuery> = {}): Promise<unknown[]> {
  const buckets = await store.events.buckets({ ...QUERY, ...query });
  return buckets.map((bucket: StoredBucket) => {
    const { requests, path_longest, status_mean, addresses } = namedBucketFields(bucket);
    const number = (bucket.startMs - START_MS) / BUCKET_MS;
    return [number, bucket.pieces, requests, path_longest, status_mean, Math.round(addresses ?? 0)];
  });
}

export const BUCKET_CONTRACT: readonly ContractCase[] = [
  {
    name: 'buckets of replicas are merged, repeated ones count once',
    run: async (first, { open }) => {
      const batch = encodeBatch({ buckets: [sampleBucket(1, 0, [5, 5, 0, 0, 0, 30, 4, 800, 10])] });
      await first.events.append(batch);
      expect(await first.events.append(batch)).toMatchObject({ stored: 0, repeated: 1 });
      await first.events.append(
        encodeBatch({
          bootId: OTHER,
          buckets: [
            sampleBucket(1, 1, [2, 0, 2, 0, 0, 7, 1, 404, 1]),
            sampleBucket(2, 0, [3, 0, 3, 0, 0, 50, 4, 2000, 90]),
          ],
        }),
      );
      const wanted = [
        [0, 2, 8, 50, 350, 2],
        [1, 1, 2, 7, 404, 1],
      ];
      expect(await shown(first)).toEqual(wanted);
      await first.close();
      const second = await open();
      expect(await shown(second)).toEqual(wanted);
      await second.close();
    },
  },
  {
    name: 'buckets have an account of their own, with what was dropped, refused and never came',
    run: async (store) => {
      const stream = BUCKET_STREAM_FIRST;
      const bad = { ...sampleBucket(2, 1, [1]), startMs: START_MS + 1 };
      const result = await store.events.append(
        encodeBatch({
          events: [sampleEvent(1)],
          buckets: [sampleBucket(1, 0, [1]), bad],
          dropped: [{ stream, first: 3, last: 6 }],
        }),
      );
      expect(result).toMatchObject({ stored: 2, refused: 1 });
      expect(result.firstRefusal).toContain('buckets.start_ms');
      expect(result.highWater).toContainEqual({ stream, sequence: 6 });
      await store.events.noteAssigned([{ bootId: BOOT, marks: [{ stream, sequence: 9 }] }]);
      const totals = await store.events.totals();
      expect(totals).toMatchObject({ stored: 1, dropped: 0, refused: 0, unsettled: {} });
      expect(totals.buckets).toMatchObject({ stored: 1, dropped: 4, refused: 1, unsettled: { [BOOT]: 3 } });
    },
  },
  {
    name: 'an event cannot hide in a stream of buckets, nor a bucket in one of events',
    run: async (store) => {
      const result = await store.events.append(
        encodeBatch({
          events: [sampleEvent(1, { stream: BUCKET_STREAM_FIRST })],
          buckets: [{ ...sampleBucket(1, 0, [1]), stream: 1 }],
        }),
      );
      expect(result).toMatchObject({ stored: 0, refused: 2 });
    },
  },
  {
    name: 'the newest buckets, oldest first, by workload and time; pieces of two days are one bucket',
    run: async (store, { clock }) => {
      const one = (sequence: number, number: number) => sampleBucket(sequence, number, [sequence]);
      await store.events.append(encodeBatch({ buckets: [one(1, 0), one(2, 1), one(3, 2)] }));
      clock.moveTo(START_MS + 86_400_000);
      await store.events.append(encodeBatch({ bootId: OTHER, buckets: [one(1, 2), one(2, 3)] }));
      expect((await shown(store)).map((row) => (row as number[]).slice(0, 3))).toEqual([
        [0, 1, 1],
        [1, 1, 2],
        [2, 2, 4],
        [3, 1, 2],
      ]);
      expect((await shown(store, { limit: 2 })).map((row) => (row as number[]).slice(0, 3))).toEqual([
        [2, 2, 4],
        [3, 1, 2],
      ]);
      expect(await shown(store, { sinceMs: START_MS + 3 * BUCKET_MS })).toHaveLength(1);
      expect(await shown(store, { namespace: 'shop', workload: 'orders' })).toHaveLength(4);
      expect(await shown(store, { workload: 'other' })).toEqual([]);
    },
  },
];
