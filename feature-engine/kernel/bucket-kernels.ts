// The workload's bucket as the host sees it: what the kernel exports, and its region as views. Configures only; the kernel is
// assembly/bucket.ts, and buckets.ts closes what it counted. Used by the engine when it makes its memory, and by tests.

import {
  BUCKET_FIELD_COUNT,
  BUCKET_SET_BYTES,
  BUCKET_SUMS,
  type BucketParts,
} from '../../domain/workload-bucket.ts';
import { BASELINE_LENGTH } from '../bucket-baseline.ts';
import type { EngineMemory } from './memory.ts';

export interface BucketKernels {
  readonly bucketBytes: { readonly value: number };
  configureBucket(at: number, place: number, pathBytesPlace: number): void;
  /** Counts the request of the call struct and writes the last ratios into the vector at `out`. */
  observeBucket(out: number): void;
  /** Counts the answer of the call struct. */
  bucketAnswered(): void;
}

/** Bytes of the kernel's region; configureBucket takes the baseline's beside it. */
export const BUCKET_BYTES = 256 + BUCKET_SET_BYTES;
const RATIOS = 128;
const SETS = 256;

/** The bucket of the moment in the engine's memory. */
export interface BucketViews extends BucketParts {
  /** Of the last complete bucket: the host writes them, the kernel copies them. */
  readonly ratios: Float64Array;
  /** What the workload is used to, which only the host reads: in this memory so that snapshots keep it. */
  readonly baseline: Float64Array;
}

/** Gives the bucket kernel its region and places. Once per memory. Throws RangeError when it is too small. */
export function configureBucket(
  memory: EngineMemory,
  places: { readonly bucket: number; readonly pathBytes: number },
): BucketViews {
  const { kernels, doubles, bytes } = memory;
  if (kernels.bucketBytes.value !== BUCKET_BYTES)
    throw new RangeError(`a bucket takes ${kernels.bucketBytes.value} bytes`);
  const at = memory.take(BUCKET_BYTES);
  const baseline = memory.take(BASELINE_LENGTH * 8, 'baseline') / 8;
  kernels.configureBucket(at, places.bucket, places.pathBytes);
  const ratios = (at + RATIOS) / 8;
  return {
    sums: doubles.subarray(at / 8, at / 8 + BUCKET_SUMS.length),
    ratios: doubles.subarray(ratios, ratios + BUCKET_FIELD_COUNT),
    baseline: doubles.subarray(baseline, baseline + BASELINE_LENGTH),
    sets: bytes.subarray(at + SETS, at + BUCKET_BYTES),
  };
}
