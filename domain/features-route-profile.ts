// Features of a request against the learned profile of its route (assembly/route-profile.ts), in the order in which it writes
// them. A profile learns from requests that the origin answered with 2xx or 3xx. Values are read after up to three rounds of
// percent-decoding.

import { type Feature, featureGroup } from './feature.ts';

const BYTES_MAX = 8192;
const CLASSES = 'lower, upper, digit, "-._~", space, delimiter, other, high';
const YOUNG = 'fewer than 50 good answers on the route';

export const ROUTE_PROFILE_FEATURES: readonly Feature[] = featureGroup('route_profile', [
  [1300, 'route_answers', 'count', Infinity, 'good answers that the profile of the route has learnt from'],
  [
    1301,
    'route_path_new',
    'flag',
    1,
    'the raw path never had a good answer on the route (set of 256 bits)',
    `${YOUNG}, or more paths than can be told apart (about 90)`,
  ],
  [
    1302,
    'route_params_new',
    'count',
    8,
    'names among the first 8 parameters that never had a good answer on the route (set of 256 bits)',
    YOUNG,
  ],
  [
    1303,
    'route_target_bytes_off',
    'ratio',
    [-BYTES_MAX, BYTES_MAX],
    'bytes of the target less their mean on the route, over their mean deviation plus 1',
    YOUNG,
  ],
  [1304, 'route_query_bytes_off', 'ratio', [-BYTES_MAX, BYTES_MAX], 'the same of the query', YOUNG],
  [
    1305,
    'route_value_bytes_off',
    'ratio',
    [-BYTES_MAX, BYTES_MAX],
    'the same of the longest parameter value',
    YOUNG,
  ],
  [
    1306,
    'route_classes_new',
    'count',
    8,
    `classes of bytes in parameter values (${CLASSES}) never seen on the route`,
    YOUNG,
  ],
  [
    1307,
    'route_bytes_new',
    'count',
    128,
    'distinct bytes under 128 in parameter values never seen on the route',
    YOUNG,
  ],
]);
