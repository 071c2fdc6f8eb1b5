// Figures of the traffic tool that only its faithful mode needs: gap lists of 2019, old browser strings, random scenarios, and
// the invented registry that says where an address is. Tables and look-ups; the figures of 2020 are in ../traffic-tables.ts.
// Source of the tool's figures: wso2/product-apim-tooling and ThaminduDilshan/APIM-Traffic-Tool (Apache-2.0).

/** Gaps in seconds, p1..p5 of 2019, gone through in order. */
export const GAP_LISTS_2019: readonly (readonly number[])[] = [
  [
    0, 100, 0, 2, 300, 500, 1, 2, 100, 400, 700, 1, 0, 0, 900, 30, 600, 1800, 1800, 2, 400, 6, 100, 0, 0, 200,
    100, 0, 100,
  ],
  [
    0, 1, 0, 0, 2, 0, 5, 0, 1, 0, 10, 0, 15, 0, 20, 15, 1800, 0, 1, 0, 0, 0, 2, 1, 0, 1, 0, 0, 15, 0, 10, 0,
    20,
  ],
  [
    0, 1, 0, 0, 2, 0, 5, 0, 1, 0, 10, 0, 15, 0, 20, 15, 600, 0, 1, 0, 0, 0, 2, 1, 600, 0, 1, 0, 0, 15, 0, 10,
    0, 20,
  ],
  [
    0, 1, 0, 0, 2, 0, 10, 0, 15, 0, 0, 20, 600, 0, 1, 0, 2, 1, 0, 10, 20, 0, 30, 0, 900, 0, 1, 0, 10, 0, 20,
    1800, 0, 1, 0, 10, 0, 20, 600, 0, 0, 10, 0, 30, 300, 0, 0, 1, 10, 0, 20, 1800, 0, 1, 0, 20, 300, 0, 10, 0,
    30, 1, 1,
  ],
  [1800, 300, 500],
];

/** Index into GAP_LISTS_2019 for each of GROUPS. */
export const GROUP_LISTS_2019: readonly number[] = [0, 2, 3, 3, 0, 1, 3, 4, 2];

/** Old browser strings: a token has one of them. */
export const OLD_AGENTS: readonly string[] = [
  'Mozilla/5.0 (X11; U; Linux x86_64; en-US; rv:1.9.1.3) Gecko/20090913 Firefox/3.5.3',
  'Mozilla/5.0 (Windows; U; Windows NT 6.1; en; rv:1.9.1.3) Gecko/20090824 Firefox/3.5.3 ' +
    '(.NET CLR 3.5.30729)',
  'Mozilla/5.0 (Windows; U; Windows NT 5.2; en-US; rv:1.9.1.3) Gecko/20090824 Firefox/3.5.3 ' +
    '(.NET CLR 3.5.30729)',
  'Mozilla/5.0 (Windows; U; Windows NT 6.1; en-US; rv:1.9.1.1) Gecko/20090718 Firefox/3.5.1',
  'Mozilla/5.0 (Windows; U; Windows NT 5.1; en-US) AppleWebKit/532.1 (KHTML, like Gecko) ' +
    'Chrome/4.0.219.6 Safari/532.1',
  'Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; WOW64; Trident/4.0; SLCC2; .NET CLR ' +
    '2.0.50727; InfoPath.2)',
  'Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.0; Trident/4.0; SLCC1; .NET CLR ' +
    '2.0.50727; .NET CLR 1.1.4322; .NET CLR 3.5.30729; .NET CLR 3.0.30729)',
  'Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.2; Win64; x64; Trident/4.0)',
  'Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; Trident/4.0; SV1; .NET CLR 2.0.50727; ' + 'InfoPath.2)',
  'Mozilla/5.0 (Windows; U; MSIE 7.0; Windows NT 6.0; en-US)',
  'Mozilla/4.0 (compatible; MSIE 6.1; Windows XP)',
  'Opera/9.80 (Windows NT 5.2; U; ru) Presto/2.5.22 Version/10.51',
];

/** Classes of the random scenario: calls a resource, and which gap patterns (indexes into GAPS) may be drawn. */
export const SCENARIO_CLASSES = [
  { from: 0, to: 10, patterns: [7] },
  { from: 10, to: 30, patterns: [1, 2, 4, 5, 6, 9] },
  { from: 30, to: 60, patterns: [0, 3, 8] },
] as const;

export interface Place {
  readonly country: string;
  /** Degrees. */
  readonly latitude: number;
  readonly longitude: number;
}

/** Countries of the invented registry, each at its capital. */
export const PLACES: readonly Place[] = [
  { country: 'LK', latitude: 6.9, longitude: 79.9 },
  { country: 'IN', latitude: 28.6, longitude: 77.2 },
  { country: 'GB', latitude: 51.5, longitude: -0.1 },
  { country: 'DE', latitude: 52.5, longitude: 13.4 },
  { country: 'FR', latitude: 48.9, longitude: 2.4 },
  { country: 'US', latitude: 38.9, longitude: -77.0 },
  { country: 'CA', latitude: 45.4, longitude: -75.7 },
  { country: 'BR', latitude: -15.8, longitude: -47.9 },
  { country: 'AR', latitude: -34.6, longitude: -58.4 },
  { country: 'ZA', latitude: -25.7, longitude: 28.2 },
  { country: 'KE', latitude: -1.3, longitude: 36.8 },
  { country: 'EG', latitude: 30.0, longitude: 31.2 },
  { country: 'TR', latitude: 39.9, longitude: 32.9 },
  { country: 'RU', latitude: 55.8, longitude: 37.6 },
  { country: 'KZ', latitude: 51.2, longitude: 71.4 },
  { country: 'CN', latitude: 39.9, longitude: 116.4 },
  { country: 'JP', latitude: 35.7, longitude: 139.7 },
  { country: 'KR', latitude: 37.6, longitude: 127.0 },
  { country: 'ID', latitude: -6.2, longitude: 106.8 },
  { country: 'AU', latitude: -35.3, longitude: 149.1 },
  { country: 'NZ', latitude: -41.3, longitude: 174.8 },
  { country: 'MX', latitude: 19.4, longitude: -99.1 },
  { country: 'SE', latitude: 59.3, longitude: 18.1 },
];

/** First octets that no country holds: private, loopback, "this network", multicast and above. */
function isUnassigned(first: number): boolean {
  return first === 0 || first === 10 || first === 127 || first >= 224;
}

/**
 * Where the registry places an IPv4 address: the first octet decides. Null for an address that no country holds.
 * Addresses of the real world are elsewhere: this serves simulated traffic only.
 */
export function placeOf(address: string): Place | null {
  const first = Number.parseInt(address, 10);
  return isUnassigned(first) ? null : (PLACES[first % PLACES.length] ?? null);
}

/** First octets of a country, given by its index in PLACES. */
export function firstOctetsOf(country: number): number[] {
  return Array.from({ length: 256 }, (_, first) => first).filter(
    (first) => first % PLACES.length === country && !isUnassigned(first),
  );
}
