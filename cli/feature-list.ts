// The feature list as people read it: one row a feature, as text, as JSON and as the table of docs/features.md, so that all three
// agree. The list itself is domain/features.ts. Called by `picket features` and scripts/gen-docs.ts.

import { FEATURES, type Feature } from '../domain/features.ts';

/** Where the values of a group come from. A group without a line here does not compile. */
const SOURCES: Readonly<Record<Feature['group'], string>> = {
  request: 'request head',
  identity: "identity's row",
  address: "client address's row",
  link: 'identity × address',
  state: 'feature engine',
  session: 'session call graph',
  sequence: 'sequence and rarity',
  objects: 'object ids',
  crossing: 'crossing sketches',
  bucket: 'workload bucket',
  geo: 'address databases',
  encounters: "principal's profile",
  lexical: 'target, headers, body prefix',
  route_profile: 'learned profile of the route',
};

export const FEATURE_COLUMNS = ['id', 'name', 'unit', 'range', 'source', 'meaning', 'missing when'] as const;

/** `0..1`, `0..∞`. */
function rangeText(feature: Feature): string {
  const [min, max] = feature.range.map((bound) =>
    Math.abs(bound) === Infinity ? `${bound < 0 ? '−' : ''}∞` : String(bound),
  );
  return `${min}..${max}`;
}

/** Cells in the order of FEATURE_COLUMNS. */
export function featureRows(): string[][] {
  return FEATURES.map((feature) => [
    String(feature.id),
    feature.name,
    feature.unit,
    rangeText(feature),
    SOURCES[feature.group],
    feature.meaning,
    feature.missing,
  ]);
}

export interface ListedFeature {
  readonly id: number;
  readonly name: string;
  readonly group: string;
  readonly unit: string;
  /** Smallest and largest value; null where only memory bounds it. */
  readonly range: readonly [number | null, number | null];
  readonly source: string;
  readonly meaning: string;
  /** When it is missing; `never` if it always has a value. A missing value is NaN, in CSV an empty cell. */
  readonly missing: string;
}

export function listedFeatures(): ListedFeature[] {
  const bound = (value: number): number | null => (Math.abs(value) === Infinity ? null : value);
  return FEATURES.map(({ id, name, group, unit, range, meaning, missing }) => ({
    ...{ id, name, group, unit, meaning, missing },
    range: [bound(range[0]), bound(range[1])],
    source: SOURCES[group],
  }));
}
