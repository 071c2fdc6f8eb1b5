// The workload's habit by hour of the week (UTC): exponential means of every field of the 10 s buckets, and how far a bucket is
// from it, as log2 ratios. Silent for the first 48 h. An hour of the week that was never seen is judged by the mean of all
// hours. Empty buckets count: silence is a habit too. Called by the engine when a bucket is complete.

import { BUCKET_FIELD_COUNT, BUCKET_MS } from './bucket.ts';

const HOURS_OF_WEEK = 168;
const HOUR_MS = 3_600_000;
const BUCKETS_PER_HOUR = HOUR_MS / BUCKET_MS;
/** 1 January 1970 was a Thursday: shifts the count so that hour 0 is Monday 00:00. */
const THURSDAY_HOURS = 72;
export const LEARNING_MS = 48 * HOUR_MS;
/** An hour's mean moves by 1/1440 a bucket once it knows four hours' worth: about four weeks of memory. */
const WEIGHT_MIN = 1 / (4 * BUCKETS_PER_HOUR);

export class BucketBaseline {
  readonly bytes: number;
  /** Means by hour of week, then the mean of all hours. */
  readonly #means = new Float64Array((HOURS_OF_WEEK + 1) * BUCKET_FIELD_COUNT);
  readonly #counts = new Float64Array(HOURS_OF_WEEK + 1);
  readonly #startedMs: number;

  /** @param startedMs when counting began. */
  constructor(startedMs: number) {
    this.#startedMs = startedMs;
    this.bytes = this.#means.byteLength + this.#counts.byteLength;
  }

  /**
   * Writes the ratios of a complete bucket to out[place, place + 12), each log2((value + 1) / (mean + 1)), NaN while learning;
   * then lets it teach.
   */
  judge(startMs: number, fields: Float64Array, out: Float64Array, place: number): void {
    const hour = hourOfWeek(startMs);
    const row = this.#counts[hour] === 0 ? HOURS_OF_WEEK : hour;
    const silent = startMs - this.#startedMs < LEARNING_MS;
    for (let i = 0; i < BUCKET_FIELD_COUNT; i++) {
      const mean = this.#means[row * BUCKET_FIELD_COUNT + i]!;
      out[place + i] = silent ? Number.NaN : Math.fround(Math.log2((fields[i]! + 1) / (mean + 1)));
    }
    this.#teach(hour, fields);
    this.#teach(HOURS_OF_WEEK, fields);
  }

  #teach(row: number, fields: Float64Array): void {
    const count = this.#counts[row]! + 1;
    this.#counts[row] = count;
    const weight = Math.max(1 / count, WEIGHT_MIN);
    for (let i = row * BUCKET_FIELD_COUNT, f = 0; f < BUCKET_FIELD_COUNT; i++, f++)
      this.#means[i] = this.#means[i]! + (fields[f]! - this.#means[i]!) * weight;
  }
}

/** 0 = Monday 00:00 to 01:00 UTC. */
export function hourOfWeek(ms: number): number {
  return (Math.floor(ms / HOUR_MS) + THURSDAY_HOURS) % HOURS_OF_WEEK;
}
