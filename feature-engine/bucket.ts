// The workload in wall-aligned 10 s buckets (seed 002): counts, sums and distinct counts of one bucket, mergeable across
// replicas. The trend of a bucket against the workload's habit is bucket-baseline.ts. Answers count in the bucket in which they
// come. Called by the engine: `request` and `answer` while the bucket lasts; `Buckets` closes it and hands it on.

import { BUCKET_FIELDS } from '../domain/features-bucket.ts';
import { METHODS } from '../domain/head-view.ts';
import {
  BUCKET_MS,
  type BucketParts,
  bucketFields,
  mergeBucket,
  newBucketParts,
} from '../domain/workload-bucket.ts';
import { HLL_REGISTERS, hllAdd } from './hyper-log-log.ts';

export { BUCKET_MS };

const ADDRESSES = 0;
const IDENTITIES = 1;
const PATHS = 2;
const AGENTS = 3;

const REQUESTS = 0;
const GETS = 1;
const POSTS = 2;
const DELETES = 3;
const PUTS = 4;
const PATH_LONGEST = 5;
const ANSWERS = 6;
const STATUS_SUM = 7;
const BYTES = 8;

const METHOD_SUM = METHODS.map((name) => {
  if (name === 'GET' || name === 'HEAD' || name === 'OPTIONS') return GETS;
  if (name === 'POST') return POSTS;
  if (name === 'DELETE') return DELETES;
  return name === 'PUT' || name === 'PATCH' ? PUTS : -1;
});

/** What a request tells a bucket: well-mixed 32-bit hashes, 0 for no user agent. */
export interface BucketRequest {
  /** Index into METHODS. */
  method: number;
  address: number;
  identity: number;
  path: number;
  pathBytes: number;
  agent: number;
}

export class Bucket {
  /** Number of the bucket: its start / BUCKET_MS since the epoch. */
  number = -1;
  readonly #parts = newBucketParts();
  readonly #sums = this.#parts.sums;
  readonly #sets = this.#parts.sets;

  get bytes(): number {
    return this.#sums.byteLength + this.#sets.byteLength;
  }

  /** What it holds, a copy: for events. */
  parts(): BucketParts {
    return { sums: this.#sums.slice(), sets: this.#sets.slice() };
  }

  start(number: number): void {
    this.number = number;
    this.#sums.fill(0);
    this.#sets.fill(0);
  }

  request(request: BucketRequest): void {
    const sums = this.#sums;
    const sets = this.#sets;
    sums[REQUESTS] = sums[REQUESTS]! + 1;
    const method = METHOD_SUM[request.method]!;
    if (method >= 0) sums[method] = sums[method]! + 1;
    if (request.pathBytes > sums[PATH_LONGEST]!) sums[PATH_LONGEST] = request.pathBytes;
    hllAdd(sets, ADDRESSES * HLL_REGISTERS, request.address);
    hllAdd(sets, IDENTITIES * HLL_REGISTERS, request.identity);
    hllAdd(sets, PATHS * HLL_REGISTERS, request.path);
    if (request.agent !== 0) hllAdd(sets, AGENTS * HLL_REGISTERS, request.agent);
  }

  /** @param status 0 if no answer came. @param bodyBytes of the request and the answer together. */
  answer(status: number, bodyBytes: number): void {
    const sums = this.#sums;
    sums[BYTES] = sums[BYTES]! + bodyBytes;
    if (status < 100) return;
    sums[ANSWERS] = sums[ANSWERS]! + 1;
    sums[STATUS_SUM] = sums[STATUS_SUM]! + status;
  }

  /** Joins another replica's bucket of the same number into this one. */
  merge(other: Bucket): void {
    mergeBucket(this.#parts, other.#parts);
  }

  /** Writes the 12 fields in the order of BUCKET_FIELDS; the mean response code is 0 without answers. */
  fields(out: Float64Array): void {
    bucketFields(this.#parts, out);
  }
}

/** Fields of a closed bucket, for events: by name, with the bucket's start. */
export interface ClosedBucket {
  readonly startMs: number;
  /** In the order of BUCKET_FIELDS. */
  readonly fields: Float64Array;
  /** What the fields are made of, to be merged with other replicas'. */
  readonly parts: BucketParts;
}

export const BUCKET_FIELD_COUNT = BUCKET_FIELDS.length;
