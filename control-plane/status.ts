// The state of the whole: versions, sidecars, and the account of all events.
// One source for GetStatus, /status and /metrics.

import type { Clock } from '../domain/clock.ts';
import type { Verdict } from '../domain/verdict.ts';
import type { SidecarView } from './attach.ts';
import type { Fleet } from './fleet.ts';
import type { Publisher } from './publish.ts';
import type { EventStore, StreamTotals } from './store/store.ts';

/** assigned = stored + dropped + refused + lost + pending. */
export interface EventAccount {
  readonly assigned: number;
  readonly stored: number;
  readonly dropped: number;
  readonly refused: number;
  readonly lost: number;
  readonly pending: number;
}

export interface ControlPlaneStatus {
  readonly picketVersion: string;
  readonly startedMs: number;
  readonly nowMs: number;
  readonly policyVersion: string;
  readonly bundleId: string;
  readonly bundleDigest: string;
  readonly sidecars: readonly SidecarView[];
  readonly events: EventAccount;
  /** The same of the workloads' buckets. */
  readonly buckets: EventAccount;
  readonly verdicts: Readonly<Record<Verdict, number>>;
}

/** What is not settled is pending while its producer is connected, and lost otherwise (until it comes back). */
export function accountOf(totals: StreamTotals, isConnected: (bootId: string) => boolean): EventAccount {
  let pending = 0;
  let lost = totals.skipped + totals.unsettledForgotten;
  for (const [bootId, count] of Object.entries(totals.unsettled)) {
    if (isConnected(bootId)) pending += count;
    else lost += count;
  }
  const { stored, dropped, refused } = totals;
  return { assigned: stored + dropped + refused + lost + pending, stored, dropped, refused, lost, pending };
}

export interface StatusSources {
  readonly version: string;
  readonly startedMs: number;
  readonly clock: Clock;
  readonly fleet: Fleet;
  readonly publisher: Publisher;
  readonly events: EventStore;
}

export async function statusOf(sources: StatusSources): Promise<ControlPlaneStatus> {
  const { fleet, publisher } = sources;
  const totals = await sources.events.totals();
  const { policy, bundle } = publisher.snapshot;
  return {
    picketVersion: sources.version,
    startedMs: sources.startedMs,
    nowMs: sources.clock.nowMs(),
    policyVersion: policy.version,
    bundleId: bundle?.bundleId ?? '',
    bundleDigest: bundle?.digest ?? '',
    sidecars: fleet.views(),
    events: accountOf(totals, (bootId) => fleet.isConnected(bootId)),
    buckets: accountOf(totals.buckets, (bootId) => fleet.isConnected(bootId)),
    verdicts: totals.verdicts,
  };
}
