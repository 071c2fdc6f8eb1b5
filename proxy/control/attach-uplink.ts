// Joins a sidecar's parts with an uplink: the last good policy and bundle come back from disk, then the connection is made
// and speaks for the sidecar. Loaded only with --control-plane (it brings gRPC with it). Called by main.ts.

import { PicketError } from '../../domain/errors.ts';
import { OFFERED_IDS } from '../../domain/features.ts';
import type { Hello, SidecarHeartbeat } from '../../proto/gen/picket/v1/sidecar.ts';
import { keyBytes } from '../../proto/wire.ts';
import { modeSourceWords, modeWords } from '../../proto/words.ts';
import { BUNDLE_MAJOR } from '../../wasm-core/host/bundle-format.ts';
import type { SidecarConfig } from '../config.ts';
import { COUNTER } from '../counters.ts';
import { type Current, sha256Hex } from '../current.ts';
import type { SidecarLog } from '../log.ts';
import type { Parts } from '../parts.ts';
import { monotonicMs } from '../shared-clock.ts';
import type { SidecarStatus } from '../status.ts';
import { SIDECAR_VERSION } from '../version.ts';
import { callMetadata, dialing } from './credentials.ts';
import { LastGood } from './last-good.ts';
import { Pushes } from './pushes.ts';
import { Uplink } from './uplink.ts';

export interface AttachOptions {
  readonly address: string;
  readonly config: SidecarConfig;
  readonly parts: Parts;
  readonly stateDir: string | null;
  readonly status: () => SidecarStatus;
}

/** Restores what is on disk; the function it gives connects. Throws CONFIG_INVALID if a credential file is not good. */
export async function connectControlPlane(options: AttachOptions): Promise<() => Uplink> {
  const { config, parts, stateDir, address } = options;
  const { log, current, readers, bootId, random } = parts;
  const { namespace, workload } = config;
  // Once now, so that a wrong file is found at start and not at some later connection.
  dialing(address, config);
  callMetadata(config);
  const complain = (what: string, why: string): void => log.warn(`${what}: ${why}`);
  const lastGood = stateDir === null ? null : new LastGood(stateDir, { namespace, workload }, complain);
  if (lastGood !== null) await restore(lastGood, current, log);
  const pushes = new Pushes({ current, lastGood, log });
  return () =>
    new Uplink({
      address,
      files: config,
      hello: () => helloOf(options),
      heartbeat: () => heartbeatOf(options),
      readers,
      producer: { bootId, namespace, workload },
      pushes,
      log,
      nowMs: monotonicMs,
      // The workload's buckets are judged by the share of it that this sidecar sees.
      onReplicas: (count) => parts.counters.set(COUNTER.replicas, count),
      random,
    });
}

async function restore(lastGood: LastGood, current: Current, log: SidecarLog): Promise<void> {
  const policy = await lastGood.loadPolicy();
  if (policy !== null) {
    await current.setPolicy({ ...policy, origin: 'control_plane' });
    log.info({ policy: policy.version }, 'the last good policy is in force again');
  }
  const bytes = await lastGood.loadBundle();
  if (bytes === null) return;
  try {
    const prepared = current.prepare(bytes);
    await current.setBundle({ prepared, digest: sha256Hex(bytes), origin: 'control_plane' });
    log.info({ bundle: prepared.id }, 'the last good bundle is in force again');
  } catch (thrown) {
    log.warn(`the last good bundle is ignored: ${PicketError.from(thrown).message}`);
  }
}

function helloOf({ parts, config }: AttachOptions): Hello {
  const { policy, bundle } = parts.current;
  return {
    bootId: keyBytes(parts.bootId),
    namespace: config.namespace,
    workload: config.workload,
    sidecarVersion: SIDECAR_VERSION,
    offeredFeatureIds: [...OFFERED_IDS],
    policyVersion: policy.origin === 'control_plane' ? policy.version : '',
    bundleDigest: bundle?.origin === 'control_plane' ? bundle.digest : '',
    bundleFormatMax: BUNDLE_MAJOR,
  };
}

function heartbeatOf({ parts, status }: AttachOptions): SidecarHeartbeat {
  const now = status();
  const sum = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((total, count) => total + count, 0);
  const counts: Record<string, number> = {
    requests_total: now.requests_total,
    scored_total: now.scored_total,
    forwarded_total: now.forwarded_total,
    refused_total: sum(now.refused_total),
    rejected_total: sum(now.rejected_total),
    uninspected_total: sum(now.uninspected_total),
    events_dropped_total: now.events_dropped_total,
    events_sampled_out_total: now.events.sampled_out,
    identities: now.identities,
  };
  return {
    assigned: parts.readers.map((reader) => ({ stream: reader.stream, sequence: reader.account().assigned })),
    mode: modeWords.code(now.mode),
    modeSource: modeSourceWords.code(now.mode_source),
    policyVersion: now.policy_version,
    bundleId: now.bundle_id ?? '',
    counts: Object.entries(counts).map(([name, value]) => ({ name, value })),
    blind: now.blind,
  };
}
