// What goes into the feature engine and what it tells of itself: options, one request as it sees it, figures, memory plan.
// Shapes only; engine.ts re-exports them.

import type { HeadView } from '../domain/head-view.ts';
import type { RequestIdentity } from '../domain/identity.ts';
import type { ClosedBucket } from './bucket.ts';
import type { TableStats } from './row-table.ts';

export interface FeatureEngineOptions {
  /** Rows for identities (default LIMITS.identitiesDefault), rounded up to a multiple of 8. */
  readonly identities?: number;
  /** Rows for client addresses (default: as many as identities). */
  readonly addresses?: number;
  /** Profiles, from an identity's second request on (default: 2 for 5 identities), rounded up to a multiple of 8. */
  readonly profiles?: number;
  /** Client addresses whose place and network are kept (default 16,384). */
  readonly addressFacts?: number;
  /** When counting began, ms since the epoch; `state_age_s` is measured from here. */
  readonly startedMs: number;
  /** Rows in SharedArrayBuffers (default true), so that other threads may read them. */
  readonly shared?: boolean;
  /** Keys the hashes behind distinct counts; the same value wherever rows are exchanged. Default 0. */
  readonly sketchSeed?: number;
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
}

/** One line of the memory plan. */
export interface MemoryItem {
  readonly name: string;
  readonly bytes: number;
}
