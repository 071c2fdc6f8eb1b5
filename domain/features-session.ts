// Features of the identity's session call graph (seed 000), in the order in which kernel/assembly/graph.ts writes them.
// A session ends after 30 minutes without a call. Degrees are those of the edges: how many edges share the source or the
// destination, in this session's graph (local) or in all graphs of the workload when the edge arrived (global).

import { type Feature, type FeatureRow, featureGroup } from './feature.ts';

const NO_PROFILE = 'no profile';
const NO_EDGE = 'fewer than 2 requests in the session';
const ONE_EDGE = 'fewer than 2 distinct edges';

function degrees(id: number, which: string, global: boolean): FeatureRow[] {
  const unit = global ? 'per_mille' : 'count';
  const max = global ? 1000 : 32;
  const of = `${which} degree of the edges${global ? ', per mille of all edges of the workload' : ''}`;
  const name = which.replace(' ', '_');
  return [
    [id, `graph_${name}_avg`, unit, max, `mean ${of}`, NO_EDGE],
    [id + 1, `graph_${name}_min`, unit, max, `smallest ${of}`, NO_EDGE],
    [id + 2, `graph_${name}_max`, unit, max, `largest ${of}`, NO_EDGE],
    [id + 3, `graph_${name}_std`, unit, max, `sample standard deviation of the ${of}`, ONE_EDGE],
  ];
}

export const SESSION_FEATURES: readonly Feature[] = featureGroup('session', [
  [500, 'session_calls', 'count', Infinity, 'calls of the session, this one included', NO_PROFILE],
  [501, 'session_duration_s', 's', Infinity, 'seconds since the first call of the session', NO_PROFILE],
  [502, 'session_gap_mean_ms', 'ms', Infinity, 'mean time between the calls of the session', NO_EDGE],
  [503, 'session_routes', 'count', 710, 'distinct routes (a 128-bit sketch once truncated)', NO_PROFILE],
  [504, 'session_uniqueness', 'share', 1, 'distinct routes / calls of the session', NO_PROFILE],
  [505, 'graph_edges', 'count', 32, 'distinct edges previous route -> this route', NO_PROFILE],
  [506, 'graph_nodes', 'count', 33, 'routes that an edge joins', NO_PROFILE],
  ...degrees(507, 'local source', false),
  ...degrees(511, 'local dest', false),
  ...degrees(515, 'global source', true),
  ...degrees(519, 'global dest', true),
  [
    523,
    'graph_truncated',
    'flag',
    1,
    'the session has more than 32 edges; later ones are not taken',
    NO_PROFILE,
  ],
  [
    524,
    'graph_rarity',
    'count',
    134,
    'identities whose session had just these edges in 24 h (sketch)',
    NO_PROFILE,
  ],
]);
