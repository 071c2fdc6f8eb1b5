// Runs the workload's buckets: counts into the one of the moment, closes it when its 10 s are over, judges it against the
// baseline and keeps the ratios, which every request of the next 10 s carries. Gaps without any request are empty buckets (at
// most a day of them is made up). Called by the engine; complete buckets go to `onClosed`, for events and for merging across
// replicas.

import { BUCKET_FEATURES } from '../domain/features-bucket.ts';
import { BUCKET_FIELD_COUNT, BUCKET_MS, Bucket, type BucketRequest, type ClosedBucket } from './bucket.ts';
import { BucketBaseline } from './bucket-baseline.ts';

const EMPTY_MAX = 86_400_000 / BUCKET_MS;

export class Buckets {
  /** Ratios of the last complete bucket, in the order of features-bucket.ts. */
  readonly ratios = new Float64Array(BUCKET_FEATURES.length).fill(Number.NaN);
  readonly #current = new Bucket();
  readonly #baseline: BucketBaseline;
  readonly #fields = new Float64Array(BUCKET_FIELD_COUNT);
  readonly #onClosed: ((bucket: ClosedBucket) => void) | undefined;

  constructor(startedMs: number, onClosed?: (bucket: ClosedBucket) => void) {
    this.#baseline = new BucketBaseline(startedMs);
    this.#onClosed = onClosed;
  }

  get bytes(): number {
    return this.#current.bytes + this.#baseline.bytes + this.#fields.byteLength + this.ratios.byteLength;
  }

  /** Brings the buckets to the moment; call it before `request` and `answer`, and when nothing comes. */
  moveTo(now: { readonly nowMs: number }): void {
    const number = Math.floor(now.nowMs / BUCKET_MS);
    const bucket = this.#current;
    if (number === bucket.number) return;
    if (bucket.number >= 0) {
      this.#close();
      const empty = Math.min(number - bucket.number - 1, EMPTY_MAX);
      for (let i = number - empty; i < number; i++) {
        bucket.start(i);
        this.#close();
      }
    }
    bucket.start(number);
  }

  request(request: BucketRequest): void {
    this.#current.request(request);
  }

  answer(status: number, bodyBytes: number): void {
    this.#current.answer(status, bodyBytes);
  }

  #close(): void {
    const startMs = this.#current.number * BUCKET_MS;
    this.#current.fields(this.#fields);
    this.#baseline.judge(startMs, this.#fields, this.ratios, 0);
    this.#onClosed?.({ startMs, fields: this.#fields.slice(), parts: this.#current.parts() });
  }
}
