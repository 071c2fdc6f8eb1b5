// Features that are counted alike on both axes, identity and client address, in the order in which the kernels write them
// (feature-engine/kernel/assembly/read-rows.ts): 15 counters for each of five windows, then shares, distinct counts, times.
// Of an identity, windows up to 5 minutes, gaps, age and total are the credential's, those of 1 h and 24 h the principal's.

import { type Feature, type FeatureRow, featureGroup } from './feature.ts';

const WINDOWS = [
  ['10s', 'the last 10 s'],
  ['1m', 'the last minute'],
  ['5m', 'the last 5 minutes'],
  ['1h', 'the last hour'],
  ['24h', 'the last 24 hours'],
] as const;

/** Two slices of u16, and of u32. */
const PACKED_MAX = 131_070;
const PACKED = '; stops at 65,535 a slice';
const WIDE = '; stops at 4,294,967,295 a slice';

/** Name, unit, meaning before the window, ids by window. Ids below 26 are those of the first release. */
const COUNTERS = [
  ['requests', 'count', 'requests in', [0, 1, 2, 3, 26]],
  ['bytes_in', 'bytes', `request body bytes, as seen at outcomes${WIDE}, in`, [27, 28, 4, 29, 30]],
  ['bytes_out', 'bytes', `response body bytes, as seen at outcomes${WIDE}, in`, [31, 32, 5, 33, 34]],
  ['get', 'count', `GET, HEAD and OPTIONS requests${PACKED}, in`, [35, 36, 37, 38, 39]],
  ['post', 'count', `POST requests${PACKED}, in`, [40, 41, 42, 43, 44]],
  ['put', 'count', `PUT and PATCH requests${PACKED}, in`, [45, 46, 47, 48, 49]],
  ['deletes', 'count', `DELETE requests${PACKED}, in`, [50, 51, 9, 52, 53]],
  ['status_2xx', 'count', `answers below 300 (101 is a success)${PACKED}, in`, [54, 55, 56, 57, 58]],
  ['status_3xx', 'count', `3xx answers${PACKED}, in`, [59, 60, 61, 62, 63]],
  ['status_4xx', 'count', `4xx answers${PACKED}, in`, [64, 65, 66, 67, 68]],
  ['status_5xx', 'count', `answers of 500 and above${PACKED}, in`, [69, 70, 71, 72, 73]],
  ['status_401', 'count', `401 answers${PACKED}, in`, [74, 75, 12, 76, 77]],
  ['status_403', 'count', `403 answers${PACKED}, in`, [78, 79, 13, 80, 81]],
  ['status_404', 'count', `404 answers${PACKED}, in`, [82, 83, 14, 84, 85]],
  ['status_429', 'count', `429 answers${PACKED}, in`, [86, 87, 15, 88, 89]],
] as const;

function counters(): FeatureRow[] {
  return WINDOWS.flatMap(([short, long], w) =>
    COUNTERS.map(([name, unit, meaning, ids]): FeatureRow => {
      const max = name === 'requests' ? Number.POSITIVE_INFINITY : unit === 'bytes' ? 2 ** 33 : PACKED_MAX;
      const included = name === 'requests' ? ', this one included' : '';
      return [ids[w] ?? -1, `${name}_${short}`, unit, max, `${meaning} ${long}${included}`];
    }),
  );
}

const REST: readonly FeatureRow[] = [
  [6, 'post_share_5m', 'share', 1, 'share of POST in the last 5 minutes'],
  [7, 'put_share_5m', 'share', 1, 'share of PUT and PATCH in the last 5 minutes'],
  [8, 'delete_share_5m', 'share', 1, 'share of DELETE in the last 5 minutes'],
  [
    10,
    'client_error_share_5m',
    'share',
    1,
    'share of 4xx in the answers of the last 5 minutes',
    'no answers',
  ],
  [
    11,
    'server_error_share_5m',
    'share',
    1,
    'share of 5xx in the answers of the last 5 minutes',
    'no answers',
  ],
  [
    16,
    'routes_5m',
    'count',
    311,
    'distinct route templates in the last 5 minutes (sketch of 64 bits a slice)',
  ],
  [17, 'routes_1h', 'count', 311, 'distinct route templates in the last hour (sketch of 64 bits a slice)'],
  [18, 'paths_5m', 'count', 311, 'distinct raw paths in the last 5 minutes (sketch of 64 bits a slice)'],
  [
    19,
    'user_agents_5m',
    'count',
    134,
    'distinct user agents in the last 5 minutes (sketch of 32 bits a slice)',
  ],
  [20, 'user_agents_1h', 'count', 134, 'distinct user agents in the last hour (sketch of 32 bits a slice)'],
  [21, 'gap_ms', 'ms', Number.POSITIVE_INFINITY, 'time since the previous request', 'first request'],
  [
    22,
    'gap_mean_ms',
    'ms',
    Number.POSITIVE_INFINITY,
    'exponential mean of gaps, weight 1/8',
    'fewer than 2 requests',
  ],
  [
    23,
    'gap_variation',
    'ratio',
    Number.POSITIVE_INFINITY,
    'exponential mean deviation of gaps / their mean',
    'fewer than 3 requests',
  ],
  [24, 'age_s', 's', Number.POSITIVE_INFINITY, 'seconds since the row was made'],
  [
    25,
    'requests_total',
    'count',
    Number.POSITIVE_INFINITY,
    'requests since the row was made, this one included',
  ],
];

/** The 90 features of one axis; ids begin at `base`: 100 for the identity's row, 200 for the address's. */
export function axisFeatures(name: 'identity' | 'address', base: number): readonly Feature[] {
  const whose = name === 'identity' ? 'of the identity' : 'of the client address';
  return featureGroup(
    name,
    [...counters(), ...REST].map(([id, rowName, unit, max, meaning, missing]) => [
      base + id,
      `${name}_${rowName}`,
      unit,
      max,
      `${meaning}; ${whose}`,
      missing ?? 'never',
    ]),
  );
}
