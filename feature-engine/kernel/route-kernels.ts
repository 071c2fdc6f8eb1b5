// Profiles of routes as the host sees them: what the kernel exports and how it gets its region. Configures and sizes only; the
// kernel is assembly/route-profile.ts. Used by the engine when it makes its memory, and by tests.

import type { EngineMemory } from './memory.ts';

export interface RouteKernels {
  readonly routeProfilesBytes: { readonly value: number };
  configureRouteProfiles(at: number, place: number): void;
  /** Writes the features of the request of the call struct, whose head was read, into the vector at `out`. */
  routeProfileObserve(out: number): void;
  /** Keeps what an answer may teach in the trace at `trace`; and teaches it, for a good answer. */
  routeProfileKeep(trace: number): void;
  routeProfileAnswered(trace: number): void;
}

/** Profiles of 512 routes, whatever the number of identities. */
export const ROUTE_PROFILES_BYTES = 67_584;

/** Gives the kernel its region and place. Once per memory. Throws RangeError when it is too small. */
export function configureRouteProfiles(memory: EngineMemory, place: number): void {
  const { kernels } = memory;
  if (kernels.routeProfilesBytes.value !== ROUTE_PROFILES_BYTES)
    throw new RangeError(`profiles of routes take ${kernels.routeProfilesBytes.value} bytes`);
  kernels.configureRouteProfiles(memory.take(ROUTE_PROFILES_BYTES, 'route profiles'), place);
}
