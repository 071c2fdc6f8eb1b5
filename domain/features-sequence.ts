// Features of order and rarity, in the order in which kernel/assembly/sequence.ts writes them. Surprise is -log2 of a probability
// that is estimated from counts of the whole workload (or of the identity, for the hour), so it adapts and never is infinite.

import { type Feature, featureGroup } from './feature.ts';

const NO_PROFILE = 'no profile';
const NO_STEP = 'first call of the session';

export const SEQUENCE_FEATURES: readonly Feature[] = featureGroup('sequence', [
  [600, 'transition_surprise', 'bits', 40, '-log2 P(route | previous route) in the workload', NO_STEP],
  [601, 'transition_surprise_mean', 'bits', 40, 'mean of it over the last 16 steps', 'no step yet'],
  [602, 'transition_surprise_max', 'bits', 40, 'largest of it over the last 16 steps', 'no step yet'],
  [603, 'answer_surprise', 'bits', 40, '-log2 P(route, method, status) of the last answer', 'no answer yet'],
  [604, 'route_surprise', 'bits', 40, '-log2 P(route, method) in the workload'],
  [605, 'agent_surprise', 'bits', 40, '-log2 P(agent family) in the workload', 'no User-Agent'],
  [606, 'asn_surprise', 'bits', 40, '-log2 P(network) in the workload', 'network unknown'],
  [607, 'hour_surprise', 'bits', 40, '-log2 P(hour of day, UTC) for the identity', NO_PROFILE],
  [
    608,
    'route_new_share',
    'share',
    1,
    'exponential share (weight 1/16) of routes new to the identity',
    NO_PROFILE,
  ],
  [
    609,
    'step_gap_variation',
    'ratio',
    Infinity,
    'exponential mean deviation of the gaps inside sessions / their mean, weight 1/8',
    'fewer than 2 steps',
  ],
]);
