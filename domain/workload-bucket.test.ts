// Closed buckets of replicas: distinct counts within their error, and merging two halves gives what one whole would have.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from './random.ts';
import {
  BUCKET_FIELD_COUNT,
  BUCKET_SETS,
  BUCKET_SUM,
  BUCKET_SUM_COUNT,
  type ClosedBucket,
  distinctCount,
  HLL_REGISTERS,
  mergeBuckets,
  readFields,
} from './workload-bucket.ts';

/** A register's rank as the paper defines it: place of the first 1 bit behind the first 8, by plain text. */
function add(registers: Uint8Array, at: number, hash: number): void {
  const bits = (hash >>> 0).toString(2).padStart(32, '0');
  const place = at + Number.parseInt(bits.slice(0, 8), 2);
  const one = bits.slice(8).indexOf('1');
  registers[place] = Math.max(registers[place] as number, one < 0 ? 25 : one + 1);
}

interface Request {
  readonly hashes: readonly number[];
  readonly pathBytes: number;
  readonly status: number;
  readonly bytes: number;
}

function drawn(seed: number, count: number): Request[] {
  const random = seededRandom(seed);
  const things = Array.from({ length: 5000 }, () => random.int(2 ** 32));
  const hash = (n: number) => things[random.int(n)] as number;
  return Array.from({ length: count }, () => ({
    hashes: [hash(300), hash(2000), hash(5000), hash(40)],
    pathBytes: random.int(200),
    status: [200, 404, 500][random.int(3)] as number,
    bytes: random.int(10_000),
  }));
}

function closed(requests: readonly Request[], startMs = 0): ClosedBucket {
  const sums = new Float64Array(BUCKET_SUM_COUNT);
  const registers = new Uint8Array(BUCKET_SETS * HLL_REGISTERS);
  const bump = (name: keyof typeof BUCKET_SUM, by: number) => {
    sums[BUCKET_SUM[name]] = (sums[BUCKET_SUM[name]] as number) + by;
  };
  for (const { hashes, pathBytes, status, bytes } of requests) {
    bump('requests', 1);
    bump('gets', 1);
    bump('answers', 1);
    bump('statusSum', status);
    bump('bytes', bytes);
    sums[BUCKET_SUM.pathLongest] = Math.max(sums[BUCKET_SUM.pathLongest] as number, pathBytes);
    for (const [set, hash] of hashes.entries()) add(registers, set * HLL_REGISTERS, hash);
  }
  const fields = new Float64Array(BUCKET_FIELD_COUNT);
  readFields(sums, registers, fields);
  return { startMs, replicas: 1, sums, registers, fields };
}

describe('merged buckets', () => {
  it('are the bucket of all requests, whoever saw them', () => {
    const run = (seed: number, replicas: number) => {
      const requests = drawn(seed, 600);
      const parts = Array.from({ length: replicas }, (_, r) =>
        closed(requests.filter((_, n) => n % replicas === r)),
      );
      const merged = parts.reduce(mergeBuckets);
      expect(merged).toEqual({ ...closed(requests), replicas });
    };
    fc.assert(fc.property(fc.integer(), fc.integer({ min: 1, max: 6 }), run), { numRuns: 30 });
  });

  it('count what is distinct within four standard errors, and things that both saw once', () => {
    const requests = drawn(4, 4000);
    const merged = mergeBuckets(closed(requests.slice(0, 2500)), closed(requests.slice(1500)));
    for (const [set, field] of [1, 2, 7, 9].entries()) {
      const exact = new Set(requests.map(({ hashes }) => hashes[set])).size;
      expect([field, Math.abs((merged.fields[field] as number) / exact - 1) < 0.26]).toEqual([field, true]);
    }
    expect(merged.fields[0]).toBe(5000);
  });

  it('are of the same 10 s', () => {
    expect(() => mergeBuckets(closed([], 0), closed([], 10_000))).toThrow(RangeError);
  });
});

describe('distinctCount', () => {
  it.each([0, 1, 10, 100, 1000, 10_000, 100_000])('estimates %i within four standard errors', (items) => {
    const registers = new Uint8Array(HLL_REGISTERS);
    const random = seededRandom(items + 5);
    for (let n = 0; n < items; n++) add(registers, 0, random.int(2 ** 32));
    expect(Math.abs(distinctCount(registers, 0) - items)).toBeLessThanOrEqual(0.26 * items);
  });
});
