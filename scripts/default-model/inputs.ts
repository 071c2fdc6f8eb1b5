// What the default model may see, in the order of the features' ids. Not among them: what would teach it the simulator instead of
// behaviour (sizes of heads, targets and agents, which the simulator makes up; ages and totals, which tell how a run was set up;
// windows of an hour and more, which short runs never fill), and what needs traffic that it does not make yet: places, profiles,
// buckets, texts. Called by the parts of scripts/train-default.ts.

const REQUEST = [
  'method_get',
  'method_post',
  'method_put',
  'method_delete',
  'target_encoded_share',
  'target_odd_bytes',
  'target_rewritten',
];
/** Of both axes, identity and address. */
const AXIS = [
  'requests_10s',
  'requests_1m',
  'requests_5m',
  'post_share_5m',
  'put_share_5m',
  'delete_share_5m',
  'deletes_5m',
  'client_error_share_5m',
  'server_error_share_5m',
  'status_401_5m',
  'status_403_5m',
  'status_404_5m',
  'status_429_5m',
  'routes_5m',
  'paths_5m',
  'user_agents_5m',
  'gap_ms',
  'gap_mean_ms',
  'gap_variation',
];
const LINK = ['identity_addresses_5m', 'address_identities_5m', 'address_new', 'user_agent_new', 'route_new'];

export const MODEL_INPUTS: readonly string[] = [
  ...REQUEST,
  ...['identity', 'address'].flatMap((axis) => AXIS.map((name) => `${axis}_${name}`)),
  ...LINK,
];
