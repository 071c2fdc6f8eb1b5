// The workload's habit by hour of the week (UTC): exponential means of every field of the 10 s buckets, and how far a bucket
// is from it, as log2 ratios. Silent for the first 48 h. An hour of the week that was never seen is judged by the mean of all
// hours. Empty buckets count: silence is a habit too. Means are those of the whole workload, however many replicas serve it,
// as far as the share of it that a bucket saw allows. Called by buckets.ts.

import { BUCKET_FIELDS } from '../domain/features-bucket.ts';
import { BUCKET_FIELD_COUNT, BUCKET_MS } from '../domain/workload-bucket.ts';

const HOURS_OF_WEEK = 168;
const ALL_HOURS = HOURS_OF_WEEK;
const ROWS = HOURS_OF_WEEK + 1;
const HOUR_MS = 3_600_000;
const BUCKETS_PER_HOUR = HOUR_MS / BUCKET_MS;
/** 1 January 1970 was a Thursday: shifts the count so that hour 0 is Monday 00:00. */
const THURSDAY_HOURS = 72;
export const LEARNING_MS = 48 * HOUR_MS;
/** An hour's mean moves by 1/1440 a bucket once it knows four hours' worth: about four weeks of memory. */
const WEIGHT_MIN = 1 / (4 * BUCKETS_PER_HOUR);

/**
 * How a field follows the share of the workload that a bucket saw: a sum (not listed) grows with it, so the workload's is known
 * from it; `mean` does not depend on it; `spread` (distinct things, the longest path) depends on it in ways that nobody knows.
 */
const KINDS: Readonly<Record<string, 'mean' | 'spread'>> = {
  ...{ addresses: 'spread', identities: 'spread', paths: 'spread', path_longest: 'spread', agents: 'spread' },
  status_mean: 'mean',
};
const IS_SUM = BUCKET_FIELDS.map((name) => KINDS[name] === undefined);
const IS_SPREAD = BUCKET_FIELDS.map((name) => KINDS[name] === 'spread');

/** Places in the state: means by row and field, then by row how many buckets taught sums and means, and how many spread ones. */
const COUNTS = ROWS * BUCKET_FIELD_COUNT;
const SPREAD_COUNTS = COUNTS + ROWS;
const STARTED_MS = SPREAD_COUNTS + ROWS;
/** The share at which the spread fields were learnt and since when; a share that is seen instead, and in how many buckets. */
const SPREAD_SHARE = STARTED_MS + 1;
const SPREAD_STARTED_MS = STARTED_MS + 2;
const OTHER_SHARE = STARTED_MS + 3;
const OTHER_BUCKETS = STARTED_MS + 4;
export const BASELINE_LENGTH = STARTED_MS + 5;

/** A complete bucket. */
export interface JudgedBucket {
  readonly startMs: number;
  readonly fields: Float64Array;
  /** Share of the workload's replicas that it holds, over 0 and at most 1. */
  readonly share: number;
}

export class BucketBaseline {
  /** All that was learnt, as it is saved and put back. */
  readonly state: Float64Array;

  /** @param startedMs when counting began. @param state BASELINE_LENGTH zeros, where snapshots find what was learnt. */
  constructor(startedMs: number, state: Float64Array = new Float64Array(BASELINE_LENGTH)) {
    this.state = state;
    this.state[STARTED_MS] = startedMs;
    this.state[SPREAD_STARTED_MS] = startedMs;
    this.state[SPREAD_SHARE] = 1;
  }

  get bytes(): number {
    return this.state.byteLength;
  }

  /** Takes over what another engine learnt. Throws RangeError when it is not of this form. */
  restore(state: Float64Array): void {
    if (state.length !== BASELINE_LENGTH) throw new RangeError(`a baseline has ${BASELINE_LENGTH} values`);
    this.state.set(state);
  }

  /**
   * Writes the 12 ratios of a bucket to `out`, each log2((value + 1) / (mean + 1)) for the whole workload; NaN while learning,
   * and for spread fields of a bucket that saw another share of the workload than those they were learnt from.
   */
  judge({ startMs, fields, share }: JudgedBucket, out: Float64Array): void {
    const { state } = this;
    const hour = hourOfWeek(startMs);
    const silent = startMs - state[STARTED_MS]! < LEARNING_MS;
    const spreadSilent = startMs - state[SPREAD_STARTED_MS]! < LEARNING_MS || share !== state[SPREAD_SHARE];
    for (let i = 0; i < BUCKET_FIELD_COUNT; i++) {
      const counts = IS_SPREAD[i] ? SPREAD_COUNTS : COUNTS;
      const row = state[counts + hour] === 0 ? ALL_HOURS : hour;
      const mean = state[row * BUCKET_FIELD_COUNT + i]!;
      const missing = IS_SPREAD[i] ? spreadSilent : silent;
      out[i] = missing ? Number.NaN : Math.fround(Math.log2((wholeOf(fields, i, share) + 1) / (mean + 1)));
    }
  }

  /** Lets a bucket teach. */
  teach(bucket: JudgedBucket): void {
    const { startMs, share } = bucket;
    if (share !== this.state[SPREAD_SHARE]) this.#seeShare(startMs, share);
    else this.state[OTHER_BUCKETS] = 0;
    this.#teachRow(hourOfWeek(startMs), bucket);
    this.#teachRow(ALL_HOURS, bucket);
  }

  /** A share that lasts an hour is the new one: what is spread is learnt anew. A store away for minutes changes nothing. */
  #seeShare(startMs: number, share: number): void {
    const { state } = this;
    state[OTHER_BUCKETS] = share === state[OTHER_SHARE] ? state[OTHER_BUCKETS]! + 1 : 1;
    state[OTHER_SHARE] = share;
    const learnt = state[SPREAD_COUNTS + ALL_HOURS]! > 0;
    if (learnt && state[OTHER_BUCKETS]! < BUCKETS_PER_HOUR) return;
    state.fill(0, SPREAD_COUNTS, SPREAD_COUNTS + ROWS);
    for (let row = 0; row < ROWS; row++)
      for (let i = 0; i < BUCKET_FIELD_COUNT; i++) if (IS_SPREAD[i]) state[row * BUCKET_FIELD_COUNT + i] = 0;
    state[SPREAD_SHARE] = share;
    state[SPREAD_STARTED_MS] = startMs;
    state[OTHER_BUCKETS] = 0;
  }

  #teachRow(row: number, { fields, share }: JudgedBucket): void {
    const { state } = this;
    const spread = share === state[SPREAD_SHARE];
    const count = state[COUNTS + row]! + 1;
    const spreadCount = state[SPREAD_COUNTS + row]! + (spread ? 1 : 0);
    state[COUNTS + row] = count;
    state[SPREAD_COUNTS + row] = spreadCount;
    for (let i = 0; i < BUCKET_FIELD_COUNT; i++) {
      if (IS_SPREAD[i] && !spread) continue;
      const at = row * BUCKET_FIELD_COUNT + i;
      const weight = Math.max(1 / (IS_SPREAD[i] ? spreadCount : count), WEIGHT_MIN);
      state[at] = state[at]! + (wholeOf(fields, i, share) - state[at]!) * weight;
    }
  }
}

/** A field of the whole workload, as far as its share says it. */
function wholeOf(fields: Float64Array, i: number, share: number): number {
  return IS_SUM[i] ? fields[i]! / share : fields[i]!;
}

/** 0 = Monday 00:00 to 01:00 UTC. */
export function hourOfWeek(ms: number): number {
  return (Math.floor(ms / HOUR_MS) + THURSDAY_HOURS) % HOURS_OF_WEEK;
}
