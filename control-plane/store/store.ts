// What the control plane keeps, and the only door to it: events, policy versions, models. No SQL shows here.
// SQLite implements it (sqlite-store.ts); one contract suite (testing/event-contract.ts) says what any implementation owes.
// Everything that was answered is durable: it survives the death of the process at any moment.

import type { EventOutcome } from '../../domain/event.ts';
import type { MethodName } from '../../domain/head-view.ts';
import type { Action, Mode, ModeSource, UnscoredCause, Verdict } from '../../domain/verdict.ts';
import type { BucketParts } from '../../domain/workload-bucket.ts';

/** How far one stream of a producer is settled: stored, dropped, refused or lost, up to and including `sequence`. */
export interface StreamMark {
  readonly stream: number;
  readonly sequence: number;
}

export interface AssignedMarks {
  /** 32 hex digits. */
  readonly bootId: string;
  readonly marks: readonly StreamMark[];
}

export interface AppendResult {
  /** The batch's own number, echoed. */
  readonly batch: number;
  /** Of the streams that the batch named. */
  readonly highWater: readonly StreamMark[];
  /** Events, amendments and buckets that were new. */
  readonly stored: number;
  /** Sequences that were settled before. */
  readonly repeated: number;
  readonly refused: number;
  /** What was wrong with the first refused one, else empty. */
  readonly firstRefusal: string;
}

export interface EventQuery {
  /** Only ids above it; 0 = from the start. Ignored with `newest`. */
  readonly afterId: number;
  /** 1..1000. */
  readonly limit: number;
  /** The last `limit` events that match, in ascending order, instead of the first ones. */
  readonly newest: boolean;
  /** With `newest`: only ids below it (0 = no bound), to page backwards. */
  readonly beforeId: number;
  /** Filters, joined by "and"; an empty one lets everything pass. */
  readonly verdicts: readonly Verdict[];
  readonly namespace: string;
  readonly workload: string;
  readonly requestIds: readonly string[];
  readonly sinceMs: number;
  /** `kind:32 hex digits` or empty. */
  readonly identity: string;
}

/** The narrow part of a stored event. */
export interface StoredVerdict {
  readonly id: number;
  readonly requestId: string;
  readonly atMs: number;
  readonly namespace: string;
  readonly workload: string;
  /** `kind:32 hex digits`. */
  readonly identity: string;
  readonly method: MethodName;
  readonly route: string;
  readonly score: number;
  readonly unscored: UnscoredCause;
  readonly attackClass: string;
  readonly verdict: Verdict;
  readonly reason: string;
  /** Bits of domain/signal.ts. */
  readonly signals: number;
  readonly action: Action;
  readonly mode: Mode;
  readonly modeSource: ModeSource;
  readonly policyVersion: string;
  readonly bundleId: string;
  readonly sampleWeight: number;
  readonly outcome: EventOutcome | null;
}

/** The wide part of a stored event. */
export interface StoredBody {
  readonly path: string;
  readonly addressKey: string;
  readonly margin: number;
  readonly schemaId: string;
  /** Empty if the schema was never sent. */
  readonly featureIds: readonly number[];
  readonly vector: Float32Array;
}

export interface EventPage {
  readonly events: readonly StoredVerdict[];
  /** Continue from here: ascending pages after it, `newest` pages before it. */
  readonly nextId: number;
  /** False if more of the store is still to be looked at (a page may be empty and yet not the last). */
  readonly done: boolean;
}

/** Sums over all producers that the store remembers. */
export interface StreamTotals {
  readonly stored: number;
  readonly dropped: number;
  readonly refused: number;
  /** Skipped inside a stream without a report. */
  readonly skipped: number;
  /** Assigned beyond what is settled, by boot id (32 hex digits); the caller knows which are still connected. */
  readonly unsettled: Readonly<Record<string, number>>;
  /** The same for producers that were forgotten since. */
  readonly unsettledForgotten: number;
}

/** Events and their amendments; buckets of workloads are accounted for apart. */
export interface StoreTotals extends StreamTotals {
  readonly buckets: StreamTotals;
  readonly verdicts: Readonly<Record<Verdict, number>>;
}

export interface EventStore {
  /** `batch`: an encoded picket.v1.PublishRequest. Resolves when it is durable; DATA_INVALID if it is no batch at all. */
  append(batch: Uint8Array): Promise<AppendResult>;
  /** Last assigned sequence of each stream, as heartbeats carry it. Never moves a settled mark. One commit for all. */
  noteAssigned(producers: readonly AssignedMarks[]): Promise<void>;
  marks(bootId: string): Promise<readonly StreamMark[]>;
  /** One page of bounded work, see EventPage. */
  page(query: EventQuery): Promise<EventPage>;
  /** One event by its id; null if there is none (any more). */
  event(id: number): Promise<{ verdict: StoredVerdict; body: StoredBody } | null>;
  totals(): Promise<StoreTotals>;
  /** Counts per minute: one row for each (minute, workload, verdict, action) at or after `sinceMs`. */
  rollups(sinceMs: number): Promise<readonly Rollup[]>;
  /** Buckets of workloads, those of all replicas merged: the newest `limit`, oldest first. */
  buckets(query: BucketQuery): Promise<readonly StoredBucket[]>;
}

export interface BucketQuery {
  readonly sinceMs: number;
  /** Empty ones let everything pass. */
  readonly namespace: string;
  readonly workload: string;
  readonly limit: number;
}

export interface StoredBucket extends BucketParts {
  readonly startMs: number;
  readonly namespace: string;
  readonly workload: string;
  /** How many buckets of sidecars were merged into it. */
  readonly pieces: number;
}

export interface Rollup {
  readonly minuteMs: number;
  readonly namespace: string;
  readonly workload: string;
  readonly verdict: Verdict;
  readonly action: Action;
  readonly events: number;
  /** Requests that the events stand for. */
  readonly weight: number;
}

export interface PolicyRecord {
  /** Opaque; `v<number>-<first 8 hex digits of the document's sha256>`. */
  readonly version: string;
  /** Canonical JSON. */
  readonly document: string;
  readonly atMs: number;
  readonly actor: string;
  readonly change: string;
}

export interface NewPolicy {
  readonly document: string;
  readonly atMs: number;
  readonly actor: string;
  readonly change: string;
  /** Refused with POLICY_VERSION_CONFLICT unless the newest version is this one; null = whatever stands. */
  readonly expectedVersion: string | null;
}

export interface PolicyStore {
  newest(): Promise<PolicyRecord | null>;
  get(version: string): Promise<PolicyRecord | null>;
  append(policy: NewPolicy): Promise<PolicyRecord>;
  /** Newest first, older than `before` if that is not empty. `limit` 1..1000. */
  list(limit: number, before: string): Promise<readonly PolicyRecord[]>;
}

export type ModelStage = 'candidate' | 'active' | 'retired';

export interface NewModel {
  /** sha256 of the file, lower-case hex. */
  readonly digest: string;
  readonly bundleId: string;
  readonly sizeBytes: number;
  /** Manifest as canonical JSON. */
  readonly manifest: string;
  readonly signedBy: string;
  readonly pushedMs: number;
  readonly pushedBy: string;
}

export interface ModelRecord extends NewModel {
  readonly stage: ModelStage;
  /** 0 if it never was active. */
  readonly activatedMs: number;
  readonly activatedBy: string;
}

export interface ModelStore {
  /** Returns false if the digest was known; then nothing changes. */
  add(model: NewModel): Promise<boolean>;
  /** Newest first. `limit` 1..1000. */
  list(limit: number): Promise<readonly ModelRecord[]>;
  /** Models whose digest or bundle id begins with `prefix` (at most 3 are returned). */
  find(prefix: string): Promise<readonly ModelRecord[]>;
  /** NOT_FOUND if the digest is unknown. */
  activate(digest: string, actor: string, atMs: number): Promise<ModelRecord>;
  active(): Promise<ModelRecord | null>;
  /** The one that was active before the active one; null if there was none. */
  previous(): Promise<ModelRecord | null>;
}

export interface Store {
  readonly events: EventStore;
  readonly policies: PolicyStore;
  readonly models: ModelStore;
  close(): Promise<void>;
}
