// Runs the workload's buckets: closes the one that the kernel counts into when its 10 s are over, joins what other replicas
// counted in the same 10 s, judges it against the baseline and leaves the ratios to the requests of the next 10 s. Gaps
// without any request are empty buckets (at most a day of them is made up). Called by the engine; complete buckets go to
// `onClosed`, for events and for merging across replicas.

import {
  BUCKET_FIELD_COUNT,
  BUCKET_MS,
  BUCKET_SET_BYTES,
  BUCKET_SUMS,
  bucketFields,
  type ClosedBucket,
  mergeBucket,
  newBucketParts,
} from '../domain/workload-bucket.ts';
import { BucketBaseline } from './bucket-baseline.ts';
import type { BucketViews } from './kernel/bucket-kernels.ts';

const EMPTY_MAX = 86_400_000 / BUCKET_MS;

/** Sums and registers of one bucket, and of how many replicas. */
class Counted {
  readonly parts = newBucketParts();
  replicas = 0;

  clear(): void {
    this.parts.sums.fill(0);
    this.parts.sets.fill(0);
    this.replicas = 0;
  }

  add(other: Pick<ClosedBucket, 'sums' | 'sets'>, replicas: number): void {
    mergeBucket(this.parts, other);
    this.replicas += replicas;
  }
}

/** What buckets take beside the kernel's region, bytes: the bucket before, what other replicas gave, the baseline. */
export const BUCKETS_BYTES =
  new BucketBaseline(0).bytes + 2 * (BUCKET_SUMS.length * 8 + BUCKET_SET_BYTES) + BUCKET_FIELD_COUNT * 8;

export class Buckets {
  /** The workload's habit: saved and restored with the rest of the state. */
  readonly baseline: BucketBaseline;
  readonly #current: BucketViews;
  #number = -1;
  /** What other replicas, whose clocks are ahead, already closed of the current bucket. */
  readonly #early = new Counted();
  /** The last complete bucket, all replicas that have come, until the next one is complete. */
  readonly #last = new Counted();
  #lastNumber = -1;
  readonly #fields = new Float64Array(BUCKET_FIELD_COUNT);
  readonly #onClosed: ((bucket: ClosedBucket) => void) | undefined;
  #replicas = 1;
  /** How many there were when the current and the last bucket began. */
  #expected = 1;
  #lastExpected = 1;

  constructor(views: BucketViews, startedMs: number, onClosed?: (bucket: ClosedBucket) => void) {
    this.#current = views;
    views.ratios.fill(Number.NaN);
    this.baseline = new BucketBaseline(startedMs, views.baseline);
    this.#onClosed = onClosed;
  }

  /**
   * How many replicas serve the workload (default 1), as whoever knows them says: the share that this one saw follows from it. So
   * scaling from one to four is not taken for a loss of three quarters. Counts from the next bucket on.
   */
  get replicas(): number {
    return this.#replicas;
  }

  set replicas(count: number) {
    this.#replicas = Math.max(Math.floor(count) || 1, 1);
  }

  /** Brings the buckets to a moment, ms since the epoch, never back. Call it before anything is counted or joined. */
  moveTo(nowMs: number): void {
    const number = Math.floor(nowMs / BUCKET_MS);
    if (number <= this.#number) return;
    if (this.#number >= 0) {
      this.#close();
      const empty = Math.min(number - this.#number - 1, EMPTY_MAX);
      for (let i = number - empty; i < number; i++) {
        this.#start(i);
        this.#close();
      }
    }
    this.#start(number);
  }

  /**
   * Joins what another replica counted, once for each: into the last complete bucket, which is judged anew, or the current one.
   * False for any other time: too late, or too far ahead.
   */
  join(other: ClosedBucket): boolean {
    const number = other.startMs / BUCKET_MS;
    if (number === this.#number) {
      this.#early.add(other, other.replicas);
      return true;
    }
    if (number !== this.#lastNumber) return false;
    this.#last.add(other, other.replicas);
    this.#judge();
    return true;
  }

  #start(number: number): void {
    this.#number = number;
    this.#expected = this.#replicas;
    this.#current.sums.fill(0);
    this.#current.sets.fill(0);
    this.#early.clear();
  }

  #close(): void {
    if (this.#lastNumber >= 0) this.baseline.teach(this.#bucket());
    const last = this.#last;
    last.clear();
    last.add(this.#current, 1);
    this.#lastNumber = this.#number;
    this.#lastExpected = this.#expected;
    this.#hand();
    if (this.#early.replicas > 0) last.add(this.#early.parts, this.#early.replicas);
    this.#judge();
  }

  /** Gives away what this replica counted. */
  #hand(): void {
    if (this.#onClosed === undefined) return;
    const sums = this.#last.parts.sums.slice();
    const sets = this.#last.parts.sets.slice();
    const fields = new Float64Array(BUCKET_FIELD_COUNT);
    bucketFields({ sums, sets }, fields);
    this.#onClosed({ startMs: this.#lastNumber * BUCKET_MS, replicas: 1, sums, sets, fields });
  }

  #judge(): void {
    bucketFields(this.#last.parts, this.#fields);
    this.baseline.judge(this.#bucket(), this.#current.ratios);
  }

  #bucket() {
    const share = Math.min(this.#last.replicas / this.#lastExpected, 1);
    return { startMs: this.#lastNumber * BUCKET_MS, fields: this.#fields, share };
  }
}
