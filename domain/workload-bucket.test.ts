// Buckets of replicas: merging in any order gives what one replica would have counted, up to the sketches' own error of none.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUCKET_FIELDS } from './features-bucket.ts';
import { HLL_RANK_MAX, HLL_REGISTERS, hllAdd } from './hyper-log-log.ts';
import {
  BUCKET_SETS,
  BUCKET_SUMS,
  type BucketParts,
  bucketFields,
  isEmptyBucket,
  mergeBucket,
  namedBucketFields,
  newBucketParts,
} from './workload-bucket.ts';

/** One request: 32-bit hashes of address, identity, path and agent; the path's length. */
type Hit = readonly [readonly number[], number];
const hash = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const hit: fc.Arbitrary<Hit> = fc.tuple(fc.tuple(hash, hash, hash, hash), fc.nat(200));
const hits = fc.array(fc.tuple(hit, fc.nat(3)), { maxLength: 80 });

function bucketOf(seen: readonly Hit[]): BucketParts {
  const parts = newBucketParts();
  for (const [hashes, pathBytes] of seen) {
    parts.sums[0]!++;
    parts.sums[5] = Math.max(parts.sums[5]!, pathBytes);
    parts.sums[6]!++;
    parts.sums[7]! += 200;
    for (const [i, value] of hashes.entries()) hllAdd(parts.sets, i * HLL_REGISTERS, value);
  }
  return parts;
}

describe('buckets of replicas', () => {
  it('merge to what one replica would have counted, in any order', () => {
    const run = (drawn: [Hit, number][], order: number) => {
      const replicas = [0, 1, 2, 3].map((n) =>
        bucketOf(drawn.filter(([, to]) => to === n).map(([one]) => one)),
      );
      const merged = newBucketParts();
      for (let i = 0; i < 4; i++) mergeBucket(merged, replicas[(i * 3 + order) % 4]!);
      expect(merged).toEqual(bucketOf(drawn.map(([one]) => one)));
    };
    fc.assert(fc.property(hits, fc.nat(3), run));
  });

  it('have the fields of the seed, by name and by place', () => {
    const parts = bucketOf([
      [[1 << 24, 2 << 24, 3 << 24, 4 << 24], 17],
      [[1 << 24, 9 << 24, 3 << 24, 4 << 24], 5],
    ]);
    const fields = new Float64Array(BUCKET_FIELDS.length);
    bucketFields(parts, fields);
    const named = namedBucketFields(parts);
    expect(Object.keys(named)).toEqual(BUCKET_FIELDS);
    expect(Object.values(named)).toEqual([...fields]);
    expect(named).toMatchObject({ requests: 2, path_longest: 17, status_mean: 200 });
    expect([named['addresses'], named['identities']].map((n) => Math.round(n ?? 0))).toEqual([1, 2]);
    expect(namedBucketFields(newBucketParts())).toMatchObject({ requests: 0, status_mean: 0, agents: 0 });
  });

  it('are empty until something is counted', () => {
    expect(isEmptyBucket(newBucketParts())).toBe(true);
    expect(isEmptyBucket(bucketOf([[[1, 2, 3, 4], 0]]))).toBe(false);
    expect(newBucketParts().sums).toHaveLength(BUCKET_SUMS.length);
    expect(newBucketParts().sets).toHaveLength(BUCKET_SETS.length * HLL_REGISTERS);
  });

  it('have registers that any hash keeps within their bound', () => {
    const registers = new Uint8Array(HLL_REGISTERS);
    for (const value of [0, 1, 2 ** 24 - 1, 2 ** 32 - 1, 0x80000000]) hllAdd(registers, 0, value);
    expect(Math.max(...registers)).toBe(HLL_RANK_MAX);
  });
});
