// What crosses identities, against the full list of answers; stuffing seen, honest failures not; bounded under a flood.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CROSSING_FEATURES } from '../domain/features-crossing.ts';
import { seededRandom } from '../domain/random.ts';
import { CROSSING_FEATURES_COUNT, Crossing, type CrossingCall } from './crossing.ts';
import { mix32 } from './sketch.ts';
import { outOfRange } from './testing/ranges.ts';
import { Moment } from './windows.ts';

const START_MS = 1_700_000_000_000;
const HOUR = 3_600_000;
const MIN5 = 300_000;
const PLACE = new Map(CROSSING_FEATURES.map((feature, place) => [feature.name, place]));

interface Answered extends CrossingCall {
  readonly atMs: number;
  readonly status: number;
}

function slices<T extends { readonly atMs: number }>(items: readonly T[], length: number, nowMs: number) {
  const start = nowMs - (nowMs % length);
  return {
    current: items.filter((item) => item.atMs >= start),
    previous: items.filter((item) => item.atMs >= start - length && item.atMs < start),
    overlap: 1 - (nowMs - start) / length,
  };
}

function distinct(items: readonly Answered[], hash: (item: Answered) => number, nowMs: number): number {
  const { current, previous, overlap } = slices(items, HOUR, nowMs);
  const estimate = (list: readonly Answered[]) => {
    const set = new Set(
      list
        .map(hash)
        .filter((h) => h !== 0)
        .map((h) => (h >>> 0) % 64),
    ).size;
    return 64 * Math.log(64 / Math.max(64 - set, 0.5));
  };
  return estimate(current) + overlap * (estimate([...current, ...previous]) - estimate(current));
}

function unit(items: readonly Answered[], nowMs: number): number[] {
  const { current, previous, overlap } = slices(items, HOUR, nowMs);
  const count = (keep: (item: Answered) => boolean) =>
    current.filter(keep).length + overlap * previous.filter(keep).length;
  const answers = count(() => true);
  if (answers === 0) return new Array(5).fill(Number.NaN);
  return [
    distinct(items, (item) => item.identity, nowMs),
    distinct(items, (item) => item.login, nowMs),
    ...[401, 403, 429].map((status) => count((item) => item.status === status) / answers),
  ];
}

function failureRatio(items: readonly Answered[], nowMs: number): number {
  const refused = (list: readonly Answered[]) =>
    list.filter((i) => i.status === 401 || i.status === 403).length;
  const bySlice = Map.groupBy(items, (item) => Math.floor(item.atMs / MIN5));
  let habit = 0;
  let learned = 0;
  for (const [slice, list] of bySlice) {
    if (slice >= Math.floor(nowMs / MIN5)) continue;
    const weight = Math.max(1 / ++learned, 1 / 16);
    const share = refused(list) / list.length;
    habit += (Math.min(share, learned >= 16 ? 4 * habit + 0.05 : 1) - habit) * weight;
  }
  if (learned === 0) return Number.NaN;
  const { current, previous, overlap } = slices(items, MIN5, nowMs);
  const expected = habit * (current.length + overlap * previous.length);
  return Math.log2((refused(current) + overlap * refused(previous) + 1) / (expected + 1));
}

function naive(history: readonly Answered[], call: CrossingCall, nowMs: number): number[] {
  const keys = ['address', 'subnet', 'network', 'agentRoute'] as const;
  const same = history.filter((item) => item.login === call.login);
  return [
    ...keys.flatMap((key) => unit(call[key] === 0 ? [] : history.filter((i) => i[key] === call[key]), nowMs)),
    call.login === 0 ? Number.NaN : distinct(same, (item) => mix32(item.address), nowMs),
    call.login === 0
      ? Number.NaN
      : failureRatio(
          history.filter((i) => i.route === call.route && i.login !== 0),
          nowMs,
        ),
  ].map(Math.fround);
}

function at(nowMs: number): Moment {
  const moment = new Moment();
  moment.set(nowMs);
  return moment;
}

function draw(random: ReturnType<typeof seededRandom>): CrossingCall {
  const hash = (kind: number, n: number) => mix32(kind * 1000 + random.int(n));
  return {
    address: hash(1, 5),
    subnet: random.int(4) === 0 ? 0 : hash(2, 3),
    network: random.int(3),
    agentRoute: random.int(5) === 0 ? 0 : hash(3, 4),
    identity: hash(4, 30),
    login: random.int(3) === 0 ? 0 : hash(5, 9),
    route: hash(6, 2),
  };
}

describe('crossing identities', () => {
  it('equal the full list of answers', () => {
    const run = (seed: number) => {
      const random = seededRandom(seed);
      const crossing = new Crossing();
      const history: Answered[] = [];
      const out = new Float64Array(CROSSING_FEATURES_COUNT);
      let nowMs = START_MS;
      for (let n = 0; n < 120; n++) {
        nowMs += Math.floor(10 ** (random.next() * 6.8) - 1);
        const call = draw(random);
        crossing.write(call, at(nowMs), out, 0);
        expect([seed, n, ...out]).toEqual([seed, n, ...naive(history, call, nowMs)]);
        expect(outOfRange(CROSSING_FEATURES, out)).toEqual([]);
        const status = [0, 200, 200, 401, 403, 429][random.int(6)] as number;
        crossing.answered(call, status, at(nowMs));
        if (status !== 0) history.push({ ...call, atMs: nowMs, status });
      }
    };
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e9 }), run), { numRuns: 40 });
  });

  it('tell stuffing from honest failures, on one address and over many', () => {
    const crossing = new Crossing();
    const random = seededRandom(2);
    const out = new Float64Array(CROSSING_FEATURES_COUNT);
    const login = (n: number, nowMs: number, attack: boolean): number => {
      const address = attack ? mix32(n % 400) : mix32(9000 + (n % 300));
      const agentRoute = mix32(attack ? 5 : 50 + (n % 20));
      const call = {
        address,
        subnet: 0,
        network: 0,
        agentRoute,
        identity: address,
        login: mix32(n),
        route: 7,
      };
      crossing.write(call, at(nowMs), out, 0);
      const failed = random.next() < (attack ? 0.995 : 0.04);
      crossing.answered(call, failed ? 401 : 200, at(nowMs));
      return out[PLACE.get('login_failure_ratio') as number] as number;
    };
    let last = 0;
    for (let n = 0; n < 3000; n++) last = login(n, START_MS + n * 2000, false);
    expect(Math.abs(last)).toBeLessThan(2);
    expect(out[PLACE.get('agent_route_401_share_1h') as number]).toBeLessThan(0.15);
    for (let n = 0; n < 1200; n++) last = login(100_000 + n, START_MS + 6_000_000 + n * 250, true);
    expect(last).toBeGreaterThan(4);
    expect(out[PLACE.get('agent_route_401_share_1h') as number]).toBeGreaterThan(0.95);
    expect(out[PLACE.get('agent_route_logins_1h') as number]).toBeGreaterThan(250);
    expect(out[PLACE.get('address_logins_1h') as number]).toBeGreaterThan(1.9);
  });

  it('keep the busy entries and their memory while random ones flood them', () => {
    const crossing = new Crossing({ addresses: 64, subnets: 4, networks: 4, agentRoutes: 4, logins: 4 });
    const { bytes } = crossing;
    const out = new Float64Array(CROSSING_FEATURES_COUNT);
    const call = (address: number): CrossingCall => ({
      ...{ address: mix32(address), subnet: 0, network: 0, agentRoute: 0 },
      ...{ identity: mix32(address), login: 0, route: 1 },
    });
    for (let n = 0; n < 50; n++) crossing.answered(call(1), 403, at(START_MS));
    for (let n = 0; n < 50_000; n++) crossing.answered(call(10 + n), 200, at(START_MS));
    crossing.write(call(1), at(START_MS), out, 0);
    expect(out[PLACE.get('address_403_share_1h') as number]).toBe(1);
    expect(crossing.bytes).toBe(bytes);
  });
});
