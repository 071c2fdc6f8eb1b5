// One 10 s bucket of a workload's traffic (seed 002) as it travels: sums and distinct-count registers, so that the buckets of
// several replicas merge into the workload's own. No addresses, tokens or paths: registers cannot be turned back into them.
// Filled by the feature engine, sent by the sidecar, merged by the control plane.

import type { EventKey } from './event.ts';
import { BUCKET_FIELDS } from './features-bucket.ts';
import { HLL_REGISTERS, hllCount, hllMerge } from './hyper-log-log.ts';

export const BUCKET_MS = 10_000;
/** Streams of buckets begin here, streams of requests lie below: each is accounted for by itself. */
export const BUCKET_STREAM_FIRST = 65_536;

/** Sums of a bucket, in order. All are counts or sums but `path_longest`, bytes of the longest path. */
export const BUCKET_SUMS = [
  'requests',
  'gets',
  'posts',
  'deletes',
  'puts',
  'path_longest',
  'answers',
  'status_sum',
  'bytes',
] as const;
export type BucketSum = (typeof BUCKET_SUMS)[number];
/** Distinct counts of a bucket, HLL_REGISTERS bytes each, in order. */
export const BUCKET_SETS = ['addresses', 'identities', 'paths', 'agents'] as const;
export const BUCKET_SET_BYTES = BUCKET_SETS.length * HLL_REGISTERS;

/** What a bucket is made of. */
export interface BucketParts {
  /** In the order of BUCKET_SUMS. */
  readonly sums: Float64Array;
  /** BUCKET_SET_BYTES: registers in the order of BUCKET_SETS. */
  readonly sets: Uint8Array;
}

export interface BucketEvent extends EventKey, BucketParts {
  /** A multiple of BUCKET_MS since the epoch, on the sidecar's clock. */
  readonly startMs: number;
}

/** A complete bucket of one replica, or of several merged. */
export interface ClosedBucket extends BucketParts {
  readonly startMs: number;
  /** How many replicas' requests it holds. */
  readonly replicas: number;
  /** What is read from the parts, in the order of BUCKET_FIELDS. */
  readonly fields: Float64Array;
}
export const BUCKET_FIELD_COUNT = BUCKET_FIELDS.length;

const SUM = Object.fromEntries(BUCKET_SUMS.map((name, i) => [name, i])) as Record<BucketSum, number>;

export function newBucketParts(): BucketParts {
  return { sums: new Float64Array(BUCKET_SUMS.length), sets: new Uint8Array(BUCKET_SET_BYTES) };
}

/** Nothing was asked and nothing was answered. */
export function isEmptyBucket({ sums }: BucketParts): boolean {
  for (let i = 0; i < sums.length; i++) if (sums[i] !== 0) return false;
  return true;
}

/** Joins another replica's bucket of the same time into `into`. In any order the result is the same. */
export function mergeBucket(into: BucketParts, from: BucketParts): void {
  for (let i = 0; i < BUCKET_SUMS.length; i++) {
    const mine = into.sums[i] ?? 0;
    const other = from.sums[i] ?? 0;
    into.sums[i] = i === SUM.path_longest ? Math.max(mine, other) : mine + other;
  }
  hllMerge(into.sets, from.sets);
}

/** Writes the 12 fields of seed 002 in the order of BUCKET_FIELDS; the mean response code is 0 without answers. */
export function bucketFields({ sums, sets }: BucketParts, out: Float64Array): void {
  const sum = (name: BucketSum) => sums[SUM[name]] ?? 0;
  const answers = sum('answers');
  out[0] = sum('requests');
  out[1] = hllCount(sets, 0);
  out[2] = hllCount(sets, HLL_REGISTERS);
  out[3] = sum('gets');
  out[4] = sum('posts');
  out[5] = sum('deletes');
  out[6] = sum('puts');
  out[7] = hllCount(sets, 2 * HLL_REGISTERS);
  out[8] = sum('path_longest');
  out[9] = hllCount(sets, 3 * HLL_REGISTERS);
  out[10] = answers === 0 ? 0 : sum('status_sum') / answers;
  out[11] = sum('bytes');
}

/** The fields by name, for people and scripts. */
export function namedBucketFields(parts: BucketParts): Record<string, number> {
  const fields = new Float64Array(BUCKET_FIELDS.length);
  bucketFields(parts, fields);
  return Object.fromEntries(BUCKET_FIELDS.map((name, i) => [name, fields[i] ?? 0]));
}
