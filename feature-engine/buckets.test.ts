// The workload's buckets: what the kernel counts against plain sets and sums, ratios against the definition, silence while
// learning, and replicas that come and go.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUCKET_FEATURES, BUCKET_FIELDS } from '../domain/features-bucket.ts';
import { methodCode } from '../domain/head-view.ts';
import { seededRandom } from '../domain/random.ts';
import { BUCKET_FIELD_COUNT, BUCKET_MS, type ClosedBucket } from '../domain/workload-bucket.ts';
import { BucketBaseline, hourOfWeek } from './bucket-baseline.ts';
import { Buckets } from './buckets.ts';
import { BUCKET_BYTES, configureBucket } from './kernel/bucket-kernels.ts';
import { EngineMemory } from './kernel/memory.ts';
import { mix32 } from './sketch.ts';
import { KernelCall } from './testing/kernel-call.ts';
import { outOfRange } from './testing/ranges.ts';

const START_MS = Date.UTC(2026, 0, 5);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const METHOD_NAMES = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'BREW'];

interface Drawn {
  readonly method: string;
  readonly address: number;
  readonly credential: number;
  readonly path: number;
  readonly pathBytes: number;
  readonly agent: number;
  readonly status: number;
  readonly bodyBytes: number;
}

function draw(random: ReturnType<typeof seededRandom>): Drawn {
  return {
    method: METHOD_NAMES[random.int(8)] as string,
    address: mix32(random.int(20)),
    credential: mix32(100 + random.int(40)),
    path: mix32(200 + random.int(60)),
    pathBytes: random.int(100),
    agent: random.int(3) === 0 ? 0 : mix32(300 + random.int(5)),
    status: [0, 200, 404][random.int(3)] as number,
    bodyBytes: random.int(10_000),
  };
}

/** One replica: kernel and buckets, without the rest of an engine. */
function replica(
  onClosed?: (bucket: ClosedBucket) => void,
  { startedMs = START_MS, variant = 'release' as 'release' | 'debug' } = {},
) {
  const memory = new EngineMemory(BUCKET_BYTES + 1024, variant);
  const views = configureBucket(memory, { bucket: 0, pathBytes: 20 });
  const vector = memory.take(32 * 8);
  const buckets = new Buckets(views, startedMs, onClosed);
  const call = new KernelCall(memory);
  return {
    buckets,
    /** Counts a request and its answer; gives the ratios that the request carries. */
    count({ method, pathBytes, status, bodyBytes, ...words }: Drawn): number[] {
      call.set({ method: methodCode(method), ...words });
      memory.doubles[vector / 8 + 20] = pathBytes;
      memory.kernels.observeBucket(vector);
      call.set({ status });
      call.setDoubles({ bytesIn: bodyBytes, bytesOut: 1 });
      memory.kernels.bucketAnswered();
      return [...memory.doubles.subarray(vector / 8, vector / 8 + BUCKET_FIELD_COUNT)];
    },
    ratios: views.ratios,
  };
}

function naive(requests: readonly Drawn[]): number[] {
  const unique = (key: 'address' | 'credential' | 'path' | 'agent') =>
    new Set(requests.map((r) => r[key]).filter((hash) => key !== 'agent' || hash !== 0)).size;
  const methods = (...names: string[]) => requests.filter((r) => names.includes(r.method)).length;
  const answers = requests.filter((r) => r.status !== 0).map((r) => r.status);
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  return [
    requests.length,
    unique('address'),
    unique('credential'),
    methods('GET', 'HEAD', 'OPTIONS'),
    methods('POST'),
    methods('DELETE'),
    methods('PUT', 'PATCH'),
    unique('path'),
    Math.max(0, ...requests.map((r) => r.pathBytes)),
    unique('agent'),
    answers.length === 0 ? 0 : sum(answers) / answers.length,
    sum(requests.map((r) => r.bodyBytes + 1)),
  ];
}

const SKETCHED = [1, 2, 7, 9];
const ratioNamed = (ratios: ArrayLike<number>, name: string) =>
  ratios[BUCKET_FIELDS.indexOf(name as (typeof BUCKET_FIELDS)[number])] as number;

describe('a bucket', () => {
  it('equals plain sets and sums, the distinct counts within their error', () => {
    const run = (seed: number) => {
      const random = seededRandom(seed);
      const closed: ClosedBucket[] = [];
      const one = replica((bucket) => closed.push(bucket), {
        variant: seed % 2 === 0 ? 'release' : 'debug',
      });
      one.buckets.moveTo(START_MS);
      const requests = Array.from({ length: random.int(200) }, () => draw(random));
      for (const request of requests) one.count(request);
      one.buckets.moveTo(START_MS + BUCKET_MS);
      expect(closed.map(({ startMs, replicas }) => [startMs, replicas])).toEqual([[START_MS, 1]]);
      for (const [i, wanted] of naive(requests).entries()) {
        const got = closed[0]?.fields[i] as number;
        if (SKETCHED.includes(i)) expect(Math.abs(got - wanted)).toBeLessThanOrEqual(2 + 0.2 * wanted);
        else expect([i, got]).toEqual([i, wanted]);
      }
    };
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e9 }), run), { numRuns: 60 });
  });
});

describe('buckets', () => {
  it('come once each, empty ones between, with ratios by the definition', () => {
    const closed: ClosedBucket[] = [];
    const { buckets, count, ratios } = replica((bucket) => closed.push(bucket));
    const random = seededRandom(9);
    let nowMs = START_MS;
    const means = new Map<number, { count: number; values: number[] }>();
    const meansOf = (row: number) => means.get(row) ?? { count: 0, values: new Array(12).fill(0) };
    let judged = 0;
    for (let n = 0; n < 4000; n++) {
      nowMs += random.int(400_000);
      buckets.moveTo(nowMs);
      for (const { startMs, fields } of closed.splice(0)) {
        const hour = hourOfWeek(startMs);
        const known = meansOf(meansOf(hour).count === 0 ? 168 : hour);
        const wanted = [...fields].map((value, i) =>
          Math.fround(Math.log2((value + 1) / ((known.values[i] as number) + 1))),
        );
        const old = startMs - START_MS >= 48 * HOUR_MS;
        if (old) judged++;
        if (old && startMs + BUCKET_MS > nowMs - BUCKET_MS) expect([...ratios]).toEqual(wanted);
        for (const row of [hour, 168]) {
          const { count, values } = meansOf(row);
          const weight = Math.max(1 / (count + 1), 1 / 1440);
          means.set(row, {
            count: count + 1,
            values: values.map((mean, i) => mean + ((fields[i] as number) - mean) * weight),
          });
        }
      }
      expect(outOfRange(BUCKET_FEATURES, count(draw(random)))).toEqual([]);
    }
    expect(judged).toBeGreaterThan(1000);
  });

  it('say nothing for the first 48 hours', () => {
    const { buckets, ratios } = replica();
    const silentAt = (ms: number) => {
      buckets.moveTo(START_MS + ms);
      return ratios.every(Number.isNaN);
    };
    expect([0, HOUR_MS, 48 * HOUR_MS].map(silentAt)).toEqual([true, true, true]);
    expect(silentAt(48 * HOUR_MS + BUCKET_MS)).toBe(false);
  });

  it('know the hours of the week', () => {
    expect(hourOfWeek(START_MS)).toBe(0);
    expect(hourOfWeek(START_MS - 1)).toBe(167);
    expect(hourOfWeek(Date.UTC(2026, 0, 7, 5, 59))).toBe(53);
  });

  it('keep what they learnt over a restart', () => {
    const before = replica();
    const random = seededRandom(1);
    for (let ms = 0; ms < 50 * HOUR_MS; ms += 60_000) {
      before.buckets.moveTo(START_MS + ms);
      before.count(draw(random));
    }
    const after = new BucketBaseline(START_MS + 50 * HOUR_MS);
    after.restore(before.buckets.baseline.state);
    const bucket = { startMs: START_MS + 50 * HOUR_MS, fields: new Float64Array(12).fill(3), share: 1 };
    const judge = (baseline: BucketBaseline) => {
      const out = new Float64Array(12);
      baseline.judge(bucket, out);
      return [...out];
    };
    expect(judge(after)).toEqual(judge(before.buckets.baseline));
    expect(judge(after).some(Number.isNaN)).toBe(false);
    expect(() => after.restore(new Float64Array(3))).toThrow(RangeError);
  });
});

describe('replicas', () => {
  /** Requests of one 10 s, the same for the same n. */
  const requestsAt = (n: number, count: number) => {
    const random = seededRandom(n);
    return Array.from({ length: count }, () => draw(random));
  };
  const SCALED = START_MS + 2 * DAY_MS + HOUR_MS;
  const END = SCALED + HOUR_MS;
  const largest = (ratios: ArrayLike<number>) =>
    Math.max(...Array.from(ratios, (ratio) => (Number.isNaN(ratio) ? 0 : Math.abs(ratio))));

  it('that join give the ratios of the one that would have seen everything', () => {
    const whole = replica();
    const fleet: ReturnType<typeof replica>[] = [];
    const others = (self: number) => (bucket: ClosedBucket) => {
      for (const [i, { buckets }] of fleet.entries()) if (i !== self) expect(buckets.join(bucket)).toBe(true);
    };
    fleet.push(replica(others(0)));
    let judged = 0;
    for (let ms = START_MS; ms < END; ms += BUCKET_MS) {
      if (ms === SCALED)
        for (let i = 1; i < 4; i++) {
          const added = replica(others(i), { startedMs: ms });
          added.buckets.moveTo(ms - BUCKET_MS);
          fleet.push(added);
        }
      whole.buckets.moveTo(ms);
      for (const { buckets } of fleet) {
        buckets.replicas = fleet.length;
        buckets.moveTo(ms);
      }
      expect([...(fleet[0]?.ratios ?? [])]).toEqual([...whole.ratios]);
      if (!Number.isNaN(whole.ratios[0])) judged++;
      for (const [n, request] of requestsAt(ms / BUCKET_MS, 8).entries()) {
        whole.count(request);
        fleet[n % fleet.length]?.count(request);
      }
    }
    expect(judged).toBeGreaterThan(600);
    expect(fleet[1]?.ratios.every(Number.isNaN)).toBe(true);
  });

  it('that are only counted make sums good, and what is distinct missing until it is learnt anew', () => {
    const one = replica();
    const ratiosAt = new Map<number, number[]>();
    for (let ms = START_MS; ms < SCALED + 51 * HOUR_MS; ms += BUCKET_MS) {
      const scaled = ms > SCALED;
      one.buckets.moveTo(ms);
      one.buckets.replicas = ms >= SCALED ? 4 : 1;
      ratiosAt.set(ms, [...one.ratios]);
      for (const [n, request] of requestsAt(ms / BUCKET_MS, 20).entries())
        if (!scaled || n % 4 === 0) one.count(request);
    }
    const means = (from: number, name: string) => {
      const values = Array.from({ length: 360 }, (_, i) =>
        ratioNamed(ratiosAt.get(from + i * BUCKET_MS) ?? [], name),
      );
      return values.reduce((a, b) => a + b, 0) / values.length;
    };
    for (const name of ['requests', 'gets', 'posts', 'bytes', 'status_mean'])
      expect([name, Math.abs(means(SCALED + 60_000, name)) < 0.5]).toEqual([name, true]);
    for (const name of ['addresses', 'identities', 'paths', 'path_longest', 'agents']) {
      expect([name, means(SCALED + 60_000, name)]).toEqual([name, Number.NaN]);
      const later = means(SCALED + 49 * HOUR_MS + 60_000 * 2, name);
      expect([name, Math.abs(later) < 0.3]).toEqual([name, true]);
    }
  });

  it('whose store is away for minutes learn nothing wrong from it', () => {
    const one = replica();
    const away = SCALED + 10 * 60_000;
    for (let ms = START_MS; ms < END; ms += BUCKET_MS) {
      one.buckets.moveTo(ms);
      one.buckets.replicas = ms >= SCALED && ms < away ? 4 : 1;
      for (const request of requestsAt(ms / BUCKET_MS, 10)) one.count(request);
    }
    expect(one.ratios.some(Number.isNaN)).toBe(false);
    expect(largest(one.ratios)).toBeLessThan(2);
  });

  it('take a burst for what it is', () => {
    const one = replica();
    const end = START_MS + 49 * HOUR_MS;
    for (let ms = START_MS; ms <= end; ms += BUCKET_MS) {
      one.buckets.moveTo(ms);
      for (let i = 0; i < (ms === end - BUCKET_MS ? 63 : 3); i++) one.count(draw(seededRandom(i)));
    }
    expect(ratioNamed(one.ratios, 'requests')).toBeCloseTo(4, 5);
  });

  it('drop buckets of other times', () => {
    const one = replica();
    one.buckets.moveTo(START_MS);
    const other = { replicas: 1, sums: new Float64Array(9), sets: new Uint8Array(1024) };
    const joined = (ms: number) =>
      one.buckets.join({ ...other, startMs: START_MS + ms, fields: new Float64Array(12) });
    expect([joined(0), joined(-BUCKET_MS), joined(BUCKET_MS)]).toEqual([true, false, false]);
    one.buckets.moveTo(START_MS + BUCKET_MS);
    expect([joined(0), joined(BUCKET_MS), joined(-BUCKET_MS)]).toEqual([true, true, false]);
  });
});
