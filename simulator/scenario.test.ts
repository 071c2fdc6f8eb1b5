// Whole runs: same seed, same requests; time order; the WSO2 tool's own figures in the faithful flavour; the demo's two phases.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { demoScenario } from './demo.ts';
import { ATTACKS, type SimRequest } from './request.ts';
import { mixedTraffic } from './scenario.ts';

function digest(requests: Iterable<SimRequest>): string {
  const hash = createHash('sha256');
  for (const request of requests) hash.update(JSON.stringify(request));
  return hash.digest('hex');
}

describe('mixedTraffic', () => {
  it('gives the same bytes for the same seed and others for another', () => {
    const run = (seed: number) =>
      digest(mixedTraffic({ seed, seconds: 200, attacks: ATTACKS, attackRequestsMax: 30 }));
    expect(run(5)).toBe(run(5));
    expect(run(5)).not.toBe(run(6));
  });

  it('is in time order, numbers each actor from 1, and has every attack', () => {
    const nth = new Map<string, number>();
    const labels = new Set<string>();
    let lastMs = 0;
    for (const request of mixedTraffic({ seed: 8, seconds: 900, attacks: ATTACKS, attackRequestsMax: 40 })) {
      expect(request.atMs).toBeGreaterThanOrEqual(lastMs);
      lastMs = request.atMs;
      expect(request.nth).toBe((nth.get(request.actor) ?? 0) + 1);
      nth.set(request.actor, request.nth);
      labels.add(request.label);
      expect(request.target.startsWith('/')).toBe(true);
    }
    expect([...labels].sort()).toEqual(['normal', ...ATTACKS].sort());
  });

  it('has the figures of the WSO2 tool in the faithful flavour (four simulated hours)', () => {
    for (const seed of [3, 4]) {
      const methods = new Map<string, number>();
      const perUser = new Map<string, number>();
      const buckets = new Float64Array(1440);
      let requests = 0;
      for (const request of mixedTraffic({ seed, seconds: 14_400, flavour: 'faithful' })) {
        requests++;
        methods.set(request.method, (methods.get(request.method) ?? 0) + 1);
        perUser.set(request.actor, (perUser.get(request.actor) ?? 0) + 1);
        const bucket = Math.floor((request.atMs % 86_400_000) / 10_000) % 1440;
        buckets[bucket] = buckets[bucket]! + 1;
      }
      const share = (method: string) => (methods.get(method) ?? 0) / requests;
      const mean = requests / 1440;
      const sd = Math.sqrt(buckets.reduce((sum, n) => sum + (n - mean) ** 2, 0) / 1440);
      const median = [...perUser.values()].sort((a, b) => a - b)[50]! / 4;
      expect(requests / 14_400).toBeGreaterThan(3.4);
      expect(requests / 14_400).toBeLessThan(4.2);
      expect(share('GET')).toBeGreaterThan(0.98);
      expect(share('POST')).toBeGreaterThan(0.007);
      expect(share('DELETE')).toBeGreaterThan(0.001);
      expect(sd).toBeGreaterThan(4);
      expect(sd).toBeLessThan(7);
      expect(median).toBeGreaterThan(85);
      expect(median).toBeLessThan(135);
    }
  });

  it('answers people mostly 2xx, as real sites do', () => {
    let all = 0;
    let good = 0;
    for (const { answer } of mixedTraffic({ seed: 2, seconds: 1200 })) {
      all++;
      if (answer.status < 400) good++;
      expect(answer.bodyBytes).toBeLessThanOrEqual(200_000);
    }
    expect(good / all).toBeGreaterThan(0.93);
    expect(good / all).toBeLessThan(0.99);
  });
});

describe('demoScenario', () => {
  it('has two phases of one crowd, each with attackers of its own', () => {
    const scenario = demoScenario({ seed: 1 });
    const attackers = scenario.phases.map(() => new Set<string>());
    const users = scenario.phases.map(() => new Set<string>());
    scenario.phases.forEach((phase, i) => {
      let normal = 0;
      let firstMs = Infinity;
      let lastMs = 0;
      for (const request of phase.requests) {
        firstMs = Math.min(firstMs, request.atMs);
        lastMs = request.atMs;
        if (request.label === 'normal') normal++;
        (request.label === 'normal' ? users : attackers)[i]!.add(request.actor);
      }
      const wallSeconds = scenario.phaseSeconds;
      expect((lastMs - firstMs) / 1000).toBeLessThanOrEqual(wallSeconds * scenario.speed);
      expect(normal / wallSeconds).toBeGreaterThan(80);
      expect(normal / wallSeconds).toBeLessThan(260);
    });
    expect([...attackers[0]!].filter((actor) => attackers[1]!.has(actor))).toEqual([]);
    expect([...users[0]!].filter((actor) => users[1]!.has(actor)).length).toBeGreaterThan(50);
  });
});
