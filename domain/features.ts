// THE feature list: what a bundle may ask for and what the feature engine writes, in vector order.
// Ids are permanent: a changed meaning is a new id, a dropped feature leaves a gap. docs/features.md is generated from here.
// The order of FEATURES is the order of places in the vector of this build; bundles name ids, never places.

import { type Feature, featureGroup as group } from './feature.ts';
import { axisFeatures } from './features-axis.ts';
import { BUCKET_FEATURES } from './features-bucket.ts';
import { CROSSING_FEATURES } from './features-crossing.ts';
import { ENCOUNTER_FEATURES } from './features-encounters.ts';
import { GEO_FEATURES } from './features-geo.ts';
import { BODY_FEATURES, LEXICAL_FEATURES } from './features-lexical.ts';
import { OBJECT_FEATURES } from './features-objects.ts';
import { ROUTE_PROFILE_FEATURES } from './features-route-profile.ts';
import { SEQUENCE_FEATURES } from './features-sequence.ts';
import { SESSION_FEATURES } from './features-session.ts';

export type { Feature, FeatureGroup, FeatureUnit } from './feature.ts';

const REQUEST = group('request', [
  [1, 'method_get', 'flag', 1, 'the method is GET, HEAD or OPTIONS'],
  [2, 'method_post', 'flag', 1, 'the method is POST'],
  [3, 'method_put', 'flag', 1, 'the method is PUT or PATCH'],
  [4, 'method_delete', 'flag', 1, 'the method is DELETE'],
  [5, 'path_bytes', 'bytes', 8192, 'bytes of the path, without the query'],
  [6, 'path_segments', 'count', 8192, 'non-empty path segments'],
  [7, 'query_bytes', 'bytes', 8192, 'bytes after the first "?"'],
  [8, 'query_params', 'count', 8192, 'parameters of the query ("&" separated, empty ones not counted)'],
  [9, 'header_fields', 'count', 200, 'field lines as received'],
  [10, 'header_bytes', 'bytes', 16384, 'bytes of all field names and values'],
  [11, 'body_declared_bytes', 'bytes', Infinity, 'Content-Length', 'no Content-Length'],
  [12, 'target_encoded_share', 'share', 1, 'bytes of the target that belong to a percent escape'],
  [13, 'target_odd_bytes', 'count', 8192, 'target bytes outside letters, digits and "-._~/?=&%"'],
  [14, 'target_rewritten', 'flag', 1, 'the normalised path differs: dot segments, "//", encoded slash, ";"'],
  [15, 'credential_shown', 'flag', 1, 'a bearer token, API key or cookie identifies the caller'],
  [16, 'user_agent_bytes', 'bytes', 16384, 'bytes of User-Agent', 'no User-Agent'],
]);

const YOUNG = 'memory younger than 24 h, principal younger than 5 requests';

const LINK = group('link', [
  [
    300,
    'identity_addresses_5m',
    'count',
    134,
    'distinct addresses of the identity in 5 minutes (sketch of 32 bits)',
  ],
  [
    301,
    'identity_addresses_1h',
    'count',
    134,
    'distinct addresses of the identity in 1 hour (sketch of 32 bits)',
  ],
  [
    302,
    'address_identities_5m',
    'count',
    134,
    'distinct identities at the address in 5 minutes (sketch of 32 bits)',
  ],
  [
    303,
    'address_identities_1h',
    'count',
    134,
    'distinct identities at the address in 1 hour (sketch of 32 bits)',
  ],
  [
    304,
    'address_new',
    'flag',
    1,
    'the identity was not seen at this address within 1 hour',
    'identity younger than 5 requests',
  ],
  [
    305,
    'user_agent_new',
    'flag',
    1,
    'the identity did not use this agent within 1 hour',
    'identity younger than 5 requests',
  ],
  [
    306,
    'route_new',
    'flag',
    1,
    'the identity did not call this template within 1 hour',
    'identity younger than 5 requests',
  ],
  [307, 'address_new_24h', 'flag', 1, 'the principal was not seen at this address within 24 h', YOUNG],
  [
    308,
    'user_agent_new_24h',
    'flag',
    1,
    'the principal did not use this agent within 24 h',
    `${YOUNG}, or no User-Agent`,
  ],
  [
    309,
    'asn_new_24h',
    'flag',
    1,
    'the principal was not seen in this network (ASN) within 24 h',
    `${YOUNG}, or network unknown`,
  ],
]);

const STATE = group('state', [
  [400, 'state_age_s', 's', Infinity, 'seconds that this feature engine has been counting'],
]);

/** All features in vector order. */
export const FEATURES: readonly Feature[] = [
  ...REQUEST,
  ...axisFeatures('identity', 100),
  ...axisFeatures('address', 200),
  ...LINK,
  ...STATE,
  ...SESSION_FEATURES,
  ...SEQUENCE_FEATURES,
  ...OBJECT_FEATURES,
  ...CROSSING_FEATURES,
  ...BUCKET_FEATURES,
  ...GEO_FEATURES,
  ...ENCOUNTER_FEATURES,
  ...LEXICAL_FEATURES,
  ...BODY_FEATURES,
  ...ROUTE_PROFILE_FEATURES,
];

export const FEATURE_COUNT = FEATURES.length;

/** Place in the vector by permanent id. */
export const PLACE_BY_ID: ReadonlyMap<number, number> = new Map(FEATURES.map((f, place) => [f.id, place]));

/** Place in the vector by name. */
export const PLACE_BY_NAME: ReadonlyMap<string, number> = new Map(
  FEATURES.map((f, place) => [f.name, place]),
);

/** Place of a feature of this build; throws on a name that does not exist, so a typo fails at load. */
export function placeOf(name: string): number {
  const place = PLACE_BY_NAME.get(name);
  if (place === undefined) throw new RangeError(`no feature is named ${name}`);
  return place;
}

/** The permanent ids in vector order: what `hello` offers and what an event's schema id stands for. */
export const OFFERED_IDS: readonly number[] = FEATURES.map((f) => f.id);
