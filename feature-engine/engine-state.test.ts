// What the engine remembers beyond one credential: principals behind several credentials, keys before a rotation, addresses that
// bring too many identities, rows and profiles that come back from a snapshot, and a flood of new ones.
import { describe, expect, it } from 'vitest';
import { FEATURES, placeOf } from '../domain/features.ts';
import { newRequestIdentity, ownPrincipal, type RequestIdentity } from '../domain/identity.ts';
import { seededRandom } from '../domain/random.ts';
import { FeatureEngine, type ObservedRequest } from './engine.ts';
import { mix32 } from './sketch.ts';
import { drawRequest, fillHead, testIdentity, testKey } from './testing/random-traffic.ts';

const START_MS = 1_700_000_123_456;
const DAY_MS = 86_400_000;

/** Asks for /a of `who` at `atMs`; the vector by name. */
function asker(engine: FeatureEngine) {
  const head = engine.headView;
  return (
    who: RequestIdentity,
    atMs: number,
    more: Partial<ObservedRequest> = {},
  ): Record<string, number> => {
    head.begin('GET', '/a');
    engine.observe({ head, who, routeHash: 1, nowMs: atMs, ...more });
    return Object.fromEntries(FEATURES.map((f, place) => [f.name, engine.vector[place] as number]));
  };
}

function answer(engine: FeatureEngine, status: number, atMs: number): void {
  const outcome = { status, latencyMs: 1, bytesIn: 3, bytesOut: 7, atMs };
  engine.outcome(engine.lastIdentity, engine.lastAddress, outcome, engine.lastTrace);
}

function ownedBy(principal: string, credential: string): RequestIdentity {
  const who = testIdentity(credential, 'office');
  testKey(`p ${principal}`, who.principalKey);
  return who;
}

describe('principals', () => {
  it('keep the windows of an hour and more and the profile, credentials the short ones', () => {
    const engine = new FeatureEngine({ identities: 64, startedMs: START_MS });
    const ask = asker(engine);
    for (let n = 0; n < 3; n++) {
      ask(ownedBy('owner', `token${n}`), START_MS + n);
      answer(engine, 404, START_MS + n);
    }
    const fourth = ask(ownedBy('owner', 'token3'), START_MS + 5);
    expect(fourth).toMatchObject({
      ...{ identity_requests_10s: 1, identity_requests_5m: 1, identity_requests_1h: 4 },
      ...{ identity_requests_24h: 4, identity_status_404_5m: 0, identity_status_404_1h: 3 },
      ...{ identity_bytes_out_24h: 21, identity_requests_total: 1, identity_gap_ms: Number.NaN },
      ...{ session_calls: 4, encounter_route_24h: 3, object_ids_5m: Number.NaN },
    });
    expect(engine.stats.identities.rows).toBe(5);
    expect(engine.stats.profiles.rows).toBe(1);
  });

  it('are the credentials themselves where nothing names an owner: one row', () => {
    const engine = new FeatureEngine({ identities: 64, startedMs: START_MS });
    const ask = asker(engine);
    ask(testIdentity('a', 'b'), START_MS);
    expect(ask(testIdentity('a', 'b'), START_MS + 1)).toMatchObject({
      ...{ identity_requests_10s: 2, identity_requests_24h: 2, identity_requests_total: 2 },
    });
    expect(engine.stats.identities.rows).toBe(1);
  });
});

describe('first-seen flags of a day', () => {
  it('are missing until the memory is a day old and the principal has five requests', () => {
    const engine = new FeatureEngine({ identities: 64, startedMs: START_MS });
    const ask = asker(engine);
    for (let n = 0; n < 6; n++)
      expect(ask(testIdentity('a', `place${n}`), START_MS + n)['address_new_24h']).toBeNaN();
    const later = START_MS + DAY_MS;
    expect(ask(testIdentity('a', 'place1'), later)['address_new_24h']).toBe(0);
    expect(ask(testIdentity('a', 'elsewhere'), later)['address_new_24h']).toBe(1);
    expect(ask(testIdentity('b', 'elsewhere'), later)['address_new_24h']).toBeNaN();
    expect(ask(testIdentity('a', 'place2'), later + 2 * DAY_MS)['address_new_24h']).toBe(1);
  });
});

describe('rotation', () => {
  it('moves the rows and the profile of a former key to the key of now', () => {
    const engine = new FeatureEngine({ identities: 64, startedMs: START_MS });
    const ask = asker(engine);
    const before = testIdentity('old', 'old place');
    for (let n = 0; n < 3; n++) ask(before, START_MS + n);
    const now = testIdentity('new', 'new place');
    now.formerKey = before.key;
    now.formerPrincipalKey = before.principalKey;
    now.formerAddressKey = before.addressKey;
    const expected = { identity_requests_total: 4, address_requests_total: 4, session_calls: 4 };
    expect(ask(now, START_MS + 5)).toMatchObject(expected);
    expect(ask(now, START_MS + 6)).toMatchObject({ identity_requests_total: 5, session_calls: 5 });
    expect(engine.stats.identities).toMatchObject({ rows: 1, renamed: 1 });
    expect(engine.stats.addresses).toMatchObject({ rows: 1, renamed: 1 });
    expect(engine.stats.profiles).toMatchObject({ rows: 1, renamed: 1 });
  });
});

describe('a cap on new identities of an address', () => {
  it('lets those beyond it share one row, and goes by the minute', () => {
    const engine = new FeatureEngine({ identities: 64, startedMs: START_MS, newIdentitiesPerPeer: 3 });
    const ask = asker(engine);
    const minute = Math.ceil(START_MS / 60_000) * 60_000;
    for (let n = 0; n < 3; n++) ask(testIdentity(`token${n}`, 'one'), minute + n);
    for (let n = 3; n < 8; n++)
      expect(ask(testIdentity(`token${n}`, 'one'), minute + n)['identity_requests_total']).toBe(n - 2);
    expect(engine.stats.identities.rows).toBe(4);
    expect(engine.stats.sharedRows).toBe(5);
    expect(ask(testIdentity('token0', 'one'), minute + 9)['identity_requests_total']).toBe(2);
    expect(ask(testIdentity('other', 'two'), minute + 9)['identity_requests_total']).toBe(1);
    expect(ask(testIdentity('token9', 'one'), minute + 119_000)['identity_requests_total']).toBe(1);
  });
});

/** Names whose value follows from rows and profile alone, not from what the whole workload shares. */
const OWN = FEATURES.filter(
  ({ group, name }) =>
    ['request', 'identity', 'address', 'link', 'state', 'encounters', 'geo'].includes(group) ||
    /^(session_|graph_local|graph_edges|object_ids|object_step|hour_surprise|route_new_share)/.test(name),
).map(({ name }) => name);

describe('a snapshot', () => {
  it('brings rows and profiles back, so that another engine goes on as if it were the first', () => {
    const random = seededRandom(5);
    const [first, second] = [START_MS - 2 * DAY_MS, START_MS + 900_000].map(
      (startedMs) => new FeatureEngine({ identities: 64, profiles: 64, startedMs }),
    ) as [FeatureEngine, FeatureEngine];
    let nowMs = START_MS;
    const send = (engines: FeatureEngine[], compare: boolean) => {
      nowMs += random.int(20_000);
      const drawn = drawRequest(random);
      const routeHash = random.int(9);
      const status = [200, 404][random.int(2)] as number;
      const seen = engines.map((engine) => {
        const head = fillHead(engine.headView, drawn);
        const who = testIdentity(drawn.identity, drawn.address);
        engine.observe({ head, who, routeHash, nowMs, addressText: '10.0.0.1' });
        answer(engine, status, nowMs);
        return OWN.map((name) => [name, engine.vector[placeOf(name)]]);
      });
      if (compare) expect(seen[1]).toEqual(seen[0]);
    };
    for (let n = 0; n < 100; n++) send([first], false);
    nowMs += 900_000;
    for (const row of first.identities.rows()) expect(second.restoreRow('identity', row)).toBe(true);
    for (const row of first.addresses.rows()) expect(second.restoreRow('address', row)).toBe(true);
    for (const row of first.profiles.rows()) expect(second.restoreProfile(row)).toBe(true);
    second.stateStartedMs = first.stateStartedMs;
    for (let n = 0; n < 200; n++) send([first, second], true);
  });

  it('from a clock that was ahead counts as of now', () => {
    const ahead = new FeatureEngine({ identities: 8, startedMs: START_MS + DAY_MS });
    for (let n = 0; n < 3; n++) asker(ahead)(testIdentity('a', 'b'), START_MS + DAY_MS + n);
    const engine = new FeatureEngine({ identities: 8, startedMs: START_MS });
    for (const row of ahead.identities.rows()) engine.restoreRow('identity', row);
    const ask = asker(engine);
    expect(ask(testIdentity('a', 'b'), START_MS)).toMatchObject({
      ...{ identity_requests_10s: 4, identity_gap_ms: 0, identity_age_s: 0, identity_requests_total: 4 },
    });
    expect(ask(testIdentity('a', 'b'), START_MS + 60_000)['identity_requests_10s']).toBe(1);
  });
});

it('still knows its thousand regulars after a million new identities, in the memory it had', () => {
  const engine = new FeatureEngine({ identities: 25_000, startedMs: START_MS });
  const head = engine.headView;
  head.begin('GET', '/a');
  const who = newRequestIdentity();
  const total = placeOf('identity_requests_total');
  let nowMs = START_MS;
  const ask = (n: number, status: number): number => {
    for (let i = 0; i < 4; i++) {
      who.key[i] = mix32(Math.imul(n + 1, 0x9e3779b1) ^ mix32(i + 1));
      who.addressKey[i] = mix32(Math.imul((n % 5000) + 1, 0x85ebca6b) ^ mix32(i + 9));
    }
    ownPrincipal(who);
    engine.observe({ head, who, routeHash: 1, nowMs });
    answer(engine, status, nowMs);
    return engine.vector[total] as number;
  };
  for (let round = 0; round < 64; round++) for (let n = 0; n < 1000; n++) ask(n, 200);
  const flood = (from: number, to: number) => {
    for (let n = from; n < to; n++) {
      nowMs += 1;
      ask(1_000_000 + n, 401);
    }
    return process.memoryUsage().rss;
  };
  // By then every row was used once, so that its pages are there.
  const rssBefore = flood(0, 200_000);
  const grown = flood(200_000, 1_000_000) - rssBefore;
  let known = 0;
  for (let n = 0; n < 1000; n++) if (ask(n, 200) === 65) known++;
  expect(known).toBe(1000);
  expect(engine.stats.identities.rows).toBe(25_000);
  expect(grown).toBeLessThan(16 * 2 ** 20);
}, 60_000);
