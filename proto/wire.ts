// The only mapping between the domain's events and the generated messages. Encoding trusts its caller; decoding
// trusts nothing: what breaks the format comes back as problems, never as an exception.
// Called by proxy/control (encode) and control-plane/intake (decode). Word lists are in words.ts.

import type { Problem } from '../domain/errors.ts';
import type { DroppedRange, EventAmendment, EventOutcome, PicketEvent } from '../domain/event.ts';
import { VERDICT_REASONS, type VerdictReason } from '../domain/verdict.ts';
import type * as events from './gen/picket/v1/events.ts';
import {
  actionWords,
  identityWords,
  methodWords,
  modeSourceWords,
  modeWords,
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

class Checks {
  readonly problems: Problem[] = [];

  want(ok: boolean, field: string, value: unknown, expected: string): boolean {
    if (!ok) this.problems.push({ field, value: String(value).slice(0, 80), expected });
    return ok;
  }

  text(field: string, value: string, maxChars: number): void {
    this.want(value.length <= maxChars, field, `${value.length} characters`, `at most ${maxChars}`);
  }

  word<T>(field: string, word: T | null, code: number): T {
    this.want(word !== null, field, code, 'a number that this version knows');
    return word as T;
  }

  key(field: string, bytes: Uint8Array): string {
    const hex = keyHex(bytes);
    this.want(hex !== null, field, `${bytes.length} bytes`, `${KEY_BYTES} bytes`);
    return hex ?? '';
  }

  done<T>(value: T): Decoded<T> {
    return this.problems.length > 0 ? { problems: this.problems } : { value };
  }
}

/** Checks one received event and gives it its domain form. */
export function decodeEvent(event: events.Event, producer: Producer): Decoded<PicketEvent> {
  const checks = new Checks();
  checkTexts(event, checks);
  const vector = vectorOf(event.vectorF32le);
  checks.want(
    vector !== null,
    'vector_f32le',
    `${event.vectorF32le.length} bytes`,
    'whole floats, at most 1024',
  );
  const scored = event.unscored === unscoredWords.code('none');
  const inRange = scored ? event.score >= 0 && event.score <= 1 : Number.isNaN(event.score);
  checks.want(inRange, 'score', event.score, scored ? '0..1' : 'NaN, since unscored');
  checks.want(REASONS.has(event.reason), 'reason', event.reason, 'a code of the list of verdict reasons');
  checks.want(event.sampleWeight >= 1, 'sample_weight', event.sampleWeight, '1 or more');
  checks.want(Number.isFinite(event.sampleWeight), 'sample_weight', event.sampleWeight, 'a finite number');
  return checks.done<PicketEvent>({
    ...producer,
    stream: event.stream,
    sequence: event.sequence,
    requestId: event.requestId,
    atMs: event.atMs,
    identityKind: checks.word('identity_kind', identityWords.word(event.identityKind), event.identityKind),
    identityKey: checks.key('identity_key', event.identityKey),
    addressKey: checks.key('address_key', event.addressKey),
    method: checks.word('method', methodWords.word(event.method), event.method),
    route: event.route,
    path: event.path,
    score: event.score,
    margin: event.margin,
    unscored: checks.word('unscored', unscoredWords.word(event.unscored), event.unscored),
    attackClass: event.attackClass,
    verdict: checks.word('verdict', verdictWords.word(event.verdict), event.verdict),
    reason: event.reason as VerdictReason,
    signals: event.signals,
    action: checks.word('action', actionWords.word(event.action), event.action),
    mode: checks.word('mode', modeWords.word(event.mode), event.mode),
    modeSource: checks.word('mode_source', modeSourceWords.word(event.modeSource), event.modeSource),
    policyVersion: event.policyVersion,
    bundleId: event.bundleId,
    sampleWeight: event.sampleWeight,
    schemaId: event.schemaId,
    vector: vector ?? new Float32Array(),
    outcome: event.outcome === undefined ? null : decodeOutcome(event.outcome, checks),
  });
}

function checkTexts(event: events.Event, checks: Checks): void {
  checks.want(event.sequence >= 1, 'sequence', event.sequence, '1 or more');
  checks.text('request_id', event.requestId, WIRE_LIMITS.requestIdChars);
  checks.text('route', event.route, WIRE_LIMITS.routeChars);
  checks.text('path', event.path, WIRE_LIMITS.pathChars);
  checks.text('attack_class', event.attackClass, WIRE_LIMITS.codeChars);
  checks.text('policy_version', event.policyVersion, WIRE_LIMITS.codeChars);
  checks.text('bundle_id', event.bundleId, WIRE_LIMITS.codeChars);
  checks.text('schema_id', event.schemaId, WIRE_LIMITS.codeChars);
}

function decodeOutcome(outcome: events.Outcome, checks: Checks): EventOutcome {
  checks.want(outcome.status <= 999, 'outcome.status', outcome.status, '0..999');
  checks.text('outcome.refusal', outcome.refusal, WIRE_LIMITS.codeChars);
  return {
    status: outcome.status,
    latencyMs: outcome.latencyMs,
    bytesIn: outcome.bytesIn,
    bytesOut: outcome.bytesOut,
    refusal: outcome.refusal,
  };
}

export function decodeAmendment(amendment: events.Amendment, bootId: string): Decoded<EventAmendment> {
  const checks = new Checks();
  const { stream, sequence, amends } = amendment;
  checks.want(sequence >= 1, 'sequence', sequence, '1 or more');
  checks.want(amends >= 1 && amends < sequence, 'amends', amends, 'an earlier sequence');
  const none = { status: 0, latencyMs: 0, bytesIn: 0, bytesOut: 0, refusal: '' };
  checks.want(amendment.outcome !== undefined, 'outcome', 'nothing', 'an outcome');
  const outcome = decodeOutcome(amendment.outcome ?? none, checks);
  return checks.done<EventAmendment>({ bootId, stream, sequence, amends, outcome });
}

export function decodeDropped(range: events.DroppedRange): Decoded<DroppedRange> {
  const checks = new Checks();
  const { stream, first, last } = range;
  checks.want(first >= 1 && first <= last, 'dropped', `${first}..${last}`, '1 <= first <= last');
  return checks.done<DroppedRange>({ stream, first, last });
}
