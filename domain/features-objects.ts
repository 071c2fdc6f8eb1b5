// Features of the object ids that an identity asks for: scraping, enumeration, other people's objects. In the order in which
// feature-engine/kernel/assembly/objects.ts writes them. An object id is the last path segment that looks like one (number,
// UUID, long hexadecimal, mixed token). Those of the route count for the route of this request; 4 routes are kept for each
// identity.

import { type Feature, featureGroup } from './feature.ts';

const NO_ID = 'no profile, or no object id in the path';

export const OBJECT_FEATURES: readonly Feature[] = featureGroup('objects', [
  [700, 'object_ids_5m', 'count', 311, 'distinct ids of the route in 5 minutes (64-bit sketch)', NO_ID],
  [701, 'object_ids_1h', 'count', 710, 'distinct ids of the route in 1 hour (128-bit sketch)', NO_ID],
  [702, 'object_ids_24h', 'count', 1598, 'distinct ids of the route in 24 hours (256-bit sketch)', NO_ID],
  [703, 'object_new_share_1h', 'share', 1, 'share of ids that the identity did not ask for in 24 h', NO_ID],
  [704, 'object_foreign_share_1h', 'share', 1, 'share of ids last asked for by another identity', NO_ID],
  [
    705,
    'object_step_one_share_1h',
    'share',
    1,
    'share of |step| = 1 among steps from one numeric id to the next',
    'no profile, or no two numeric ids of the route in 1 hour',
  ],
  [
    706,
    'object_step_median',
    'count',
    1e15,
    'median |step| of the last 9 steps of the route',
    'no profile, or no two numeric ids of the route',
  ],
  [
    707,
    'object_refused_share_1h',
    'share',
    1,
    'share of 403 and 404 among the answers for ids of the route',
    'no profile, no object id in the path, or no answers in 1 hour',
  ],
  [
    708,
    'query_values_1h',
    'count',
    311,
    'most distinct values in 1 hour of a query key of this request (64-bit sketch, 4 keys)',
    'no profile, or no query parameter',
  ],
  [
    709,
    'path_new_share_1h',
    'share',
    1,
    'share of raw paths that the identity did not ask for in 24 h',
    'no profile',
  ],
  [
    710,
    'path_unique_share_1h',
    'share',
    1,
    'share of the requests of 1 hour whose raw path the identity had not asked for in its wall-aligned hour',
    'no profile',
  ],
]);
