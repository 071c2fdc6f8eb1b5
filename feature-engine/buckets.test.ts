// Buckets against plain sets and sums; merging; the baseline against the definition; silence while learning.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUCKET_FEATURES, BUCKET_FIELDS } from '../domain/features-bucket.ts';
import { seededRandom } from '../domain/random.ts';
import { BUCKET_FIELD_COUNT, BUCKET_MS, Bucket, type BucketRequest, type ClosedBucket } from './bucket.ts';
import { hourOfWeek } from './bucket-baseline.ts';
import { Buckets } from './buckets.ts';
import { HLL_REGISTERS, hllAdd, hllCount, hllMerge } from './hyper-log-log.ts';
import { mix32 } from './sketch.ts';
import { outOfRange } from './testing/ranges.ts';

const START_MS = Date.UTC(2026, 0, 5);
const HOUR_MS = 3_600_000;

type Drawn = BucketRequest & { readonly status: number; readonly bodyBytes: number };

function draw(random: ReturnType<typeof seededRandom>): Drawn {
  return {
    method: random.int(8),
    address: mix32(random.int(20)),
    identity: mix32(100 + random.int(40)),
    path: mix32(200 + random.int(60)),
    pathBytes: random.int(100),
    agent: random.int(3) === 0 ? 0 : mix32(300 + random.int(5)),
    status: [0, 200, 404][random.int(3)] as number,
    bodyBytes: random.int(10_000),
  };
}

function fieldsOf(bucket: Bucket): number[] {
  const out = new Float64Array(BUCKET_FIELD_COUNT);
  bucket.fields(out);
  return [...out];
}

function filled(requests: readonly Drawn[]): Bucket {
  const bucket = new Bucket();
  bucket.start(1);
  for (const request of requests) {
    bucket.request(request);
    bucket.answer(request.status, request.bodyBytes);
  }
  return bucket;
}

function naive(requests: readonly Drawn[]): number[] {
  const unique = (key: 'address' | 'identity' | 'path' | 'agent') =>
    new Set(requests.map((r) => r[key]).filter((hash) => key !== 'agent' || hash !== 0)).size;
  const methods = (...codes: number[]) => requests.filter((r) => codes.includes(r.method)).length;
  const answers = requests.filter((r) => r.status !== 0).map((r) => r.status);
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  return [
    requests.length,
    unique('address'),
    unique('identity'),
    methods(0, 1, 2),
    methods(3),
    methods(6),
    methods(4, 5),
    unique('path'),
    Math.max(0, ...requests.map((r) => r.pathBytes)),
    unique('agent'),
    answers.length === 0 ? 0 : sum(answers) / answers.length,
    sum(requests.map((r) => r.bodyBytes)),
  ];
}

const SKETCHED = [1, 2, 7, 9];

describe('Bucket', () => {
  it('equals plain sets and sums, the distinct counts within their error', () => {
    const run = (seed: number) => {
      const random = seededRandom(seed);
      const requests = Array.from({ length: random.int(200) }, () => draw(random));
      const got = fieldsOf(filled(requests));
      for (const [i, wanted] of naive(requests).entries()) {
        if (SKETCHED.includes(i))
          expect(Math.abs((got[i] as number) - wanted)).toBeLessThanOrEqual(2 + 0.2 * wanted);
        else expect([i, got[i]]).toEqual([i, wanted]);
      }
    };
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e9 }), run), { numRuns: 60 });
  });

  it('merges to what one bucket of all requests would be', () => {
    const run = (seed: number, cut: number) => {
      const random = seededRandom(seed);
      const requests = Array.from({ length: 100 }, () => draw(random));
      const both = filled(requests.slice(0, cut));
      both.merge(filled(requests.slice(cut)));
      expect(fieldsOf(both)).toEqual(fieldsOf(filled(requests)));
    };
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e9 }), fc.nat(100), run), { numRuns: 40 });
  });
});

describe('HyperLogLog', () => {
  it('estimates within four standard errors, and merges', () => {
    for (const items of [1, 10, 100, 1000, 10_000, 300_000]) {
      const even = new Uint8Array(HLL_REGISTERS);
      const odd = new Uint8Array(HLL_REGISTERS);
      for (let n = 0; n < items; n++) hllAdd(n % 2 === 0 ? even : odd, 0, mix32(n + items * 7));
      hllMerge(even, odd);
      expect([items, Math.abs(hllCount(even, 0) / items - 1) < 0.26]).toEqual([items, true]);
    }
  });
});

describe('Buckets', () => {
  it('give each bucket once, empty ones between, and ratios by the definition', () => {
    const closed: ClosedBucket[] = [];
    const buckets = new Buckets(START_MS, (bucket) => closed.push(bucket));
    const random = seededRandom(9);
    let nowMs = START_MS;
    const means = new Map<number, { count: number; values: number[] }>();
    const means48 = (row: number) => means.get(row) ?? { count: 0, values: new Array(12).fill(0) };
    let judged = 0;
    for (let n = 0; n < 4000; n++) {
      nowMs += random.int(400_000);
      buckets.moveTo({ nowMs });
      for (const { startMs, fields } of closed.splice(0)) {
        const hour = hourOfWeek(startMs);
        const known = means48(means48(hour).count === 0 ? 168 : hour);
        const wanted = [...fields].map((value, i) =>
          Math.fround(Math.log2((value + 1) / ((known.values[i] as number) + 1))),
        );
        if (startMs - START_MS >= 48 * HOUR_MS) judged++;
        if (startMs + BUCKET_MS > nowMs - BUCKET_MS && startMs - START_MS >= 48 * HOUR_MS)
          expect([...buckets.ratios]).toEqual(wanted);
        for (const row of [hour, 168]) {
          const { count, values } = means48(row);
          const weight = Math.max(1 / (count + 1), 1 / 1440);
          means.set(row, {
            count: count + 1,
            values: values.map((mean, i) => mean + ((fields[i] as number) - mean) * weight),
          });
        }
      }
      const { status, bodyBytes, ...request } = draw(random);
      buckets.request(request);
      buckets.answer(status, bodyBytes);
      expect(outOfRange(BUCKET_FEATURES, buckets.ratios)).toEqual([]);
    }
    expect(judged).toBeGreaterThan(1000);
  });

  it('say nothing for the first 48 hours', () => {
    const buckets = new Buckets(START_MS);
    const silentAt = (ms: number) => {
      buckets.moveTo({ nowMs: START_MS + ms });
      return buckets.ratios.every(Number.isNaN);
    };
    expect([0, HOUR_MS, 48 * HOUR_MS].map(silentAt)).toEqual([true, true, true]);
    expect(silentAt(48 * HOUR_MS + BUCKET_MS)).toBe(false);
  });

  it('see a burst, and see none when the workload has always been four times as large', () => {
    const ratioOf = (usual: number, now: number): number => {
      const buckets = new Buckets(START_MS);
      const request = { method: 0, address: 1, identity: 1, path: 1, pathBytes: 5, agent: 1 };
      const end = START_MS + 49 * HOUR_MS;
      for (let nowMs = START_MS; nowMs <= end; nowMs += BUCKET_MS) {
        buckets.moveTo({ nowMs });
        for (let i = 0; i < (nowMs === end - BUCKET_MS ? now : usual); i++) buckets.request(request);
      }
      return buckets.ratios[BUCKET_FIELDS.indexOf('requests')] as number;
    };
    expect(ratioOf(3, 63)).toBeCloseTo(4, 5);
    expect(ratioOf(12, 12)).toBeCloseTo(0, 5);
  });

  it('knows the hours of the week', () => {
    expect(hourOfWeek(START_MS)).toBe(0);
    expect(hourOfWeek(START_MS - 1)).toBe(167);
    expect(hourOfWeek(Date.UTC(2026, 0, 7, 5, 59))).toBe(53);
  });
});
