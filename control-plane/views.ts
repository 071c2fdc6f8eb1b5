// What the control plane knows, in the words of the wire: shared by the gRPC services and the HTTP status.
// Only shapes are changed here.

import { signalCodes } from '../domain/signal.ts';
import { namedBucketFields } from '../domain/workload-bucket.ts';
import type { SidecarAck } from '../proto/gen/picket/v1/common.ts';
import * as wire from '../proto/gen/picket/v1/common.ts';
import type { PolicyVersion, SidecarState } from '../proto/gen/picket/v1/control.ts';
import { type Model, Stage } from '../proto/gen/picket/v1/model.ts';
import type { BucketRecord, EventBody, VerdictRecord } from '../proto/gen/picket/v1/verdict.ts';
import { encodeOutcome, vectorBytes } from '../proto/wire.ts';
import {
  actionWords,
  methodWords,
  modeSourceWords,
  modeWords,
  unscoredWords,
  verdictWords,
} from '../proto/words.ts';
import type { SidecarView } from './attach.ts';
import type { AckView } from './publish.ts';
import type { ModelRecord, PolicyRecord, StoredBody, StoredBucket, StoredVerdict } from './store/store.ts';

export function ackMessage(ack: AckView): SidecarAck {
  const { bootId, namespace, workload, acked, appliedMs, error } = ack;
  const effectiveMode = modeWords.code(ack.mode);
  return {
    bootId,
    namespace,
    workload,
    acked,
    appliedMs,
    error,
    effectiveMode,
    modeSource: modeSourceWords.code(ack.modeSource),
  };
}

export function sidecarMessage(view: SidecarView): SidecarState {
  return {
    ...view,
    mode: view.mode === null ? wire.Mode.UNSPECIFIED : modeWords.code(view.mode),
    modeSource:
      view.modeSource === null ? wire.ModeSource.UNSPECIFIED : modeSourceWords.code(view.modeSource),
    counts: [...view.counts],
  };
}

export function policyVersionMessage(record: PolicyRecord): PolicyVersion {
  const { version, atMs, actor, change } = record;
  return { version, atMs, actor, change };
}

export function bucketMessage(bucket: StoredBucket): BucketRecord {
  const { startMs, namespace, workload, pieces } = bucket;
  return { startMs, namespace, workload, pieces, fields: namedBucketFields(bucket) };
}

const STAGES = { candidate: Stage.CANDIDATE, active: Stage.ACTIVE, retired: Stage.RETIRED } as const;

export function modelMessage(record: ModelRecord): Model {
  const manifest = JSON.parse(record.manifest) as { name?: string; description?: string; createdMs?: number };
  return {
    digest: record.digest,
    bundleId: record.bundleId,
    sizeBytes: record.sizeBytes,
    stage: STAGES[record.stage],
    name: manifest.name ?? '',
    description: manifest.description ?? '',
    createdMs: manifest.createdMs ?? 0,
    pushedMs: record.pushedMs,
    pushedBy: record.pushedBy,
    activatedMs: record.activatedMs,
    activatedBy: record.activatedBy,
    signedBy: record.signedBy,
    manifest: record.manifest,
  };
}

export function verdictMessage(stored: StoredVerdict): VerdictRecord {
  return {
    id: stored.id,
    requestId: stored.requestId,
    atMs: stored.atMs,
    namespace: stored.namespace,
    workload: stored.workload,
    identity: stored.identity,
    method: methodWords.code(stored.method),
    route: stored.route,
    score: stored.score,
    unscored: unscoredWords.code(stored.unscored),
    attackClass: stored.attackClass,
    verdict: verdictWords.code(stored.verdict),
    reason: stored.reason,
    signals: signalCodes(stored.signals),
    action: actionWords.code(stored.action),
    mode: modeWords.code(stored.mode),
    modeSource: modeSourceWords.code(stored.modeSource),
    policyVersion: stored.policyVersion,
    bundleId: stored.bundleId,
    sampleWeight: stored.sampleWeight,
    outcome: stored.outcome === null ? undefined : encodeOutcome(stored.outcome),
  };
}

export function bodyMessage(body: StoredBody): EventBody {
  const { path, addressKey, margin, schemaId } = body;
  return {
    path,
    addressKey,
    margin,
    schemaId,
    featureIds: [...body.featureIds],
    vectorF32le: vectorBytes(body.vector),
  };
}
