// The whole vector of the engine against the full list of requests, in plain arrays and maps: rows of both axes, principals
// behind several credentials, sessions, order, objects, places, encounters, what crosses identities, the bytes of the head;
// clocks that jump, answers that are late. Exact: sketched values are compared with the definition of their sketch.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FEATURE_COUNT, FEATURES } from '../domain/features.ts';
import { type HeadView, METHODS } from '../domain/head-view.ts';
import { type Random, seededRandom } from '../domain/random.ts';
import { LEARNING_MS } from './bucket-baseline.ts';
import { FeatureEngine } from './engine.ts';
import { hashBytes, mix32 } from './sketch.ts';
import { NaiveVector } from './testing/naive-vector.ts';
import { plainTarget } from './testing/plain-head.ts';
import { testIdentity, testKey } from './testing/random-traffic.ts';

const START_MS = 1_700_000_123_456;
/** A profile of a route is missing until it has as many good answers. */
const ROUTE_GOOD_MIN = 50;
const PRINCIPALS = new Map([
  ['id0', 'owner'],
  ['id1', 'owner'],
]);
const PATHS = ['orders', 'items', 'users', 'list', "it's"];
const AGENTS = ['', 'curl/8.5', 'Mozilla/5.0 (X11) Firefox/140.0', 'okhttp/4.12'];
const facts = (latitude: number, longitude: number, asn: number) => ({
  ...{ latitude, longitude, asn, country: asn === 0 ? 0 : 17_000 + (asn % 7) },
  ...{ subnet: asn === 0 ? 0 : mix32(asn), kind: asn % 3 },
});
const FACTS = [facts(51.5, -0.125, 64_500), facts(40.75, -74, 16_509), facts(Number.NaN, Number.NaN, 0)];

function draw(random: Random) {
  const pick = <T>(items: readonly T[]): T => items[random.int(items.length)] as T;
  const route = random.int(PATHS.length);
  const objectId = route > 2 ? '' : pick(['', '7', '8', '12', '90']);
  const query = pick(['', '', '?page=1', `?page=${random.int(5)}&q=x${random.int(9)}`, '?a', '?q=%27%20or']);
  return {
    ...{ identity: `id${random.int(5)}`, address: random.int(FACTS.length), route, objectId },
    ...{
      method: pick(METHODS.slice(0, -1)),
      agent: pick(AGENTS),
      login: random.int(4) === 0 ? 1 + random.int(9) : 0,
    },
    target: `/${PATHS[route]}${objectId === '' ? '' : `/${objectId}`}${query}`,
  };
}

type Drawn = ReturnType<typeof draw>;

function fill(head: HeadView, { method, target, agent }: Drawn): void {
  head.begin(method, target);
  head.add('host', 'shop');
  if (agent !== '') head.userAgentField = head.add('user-agent', agent);
  head.add('cookie', target.length % 2 === 0 ? 'theme=dark' : '<script>');
}

/** The request group by name: a reading of the definitions from strings. */
function shapeOf(head: HeadView, { method, target, agent }: Drawn): Record<string, number> {
  const [path = '', query = ''] = target.split('?');
  const scan = plainTarget(path, query);
  const is = (...methods: string[]) => (methods.includes(method) ? 1 : 0);
  return {
    ...{ method_get: is('GET', 'HEAD', 'OPTIONS'), method_post: is('POST'), method_put: is('PUT', 'PATCH') },
    ...{ method_delete: is('DELETE'), path_bytes: path.length, path_segments: scan.segments },
    ...{ query_bytes: query.length, query_params: scan.queryParams, header_fields: head.fieldCount },
    ...{ header_bytes: head.fieldBytes, body_declared_bytes: Number.NaN },
    ...{ target_encoded_share: scan.encodedBytes / target.length, target_odd_bytes: scan.oddBytes },
    ...{ target_rewritten: Number(scan.rewritten), credential_shown: 1 },
    user_agent_bytes: agent === '' ? Number.NaN : agent.length,
  };
}

/** The request as the oracle takes it. */
function asked(head: HeadView, drawn: Drawn, atMs: number) {
  const { key, addressKey, principalKey } = whoOf(drawn);
  const agent = head.userAgentField;
  return {
    ...{ head, atMs, method: drawn.method, target: drawn.target, agent: drawn.agent, login: drawn.login },
    ...{
      objectId: drawn.objectId,
      methodCode: head.method,
      facts: FACTS[drawn.address] as (typeof FACTS)[number],
    },
    ...{ identity: drawn.identity, principal: PRINCIPALS.get(drawn.identity) ?? drawn.identity },
    ...{
      address: `address${drawn.address}`,
      asn: FACTS[drawn.address]?.asn ?? 0,
      routeHash: drawn.route + 1,
    },
    ...{ identityMark: key[2] as number, addressMark: addressKey[2] as number },
    principalMark: principalKey[2] as number,
    pathMark: hashBytes(head.bytes, head.targetStart, head.pathEnd, 0),
    agentMark: agent < 0 ? 0 : hashBytes(head.bytes, head.valueStart(agent), head.valueEnd(agent), 0),
    shape: shapeOf(head, drawn),
  };
}

function whoOf(drawn: Drawn) {
  const who = testIdentity(drawn.identity, `address${drawn.address}`);
  const principal = PRINCIPALS.get(drawn.identity);
  if (principal !== undefined) testKey(`p ${principal}`, who.principalKey);
  return who;
}

/** Features that differ, or that no oracle gave. Buckets and profiles of routes are missing while they learn. */
function differences(out: Float64Array, wanted: ReadonlyMap<string, number>, learning: boolean): unknown[] {
  return FEATURES.flatMap(({ name, group }, place) => {
    const learns = group === 'bucket' || group === 'route_profile';
    if ((learns && !learning) || name === 'route_answers') return [];
    const value = out[place] as number;
    const expected = learns ? Number.NaN : wanted.get(name);
    return expected !== undefined && Object.is(value, Math.fround(expected))
      ? []
      : [{ name, value, expected }];
  });
}

function drawOutcome(random: Random, nowMs: number) {
  const status = [0, 101, 200, 204, 304, 400, 401, 403, 404, 429, 500][random.int(11)] as number;
  const atMs = nowMs + Math.floor(random.next() * (random.next() < 0.1 ? 400_000 : 2000));
  return { status, latencyMs: atMs - nowMs, bytesIn: random.int(5000), bytesOut: random.int(1e6), atMs };
}

function compareRun(seed: number, length: number): void {
  const random = seededRandom(seed);
  const startedMs = START_MS - (seed % 2) * 3 * 86_400_000;
  const kernels = seed % 3 === 0 ? 'debug' : 'release';
  const engine = new FeatureEngine({ identities: 25_000, profiles: 64, startedMs, kernels });
  engine.addressBook.look = (_key, text) => FACTS[Number(text)] as (typeof FACTS)[number];
  const naive = new NaiveVector(startedMs);
  const out = new Float64Array(FEATURE_COUNT);
  const head = engine.headView;
  let nowMs = START_MS;
  for (let n = 0; n < length; n++) {
    const step = Math.floor(10 ** (random.next() * 6.9) - 1);
    nowMs += random.next() < 0.1 ? -step : step;
    const drawn = draw(random);
    fill(head, drawn);
    const { route, login, address } = drawn;
    const request = {
      head,
      who: whoOf(drawn),
      routeHash: route + 1,
      nowMs,
      login,
      addressText: `${address}`,
    };
    engine.observe(request, out);
    const wanted = naive.observe(asked(head, drawn, nowMs));
    const learning = nowMs - startedMs < LEARNING_MS && n < ROUTE_GOOD_MIN;
    expect([seed, n, differences(out, wanted, learning)]).toEqual([seed, n, []]);
    if (random.next() < 0.8) {
      const outcome = drawOutcome(random, nowMs);
      engine.outcome(engine.lastIdentity, engine.lastAddress, outcome, engine.lastTrace);
      naive.outcome(outcome);
      if (random.next() < 0.5) nowMs = outcome.atMs;
    }
  }
}

describe('the whole vector', () => {
  it('equals the full list of requests', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), (seed) => compareRun(seed, 100)),
      { numRuns: 30 },
    );
  });
});
