// Sample events and batches, and a walk over all pages of a store.
// What the tests of the control plane build on; no test itself.

import type { PicketEvent } from '../../domain/event.ts';
import { schemaId } from '../../domain/schema-id.ts';
import {
  BUCKET_MS,
  BUCKET_STREAM_FIRST,
  type BucketEvent,
  newBucketParts,
} from '../../domain/workload-bucket.ts';
import { encodeBucket } from '../../proto/bucket-wire.ts';
import { type DroppedRange, PublishRequest } from '../../proto/gen/picket/v1/events.ts';
import { type encodeAmendment, encodeEvent, keyBytes } from '../../proto/wire.ts';
import type { EventQuery, Store } from '../store/store.ts';

export const START_MS = Date.parse('2026-11-22T10:00:00Z');
export const BOOT = '0123456789abcdef0123456789abcdef';
export const FEATURE_IDS = [1, 2, 3];

/** A plain event; parts of it are overridden by the caller. */
export function sampleEvent(sequence: number, parts: Partial<PicketEvent> = {}): PicketEvent {
  return {
    bootId: BOOT,
    stream: 1,
    sequence,
    requestId: `request-${sequence}`,
    atMs: START_MS + sequence,
    namespace: 'shop',
    workload: 'orders',
    identityKind: 'bearer',
    identityKey: 'a'.repeat(32),
    addressKey: 'b'.repeat(32),
    principalKey: 'a'.repeat(32),
    principalSource: 'credential',
    identityKeyId: 7,
    method: 'GET',
    route: '/orders/{id}',
    path: '/orders/17',
    score: 0.25,
    margin: -1.0986122886681098,
    unscored: 'none',
    attackClass: '',
    verdict: 'allow',
    reason: 'score.below_flag',
    signals: 0,
    action: 'forward',
    mode: 'monitor',
    modeSource: 'fleet',
    policyVersion: 'v1-00000000',
    bundleId: 'c'.repeat(64),
    sampleWeight: 1,
    schemaId: schemaId(FEATURE_IDS),
    vector: Float32Array.of(1, Number.NaN, 3.5),
    outcome: { status: 200, latencyMs: 12, bytesIn: 0, bytesOut: 512, refusal: '' },
    ...parts,
  };
}

/** A bucket of `sums` (in the order of BUCKET_SUMS); number 0 begins at START_MS. */
export function sampleBucket(sequence: number, number: number, sums: readonly number[]): BucketEvent {
  const parts = newBucketParts();
  parts.sums.set(sums);
  parts.sets[sequence % 256] = 1 + (sequence % 20);
  return {
    bootId: BOOT,
    stream: BUCKET_STREAM_FIRST,
    sequence,
    startMs: START_MS + number * BUCKET_MS,
    ...parts,
  };
}

interface BatchParts {
  readonly bootId?: string;
  readonly events?: readonly PicketEvent[];
  readonly dropped?: DroppedRange[];
  readonly buckets?: readonly BucketEvent[];
  readonly amendments?: ReturnType<typeof encodeAmendment>[];
}

export function encodeBatch(parts: BatchParts): Uint8Array {
  return PublishRequest.encode({
    batch: 1,
    bootId: keyBytes(parts.bootId ?? BOOT),
    namespace: 'shop',
    workload: 'orders',
    schemas: [{ schemaId: schemaId(FEATURE_IDS), featureIds: FEATURE_IDS }],
    events: (parts.events ?? []).map(encodeEvent),
    amendments: parts.amendments ?? [],
    dropped: parts.dropped ?? [],
    buckets: (parts.buckets ?? []).map(encodeBucket),
  }).finish();
}

export const QUERY: EventQuery = {
  afterId: 0,
  limit: 100,
  newest: false,
  beforeId: 0,
  verdicts: [],
  namespace: '',
  workload: '',
  requestIds: [],
  sinceMs: 0,
  identity: '',
};

/** All sequences that a query gives, over all its pages. */
export async function sequencesOf(store: Store, query: Partial<EventQuery> = {}): Promise<string[]> {
  const found: string[] = [];
  let afterId = 0;
  for (;;) {
    const page = await store.events.page({ ...QUERY, ...query, afterId });
    found.push(...page.events.map((event) => event.requestId));
    if (page.done) return found;
    afterId = page.nextId;
  }
}

export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
export const ids = (from: number, to: number) => range(from, to).map((sequence) => `request-${sequence}`);
