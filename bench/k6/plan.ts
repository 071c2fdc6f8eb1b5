// Draws the requests of a k6 run from the simulator: normal users and three kinds of attackers, as JSON that
// lib/plan.js reads. Same seed, same requests. Sends nothing. Called by run.ts.
import { writeFileSync } from 'node:fs';
import { requestIdOf, type SimRequest } from '../../simulator/request.ts';
import { mixedTraffic } from '../../simulator/scenario.ts';

export interface PlanSettings {
  readonly seed: number;
  /** Real length of the run. */
  readonly seconds: number;
  /** Simulated seconds in a real one; the sidecar's clock runs as fast. */
  readonly clockRate: number;
  /** Names of attacks in the plan. */
  readonly attacks: readonly ('dos' | 'extreme_delete' | 'stolen_token')[];
}

const ATTACKERS_EACH = 2;
/** Within the range of every attack that has a rate: a flood is faster than a user, a deletion run is slower than a flood. */
const ATTACK_RATE_PER_SEC = 8;

function planned(request: SimRequest) {
  const headers = Object.fromEntries(request.headers);
  headers['x-forwarded-for'] = request.address;
  headers['x-request-id'] = requestIdOf(request);
  const { label, actor, nth, method, target, body } = request;
  return { label, actor, nth, method, target, headers, body };
}

/** Writes the plan to `file`; returns how many requests of each label it holds. */
export function writePlan(file: string, settings: PlanSettings): Record<string, number> {
  const traffic = mixedTraffic({
    seed: settings.seed,
    seconds: settings.seconds * settings.clockRate,
    attacks: settings.attacks,
    attackersEach: ATTACKERS_EACH,
    attackRequestsMax: ATTACK_RATE_PER_SEC * settings.seconds * settings.clockRate,
    attackRatePerSec: ATTACK_RATE_PER_SEC,
  });
  const requests = Array.from(traffic, planned);
  const counts: Record<string, number> = {};
  for (const { label } of requests) counts[label] = (counts[label] ?? 0) + 1;
  writeFileSync(file, JSON.stringify({ requests }));
  return counts;
}
