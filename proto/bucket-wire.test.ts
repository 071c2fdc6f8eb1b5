// Buckets over the wire: what is encoded is decoded, and what breaks the format is named.
import { describe, expect, it } from 'vitest';
import { BUCKET_STREAM_FIRST, type BucketEvent, newBucketParts } from '../domain/workload-bucket.ts';
import { bucketProblems, encodeBucket, sumsOf } from './bucket-wire.ts';
import { WorkloadBucket } from './gen/picket/v1/events.ts';

function sample(): BucketEvent {
  const parts = newBucketParts();
  parts.sums.set([9, 1, 2, 3, 2, 77, 8, 1608, 2 ** 40]);
  parts.sets.set([1, 25, 3], 250);
  return {
    bootId: 'ab'.repeat(16),
    stream: BUCKET_STREAM_FIRST,
    sequence: 5,
    startMs: 1_700_000_000_000,
    ...parts,
  };
}

describe('a bucket on the wire', () => {
  it('comes out as it went in', () => {
    const bucket = sample();
    const decoded = WorkloadBucket.decode(WorkloadBucket.encode(encodeBucket(bucket)).finish());
    expect(bucketProblems(decoded)).toEqual([]);
    expect(sumsOf(decoded)).toEqual(bucket.sums);
    expect(Uint8Array.from(decoded.sets)).toEqual(bucket.sets);
    expect(decoded).toMatchObject({ stream: 65_536, sequence: 5, startMs: 1_700_000_000_000 });
  });

  it.each([
    ['buckets.stream', { stream: 1 }],
    ['buckets.sequence', { sequence: 0 }],
    ['buckets.start_ms', { startMs: 1_700_000_000_001 }],
    ['buckets.requests', { requests: 7 }],
    ['buckets.status_sum', { answers: 1 }],
    ['buckets.sets', { sets: Buffer.alloc(1023) }],
    ['buckets.sets', { sets: Buffer.alloc(1024, 26) }],
  ])('is refused for a wrong %s', (field, parts) => {
    const problems = bucketProblems({ ...encodeBucket(sample()), ...parts });
    expect(problems.map((problem) => problem.field)).toEqual([field]);
  });
});
