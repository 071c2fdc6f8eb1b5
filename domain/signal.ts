// Signals: the plain reasons that stand beside every flagged verdict, inline and at no cost for allowed requests.
// Each is one feature over a fixed line, so that a person sees at once what was unusual. They explain, they do not judge:
// exact contributions come from SHAP. The list is closed; a new signal is a new bit at the end.

import { placeOf } from './features.ts';

interface SignalRule {
  readonly code: string;
  readonly feature: string;
  /** The signal is on at and above this value. */
  readonly from: number;
  readonly meaning: string;
}

const RULES = [
  {
    code: 'rate.identity',
    feature: 'identity_requests_10s',
    from: 30,
    meaning: '30 requests or more in 10 s by one identity',
  },
  {
    code: 'rate.address',
    feature: 'address_requests_10s',
    from: 60,
    meaning: '60 requests or more in 10 s from one address',
  },
  {
    code: 'deletes.identity',
    feature: 'identity_deletes_5m',
    from: 10,
    meaning: '10 DELETE or more in 5 min by one identity',
  },
  {
    code: 'deletes.share',
    feature: 'identity_delete_share_5m',
    from: 0.5,
    meaning: "half of the identity's requests in 5 min are DELETE",
  },
  {
    code: 'errors.not_found',
    feature: 'identity_status_404_5m',
    from: 20,
    meaning: '20 answers 404 or more in 5 min to one identity',
  },
  {
    code: 'errors.denied',
    feature: 'identity_status_403_5m',
    from: 10,
    meaning: '10 answers 403 or more in 5 min to one identity',
  },
  {
    code: 'errors.unauthorised',
    feature: 'address_status_401_5m',
    from: 10,
    meaning: '10 answers 401 or more in 5 min to one address',
  },
  {
    code: 'addresses.many',
    feature: 'identity_addresses_5m',
    from: 4,
    meaning: 'one identity at 4 addresses or more in 5 min',
  },
  {
    code: 'address.new',
    feature: 'address_new',
    from: 1,
    meaning: 'the identity was not seen at this address before',
  },
  {
    code: 'agents.many',
    feature: 'identity_user_agents_5m',
    from: 4,
    meaning: 'one identity with 4 user agents or more in 5 min',
  },
  {
    code: 'agent.new',
    feature: 'user_agent_new',
    from: 1,
    meaning: 'the identity did not use this user agent before',
  },
  {
    code: 'route.new',
    feature: 'route_new',
    from: 1,
    meaning: 'the identity did not call this route before',
  },
  {
    code: 'paths.many',
    feature: 'identity_paths_5m',
    from: 60,
    meaning: '60 distinct paths or more in 5 min by one identity',
  },
  {
    code: 'identities.many',
    feature: 'address_identities_5m',
    from: 40,
    meaning: '40 identities or more at one address in 5 min',
  },
  {
    code: 'target.odd',
    feature: 'target_odd_bytes',
    from: 8,
    meaning: '8 unusual bytes or more in the target',
  },
  {
    code: 'target.rewritten',
    feature: 'target_rewritten',
    from: 1,
    meaning: 'the path changes when normalised',
  },
] as const satisfies readonly SignalRule[];

export const SIGNALS: readonly SignalRule[] = RULES;
const PLACES = RULES.map((rule) => placeOf(rule.feature));

/** Bit i is set if SIGNALS[i] is on. `vector`: one value per feature, NaN = missing (never on). */
export function signalBits(vector: Float64Array | Float32Array): number {
  let bits = 0;
  for (let i = 0; i < RULES.length; i++) {
    if ((vector[PLACES[i] as number] as number) >= (RULES[i] as SignalRule).from) bits |= 1 << i;
  }
  return bits;
}

export function signalCodes(bits: number): string[] {
  return SIGNALS.filter((_, i) => ((bits >>> i) & 1) === 1).map((rule) => rule.code);
}
