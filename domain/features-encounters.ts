// Encounter counts (seed 002, Table 1): how often this identity came with this agent, method, route and raw path before.
// In the order in which kernel/assembly/encounters.ts writes them. Counted from the identity's second request on.

import { type Feature, type FeatureRow, featureGroup } from './feature.ts';

const MAX = 2 * 0xffff;
const NO_PROFILE = 'no profile';
const SPANS = [
  ['5m', '5 minutes'],
  ['1h', '1 hour'],
  ['24h', '24 hours'],
] as const;

function encounters(id: number, name: string, bound: string, missing = NO_PROFILE): FeatureRow[] {
  return SPANS.map(([short, long], i): FeatureRow => {
    const meaning = `requests of the identity with this ${name} in ${long}, this one included${bound}`;
    return [id + i, `encounter_${name.replace(' ', '_')}_${short}`, 'count', MAX, meaning, missing];
  });
}

export const ENCOUNTER_FEATURES: readonly Feature[] = featureGroup('encounters', [
  ...encounters(1100, 'method', ' (by class)'),
  ...encounters(1103, 'agent', '; 8 agents are kept', 'no profile, or no User-Agent'),
  ...encounters(1106, 'route', '; 16 routes are kept'),
  ...encounters(1109, 'path', '; 24 raw paths are kept'),
]);
