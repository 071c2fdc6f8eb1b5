// The only mapping between the domain's workload buckets and the generated messages. Encoding trusts its caller; decoding trusts
// nothing. Called by proxy/control (encode) and control-plane/store (decode); wire.ts does the same for events.

import type { Problem } from '../domain/errors.ts';
import { HLL_RANK_MAX } from '../domain/hyper-log-log.ts';
import {
  BUCKET_MS,
  BUCKET_SET_BYTES,
  BUCKET_STREAM_FIRST,
  type BucketEvent,
} from '../domain/workload-bucket.ts';
import type { WorkloadBucket } from './gen/picket/v1/events.ts';

export function encodeBucket(bucket: BucketEvent): WorkloadBucket {
  const { stream, sequence, startMs, sums, sets } = bucket;
  const sum = (place: number) => Math.round(sums[place] ?? 0);
  return {
    ...{ stream, sequence, startMs },
    requests: sum(0),
    gets: sum(1),
    posts: sum(2),
    deletes: sum(3),
    puts: sum(4),
    pathLongest: sum(5),
    answers: sum(6),
    statusSum: sum(7),
    bytes: sum(8),
    sets: Buffer.from(sets.buffer, sets.byteOffset, sets.byteLength),
  };
}

/** The sums in the order of BUCKET_SUMS. */
export function sumsOf(bucket: WorkloadBucket): Float64Array {
  const { requests, gets, posts, deletes, puts, pathLongest, answers, statusSum, bytes } = bucket;
  return Float64Array.of(requests, gets, posts, deletes, puts, pathLongest, answers, statusSum, bytes);
}

/** What is wrong with a received bucket; empty if nothing is. */
export function bucketProblems(bucket: WorkloadBucket): readonly Problem[] {
  const problems: Problem[] = [];
  const want = (ok: boolean, field: string, value: unknown, expected: string): void => {
    if (!ok) problems.push({ field, value: String(value), expected });
  };
  const { stream, sequence, startMs, requests, gets, posts, deletes, puts, answers, statusSum, sets } =
    bucket;
  want(stream >= BUCKET_STREAM_FIRST, 'buckets.stream', stream, `${BUCKET_STREAM_FIRST} or more`);
  want(sequence >= 1, 'buckets.sequence', sequence, '1 or more');
  want(startMs % BUCKET_MS === 0, 'buckets.start_ms', startMs, `a multiple of ${BUCKET_MS}`);
  want(gets + posts + deletes + puts <= requests, 'buckets.requests', requests, 'at least those by method');
  want(statusSum <= 999 * answers, 'buckets.status_sum', statusSum, 'at most 999 an answer');
  want(sets.length === BUCKET_SET_BYTES, 'buckets.sets', sets.length, `${BUCKET_SET_BYTES} bytes`);
  const highest = sets.reduce((high, register) => Math.max(high, register), 0);
  want(highest <= HLL_RANK_MAX, 'buckets.sets', highest, `registers up to ${HLL_RANK_MAX}`);
  return problems;
}
