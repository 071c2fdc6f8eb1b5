// Which features the default model may see. Left out: whatever would teach it the simulator instead of behaviour
// (sizes of heads, targets and agents, which the simulator makes up; ages and totals, which tell how a run was set up;
// windows of an hour, which short runs never fill; whether a credential was shown).

import { FEATURES } from '../../domain/features.ts';

const LEFT_OUT = new Set([
  'path_bytes',
  'path_segments',
  'query_bytes',
  'query_params',
  'header_fields',
  'header_bytes',
  'body_declared_bytes',
  'user_agent_bytes',
  'credential_shown',
  'identity_bytes_in_5m',
  'identity_bytes_out_5m',
  'identity_requests_1h',
  'identity_routes_1h',
  'identity_user_agents_1h',
  'identity_age_s',
  'identity_requests_total',
  'address_bytes_in_5m',
  'address_bytes_out_5m',
  'address_requests_1h',
  'address_routes_1h',
  'address_user_agents_1h',
  'address_age_s',
  'address_requests_total',
  'identity_addresses_1h',
  'address_identities_1h',
  'state_age_s',
]);

/** Names in vector order. */
export const MODEL_INPUTS: readonly string[] = FEATURES.map((feature) => feature.name).filter(
  (name) => !LEFT_OUT.has(name),
);
