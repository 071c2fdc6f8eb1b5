// The engine against its naive oracle, bit for bit after rounding; capacity, stale outcomes, time that does not go back.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FEATURE_COUNT, FEATURES, placeOf } from '../domain/features.ts';
import { HeadView } from '../domain/head-view.ts';
import { seededRandom } from '../domain/random.ts';
import { FeatureEngine } from './engine.ts';
import { SLOT_BYTES } from './kernel/row-kernels.ts';
import { hashBytes } from './sketch.ts';
import { missingNames, NaiveEngine } from './testing/naive-engine.ts';
import { type DrawnRequest, drawRequest, fillHead, testIdentity, testKey } from './testing/random-traffic.ts';

const START_MS = 1_700_000_123_456;

/** The request group straight from strings: a second reading of the definitions. */
function shapeOf(drawn: DrawnRequest): Record<string, number> {
  const [path = '', ...rest] = drawn.target.split('?');
  const query = rest.join('?');
  const escapes = drawn.target.match(/%[0-9a-fA-F]{2}/g)?.length ?? 0;
  const agentBytes = drawn.agent === '' ? 0 : 'user-agent'.length + drawn.agent.length;
  const is = (...methods: string[]) => (methods.includes(drawn.method) ? 1 : 0);
  return {
    method_get: is('GET', 'HEAD', 'OPTIONS'),
    method_post: is('POST'),
    method_put: is('PUT', 'PATCH'),
    method_delete: is('DELETE'),
    path_bytes: path.length,
    path_segments: path.split('/').filter((s) => s !== '').length,
    query_bytes: query.length,
    query_params: query.split('&').filter((s) => s !== '').length,
    header_fields: drawn.agent === '' ? 1 : 2,
    header_bytes: 'hostshop'.length + agentBytes,
    body_declared_bytes: drawn.contentLength,
    target_encoded_share: (escapes * 3) / drawn.target.length,
    target_odd_bytes: drawn.target.replace(/[A-Za-z0-9\-._~/?=&%]/g, '').length,
    target_rewritten:
      /\/\/|;|\\|%2f|%5c/i.test(path) || path.split('/').some((s) => /^(\.|%2e){1,2}$/i.test(s)) ? 1 : 0,
    credential_shown: 1,
    user_agent_bytes: drawn.agent === '' ? Number.NaN : drawn.agent.length,
  };
}

/** Two credentials of one principal, two that stand for themselves. */
const PRINCIPALS = new Map([
  ['id0', 'owner'],
  ['id1', 'owner'],
]);
const ASNS: Record<string, number> = { address0: 0, address1: 64_500, address2: 16_509 };

function whoOf(drawn: DrawnRequest) {
  const who = testIdentity(drawn.identity, drawn.address);
  const principal = PRINCIPALS.get(drawn.identity);
  if (principal !== undefined) testKey(`p ${principal}`, who.principalKey);
  return who;
}

function marksOf(drawn: DrawnRequest, head: HeadView) {
  const agent = head.userAgentField;
  const { key, addressKey } = testIdentity(drawn.identity, drawn.address);
  return {
    identityMark: key[2] as number,
    addressMark: addressKey[2] as number,
    pathMark: hashBytes(head.bytes, head.targetStart, head.pathEnd, 0),
    agentMark: agent < 0 ? 0 : hashBytes(head.bytes, head.valueStart(agent), head.valueEnd(agent), 0),
  };
}

/** Most steps go on, from a millisecond to hours; one in ten goes back, which is to change nothing. */
function drawStepMs(random: ReturnType<typeof seededRandom>): number {
  const step = Math.floor(10 ** (random.next() * 7.6) - 1);
  return random.next() < 0.1 ? -step : step;
}

/** Features that differ from the oracle, or leave the range or the "never missing" of the list. */
function differences(out: Float64Array, wanted: ReadonlyMap<string, number>, n: number): unknown[] {
  // Those of profiles and of the workload have oracles of their own.
  return FEATURES.flatMap(({ id, name, range, missing }, place) => {
    if (id >= 500) return [];
    const value = out[place] as number;
    const expected = Math.fround(wanted.get(name) as number);
    const allowed = Number.isNaN(value) ? missing !== 'never' : value >= range[0] && value <= range[1];
    return Object.is(value, expected) && allowed
      ? []
      : [{ name, request: n, value, expected, range, missing }];
  });
}

/** An engine whose addresses have networks, without a database. */
function engineWithNetworks(startedMs: number): FeatureEngine {
  const engine = new FeatureEngine({ identities: 64, startedMs });
  const facts = { latitude: Number.NaN, longitude: Number.NaN, country: 0, asn: 0, subnet: 0, kind: 0 };
  engine.addressBook.look = (_key, text) => ({ ...facts, asn: ASNS[text] ?? 0 });
  return engine;
}

function drawOutcome(random: ReturnType<typeof seededRandom>, nowMs: number) {
  const status = [0, 101, 200, 204, 304, 400, 401, 403, 404, 429, 500, 503][random.int(12)] as number;
  // Now and then the answer took so long that its request's slices are over.
  const atMs = nowMs + Math.floor(random.next() * (random.next() < 0.1 ? 400_000 : 2000));
  return { status, latencyMs: atMs - nowMs, bytesIn: random.int(5000), bytesOut: random.int(1e6), atMs };
}

function compareRun(seed: number, length: number): void {
  const random = seededRandom(seed);
  const startedMs = START_MS - (seed % 2) * 3 * 86_400_000;
  const engine = engineWithNetworks(startedMs);
  const naive = new NaiveEngine(startedMs);
  const out = new Float64Array(FEATURE_COUNT);
  const head = new HeadView();
  let nowMs = START_MS;
  for (let n = 0; n < length; n++) {
    nowMs += drawStepMs(random);
    const drawn = drawRequest(random);
    const routeHash = random.int(6);
    fillHead(head, drawn);
    const { identity, address } = drawn;
    engine.observe({ head, who: whoOf(drawn), routeHash, nowMs, addressText: address }, out);
    const asked = { identity, address, principal: PRINCIPALS.get(identity) ?? identity };
    const wanted = naive.observe({
      ...asked,
      atMs: nowMs,
      method: drawn.method,
      asn: ASNS[address] ?? 0,
      routeHash,
      ...marksOf(drawn, head),
      shape: shapeOf(drawn),
    });
    expect(missingNames(wanted)).toEqual([]);
    expect(differences(out, wanted, n)).toEqual([]);
    if (random.next() < 0.8) {
      const outcome = drawOutcome(random, nowMs);
      engine.outcome(engine.lastIdentity, engine.lastAddress, outcome, engine.lastTrace);
      naive.outcome(asked, outcome);
      if (random.next() < 0.5) nowMs = outcome.atMs;
    }
  }
}

describe('FeatureEngine', () => {
  it('equals the naive engine on random requests', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), (seed) => compareRun(seed, 120)),
      { numRuns: 15 },
    );
  });

  it('keeps its memory under a flood of new keys and still knows who comes back', () => {
    const engine = new FeatureEngine({ identities: 1000, addresses: 64, startedMs: START_MS });
    const out = new Float64Array(FEATURE_COUNT);
    const head = new HeadView();
    head.begin('GET', '/a');
    const total = placeOf('identity_requests_total');
    const planned = engine
      .memoryPlan()
      .filter((item) => item.name.endsWith('rows'))
      .reduce((sum, item) => sum + item.bytes, 0);
    const regular = testIdentity('regular', 'office');
    for (let i = 0; i < 20_000; i++) {
      engine.observe(
        { head, who: testIdentity(`minted${i}`, 'one'), routeHash: 1, nowMs: START_MS + i },
        out,
      );
      expect(out[total]).toBe(1);
      if (i % 100 === 0) engine.observe({ head, who: regular, routeHash: 1, nowMs: START_MS + i }, out);
    }
    engine.observe({ head, who: regular, routeHash: 1, nowMs: START_MS + 30_000 }, out);
    expect(out[total]).toBe(201);
    expect(engine.stats.identities.capacity).toBe(1000);
    expect(engine.stats.identities.rows).toBe(1000);
    expect(engine.stats.identities.evictions).toBe(20_001 - 1000);
    expect(planned).toBe(1000 * (608 + SLOT_BYTES) + 64 * (512 + SLOT_BYTES));
  });

  it('drops and counts an outcome whose row has made room', () => {
    const engine = new FeatureEngine({ identities: 8, addresses: 8, startedMs: START_MS });
    const out = new Float64Array(FEATURE_COUNT);
    const head = new HeadView();
    head.begin('GET', '/a');
    const first = testIdentity('first', 'same');
    engine.observe({ head, who: first, routeHash: 1, nowMs: START_MS }, out);
    const { lastIdentity, lastAddress } = engine;
    for (let i = 0; i < 8; i++)
      engine.observe({ head, who: testIdentity(`later${i}`, 'same'), routeHash: 1, nowMs: START_MS }, out);
    const outcome = { status: 404, latencyMs: 5, bytesIn: 0, bytesOut: 10, atMs: START_MS + 5 };
    engine.outcome(lastIdentity, lastAddress, outcome);
    expect(engine.stats.staleOutcomes).toBe(1);
    engine.observe({ head, who: first, routeHash: 1, nowMs: START_MS + 6 }, out);
    expect(out[placeOf('identity_status_404_5m')]).toBe(0);
    expect(out[placeOf('address_status_404_5m')]).toBe(1);
  });

  it('counts an outcome in the slice of its own time, and not at all when that is gone', () => {
    const engine = new FeatureEngine({ identities: 8, startedMs: START_MS });
    const out = new Float64Array(FEATURE_COUNT);
    const head = new HeadView();
    head.begin('GET', '/a');
    const who = testIdentity('a', 'b');
    const sliceStart = Math.ceil(START_MS / 300_000) * 300_000;
    engine.observe({ head, who, routeHash: 1, nowMs: sliceStart - 1000 }, out);
    const { lastIdentity, lastAddress } = engine;
    engine.observe({ head, who, routeHash: 1, nowMs: sliceStart + 150_000 }, out);
    const answer = { status: 401, latencyMs: 5, bytesIn: 0, bytesOut: 10 };
    engine.outcome(lastIdentity, lastAddress, { ...answer, atMs: sliceStart - 900 });
    engine.outcome(lastIdentity, lastAddress, { ...answer, atMs: sliceStart - 300_001 });
    engine.observe({ head, who, routeHash: 1, nowMs: sliceStart + 150_000 }, out);
    expect(out[placeOf('identity_status_401_5m')]).toBe(0.5);
    expect(engine.stats.lateOutcomes).toBe(2);
  });

  it('never lets time go back', () => {
    const engine = new FeatureEngine({ identities: 8, startedMs: START_MS });
    const out = new Float64Array(FEATURE_COUNT);
    const head = new HeadView();
    head.begin('GET', '/a');
    const who = testIdentity('a', 'b');
    engine.observe({ head, who, routeHash: 1, nowMs: START_MS + 1000 }, out);
    engine.observe({ head, who, routeHash: 1, nowMs: START_MS - 5000 }, out);
    expect(out[placeOf('identity_gap_ms')]).toBe(0);
    expect(out[placeOf('state_age_s')]).toBe(1);
    expect(out[placeOf('identity_requests_10s')]).toBe(2);
  });

  it('refuses a capacity that cannot be', () => {
    for (const identities of [0, 1.5, -1, 2 ** 25])
      expect(() => new FeatureEngine({ identities, startedMs: 0 })).toThrow(RangeError);
  });
});
