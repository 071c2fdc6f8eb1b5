// Features of the workload's last complete 10 s bucket (seed 002, trend layer) as log-ratios to the same hour of the week
// before, in the order in which feature-engine/bucket-baseline.ts writes them. So that scaling from one replica to four, or a
// busier season, is no anomaly in itself: ratios follow the workload's own habit, and that of the whole workload where
// replicas join their buckets or are at least counted. Missing for the first 48 h: the baseline is still learning.

import { type Feature, type FeatureRow, featureGroup } from './feature.ts';

const MISSING = 'the engine is younger than 48 h, or no bucket is complete';
/** Nobody knows how distinct counts and the longest path follow the share of the workload that one replica sees. */
const SPREAD = `${MISSING}; or replicas that are counted but not joined came or went within 48 h`;
const SPREAD_FIELDS: readonly string[] = ['addresses', 'identities', 'paths', 'path_longest', 'agents'];

const FIELDS = [
  ['requests', 'requests'],
  ['addresses', 'unique client addresses'],
  ['identities', 'unique identities (tokens)'],
  ['gets', 'GET requests'],
  ['posts', 'POST requests'],
  ['deletes', 'DELETE requests'],
  ['puts', 'PUT and PATCH requests'],
  ['paths', 'unique raw paths'],
  ['path_longest', 'length of the longest path'],
  ['agents', 'unique user agents'],
  ['status_mean', 'mean response code'],
  ['bytes', 'body bytes, both ways'],
] as const;

/** Names of a bucket's fields, in order. */
export const BUCKET_FIELDS = FIELDS.map(([name]) => name);

export const BUCKET_FEATURES: readonly Feature[] = featureGroup(
  'bucket',
  FIELDS.map(([name, meaning], i): FeatureRow => {
    const text = `log2((${meaning} + 1) / (its mean of this hour of the week + 1))`;
    return [
      900 + i,
      `bucket_${name}_ratio`,
      'log_ratio',
      [-60, 60],
      text,
      SPREAD_FIELDS.includes(name) ? SPREAD : MISSING,
    ];
  }),
);
