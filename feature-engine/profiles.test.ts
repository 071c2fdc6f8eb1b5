// The engine with profiles: each part writes its own places, by name; what the first request has, what an answer changes, who
// gets a profile. The parts themselves are tested beside their files.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FEATURE_COUNT, FEATURES } from '../domain/features.ts';
import { HeadView } from '../domain/head-view.ts';
import { seededRandom } from '../domain/random.ts';
import { FeatureEngine } from './engine.ts';
import { identityBytes } from './engine-regions.ts';
import { SLOT_BYTES } from './kernel/row-kernels.ts';
import { plannedMemory } from './memory-plan.ts';
import { PROFILE_BYTES } from './profile-layout.ts';
import { drawRequest, fillHead, testIdentity } from './testing/random-traffic.ts';
import { outOfRange } from './testing/ranges.ts';

const START_MS = 1_700_000_000_000;

function caller(engine: FeatureEngine) {
  const head = new HeadView();
  const out = new Float64Array(FEATURE_COUNT);
  let nowMs = START_MS;
  return {
    ask(identity: string, target: string, routeHash: number, addressText?: string) {
      nowMs += 1000;
      head.begin('GET', target);
      head.userAgentField = head.add('user-agent', 'okhttp/4.12');
      const request = { head, who: testIdentity(identity, 'home'), routeHash, nowMs };
      engine.observe(addressText === undefined ? request : { ...request, addressText }, out);
      return Object.fromEntries(FEATURES.map((f, place) => [f.name, out[place] as number]));
    },
    answer(status: number) {
      const outcome = { status, latencyMs: 1, bytesIn: 0, bytesOut: 1, atMs: nowMs };
      engine.outcome(engine.lastIdentity, engine.lastAddress, outcome, engine.lastTrace);
    },
  };
}

describe('profiles', () => {
  it('write each feature at its own place', () => {
    const { ask, answer } = caller(new FeatureEngine({ identities: 64, startedMs: START_MS }));
    const first = ask('a', '/order/1', 1, '10.0.0.1');
    for (const name of ['session_calls', 'transition_surprise', 'object_ids_5m', 'encounter_path_24h'])
      expect([name, first[name]]).toEqual([name, Number.NaN]);
    expect(first).toMatchObject({ address_private: 1, address_datacenter: 0, route_surprise: 1 });
    answer(200);
    ask('a', '/order/5?page=1', 1, '10.0.0.1');
    answer(404);
    const third = ask('a', '/order/6?page=2', 1, '10.0.0.1');
    expect(third).toMatchObject({
      ...{ session_calls: 3, session_duration_s: 2, session_gap_mean_ms: 1000, session_routes: 1 },
      ...{ graph_edges: 1, graph_nodes: 1, graph_local_source_avg: 1, graph_global_dest_max: 1000 },
      ...{ graph_truncated: 0, object_new_share_1h: 1, object_foreign_share_1h: 0 },
      ...{ object_step_one_share_1h: 1, object_step_median: 1, object_refused_share_1h: 1 },
      ...{ path_new_share_1h: 1, encounter_method_1h: 2, encounter_agent_5m: 2, encounter_route_24h: 2 },
      ...{ encounter_path_5m: 1, pair_turns_5m: 0, transition_surprise: Math.fround(-Math.log2(1.5 / 2)) },
      ...{ geo_velocity_km_h: Number.NaN, country_new: Number.NaN },
    });
    expect(third['graph_rarity']).toBeCloseTo(1.02, 1);
    expect(third['query_values_1h']).toBeCloseTo(2, 1);
    expect(ask('b', '/order/6', 1)['address_private']).toBeNaN();
    expect(ask('b', '/order/6', 1)['object_foreign_share_1h']).toBe(1);
  });

  it('leave the workload features at their own places', () => {
    const { ask, answer } = caller(new FeatureEngine({ identities: 64, startedMs: START_MS }));
    const first = ask('a', "/login?q='or", 1, '203.0.113.9');
    for (const name of ['address_credentials_1h', 'login_addresses_1h', 'bucket_requests_ratio'])
      expect([name, first[name]]).toEqual([name, Number.NaN]);
    expect(first).toMatchObject({ target_delimiters: 1, header_text_keywords: 0, token_longest: 5 });
    answer(401);
    const second = ask('b', '/login', 1, '203.0.113.77');
    for (const unit of ['address', 'subnet', 'agent_route']) {
      expect(second[`${unit}_credentials_1h`]).toBeCloseTo(1, 1);
      expect(second).toMatchObject({ [`${unit}_401_share_1h`]: 1, [`${unit}_429_share_1h`]: 0 });
    }
    expect(second).toMatchObject({ network_credentials_1h: Number.NaN, traversal_steps: 0 });
  });

  it('begin with the call before the profile', () => {
    const { ask } = caller(new FeatureEngine({ identities: 64, startedMs: START_MS }));
    ask('a', '/x', 1);
    expect(ask('a', '/y', 2)).toMatchObject({ session_calls: 2, graph_edges: 1, graph_nodes: 2 });
  });

  it('stay in their ranges on random traffic, and in their memory', () => {
    const engine = new FeatureEngine({ identities: 64, profiles: 8, startedMs: START_MS });
    const random = seededRandom(11);
    const out = new Float64Array(FEATURE_COUNT);
    const head = new HeadView();
    let nowMs = START_MS;
    for (let n = 0; n < 20_000; n++) {
      nowMs += Math.floor(10 ** (random.next() * 6.5) - 1);
      const drawn = { ...drawRequest(random), identity: `id${random.int(30)}` };
      const who = testIdentity(drawn.identity, drawn.address);
      engine.observe({ head: fillHead(head, drawn), who, routeHash: random.int(50), nowMs }, out);
      expect(outOfRange(FEATURES, out)).toEqual([]);
      const outcome = {
        status: [200, 404, 0][random.int(3)] as number,
        latencyMs: 1,
        bytesIn: 1,
        bytesOut: 1,
      };
      const { lastIdentity, lastAddress, lastTrace } = engine;
      engine.outcome(lastIdentity, lastAddress, { ...outcome, atMs: nowMs }, lastTrace);
    }
    const planned = engine.memoryPlan().find((item) => item.name === 'profiles');
    expect(planned?.bytes).toBe(8 * (PROFILE_BYTES + SLOT_BYTES));
    expect(engine.stats.profiles.rows).toBe(8);
  });

  it('take no more than 2 KiB an identity at the default sizes, all included', () => {
    const identities = 25_000;
    const engine = new FeatureEngine({ identities, startedMs: START_MS });
    const bytes = engine.memoryPlan().reduce((sum, item) => sum + item.bytes, 0);
    console.log(engine.memoryPlan(), `${(bytes / identities).toFixed(0)} bytes an identity`);
    expect(bytes / identities).toBeLessThanOrEqual(2048);
    expect(identityBytes()).toBeLessThanOrEqual(2048);
    const doc = readFileSync(new URL('../docs/feature-memory.md', import.meta.url), 'utf8');
    expect(doc).toContain(`| **together** | **${identityBytes().toLocaleString('en')}** |`);
    expect(plannedMemory(identities)).toEqual(engine.memoryPlan());
    expect(plannedMemory(1001)).toEqual(new FeatureEngine({ identities: 1001, startedMs: 0 }).memoryPlan());
  });
});
