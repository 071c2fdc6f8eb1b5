// What a feature is, and the short form in which the lists (features.ts, features-*.ts) write them down.
// "No profile": the first request of an identity, or the pool of profiles is full of others that are not idle.
// Ids come in blocks: request 1, identity 100, address 200, link 300, state 400, session 500, sequence 600, objects 700,
// crossing 800, bucket 900, geo 1000, encounters 1100, lexical 1200, route_profile 1300.

export const FEATURE_GROUPS = [
  'request',
  'identity',
  'address',
  'link',
  'state',
  'session',
  'sequence',
  'objects',
  'crossing',
  'bucket',
  'geo',
  'encounters',
  'lexical',
  'route_profile',
] as const;
export type FeatureGroup = (typeof FEATURE_GROUPS)[number];
export type FeatureUnit =
  | 'bytes'
  | 'count'
  | 'share'
  | 'ms'
  | 's'
  | 'flag'
  | 'ratio'
  | 'per_mille'
  | 'bits'
  | 'km_h'
  | 'km'
  | 'degrees'
  | 'log_ratio';

export interface Feature {
  readonly id: number;
  readonly name: string;
  readonly group: FeatureGroup;
  readonly unit: FeatureUnit;
  /** Smallest and largest value that can be written; Infinity where only memory bounds it. */
  readonly range: readonly [number, number];
  readonly meaning: string;
  /** When the value is missing (written as NaN); 'never' if it always has one. */
  readonly missing: string;
}

/** Id, name, unit, range (or its largest value, the smallest being 0), meaning, when missing. */
export type FeatureRow = readonly [
  number,
  string,
  FeatureUnit,
  number | readonly [number, number],
  string,
  string?,
];

/** Features of one group from rows of [id, name, unit, largest value, meaning, when missing]; the smallest value is 0. */
export function featureGroup(name: FeatureGroup, rows: readonly FeatureRow[]): Feature[] {
  return rows.map(([id, rowName, unit, max, meaning, missing]) => ({
    id,
    name: rowName,
    group: name,
    unit,
    range: typeof max === 'number' ? [0, max] : max,
    meaning,
    missing: missing ?? 'never',
  }));
}
