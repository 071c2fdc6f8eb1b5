// Features of where a request comes from, in the order in which feature-engine/travel.ts writes them. Without address databases
// (`--geo`, `--asn`) all but the kind of private addresses and the turns of address/agent pairs are missing.

import { type Feature, featureGroup } from './feature.ts';

const UNKNOWN = 'address not in the database, or no database';
const NO_MOVE = 'no earlier located request of the identity, or address not in the database';
const YOUNG = 'identity younger than 5 requests, engine younger than 24 h, or not in the database';

export const GEO_FEATURES: readonly Feature[] = featureGroup('geo', [
  [1000, 'geo_latitude', 'degrees', [-90, 90], 'latitude of the client address', UNKNOWN],
  [1001, 'geo_longitude', 'degrees', [-180, 180], 'longitude of the client address', UNKNOWN],
  [1002, 'address_private', 'flag', 1, 'private, loopback, link-local or carrier-NAT address', 'no address'],
  [1003, 'address_datacenter', 'flag', 1, 'address of a cloud, hosting company or VPN exit', 'no address'],
  [1004, 'geo_distance_km', 'km', 20_038, 'from the last located request of the identity', NO_MOVE],
  [1005, 'geo_velocity_km_h', 'km_h', 7.3e7, 'that distance / the time since, at least 1 s', NO_MOVE],
  [1006, 'geo_impossible_travel', 'flag', 1, 'more than 100 km at more than 1000 km/h', NO_MOVE],
  [
    1007,
    'pair_turns_5m',
    'count',
    131_070,
    'times in 5 minutes that two address and agent pairs of the identity took turns',
    'no profile',
  ],
  [1008, 'country_new', 'flag', 1, 'the identity was not seen in this country in 24 h', YOUNG],
  [1009, 'asn_new', 'flag', 1, 'the identity was not seen in this network in 24 h', YOUNG],
]);
