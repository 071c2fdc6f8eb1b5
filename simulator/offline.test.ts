// Offline runs: outcomes come back at their time and only for forwarded requests; the same requests give the same vectors.
import { expect, it } from 'vitest';
import { FEATURE_COUNT, placeOf } from '../domain/features.ts';
import { FeatureEngine } from '../feature-engine/engine.ts';
import { type OfflineRequest, OfflineRun } from './offline.ts';
import { mixedTraffic, SIM_START_MS } from './scenario.ts';

function requestAt(atMs: number, latencyMs: number, status: number): OfflineRequest {
  return {
    ...{
      atMs,
      method: 'GET',
      target: '/a',
      headers: [],
      body: null,
      address: '1.2.3.4',
      token: 't',
      cookie: null,
    },
    answer: { status, bodyBytes: 10, latencyMs },
  };
}

it('delivers answers when they come, in their order, and none for what was refused', () => {
  const engine = new FeatureEngine({ identities: 8, startedMs: SIM_START_MS });
  const seen: number[] = [];
  const run = new OfflineRun<OfflineRequest>({
    engine,
    onVector: ({ vector, request }) => {
      seen.push(vector[placeOf('identity_status_404_5m')]!);
      return request.answer.status !== 403;
    },
  });
  run.run([
    requestAt(SIM_START_MS, 500, 404),
    requestAt(SIM_START_MS + 100, 50, 404),
    requestAt(SIM_START_MS + 200, 10, 403),
    requestAt(SIM_START_MS + 600, 10, 200),
  ]);
  expect(seen).toEqual([0, 0, 1, 2]);
  expect(engine.stats.outcomes).toBe(3);
});

it('gives the same vectors for the same traffic', () => {
  const sums = [1, 2].map(() => {
    const engine = new FeatureEngine({ identities: 5_000, startedMs: SIM_START_MS });
    const sum = new Float64Array(FEATURE_COUNT);
    const run = new OfflineRun({
      engine,
      onVector: ({ vector }) => {
        for (let i = 0; i < FEATURE_COUNT; i++) if (!Number.isNaN(vector[i]!)) sum[i] = sum[i]! + vector[i]!;
        return true;
      },
    });
    run.run(mixedTraffic({ seed: 6, seconds: 300, attacks: ['dos', 'stolen_token'], attackRequestsMax: 50 }));
    return sum;
  });
  expect(sums[0]).toEqual(sums[1]);
  expect(sums[0]![placeOf('identity_requests_total')]).toBeGreaterThan(1000);
});
