// The faithful mode against the figures that a run of the tool's model gives (traffic model, section 3), its settings where they
// are at hand, and what makes each attack what it is (section 4).
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { abnormalUsage, ddos, dos, extremeDelete, stolenToken } from './attacks.ts';
import { abnormalUsageRealistic, stolenTokenRealistic } from './attacks-realistic.ts';
import { GAP_LISTS_2019, OLD_AGENTS, PLACES, placeOf } from './figures.ts';
import { callChances, normalTraffic } from './normal.ts';
import { type FaithfulRequest, LOG_COLUMNS, logLine } from './request.ts';
import { makeFaithfulWorld, type Scenario } from './world.ts';

const HOUR_MS = 3_600_000;
const world = makeFaithfulWorld(5);
const attack = { seed: 77, startMs: 0, durationMs: 900_000 };

function bucketCounts(requests: readonly FaithfulRequest[], endMs: number): number[] {
  const counts = new Array<number>(endMs / 10_000).fill(0);
  for (const { atMs } of requests) counts[Math.floor(atMs / 10_000)]!++;
  return counts;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const sd = (values: readonly number[]) => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const distinct = (requests: readonly FaithfulRequest[], of: (request: FaithfulRequest) => unknown) =>
  new Set(requests.map(of)).size;

/** Four hours of a scenario: requests a second, shares by method, users' requests an hour, buckets of 10 s. */
function figuresOf(scenario: Scenario, seed: number) {
  const made = makeFaithfulWorld(seed, scenario);
  const requests = [...normalTraffic(made, { seed: seed + 1, startMs: 0, endMs: 4 * HOUR_MS })];
  const perUser = new Array<number>(100).fill(0);
  for (const { user } of requests) perUser[user]! += 1 / 4;
  const share = (method: string) =>
    requests.filter((request) => request.method === method).length / requests.length;
  const counts = bucketCounts(requests, 4 * HOUR_MS);
  return {
    rate: requests.length / (4 * 3600),
    share,
    median: median(perUser),
    bucketMean: mean(counts),
    bucketSd: sd(counts),
  };
}

describe('normal traffic of the faithful mode', () => {
  it('gives the figures of 2020', () => {
    const runs = [1, 2, 3, 4].map((seed) => figuresOf('groups_2020', seed * 10));
    const over = (of: (run: (typeof runs)[number]) => number) => mean(runs.map(of));
    expect(over(({ rate }) => rate)).toBeGreaterThan(3.6);
    expect(over(({ rate }) => rate)).toBeLessThan(4.0);
    expect(over(({ share }) => share('GET'))).toBeGreaterThan(0.983);
    expect(over(({ share }) => share('GET'))).toBeLessThan(0.991);
    expect(over(({ share }) => share('POST'))).toBeGreaterThan(0.008);
    expect(over(({ share }) => share('POST'))).toBeLessThan(0.014);
    expect(over(({ share }) => share('DELETE'))).toBeGreaterThan(0.001);
    expect(over(({ share }) => share('DELETE'))).toBeLessThan(0.004);
    expect(over(({ median }) => median)).toBeGreaterThan(100);
    expect(over(({ median }) => median)).toBeLessThan(117);
    expect(over(({ bucketMean }) => bucketMean)).toBeGreaterThan(36);
    expect(over(({ bucketMean }) => bucketMean)).toBeLessThan(40);
    expect(over(({ bucketSd }) => bucketSd)).toBeGreaterThan(4.9);
    expect(over(({ bucketSd }) => bucketSd)).toBeLessThan(6.1);
  });

  it('gives the figures of 2019, where all users start in step', () => {
    const run = figuresOf('groups_2019', 30);
    expect(run.rate).toBeGreaterThan(1.4);
    expect(run.rate).toBeLessThan(1.8);
    expect(run.median).toBeGreaterThan(50);
    expect(run.median).toBeLessThan(70);
    expect(run.bucketSd).toBeGreaterThan(25);
    expect(run.bucketSd).toBeLessThan(37);
  });

  it('is the same for the same seed, in order, and different for another', () => {
    const hour = (seed: number) =>
      [...normalTraffic(world, { seed, startMs: 0, endMs: HOUR_MS })].map((r) => logLine(r));
    const lines = hour(1);
    expect(hour(1)).toEqual(lines);
    expect(hour(2)).not.toEqual(lines);
    expect([...lines].sort((a, b) => (a.slice(0, 24) < b.slice(0, 24) ? -1 : 0))).toEqual(lines);
    for (const line of lines.filter((text) => !text.includes('"')).slice(0, 50))
      expect(line.split(',')).toHaveLength(LOG_COLUMNS.split(',').length);
  });

  it('deals 150 tokens to 100 users, 40 shopping, 70 taxi, 40 cricket', () => {
    const uses = world.users.flatMap(({ subscriptions }) => subscriptions);
    const of = (app: string) => uses.filter((use) => use.app === app).length;
    expect([world.users.length, uses.length, of('shopping'), of('taxi'), of('cricket')]).toEqual([
      100, 150, 40, 70, 40,
    ]);
    expect(new Set(uses.map(({ token }) => token)).size).toBe(150);
    for (const { address, country } of world.users) expect(placeOf(address)?.country).toBe(country);
  });

  it('draws random scenarios within their classes', () => {
    for (const { subscriptions } of makeFaithfulWorld(9, 'random_2020').users) {
      expect(subscriptions.length).toBeGreaterThanOrEqual(1);
      for (const { calls } of subscriptions) {
        for (const { count } of calls) expect(count).toBeLessThanOrEqual(60);
      }
    }
  });

  it('moves chances from the largest to those far under it', () => {
    const calls = [90, 5, 5].map((count) => ({ api: 'news', method: 'GET' as const, count }));
    const chances = callChances(calls);
    expect(chances[0]).toBeCloseTo(0.75, 12);
    expect(chances[1]).toBeCloseTo(0.125, 12);
  });
});

describe('attacks of the faithful mode', () => {
  it('floods from one identity, or from all subscribers', () => {
    const options = { ...attack, durationMs: 5000 };
    const one = [...dos(world, options)];
    const many = [...ddos(world, options)];
    expect(distinct(one, ({ token }) => token)).toBeLessThanOrEqual(6);
    expect(distinct(many, ({ token }) => token)).toBeGreaterThan(100);
    for (const requests of [one, many]) {
      expect(requests.length / 30).toBeGreaterThan(700);
      expect(distinct(requests, ({ agent }) => agent)).toBe(OLD_AGENTS.length);
    }
  });

  it('uses own devices abnormally: ten users, more calls than a round has', () => {
    const requests = [...abnormalUsage(world, attack)];
    expect(requests.length).toBeGreaterThan(200);
    for (const { address, cookie, user } of requests) {
      expect(world.users[user]).toMatchObject({ address, cookie });
    }
    expect(distinct(requests, ({ user }) => user)).toBeLessThanOrEqual(10);
  });

  it('steals tokens: a new address and cookie on every request, tokens of ten users', () => {
    const requests = [...stolenToken(world, attack)];
    expect(distinct(requests, ({ address }) => address)).toBe(requests.length);
    expect(distinct(requests, ({ cookie }) => cookie)).toBe(requests.length);
    expect(distinct(requests, ({ user }) => user)).toBeLessThanOrEqual(10);
    const tokens = new Set(world.users.flatMap(({ subscriptions }) => subscriptions.map((use) => use.token)));
    for (const { token } of requests) expect(tokens.has(token)).toBe(true);
  });

  it('deletes at about 13 requests a second, never a GET; or overwrites', () => {
    const requests = [...extremeDelete(world, attack)];
    expect(requests.length / 900).toBeGreaterThan(11.5);
    expect(requests.length / 900).toBeLessThan(14.5);
    for (const { method, path } of requests) {
      expect(method).toBe('DELETE');
      expect(path).toMatch(/^(payment|map|weather|cricket)\/1\/order\/[a-z]{10}$/);
    }
    const put = [...extremeDelete(world, { ...attack, methods: ['PUT'] })];
    expect(put.every(({ method, bodyBytes }) => method === 'PUT' && bodyBytes > 0)).toBe(true);
  });

  it('has thieves and misusers who change little', () => {
    const thieves = [...stolenTokenRealistic(world, attack)];
    for (let user = 0; user < 100; user++) {
      const own = thieves.filter((request) => request.user === user);
      expect(distinct(own, ({ address }) => address)).toBeLessThanOrEqual(3);
      expect(distinct(own, ({ agent }) => agent)).toBeLessThanOrEqual(1);
    }
    const misused = [...abnormalUsageRealistic(world, attack)];
    expect(misused.length).toBeGreaterThan(100);
    for (const { address, user } of misused) expect(world.users[user]!.address).toBe(address);
  });
});

describe('the registry and the tables', () => {
  it('places every address that can be held', () => {
    for (const address of ['0.1.2.3', '10.0.0.1', '127.0.0.1', '224.0.0.1', '255.255.255.255'])
      expect(placeOf(address)).toBeNull();
    expect(placeOf('23.1.2.3')).toEqual(PLACES[0]);
  });

  const settings = new URL('../../../shared/data/apim_traffic_tool/', import.meta.url);
  it.skipIf(!existsSync(settings))('hold what the settings of the tool say', () => {
    const read = (name: string) => readFileSync(new URL(name, settings), 'utf8');
    const lists = [...read('original2019_invoke_patterns.yaml').matchAll(/pattern\d+: (.+)/g)];
    expect(lists.map((match) => match[1]!.trim().split(',').map(Number))).toEqual(GAP_LISTS_2019);
    const agents = [...read('wso2_attack-tool.yaml').matchAll(/^\s+- ((?:Mozilla|Opera).+)$/gm)];
    expect(agents.map((match) => match[1]!.trim())).toEqual(OLD_AGENTS);
  });
});
