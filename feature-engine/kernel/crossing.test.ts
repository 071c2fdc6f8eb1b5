// What crosses identities, against the full list of answers; stuffing seen, honest failures not; bounded under a flood.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CROSSING_FEATURES } from '../../domain/features-crossing.ts';
import { seededRandom } from '../../domain/random.ts';
import { mix32 } from '../sketch.ts';
import { KernelCall } from '../testing/kernel-call.ts';
import { type Answered, type Asked, crossingOf } from '../testing/naive-crossing.ts';
import { outOfRange } from '../testing/ranges.ts';
import {
  CROSSING_FEATURES_COUNT,
  type CrossingOptions,
  configureCrossing,
  crossingBytes,
} from './crossing-kernels.ts';
import { EngineMemory } from './memory.ts';

const START_MS = 1_700_000_000_000;
const PLACE = new Map(CROSSING_FEATURES.map((feature, place) => [feature.name, place]));

function draw(random: ReturnType<typeof seededRandom>): Asked {
  const hash = (kind: number, n: number) => mix32(kind * 1000 + random.int(n));
  return {
    address: hash(1, 5),
    subnet: random.int(4) === 0 ? 0 : hash(2, 3),
    asn: random.int(3),
    agentRoute: random.int(5) === 0 ? 0 : hash(3, 4),
    credential: hash(4, 30),
    login: random.int(3) === 0 ? 0 : hash(5, 9),
    route: hash(6, 2),
  };
}

function newCrossing(options: CrossingOptions = {}, variant: 'release' | 'debug' = 'release') {
  const memory = new EngineMemory(crossingBytes(options) + 1024, variant);
  configureCrossing(memory, 0, options);
  const at = memory.take(CROSSING_FEATURES_COUNT * 8);
  const call = new KernelCall(memory);
  return {
    /** The features of the request, in order. */
    write(asked: Asked, nowMs: number): Float64Array {
      call.moveTo(nowMs);
      call.set(asked);
      memory.kernels.observeCrossing(at);
      return memory.doubles.subarray(at / 8, at / 8 + CROSSING_FEATURES_COUNT);
    },
    answered(asked: Asked, status: number, nowMs: number): void {
      call.moveTo(nowMs);
      call.set({ ...asked, status });
      memory.kernels.crossingAnswered();
    },
    log2: memory.kernels.log2,
  };
}

const featureOf = (out: Float64Array, name: string) => out[PLACE.get(name) as number] as number;

describe('crossing identities', () => {
  it('equal the full list of answers', () => {
    const run = (seed: number) => {
      const random = seededRandom(seed);
      const crossing = newCrossing({}, seed % 2 === 0 ? 'release' : 'debug');
      const history: Answered[] = [];
      let nowMs = START_MS;
      for (let n = 0; n < 120; n++) {
        nowMs += Math.floor(10 ** (random.next() * 6.8) - 1);
        const call = draw(random);
        const out = crossing.write(call, nowMs);
        expect([seed, n, ...out]).toEqual([seed, n, ...crossingOf(history, call, nowMs)]);
        expect(outOfRange(CROSSING_FEATURES, out)).toEqual([]);
        const status = [0, 200, 200, 401, 403, 404, 418, 429, 502][random.int(9)] as number;
        crossing.answered(call, status, nowMs);
        if (status !== 0) history.push({ ...call, atMs: nowMs, status });
      }
    };
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e9 }), run), { numRuns: 40 });
  });

  it('tell stuffing from honest failures, on one address and over many', () => {
    const crossing = newCrossing();
    const random = seededRandom(2);
    let out: Float64Array = new Float64Array();
    const login = (n: number, nowMs: number, attack: boolean): number => {
      const address = attack ? mix32(n % 400) : mix32(9000 + (n % 300));
      const agentRoute = mix32(attack ? 5 : 50 + (n % 20));
      const who = { address, credential: address, login: mix32(n), agentRoute };
      const call = { ...who, subnet: 0, asn: 0, route: 7 };
      out = crossing.write(call, nowMs);
      const failed = random.next() < (attack ? 0.995 : 0.04);
      crossing.answered(call, failed ? 401 : 200, nowMs);
      return featureOf(out, 'login_failure_ratio');
    };
    let last = 0;
    for (let n = 0; n < 3000; n++) last = login(n, START_MS + n * 2000, false);
    expect(Math.abs(last)).toBeLessThan(2);
    expect(featureOf(out, 'agent_route_401_share_1h')).toBeLessThan(0.15);
    for (let n = 0; n < 1200; n++) last = login(100_000 + n, START_MS + 6_000_000 + n * 250, true);
    expect(last).toBeGreaterThan(4);
    expect(featureOf(out, 'agent_route_401_share_1h')).toBeGreaterThan(0.95);
    expect(featureOf(out, 'agent_route_logins_1h')).toBeGreaterThan(250);
    expect(featureOf(out, 'address_logins_1h')).toBeGreaterThan(1.9);
    expect(featureOf(out, 'agent_route_answers_1h')).toBeGreaterThan(1000);
  });

  it('keep the busy entries while random ones flood them', () => {
    const crossing = newCrossing({ addresses: 64, subnets: 4, networks: 4, agentRoutes: 4, logins: 4 });
    const call = (address: number): Asked => ({
      ...{ address: mix32(address), subnet: 0, asn: 0, agentRoute: 0 },
      ...{ credential: mix32(address), login: 0, route: 1 },
    });
    for (let n = 0; n < 50; n++) crossing.answered(call(1), 403, START_MS);
    for (let n = 0; n < 50_000; n++) crossing.answered(call(10 + n), 200, START_MS);
    expect(featureOf(crossing.write(call(1), START_MS), 'address_403_share_1h')).toBe(1);
  });

  it('keep their shares when more answers come than a counter holds', () => {
    const crossing = newCrossing();
    const call = { ...draw(seededRandom(1)), address: 5 };
    for (let n = 0; n < 300_000; n++) crossing.answered(call, n % 20 === 0 ? 401 : 200, START_MS);
    const out = crossing.write(call, START_MS);
    expect(featureOf(out, 'address_401_share_1h')).toBeCloseTo(0.05, 3);
    expect(featureOf(out, 'address_answers_1h')).toBeGreaterThan(32_000);
  });

  it('count a login name by name, whoever asks and from wherever', () => {
    const crossing = newCrossing();
    const call = { ...draw(seededRandom(3)), login: 9 };
    for (let n = 1; n <= 30; n++) {
      const asked = { ...call, address: mix32(n), credential: mix32(n + 99) };
      crossing.answered(asked, n % 3 === 0 ? 200 : 401, START_MS);
    }
    const out = crossing.write({ ...call, address: mix32(777) }, START_MS);
    expect(featureOf(out, 'login_addresses_1h')).toBeGreaterThan(20);
    expect(featureOf(out, 'login_refused_1h')).toBe(20);
    expect(featureOf(crossing.write({ ...call, login: 8 }, START_MS), 'login_refused_1h')).toBe(0);
  });
});

it('log2 has the bits of Math.log2', () => {
  const { log2 } = newCrossing();
  const same = (value: number) => {
    expect([value, log2(value)]).toEqual([value, Math.log2(value)]);
  };
  for (let n = 0; n < 5000; n++) same(n / 16 + 1 / 64);
  const double = fc.double({ min: 1e-300, max: 1e300, noNaN: true });
  fc.assert(fc.property(double, same), { numRuns: 5000 });
});
