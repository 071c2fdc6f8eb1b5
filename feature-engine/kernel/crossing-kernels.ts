// What crosses identities as the host sees it: what the kernels export and how their tables get their region. Configures and
// sizes only; the kernels are assembly/crossing.ts, crossing-table.ts and login-routes.ts. Used by the engine when it makes
// its memory, and by tests.

import type { EngineMemory } from './memory.ts';

export interface CrossingKernels {
  readonly loginRoutesBytes: { readonly value: number };
  configureCrossing(
    at: number,
    addressSets: number,
    subnetSets: number,
    networkSets: number,
    agentRouteSets: number,
    loginSets: number,
    place: number,
  ): void;
  /** Writes the features of the request of the call struct, as known before it, into the vector at `out`. */
  observeCrossing(out: number): void;
  /** Counts the answer of the call struct. */
  crossingAnswered(): void;
  log2(value: number): number;
}

/** Places that observeCrossing fills. */
export const CROSSING_FEATURES_COUNT = 35;

/** Entries of the tables, by unit and for login names; each rounded up to four times a power of two. */
export interface CrossingOptions {
  readonly addresses?: number;
  readonly subnets?: number;
  readonly networks?: number;
  readonly agentRoutes?: number;
  readonly logins?: number;
}

const WAYS = 4;
/** Keys and entries of a set of four. */
const SET_BYTES = WAYS * 4 + WAYS * 64;
const LOGIN_ROUTES_BYTES = 64 + 64 * 64;

function setsOf(options: CrossingOptions): number[] {
  const { addresses = 4096, subnets = 2048, networks = 512, agentRoutes = 1024, logins = 4096 } = options;
  return [addresses, subnets, networks, agentRoutes, logins].map(
    (entries) => 2 ** Math.ceil(Math.log2(Math.max(entries / WAYS, 1))),
  );
}

/** Bytes that configureCrossing takes, whatever the number of identities. */
export function crossingBytes(options: CrossingOptions = {}): number {
  return setsOf(options).reduce((sum, sets) => sum + sets * SET_BYTES, LOGIN_ROUTES_BYTES);
}

/** Gives the crossing kernels their region and place. Once per memory. Throws RangeError when it is too small. */
export function configureCrossing(memory: EngineMemory, place: number, options: CrossingOptions = {}): void {
  const { kernels } = memory;
  if (kernels.loginRoutesBytes.value !== LOGIN_ROUTES_BYTES)
    throw new RangeError(`login routes take ${kernels.loginRoutesBytes.value} bytes`);
  const [addresses = 1, subnets = 1, networks = 1, agentRoutes = 1, logins = 1] = setsOf(options);
  const at = memory.take(crossingBytes(options), 'crossing');
  kernels.configureCrossing(at, addresses, subnets, networks, agentRoutes, logins, place);
}
