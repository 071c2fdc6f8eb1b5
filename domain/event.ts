// One request's record, as it leaves the sidecar: who (hashed), what (template, no query), how it was judged, what came of it.
// Never in it: raw tokens, cookies, query values, bodies. Key = (boot id, stream, sequence), never the request id.

import type { MethodName } from './head-view.ts';
import type { IdentityKind, PrincipalSource } from './identity.ts';
import type { Action, Mode, ModeSource, UnscoredCause, Verdict, VerdictReason } from './verdict.ts';

export interface EventKey {
  /** 32 hex digits, new at each start of a sidecar. */
  readonly bootId: string;
  /** Which ring of which worker; sequences are contiguous per stream and start at 1. */
  readonly stream: number;
  readonly sequence: number;
}

export interface EventOutcome {
  readonly status: number;
  readonly latencyMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** A refusal code if Picket answered in place of the origin, else empty. */
  readonly refusal: string;
}

export interface PicketEvent extends EventKey {
  readonly requestId: string;
  readonly atMs: number;
  readonly namespace: string;
  readonly workload: string;
  readonly identityKind: IdentityKind;
  /** 32 hex digits. */
  readonly identityKey: string;
  readonly addressKey: string;
  /** Who stands behind the identity; equal to `identityKey` with the source `credential`. */
  readonly principalKey: string;
  readonly principalSource: PrincipalSource;
  /** Names the key that made the hashes, so that a rotation is no riddle; 0 = unknown. */
  readonly identityKeyId: number;
  readonly method: MethodName;
  readonly route: string;
  /** Path without query, cut at LIMITS.eventPathMaxBytes. */
  readonly path: string;
  /** 0..1; NaN if unscored. */
  readonly score: number;
  readonly margin: number;
  readonly unscored: UnscoredCause;
  readonly attackClass: string;
  readonly verdict: Verdict;
  readonly reason: VerdictReason;
  /** Bits of domain/signal.ts. */
  readonly signals: number;
  readonly action: Action;
  readonly mode: Mode;
  readonly modeSource: ModeSource;
  readonly policyVersion: string;
  readonly bundleId: string;
  /** Requests that this event stands for (sampling of allowed ones under pressure). */
  readonly sampleWeight: number;
  /** Names the list of feature ids that `vector` follows. */
  readonly schemaId: string;
  /** The feature vector as it was scored; NaN = missing. Empty if unscored for want of features. */
  readonly vector: Float32Array;
  /** Null while the answer is still under way; amended later. */
  readonly outcome: EventOutcome | null;
}

/** The late outcome of an event that went out pending. */
export interface EventAmendment extends EventKey {
  /** The event that it completes, in the same stream. */
  readonly amends: number;
  readonly outcome: EventOutcome;
}

/** Events that a producer gave up: [first, last] of one stream. */
export interface DroppedRange {
  readonly stream: number;
  readonly first: number;
  readonly last: number;
}
