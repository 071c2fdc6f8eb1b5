// What goes into the feature engine and what it tells of itself: options, one request as it sees it, figures, memory plan.
// Shapes only; engine.ts re-exports them.

import type { HeadView } from '../domain/head-view.ts';
import type { RequestIdentity } from '../domain/identity.ts';
import type { ClosedBucket } from '../domain/workload-bucket.ts';
import type { KernelVariant } from './kernel/module.ts';

export interface TableStats {
  readonly capacity: number;
  /** Rows in use. */
  readonly rows: number;
  /** Rows that made room for a new key. */
  readonly evictions: number;
  /** Those of them that had left probation. */
  readonly evictedKnown: number;
  /** Look-ups that got no row, because all of the set were known and not idle. */
  readonly refused: number;
  /** Rows that moved to another key, at a rotation. */
  readonly renamed: number;
}

export interface FeatureEngineOptions {
  /** Rows for identities (default LIMITS.identitiesDefault), rounded up to a multiple of 8. */
  readonly identities?: number;
  /** Rows for client addresses (default: as many as identities). */
  readonly addresses?: number;
  /** Profiles, from a principal's second request on (default: 1 for 4 identities), rounded up to a multiple of 8. */
  readonly profiles?: number;
  /** Client addresses whose place and network are kept (default 16,384). */
  readonly addressFacts?: number;
  /** When counting began, ms since the epoch; `state_age_s` is measured from here. */
  readonly startedMs: number;
  /**
   * New identities that a client address may bring in a minute (two-slice window); the credentials beyond share one row, that
   * of the address's key. Default 0: no cap, since behind an ingress all users share one peer.
   */
  readonly newIdentitiesPerPeer?: number;
  /** Keys the hashes behind distinct counts; the same value wherever rows are exchanged. Default 0. */
  readonly sketchSeed?: number;
  /** Rows for what other replicas counted of the same identities, at most 65,535; default 0: windows are not shared. */
  readonly sharedViews?: number;
  /** Build of the kernels: `debug` (assertions) is for tests. Default 'release'. */
  readonly kernels?: KernelVariant;
  /** Told of each complete 10 s bucket of the workload, for events. */
  readonly onBucket?: (bucket: ClosedBucket) => void;
}

/** One request as the engine sees it. One object per thread, refilled for every request. */
export interface ObservedRequest {
  head: HeadView;
  who: RequestIdentity;
  /** Hash of the route template: `Route.hash` of routes.ts. */
  routeHash: number;
  /** Accept time, ms since the epoch; an earlier time than the last one counts as that one. */
  nowMs: number;
  /** The client address as text, for the address databases; without it the geo features are missing. */
  addressText?: string;
  /** Keyed 32-bit hash of the login name that the request carries; 0 or absent without one. */
  login?: number;
  /** First bytes of the body, where the route holds them; without it the body features are missing. */
  bodyPrefix?: Uint8Array;
}

export interface EngineStats {
  readonly identities: TableStats;
  readonly addresses: TableStats;
  readonly profiles: TableStats;
  readonly observed: number;
  readonly outcomes: number;
  /** Outcomes, per axis, whose row had made room for another key: dropped. */
  readonly staleOutcomes: number;
  /** Outcomes, per axis, older than the previous 5-minute slice: dropped. */
  readonly lateOutcomes: number;
  /** The same for each window, in the order of WINDOW_MS: an outcome may be too late for 10 s and not for 5 minutes. */
  readonly lateByWindow: readonly number[];
  /** Look-ups of credentials that shared a row, because their address had brought too many. */
  readonly sharedRows: number;
}

/** One line of the memory plan. */
export interface MemoryItem {
  readonly name: string;
  readonly bytes: number;
}
