// Session graphs against the seed's definition in plain arrays (edges exploded, groups counted, mean, min, max, sample
// standard deviation), on every prefix of random sessions; truncation, time-outs, bounded tables.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SESSION_FEATURES } from '../../domain/features-session.ts';
import { seededRandom } from '../../domain/random.ts';
import { SessionGraphs } from '../session-graphs.ts';
import { mix32 } from '../sketch.ts';
import { KernelCall } from '../testing/kernel-call.ts';
import { NaiveGraphs, vectorOf } from '../testing/naive-graphs.ts';
import { outOfRange } from '../testing/ranges.ts';
import { EngineMemory } from './memory.ts';
import {
  configureSession,
  GRAPH_EDGES_MAX,
  GRAPH_FEATURES,
  GRAPH_WORDS,
  SESSION_TIMEOUT_MS,
  type SessionOptions,
  sessionBytes,
} from './session-kernels.ts';

const route = (n: number) => mix32(n + 1);

function compare(seed: number, degrees: 'share' | 'count'): void {
  const random = seededRandom(seed);
  const graphs = new SessionGraphs({ degrees, sessions: 5 });
  const naive = new NaiveGraphs(degrees === 'share');
  const begun = new Set<number>();
  const out = new Float64Array(GRAPH_FEATURES);
  const routes = 2 + random.int(12);
  let nowMs = 1_700_000_000_000;
  for (let n = 0; n < 150; n++) {
    nowMs += Math.floor(10 ** (random.next() * 6.5) - 1);
    const identity = random.int(5);
    const called = route(Math.floor(random.next() ** 2 * routes));
    if (begun.has(identity)) graphs.call(identity, called, nowMs);
    else graphs.begin(identity, called, nowMs);
    begun.add(identity);
    const session = naive.call(identity, called, nowMs);
    if (session.edges.length > GRAPH_EDGES_MAX) return;
    graphs.write(identity, out);
    expect([seed, n, ...out]).toEqual([seed, n, ...vectorOf(session)]);
    if (degrees === 'share') expect(outOfRange(SESSION_FEATURES.slice(0, GRAPH_FEATURES), out)).toEqual([]);
  }
}

describe('session graphs', () => {
  it.each(['share', 'count'] as const)('equal the definition on every prefix, degrees as %s', (degrees) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), (seed) => compare(seed, degrees)),
      { numRuns: 60 },
    );
  });

  it('keep the first 32 edges, say that they are truncated, and go on counting calls and routes', () => {
    const graphs = new SessionGraphs();
    const out = new Float64Array(GRAPH_FEATURES);
    graphs.begin(0, route(0), 0);
    for (let n = 1; n <= 32; n++) graphs.call(0, route(n), n * 1000);
    graphs.write(0, out);
    const before = [...out];
    expect([out[0], out[3], out[5], out[6], out[23]]).toEqual([33, 33, 32, 33, 0]);
    const fingerprint = graphs.fingerprint(0);
    for (let n = 33; n < 200; n++) graphs.call(0, route(n), n * 1000);
    graphs.write(0, out);
    expect([out[0], out[5], out[6], out[23]]).toEqual([200, 32, 33, 1]);
    expect(Math.abs((out[3] as number) / 200 - 1)).toBeLessThan(0.25);
    expect([...out.slice(7, 23)]).toEqual(before.slice(7, 23));
    expect(graphs.fingerprint(0)).toBe(fingerprint);
    graphs.call(0, route(3), 199_000 + SESSION_TIMEOUT_MS + 1);
    graphs.write(0, out);
    expect([out[0], out[3], out[5], out[23]]).toEqual([1, 1, 0, 0]);
  });

  it('have one fingerprint per set of edges, whatever the order and the counts', () => {
    const graphs = new SessionGraphs();
    const walk = (...routes: number[]) => {
      graphs.begin(0, route(routes[0] as number), 0);
      for (const next of routes.slice(1)) graphs.call(0, route(next), 1);
      return graphs.fingerprint(0);
    };
    expect(walk(1, 2, 1, 2, 1)).toBe(walk(2, 1, 2));
    expect(walk(1, 2, 3, 1)).toBe(walk(3, 1, 2, 3, 1, 2));
    expect(walk(1, 2)).not.toBe(walk(2, 1));
    expect(new Set([walk(1), walk(1, 1), walk(1, 2), walk(1, 2, 3), walk(1, 3, 2)]).size).toBe(5);
  });

  it('refuse a session that there is no room for', () => {
    expect(() => new SessionGraphs({ sessions: 2 }).begin(2, 1, 0)).toThrow(RangeError);
  });

  it('write the 25 features of a request at their place, with the call of the struct', () => {
    const memory = new EngineMemory(sessionBytes() + 2048);
    configureSession(memory, { session: 3 });
    expect(memory.kernels.graphBytes.value).toBe(GRAPH_WORDS * 4);
    const [block, out] = [memory.take(GRAPH_WORDS * 4), memory.take(256)];
    const call = new KernelCall(memory);
    call.moveTo(5000);
    call.set({ route: route(2), principal: 77 });
    memory.kernels.graphBegin(block, route(1), 1000);
    memory.kernels.graphObserve(block, out);
    const written = [...memory.doubles.subarray(out / 8 + 3, out / 8 + 28)];
    expect(written.slice(0, 8)).toEqual([2, 4, 4000, 2, 1, 1, 2, 1]);
    expect(written.slice(15, 19)).toEqual([1000, 1000, 1000, Number.NaN]);
    expect(written[24]).toBeCloseTo(1.02, 1);
    expect(outOfRange(SESSION_FEATURES, Float64Array.from(written))).toEqual([]);
  });
});

describe('a damaged block', () => {
  it('changes nothing outside of it', () => {
    const random = seededRandom(7);
    for (const variant of ['release', 'debug'] as const) {
      const memory = new EngineMemory(sessionBytes() + 8192, variant);
      configureSession(memory, {});
      const { kernels, words } = memory;
      const [before, block, behind] = [memory.take(2048), memory.take(GRAPH_WORDS * 4), memory.take(4096)];
      const [from, to] = [before / 4, behind / 4 + 1024];
      const inside = (word: number) => word >= block / 4 && word < block / 4 + GRAPH_WORDS;
      for (let n = 0; n < 300; n++) {
        for (let word = from; word < to; word++) words[word] = random.uint32();
        const expected = words.slice(from, to);
        memory.doubles[block / 8 + 1] = 1000;
        for (let i = 0; i < 50; i++) kernels.graphCall(block, random.uint32(), 1000);
        const changed = words
          .slice(from, to)
          .findIndex((word, i) => word !== expected[i] && !inside(from + i));
        expect([variant, n, changed]).toEqual([variant, n, -1]);
      }
      expect(memory.doubles[kernels.logsAt.value / 8 + 8]).toBe(3);
      expect(memory.doubles[kernels.estimatesAt.value / 8 + 32]).toBeCloseTo(133.1, 1);
    }
  });
});

function memoryWith(options: SessionOptions): EngineMemory {
  const memory = new EngineMemory(sessionBytes(options));
  configureSession(memory, {}, options);
  return memory;
}

/** Counts edges; gives source and dest degree of the last one, and the total. */
function edgeCounter(options: SessionOptions) {
  const memory = new EngineMemory(sessionBytes(options));
  const region = memory.take(0) / 4;
  configureSession(memory, {}, options);
  return (from: number, to: number): number[] => {
    memory.kernels.degreesArrive(from, to);
    const [total, source, dest] = memory.words.subarray(region, region + 3);
    return [source as number, dest as number, total as number];
  };
}

describe('global degrees', () => {
  it('keep the common routes exact while random ones flood them', () => {
    const arrive = edgeCounter({ routes: 64 });
    for (let n = 0; n < 50; n++) arrive(route(1), route(2));
    for (let n = 0; n < 20_000; n++) arrive(route(1000 + n), route(50_000 + n));
    expect(arrive(route(1), route(2))).toEqual([51, 51, 20_051]);
  });

  it('are halved at the limit, so that shares stay', () => {
    const arrive = edgeCounter({ totalMax: 1000 });
    for (let n = 0; n < 999; n++) arrive(route(n % 4), route(7));
    expect(arrive(route(3), route(7))[2]).toBe(500);
    expect(arrive(route(0), route(7))).toEqual([126, 501, 501]);
  });
});

function sharer(edgeSets: number) {
  const memory = memoryWith({ edgeSets });
  const call = new KernelCall(memory);
  return (fingerprint: number, mark: number, day: number): number => {
    call.moveTo(day * 86_400_000);
    return memory.kernels.shareGraph(fingerprint, mark);
  };
}

describe('graph rarity', () => {
  it('counts principals, not calls, and forgets after two days', () => {
    const share = sharer(64);
    for (let n = 0; n < 100; n++) expect(share(5, 3, 1)).toBeCloseTo(1.02, 1);
    let last = 0;
    for (let identity = 0; identity < 20; identity++) last = share(5, mix32(identity), 1);
    expect(last).toBeGreaterThan(12);
    expect(last).toBeLessThan(30);
    expect(share(6, 3, 1)).toBeCloseTo(1.02, 1);
    expect(share(5, 3, 2)).toBeGreaterThan(5);
    expect(share(5, 3, 4)).toBeCloseTo(1.02, 1);
  });

  it('lets a rare edge set make room, and starts it anew', () => {
    const share = sharer(4);
    for (let identity = 0; identity < 8; identity++) share(1, identity, 9);
    for (let set = 2; set < 500; set++) expect(share(set, 1, 9)).toBeCloseTo(1.02, 1);
    expect(share(1, 0, 9)).toBeGreaterThan(7);
  });
});
