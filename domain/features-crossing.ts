// Features of what crosses identities (stuffing, botnets), in the order in which kernel/assembly/crossing.ts writes them: how
// many credentials and login names share an address, its /24 (or /56), its network, or the same agent on the same route, and
// how often the origin refused them, over 1 hour. They hold what is known before the request at hand: answers count when they
// come.

import { type Feature, type FeatureRow, featureGroup } from './feature.ts';

const UNITS = [
  ['address', 'the client address'],
  ['subnet', 'the /24 (IPv6: /56) of the client address'],
  ['network', 'the network (ASN) of the client address'],
  ['agent_route', 'this user agent on this route'],
] as const;

const UNKNOWN = 'nothing answered there in 1 hour, or not known';

function unit(id: number, name: string, what: string): FeatureRow[] {
  const among = (status: number) => `share of ${status} among the answers in 1 hour at ${what}`;
  return [
    [id, `${name}_credentials_1h`, 'count', 311, `distinct identities in 1 hour at ${what}`, UNKNOWN],
    [id + 1, `${name}_logins_1h`, 'count', 311, `distinct login names in 1 hour at ${what}`, UNKNOWN],
    [id + 2, `${name}_401_share_1h`, 'share', 1, among(401), UNKNOWN],
    [id + 3, `${name}_403_share_1h`, 'share', 1, among(403), UNKNOWN],
    [id + 4, `${name}_429_share_1h`, 'share', 1, among(429), UNKNOWN],
  ];
}

function unitLater(id: number, name: string, what: string): FeatureRow[] {
  return [
    [id, `${name}_answers_1h`, 'count', 131_070, `answers in 1 hour at ${what}; over 65,535 halved`, UNKNOWN],
    [
      id + 1,
      `${name}_404_share_1h`,
      'share',
      1,
      `share of 404 among the answers in 1 hour at ${what}`,
      UNKNOWN,
    ],
    [
      id + 2,
      `${name}_other_4xx_share_1h`,
      'share',
      1,
      `share of other 4xx among the answers in 1 hour at ${what}`,
      UNKNOWN,
    ],
  ];
}

export const CROSSING_FEATURES: readonly Feature[] = featureGroup('crossing', [
  ...UNITS.flatMap(([name, what], i) => unit(800 + 5 * i, name, what)),
  [
    820,
    'login_addresses_1h',
    'count',
    311,
    'distinct addresses in 1 hour of this login name',
    'no login name',
  ],
  [
    821,
    'login_failure_ratio',
    'log_ratio',
    [-40, 40],
    'log2((refused logins of the route in 5 minutes + 1) / (those to expect by its habit + 1))',
    'no login name, or the route has no habit yet',
  ],
  ...UNITS.flatMap(([name, what], i) => unitLater(822 + 3 * i, name, what)),
  [834, 'login_refused_1h', 'count', 131_070, '401 and 403 in 1 hour for this login name', 'no login name'],
]);
