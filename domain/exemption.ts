// Exemptions: who or what a verdict must not meet, for a reason, by an owner, until a time.
// A match turns flag and block into allow; the score is still computed and recorded, hits are counted.

import { type Cidr, cidrContains, parseCidr } from './cidr.ts';
import { matchesRoute, parseRoutePattern, type RoutePattern } from './route-pattern.ts';
import type { ExemptKind } from './verdict.ts';

/** Exactly one of identity, cidr and route is set (the schema sees to it). */
export interface Exemption {
  readonly id: string;
  readonly reason: string;
  readonly owner: string;
  /** ISO time at which it ends by itself. */
  readonly expires?: string | undefined;
  /** `kind:32 hex digits` as events show it. */
  readonly identity?: string | undefined;
  readonly cidr?: string | undefined;
  readonly route?: string | undefined;
}

export interface CompiledExemption {
  readonly id: string;
  readonly kind: Exclude<ExemptKind, 'none'>;
  readonly expiresMs: number;
  readonly identity: string | null;
  readonly cidr: Cidr | null;
  readonly route: RoutePattern | null;
}

export function compileExemptions(exemptions: readonly Exemption[]): CompiledExemption[] {
  return exemptions.map((exemption) => ({
    id: exemption.id,
    kind: exemption.identity !== undefined ? 'identity' : exemption.cidr !== undefined ? 'address' : 'route',
    expiresMs: exemption.expires === undefined ? Infinity : Date.parse(exemption.expires),
    identity: exemption.identity ?? null,
    cidr: exemption.cidr === undefined ? null : parseCidr(exemption.cidr),
    route: exemption.route === undefined ? null : parseRoutePattern(exemption.route),
  }));
}

export interface ExemptionQuery {
  readonly identity: string;
  readonly address: Uint8Array | null;
  readonly method: string;
  readonly path: string;
  readonly nowMs: number;
}

/** First exemption that matches, or null. Called only for requests that would be flagged. */
export function findExemption(
  exemptions: readonly CompiledExemption[],
  query: ExemptionQuery,
): CompiledExemption | null {
  for (const exemption of exemptions) {
    if (exemption.expiresMs <= query.nowMs) continue;
    if (exemption.identity !== null && exemption.identity === query.identity) return exemption;
    if (exemption.cidr !== null && query.address !== null && cidrContains(exemption.cidr, query.address))
      return exemption;
    if (exemption.route !== null && matchesRoute(exemption.route, query.method, query.path)) return exemption;
  }
  return null;
}
