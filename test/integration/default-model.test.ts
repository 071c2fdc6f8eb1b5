// The default bundle: loads, says where it came from, sees no made-up sizes or ages, and judges traffic that it has not seen:
// simulated runs of other seeds, and recorded access logs (from ../shared/data beside the repository; says so when absent).
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ACTOR_WARM_UP_REQUESTS } from '../../cli/demo/summary.ts';
import { runPicket } from '../../cli/main.ts';
import { DEFAULT_BUNDLE, OfflineJudge } from '../../cli/offline-judge.ts';
import { FEATURES } from '../../domain/features.ts';
import { seededRandom } from '../../domain/random.ts';
import { FeatureEngine } from '../../feature-engine/engine.ts';
import { demoScenario } from '../../simulator/demo.ts';
import { jittered } from '../../simulator/jitter.ts';
import { OfflineRun } from '../../simulator/offline.ts';
import { ATTACKS, type SimRequest } from '../../simulator/request.ts';
import { parseBundle } from '../../wasm-core/host/bundle.ts';
import { captured } from '../support/captured.ts';

const LOGS = join(import.meta.dirname, '../../../shared/data/web_access_logs');
const BUNDLE_MAX_BYTES = 300_000;

describe('the default bundle', () => {
  const bytes = readFileSync(DEFAULT_BUNDLE);
  const bundle = parseBundle(bytes, { requireSigned: false, trustedKeys: [] });

  it('is small and says where it came from and how good it was', () => {
    const { manifest } = bundle;
    expect(bytes.length).toBeLessThan(BUNDLE_MAX_BYTES);
    expect(manifest).toMatchObject({ name: 'default', thresholds: { method: 'max_recall_at_fpr' } });
    expect(manifest.seed).toBeGreaterThan(0);
    expect(manifest.data).toMatchObject({ source: 'simulated, no recorded traffic' });
    expect(manifest.data['rows']).toBeGreaterThan(100_000);
    for (const name of ['roc_auc', 'block_false_positive_share', 'block_recall_dos'])
      expect(manifest.metrics[name]).toBeTypeOf('number');
    expect(manifest.thresholds.blockAt).toBeGreaterThanOrEqual(manifest.thresholds.flagAt);
    for (const name of manifest.classes) expect(ATTACKS).toContain(name);
  });

  it('asks for features of this build only, none that tells a simulator from the world', () => {
    const offered = new Map(FEATURES.map(({ id, name }) => [id, name]));
    for (const { id, name } of bundle.features) {
      expect(offered.get(id)).toBe(name);
      expect(name).not.toMatch(
        /state_age|_age_s|requests_total|header_|user_agent_bytes|path_bytes|credential/,
      );
    }
  });
});

describe('on simulated runs that it has not seen, in block mode', () => {
  it.each([
    ['steady arrivals', 1, Infinity],
    ['arrivals in ticks and after stalls', 80, 60_000],
  ])('refuses attacks and hardly any normal request: %s', (_, tickMs, stallEveryMs) => {
    const judge = new OfflineJudge(DEFAULT_BUNDLE);
    const counts = new Map<string, { requests: number; refused: number }>();
    for (const seed of [901, 902, 903]) {
      const run = new OfflineRun<SimRequest>({
        engine: new FeatureEngine({ startedMs: Date.UTC(2025, 0, 6, 10) }),
        vector: judge.vector,
        onVector: ({ request }) => {
          const { blocked } = judge.judge();
          if (request.label !== 'normal' && request.nth <= ACTOR_WARM_UP_REQUESTS) return !blocked;
          const count = counts.get(request.label) ?? { requests: 0, refused: 0 };
          counts.set(request.label, count);
          count.requests++;
          if (blocked) count.refused++;
          return !blocked;
        },
      });
      const options = { random: seededRandom(seed), tickMs, stallEveryMs, stallMs: 2_000 };
      const requests = demoScenario({ seed }).phases.flatMap((phase) => [...phase.requests]);
      run.run(jittered(requests, options));
    }
    for (const [label, { requests, refused }] of counts) {
      expect(requests).toBeGreaterThan(500);
      if (label === 'normal') expect(refused / requests).toBeLessThan(0.002);
      else expect([label, refused / requests >= 0.97]).toEqual([label, true]);
    }
    expect([...counts.keys()].sort()).toEqual(['dos', 'extreme_delete', 'normal', 'stolen_token']);
  });
});

describe('on recorded logs', () => {
  if (!existsSync(LOGS)) {
    it.skip('shared/data is absent: no web_access_logs beside the repository', () => {});
    return;
  }

  async function replay(file: string): Promise<Record<string, number>> {
    const { io, out } = captured();
    expect(await runPicket(['replay', '--log', join(LOGS, file), '--offline', '--json'], io)).toBe(0);
    return JSON.parse(out().trimEnd().split('\n').at(-1) as string) as Record<string, number>;
  }

  it('flags few requests of a calm site and most of a scan', async () => {
    const calm = await replay('semicomplete_2015_apache_combined.log.gz');
    expect(calm).toMatchObject({ requests: 10_000, malformed: 0, identities: 1753 });
    expect(calm['flagged_share']).toBeLessThan(0.01);
    const scan = await replay('scan_2016_acunetix.log.gz');
    expect(scan).toMatchObject({ requests: 6_539, malformed: 0, identities: 1 });
    expect(scan['flagged_share']).toBeGreaterThan(0.9);
    const almhuette = await replay('almhuette_2019_tail10000.log.gz');
    expect(almhuette).toMatchObject({ requests: 10_000, malformed: 0, identities: 456 });
  });
});
