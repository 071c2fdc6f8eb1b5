// Training rows for the default model: simulated runs through the feature engine, one row a request, with label and actor.
// Every run has its own seed, people, rates and clock time; some actors are refused for a while, so that a model learns what
// a row looks like when the origin's answers stay away. Used by scripts/train-default.ts.

import { placeOf } from '../../domain/features.ts';
import { type Random, seededRandom } from '../../domain/random.ts';
import { FeatureEngine } from '../../feature-engine/engine.ts';
import { chance, logBetween, pick } from '../../simulator/draw.ts';
import { jittered } from '../../simulator/jitter.ts';
import { OfflineRun } from '../../simulator/offline.ts';
import type { AttackName, Label, SimRequest } from '../../simulator/request.ts';
import { mixedTraffic, SIM_START_MS } from '../../simulator/scenario.ts';
import { MODEL_INPUTS } from './inputs.ts';

/**
 * Attacks that one row can show. DDOS needs the workload's view, low_slow a day's, abnormal_usage the user's own profile:
 * learnt as positives, they would only blur the line for ordinary users. Other detectors look for them.
 */
export const LEARNED_ATTACKS = [
  'dos',
  'stolen_token',
  'extreme_delete',
  'scraping',
  'bola',
  'stuffing',
] as const satisfies readonly AttackName[];

/** The first requests of an attacker are like anyone's. */
export const WARM_UP_REQUESTS = 5;
const REFUSED_ATTACKERS = 0.5;
const REFUSED_OTHERS = 0.08;
const REFUSED_FROM = 8;

export interface Rows {
  /** Row-major, MODEL_INPUTS.length values a row. */
  readonly vectors: Float32Array;
  readonly labels: readonly Label[];
  /** Unique over all runs. */
  readonly actors: readonly string[];
  readonly nth: readonly number[];
}

/** One run: its settings, and how unsteadily its requests arrive, are drawn from its seed. */
function drawRun(seed: number, random: Random): Generator<SimRequest> {
  const startMs = SIM_START_MS + Math.floor(random.next() * 7 * 86_400_000);
  const requests = mixedTraffic({
    seed,
    seconds: 1200,
    startMs,
    flavour: chance(random, 0.3) ? 'faithful' : 'realistic',
    users: Math.round(logBetween(random, 30, 250)),
    visitsPerSec: logBetween(random, 0.05, 0.4),
    attacks: LEARNED_ATTACKS,
    attackersEach: pick(random, [3, 4, 5]),
    attackRequestsMax: 250,
  });
  return jittered(requests, {
    random: random.fork(1),
    tickMs: pick(random, [1, 20, 80]),
    stallEveryMs: pick(random, [Infinity, 60_000, 20_000]),
    stallMs: pick(random, [200, 2_000, 5_000]),
  });
}

export function simulateRows(seeds: readonly number[], onRun: (seed: number, rows: number) => void): Rows {
  const places = MODEL_INPUTS.map(placeOf);
  const values: number[] = [];
  const labels: Label[] = [];
  const actors: string[] = [];
  const nth: number[] = [];
  for (const seed of seeds) {
    const random = seededRandom(seed).fork(77);
    const refused = new Map<string, boolean>();
    const engine = new FeatureEngine({ identities: 20_000, startedMs: SIM_START_MS });
    const run = new OfflineRun<SimRequest>({
      engine,
      onVector: ({ request, vector }) => {
        const attacker = request.label !== 'normal';
        if (!attacker || request.nth > WARM_UP_REQUESTS) {
          for (const place of places) values.push(vector[place] as number);
          labels.push(request.label);
          actors.push(`${seed}/${request.actor}`);
          nth.push(request.nth);
        }
        let isRefused = refused.get(request.actor);
        if (isRefused === undefined) {
          isRefused = chance(random, attacker ? REFUSED_ATTACKERS : REFUSED_OTHERS);
          refused.set(request.actor, isRefused);
        }
        return !(isRefused && request.nth > REFUSED_FROM);
      },
    });
    run.run(drawRun(seed, random));
    onRun(seed, labels.length);
  }
  return { vectors: Float32Array.from(values), labels, actors, nth };
}
