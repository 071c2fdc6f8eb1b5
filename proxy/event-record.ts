// One event as bytes in a ring slot: layout, writing from a draft, reading back as the domain's event.
// Fixed width, so that a slot can be patched in place when the outcome comes. Called by event-writer.ts and event-reader.ts.

import type { EventAmendment, EventOutcome, PicketEvent } from '../domain/event.ts';
import { FEATURE_COUNT } from '../domain/features.ts';
import { METHODS } from '../domain/head-view.ts';
import { hashHex, IDENTITY_KINDS, PRINCIPAL_SOURCES } from '../domain/identity.ts';
import { LIMITS } from '../domain/limits.ts';
import { scoreOf } from '../domain/policy.ts';
import { REFUSAL_CODES, type RefusalCode } from '../domain/refusal.ts';
import {
  ACTIONS,
  type Action,
  MODE_SOURCES,
  MODES,
  type Mode,
  type ModeSource,
  UNSCORED_CAUSES,
  type UnscoredCause,
  VERDICT_REASONS,
  VERDICTS,
  type Verdict,
  type VerdictReason,
} from '../domain/verdict.ts';
import type { BucketEvent, BucketParts } from '../domain/workload-bucket.ts';
import { BUCKET_RECORD_BYTES, readBucket, writeBucket } from './bucket-record.ts';

// Layout of a slot:
//   0 tag i32 (sequence and state, see event-ring.ts)   4 kind  5 method  6 identity kind  7 unscored cause
//   8 verdict  9 reason  10 action  11 mode  12 mode source  13 refusal + 1  14 status u16
//  16 at ms f64   24 margin f64, or the amended sequence   32 bytes in f64   40 bytes out f64
//  48 identity key 4 x u32   64 address key 4 x u32   80 latency ms f32   84 sample weight f32   88 signals u32
//  92 route   96 policy version   100 bundle id   104 attack class (u32 serials of the text tables)
// 108 request id length u8   109 path length u8   110 vector length u16
// 112 principal key 4 x u32   128 identity key id u32   132 principal source u8
// 136 request id   200 path   296 vector, f32 each

const REQUEST_ID_AT = 136;
const PATH_AT = REQUEST_ID_AT + LIMITS.requestIdMaxBytes;
const VECTOR_AT = PATH_AT + LIMITS.eventPathMaxBytes;
const ALIGN_BYTES = 64;

/** Bytes of one slot: the fields above for this build's feature list, rounded up to a cache line. */
export const SLOT_BYTES =
  Math.ceil(Math.max(VECTOR_AT + 4 * FEATURE_COUNT, BUCKET_RECORD_BYTES) / ALIGN_BYTES) * ALIGN_BYTES;

const KIND_EVENT = 1;
const KIND_AMENDMENT = 2;
const KIND_BUCKET = 3;

/** What a slot can hold. */
export type RingRecord = PicketEvent | EventAmendment | BucketEvent;

/** What the data thread knows of a request when it is judged. One object per data thread, filled anew each time. */
export class EventDraft {
  requestId = '';
  atMs = 0;
  /** Index into IDENTITY_KINDS. */
  identityKind = 0;
  identityKey: Uint32Array = new Uint32Array(4);
  addressKey: Uint32Array = new Uint32Array(4);
  principalKey: Uint32Array = new Uint32Array(4);
  /** Index into PRINCIPAL_SOURCES. */
  principalSource = 0;
  identityKeyId = 0;
  /** Index into METHODS. */
  method = 0;
  route = '';
  /** Bytes that hold the path at [pathStart, pathEnd); cut at LIMITS.eventPathMaxBytes. */
  pathBytes: Uint8Array = new Uint8Array(0);
  pathStart = 0;
  pathEnd = 0;
  margin = Number.NaN;
  unscored: UnscoredCause = 'none';
  attackClass = '';
  verdict: Verdict = 'allow';
  reason: VerdictReason = 'score.below_flag';
  signals = 0;
  action: Action = 'forward';
  mode: Mode = 'monitor';
  modeSource: ModeSource = 'default';
  policyVersion = '';
  bundleId = '';
  /** The first FEATURE_COUNT places are kept; null if no features were computed. */
  vector: Float64Array | null = null;
}

/** Serials of the texts of a draft in the text tables. */
export interface DraftSerials {
  route: number;
  policyVersion: number;
  bundleId: number;
  attackClass: number;
}

/** What the request came to. `refusal`: the code of the answer that Picket made, or null. */
export interface OutcomeDraft {
  status: number;
  latencyMs: number;
  bytesIn: number;
  bytesOut: number;
  refusal: RefusalCode | null;
}

type Index = Readonly<Record<string, number>>;
function indexOf(names: readonly string[]): Index {
  return Object.fromEntries(names.map((name, i) => [name, i]));
}
const CAUSE = indexOf(UNSCORED_CAUSES);
const VERDICT = indexOf(VERDICTS);
const REASON = indexOf(VERDICT_REASONS);
const ACTION = indexOf(ACTIONS);
const MODE = indexOf(MODES);
const MODE_SOURCE = indexOf(MODE_SOURCES);
const REFUSAL = indexOf(REFUSAL_CODES);

/** What every event of one stream has in common. */
export interface StreamContext {
  readonly bootId: string;
  readonly stream: number;
  readonly namespace: string;
  readonly workload: string;
  readonly schemaId: string;
}

/** Looks texts up by serial. */
export interface RecordTexts {
  readonly routes: { text(serial: number): string };
  readonly labels: { text(serial: number): string };
}

/** All views of one buffer of slots. Places are byte offsets of a slot's start, multiples of 8. */
export class SlotViews {
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;

  constructor(buffer: SharedArrayBuffer | ArrayBuffer) {
    this.i32 = new Int32Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }

  writeEvent(at: number, draft: EventDraft, serials: DraftSerials, sampleWeight: number): void {
    const { u8, u32, f64 } = this;
    u8[at + 4] = KIND_EVENT;
    u8[at + 5] = draft.method;
    u8[at + 6] = draft.identityKind;
    u8[at + 7] = CAUSE[draft.unscored]!;
    u8[at + 8] = VERDICT[draft.verdict]!;
    u8[at + 9] = REASON[draft.reason]!;
    u8[at + 10] = ACTION[draft.action]!;
    u8[at + 11] = MODE[draft.mode]!;
    u8[at + 12] = MODE_SOURCE[draft.modeSource]!;
    f64[(at + 16) >> 3] = draft.atMs;
    f64[(at + 24) >> 3] = draft.margin;
    for (let i = 0; i < 4; i++) {
      u32[((at + 48) >> 2) + i] = draft.identityKey[i]!;
      u32[((at + 64) >> 2) + i] = draft.addressKey[i]!;
      u32[((at + 112) >> 2) + i] = draft.principalKey[i]!;
    }
    u32[(at + 128) >> 2] = draft.identityKeyId;
    u8[at + 132] = draft.principalSource;
    this.f32[(at + 84) >> 2] = sampleWeight;
    u32[(at + 88) >> 2] = draft.signals;
    u32[(at + 92) >> 2] = serials.route;
    u32[(at + 96) >> 2] = serials.policyVersion;
    u32[(at + 100) >> 2] = serials.bundleId;
    u32[(at + 104) >> 2] = serials.attackClass;
    this.#writeTexts(at, draft);
    this.#writeVector(at, draft.vector);
  }

  #writeTexts(at: number, draft: EventDraft): void {
    const { u8 } = this;
    const id = draft.requestId;
    const idLength = Math.min(id.length, LIMITS.requestIdMaxBytes);
    u8[at + 108] = idLength;
    for (let i = 0, to = at + REQUEST_ID_AT; i < idLength; i++) u8[to + i] = id.charCodeAt(i);
    const pathLength = Math.min(draft.pathEnd - draft.pathStart, LIMITS.eventPathMaxBytes);
    u8[at + 109] = pathLength;
    const { pathBytes, pathStart } = draft;
    for (let i = 0, to = at + PATH_AT; i < pathLength; i++) u8[to + i] = pathBytes[pathStart + i]!;
  }

  #writeVector(at: number, vector: Float64Array | null): void {
    const length = vector === null ? 0 : FEATURE_COUNT;
    this.u16[(at + 110) >> 1] = length;
    if (vector === null) return;
    const { f32 } = this;
    const to = (at + VECTOR_AT) >> 2;
    for (let i = 0; i < length; i++) f32[to + i] = vector[i]!;
  }

  writeBucket(at: number, startMs: number, parts: BucketParts): void {
    this.u8[at + 4] = KIND_BUCKET;
    writeBucket(this, at, startMs, parts);
  }

  writeAmendment(at: number, amends: number): void {
    this.u8[at + 4] = KIND_AMENDMENT;
    this.f64[(at + 24) >> 3] = amends;
  }

  writeOutcome(at: number, outcome: OutcomeDraft): void {
    this.u8[at + 13] = outcome.refusal === null ? 0 : REFUSAL[outcome.refusal]! + 1;
    this.u16[(at + 14) >> 1] = outcome.status;
    this.f64[(at + 32) >> 3] = outcome.bytesIn;
    this.f64[(at + 40) >> 3] = outcome.bytesOut;
    this.f32[(at + 80) >> 2] = outcome.latencyMs;
  }

  readOutcome(at: number): EventOutcome {
    return {
      status: this.u16[(at + 14) >> 1]!,
      latencyMs: this.f32[(at + 80) >> 2]!,
      bytesIn: this.f64[(at + 32) >> 3]!,
      bytesOut: this.f64[(at + 40) >> 3]!,
      refusal: REFUSAL_CODES[this.u8[at + 13]! - 1] ?? '',
    };
  }

  /** Reads a copied record. `settled`: the outcome fields hold an outcome. */
  read(at: number, sequence: number, settled: boolean, source: RecordSource): RingRecord {
    const { bootId, stream } = source.context;
    if (this.u8[at + 4] === KIND_BUCKET) return { bootId, stream, sequence, ...readBucket(this, at) };
    if (this.u8[at + 4] === KIND_AMENDMENT) {
      const amends = this.f64[(at + 24) >> 3]!;
      return { bootId, stream, sequence, amends, outcome: this.readOutcome(at) };
    }
    return this.#readEvent(at, sequence, settled, source);
  }

  #readEvent(at: number, sequence: number, settled: boolean, source: RecordSource): PicketEvent {
    const { u8, u32 } = this;
    const { context, texts } = source;
    const margin = this.f64[(at + 24) >> 3]!;
    const unscored = UNSCORED_CAUSES[u8[at + 7]!] ?? 'none';
    const vectorAt = (at + VECTOR_AT) >> 2;
    return {
      ...context,
      sequence,
      requestId: this.#latin1(at + REQUEST_ID_AT, u8[at + 108]!),
      atMs: this.f64[(at + 16) >> 3]!,
      identityKind: IDENTITY_KINDS[u8[at + 6]!] ?? 'address',
      identityKey: hashHex(u32.slice((at + 48) >> 2, (at + 64) >> 2)),
      addressKey: hashHex(u32.slice((at + 64) >> 2, (at + 80) >> 2)),
      principalKey: hashHex(u32.slice((at + 112) >> 2, (at + 128) >> 2)),
      principalSource: PRINCIPAL_SOURCES[u8[at + 132]!] ?? 'credential',
      identityKeyId: u32[(at + 128) >> 2]!,
      method: METHODS[u8[at + 5]!] ?? 'OTHER',
      route: texts.routes.text(u32[(at + 92) >> 2]!),
      path: this.#latin1(at + PATH_AT, u8[at + 109]!),
      score: unscored === 'none' ? scoreOf(margin) : Number.NaN,
      margin,
      unscored,
      attackClass: texts.labels.text(u32[(at + 104) >> 2]!),
      verdict: VERDICTS[u8[at + 8]!] ?? 'allow',
      reason: VERDICT_REASONS[u8[at + 9]!] ?? 'score.below_flag',
      signals: u32[(at + 88) >> 2]!,
      action: ACTIONS[u8[at + 10]!] ?? 'forward',
      mode: MODES[u8[at + 11]!] ?? 'monitor',
      modeSource: MODE_SOURCES[u8[at + 12]!] ?? 'default',
      policyVersion: texts.labels.text(u32[(at + 96) >> 2]!),
      bundleId: texts.labels.text(u32[(at + 100) >> 2]!),
      sampleWeight: this.f32[(at + 84) >> 2]!,
      vector: this.f32.slice(vectorAt, vectorAt + this.u16[(at + 110) >> 1]!),
      outcome: settled ? this.readOutcome(at) : null,
    };
  }

  #latin1(start: number, length: number): string {
    return Buffer.from(this.u8.subarray(start, start + length)).toString('latin1');
  }
}

export interface RecordSource {
  readonly context: StreamContext;
  readonly texts: RecordTexts;
}

export function isBucket(record: RingRecord): record is BucketEvent {
  return 'sets' in record;
}

export function isAmendment(record: RingRecord): record is EventAmendment {
  return 'amends' in record;
}
