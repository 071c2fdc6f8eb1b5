// A bucket of the workload as bytes in a ring slot: sums and registers, written and read back bit for bit.
// Called by event-record.ts, which owns the slot's first bytes.

import {
  BUCKET_SET_BYTES,
  BUCKET_SUMS,
  type BucketEvent,
  type BucketParts,
} from '../domain/workload-bucket.ts';
import type { SlotViews } from './event-record.ts';

// Layout of the slot behind tag and kind:   16 start ms f64   24 sums, f64 each   96 registers of its distinct counts
const START_AT = 16;
const SUMS_AT = 24;
const SETS_AT = SUMS_AT + 8 * BUCKET_SUMS.length;

/** Bytes that a slot needs to hold a bucket. */
export const BUCKET_RECORD_BYTES = SETS_AT + BUCKET_SET_BYTES;

export function writeBucket(views: SlotViews, at: number, startMs: number, parts: BucketParts): void {
  views.f64[(at + START_AT) >> 3] = startMs;
  views.f64.set(parts.sums, (at + SUMS_AT) >> 3);
  views.u8.set(parts.sets, at + SETS_AT);
}

/** A copy of what the slot holds. */
export function readBucket(views: SlotViews, at: number): Pick<BucketEvent, 'startMs' | 'sums' | 'sets'> {
  const sumsAt = (at + SUMS_AT) >> 3;
  return {
    startMs: views.f64[(at + START_AT) >> 3]!,
    sums: views.f64.slice(sumsAt, sumsAt + BUCKET_SUMS.length),
    sets: views.u8.slice(at + SETS_AT, at + SETS_AT + BUCKET_SET_BYTES),
  };
}
