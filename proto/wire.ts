// The only mapping between the domain's events and the generated messages. Encoding trusts its caller; decoding
// trusts nothing: what breaks the format comes back as problems, never as an exception.
// Called by proxy/control (encode) and control-plane/intake (decode). Word lists are in words.ts.

import type { Problem } from '../domain/errors.ts';
import type { DroppedRange, EventAmendment, EventOutcome, PicketEvent } from '../domain/event.ts';
import { VERDICT_REASONS, type VerdictReason } from '../domain/verdict.ts';
import { BUCKET_STREAM_FIRST } from '../domain/workload-bucket.ts';
import type * as events from './gen/picket/v1/events.ts';
import {
  actionWords,
  identityWords,
  methodWords,
  modeSourceWords,
  modeWords,
  principalWords,
  unscoredWords,
  verdictWords,
} from './words.ts';

/** Longest accepted text fields of an event, characters, and the largest vector. */
export const WIRE_LIMITS = {
  requestIdChars: 128,
  routeChars: 256,
  pathChars: 256,
  codeChars: 128,
  nameChars: 253,
  vectorFloats: 1024,
  /** Latency that fits the wire, milliseconds (about 49 days). */
  latencyMaxMs: 0xffff_ffff,
} as const;

const KEY_BYTES = 16;
const REASONS: ReadonlySet<string> = new Set(VERDICT_REASONS);

/** Who sends a batch: told once per batch, part of each event. */
export interface Producer {
  /** 32 hex digits. */
  readonly bootId: string;
  readonly namespace: string;
  readonly workload: string;
}

/** 32 hex digits -> 16 bytes. The caller's text is trusted. */
export function keyBytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

/** 16 bytes -> 32 lower-case hex digits; null for any other length. */
export function keyHex(bytes: Uint8Array): string | null {
  return bytes.length === KEY_BYTES ? Buffer.from(bytes).toString('hex') : null;
}

/** A vector as little-endian binary32, bit for bit (Node runs on little-endian machines only). */
export function vectorBytes(vector: Float32Array): Buffer {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** A vector of its own from its bytes; null if they are no whole number of floats or too many. */
export function vectorOf(bytes: Uint8Array): Float32Array | null {
  if (bytes.length % 4 !== 0 || bytes.length > 4 * WIRE_LIMITS.vectorFloats) return null;
  const vector = new Float32Array(bytes.length / 4);
  new Uint8Array(vector.buffer).set(bytes);
  return vector;
}

export function encodeOutcome(outcome: EventOutcome): events.Outcome {
  return {
    status: outcome.status,
    latencyMs: Math.min(WIRE_LIMITS.latencyMaxMs, Math.max(0, Math.round(outcome.latencyMs))),
    bytesIn: outcome.bytesIn,
    bytesOut: outcome.bytesOut,
    refusal: outcome.refusal,
  };
}

/** Boot id, namespace and workload travel once per batch, not here. Latency is rounded to whole milliseconds. */
export function encodeEvent(event: PicketEvent): events.Event {
  return {
    stream: event.stream,
    sequence: event.sequence,
    requestId: event.requestId,
    atMs: event.atMs,
    identityKind: identityWords.code(event.identityKind),
    identityKey: keyBytes(event.identityKey),
    addressKey: keyBytes(event.addressKey),
    method: methodWords.code(event.method),
    route: event.route,
    path: event.path,
    score: event.score,
    margin: event.margin,
    unscored: unscoredWords.code(event.unscored),
    attackClass: event.attackClass,
    verdict: verdictWords.code(event.verdict),
    reason: event.reason,
    signals: event.signals >>> 0,
    action: actionWords.code(event.action),
    mode: modeWords.code(event.mode),
    modeSource: modeSourceWords.code(event.modeSource),
    policyVersion: event.policyVersion,
    bundleId: event.bundleId,
    sampleWeight: event.sampleWeight,
    schemaId: event.schemaId,
    vectorF32le: vectorBytes(event.vector),
    outcome: event.outcome === null ? undefined : encodeOutcome(event.outcome),
    principalKey: keyBytes(event.principalKey),
    principalSource: principalWords.code(event.principalSource),
    identityKeyId: event.identityKeyId,
  };
}

export function encodeAmendment(amendment: EventAmendment): events.Amendment {
  const { stream, sequence, amends } = amendment;
  return { stream, sequence, amends, outcome: encodeOutcome(amendment.outcome) };
}

export function encodeDropped(range: DroppedRange): events.DroppedRange {
  return { stream: range.stream, first: range.first, last: range.last };
}

/** A decoded value, or everything that is wrong with it. */
export type Decoded<T> =
  | { readonly value: T; readonly problems?: undefined }
  | { readonly problems: readonly Problem[] };

/** What is wrong with a received event; empty if nothing is. Allocates nothing for a good one: the store calls it alone. */
export function eventProblems(event: events.Event): readonly Problem[] {
  const checks = new Checks();
  const { score, sampleWeight, vectorF32le } = event;
  const vectorMax = 4 * WIRE_LIMITS.vectorFloats;
  const scored = event.unscored === UNSCORED_NONE;
  const inRange = scored ? score >= 0 && score <= 1 : Number.isNaN(score);
  checks.want(event.sequence >= 1, 'sequence', event.sequence, '1 or more');
  checks.want(event.stream < BUCKET_STREAM_FIRST, 'stream', event.stream, `below ${BUCKET_STREAM_FIRST}`);
  checks.want(inRange, 'score', score, scored ? '0..1' : 'NaN, since unscored');
  checks.want(REASONS.has(event.reason), 'reason', event.reason, 'a code of the list of verdict reasons');
  checks.want(
    sampleWeight >= 1 && sampleWeight < Infinity,
    'sample_weight',
    sampleWeight,
    '1 or more, finite',
  );
  checks.want(
    vectorF32le.length % 4 === 0 && vectorF32le.length <= vectorMax,
    'vector_f32le',
    vectorF32le.length,
    `whole floats, at most ${WIRE_LIMITS.vectorFloats}`,
  );
  checks.key('identity_key', event.identityKey);
  checks.key('address_key', event.addressKey);
  if (event.principalKey.length > 0) checks.key('principal_key', event.principalKey);
  checks.word('identity_kind', identityWords.word(event.identityKind), event.identityKind);
  checks.word('method', methodWords.word(event.method), event.method);
  checks.word('unscored', unscoredWords.word(event.unscored), event.unscored);
  checks.word('verdict', verdictWords.word(event.verdict), event.verdict);
  checks.word('action', actionWords.word(event.action), event.action);
  checks.word('mode', modeWords.word(event.mode), event.mode);
  checks.word('mode_source', modeSourceWords.word(event.modeSource), event.modeSource);
  checks.text('request_id', event.requestId, WIRE_LIMITS.requestIdChars);
  checks.text('route', event.route, WIRE_LIMITS.routeChars);
  checks.text('path', event.path, WIRE_LIMITS.pathChars);
  checks.text('attack_class', event.attackClass, WIRE_LIMITS.codeChars);
  checks.text('policy_version', event.policyVersion, WIRE_LIMITS.codeChars);
  checks.text('bundle_id', event.bundleId, WIRE_LIMITS.codeChars);
  checks.text('schema_id', event.schemaId, WIRE_LIMITS.codeChars);
  if (event.outcome !== undefined) checkOutcome(event.outcome, checks);
  return checks.problems;
}

const UNSCORED_NONE = unscoredWords.code('none');
const NONE: readonly Problem[] = [];

class Checks {
  problems: readonly Problem[] = NONE;

  want(ok: boolean, field: string, value: unknown, expected: string): void {
    if (!ok) this.problems = [...this.problems, { field, value: String(value).slice(0, 80), expected }];
  }

  text(field: string, value: string, maxChars: number): void {
    if (value.length > maxChars) this.want(false, field, `${value.length} characters`, `at most ${maxChars}`);
  }

  word(field: string, word: string | null, code: number): void {
    if (word === null) this.want(false, field, code, 'a number that this version knows');
  }

  key(field: string, bytes: Uint8Array): void {
    if (bytes.length !== KEY_BYTES) this.want(false, field, `${bytes.length} bytes`, `${KEY_BYTES} bytes`);
  }
}

function checkOutcome(outcome: events.Outcome, checks: Checks): void {
  checks.want(outcome.status <= 999, 'outcome.status', outcome.status, '0..999');
  checks.text('outcome.refusal', outcome.refusal, WIRE_LIMITS.codeChars);
}

/** Checks one received event and gives it its domain form. */
export function decodeEvent(event: events.Event, producer: Producer): Decoded<PicketEvent> {
  const problems = eventProblems(event);
  if (problems.length > 0) return { problems };
  const { score, margin, stream, sequence, requestId, atMs, route, path, signals, sampleWeight } = event;
  const { attackClass, policyVersion, bundleId, schemaId } = event;
  return {
    value: {
      ...{ bootId: producer.bootId, namespace: producer.namespace, workload: producer.workload },
      ...{ stream, sequence, requestId, atMs, route, path, score, margin, signals, sampleWeight },
      ...{ attackClass, policyVersion, bundleId, schemaId },
      identityKind: identityWords.word(event.identityKind)!,
      identityKey: keyHex(event.identityKey)!,
      addressKey: keyHex(event.addressKey)!,
      method: methodWords.word(event.method)!,
      unscored: unscoredWords.word(event.unscored)!,
      verdict: verdictWords.word(event.verdict)!,
      reason: event.reason as VerdictReason,
      action: actionWords.word(event.action)!,
      mode: modeWords.word(event.mode)!,
      modeSource: modeSourceWords.word(event.modeSource)!,
      vector: vectorOf(event.vectorF32le)!,
      outcome: event.outcome === undefined ? null : outcomeOf(event.outcome),
      // A sidecar older than principals sends none: its credentials stand for themselves.
      principalKey: keyHex(event.principalKey) ?? keyHex(event.identityKey)!,
      principalSource: principalWords.word(event.principalSource) ?? 'credential',
      identityKeyId: event.identityKeyId,
    },
  };
}

function outcomeOf({ status, latencyMs, bytesIn, bytesOut, refusal }: events.Outcome): EventOutcome {
  return { status, latencyMs, bytesIn, bytesOut, refusal };
}

export function decodeAmendment(amendment: events.Amendment, bootId: string): Decoded<EventAmendment> {
  const checks = new Checks();
  const { stream, sequence, amends, outcome } = amendment;
  checks.want(sequence >= 1, 'sequence', sequence, '1 or more');
  checks.want(stream < BUCKET_STREAM_FIRST, 'stream', stream, `below ${BUCKET_STREAM_FIRST}`);
  checks.want(amends >= 1 && amends < sequence, 'amends', amends, 'an earlier sequence');
  if (outcome !== undefined) checkOutcome(outcome, checks);
  else checks.want(false, 'outcome', 'nothing', 'an outcome');
  if (outcome === undefined || checks.problems.length > 0) return { problems: checks.problems };
  return { value: { bootId, stream, sequence, amends, outcome: outcomeOf(outcome) } };
}

export function decodeDropped(range: events.DroppedRange): Decoded<DroppedRange> {
  const { stream, first, last } = range;
  if (first >= 1 && first <= last) return { value: { stream, first, last } };
  return { problems: [{ field: 'dropped', value: `${first}..${last}`, expected: '1 <= first <= last' }] };
}
