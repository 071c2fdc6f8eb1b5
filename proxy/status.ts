// What the sidecar says of itself: the one view behind /status, /metrics, /ready, the heartbeat and the log, so that they agree.
// Reads counters, rings and states; changes nothing. Field names of SidecarStatus are part of the contract.

import { REFUSAL_CODES } from '../domain/refusal.ts';
import { MODES, type Mode, type ModeSource, UNSCORED_CAUSES, VERDICTS } from '../domain/verdict.ts';
import { BUCKET_STREAM_FIRST } from '../domain/workload-bucket.ts';
import type { GeoFileReport } from '../feature-engine/geo-files.ts';
import type { UplinkReport } from './control/uplink.ts';
import {
  answerPlace,
  COUNTER,
  type Counters,
  HISTOGRAM,
  HISTOGRAM_BINS,
  NOTE_CODES,
  notePlace,
  quantileMs,
  refusedPlace,
  rejectedPlace,
  type SingleName,
  statusClassPlace,
  uninspectedPlace,
  verdictPlace,
} from './counters.ts';
import type { Current } from './current.ts';
import type { EventReader, StreamAccount } from './event-reader.ts';
import { type IdentityStatus, identityStatus } from './identity-status.ts';
import type { MemoryPlan } from './memory-plan.ts';
import type { IdentityReport } from './principal/identity-service.ts';
import type { RememberedStatus } from './state/remembered.ts';

type ByName = Readonly<Record<string, number>>;

export interface SidecarStatus extends RememberedStatus {
  readonly mode: Mode;
  readonly mode_source: ModeSource;
  readonly policy_version: string;
  readonly policy_origin: string;
  readonly policy_age_s: number;
  /** Version of the --openapi document whose routes are declared; null without one. */
  readonly openapi_version: string | null;
  readonly bundle_id: string | null;
  readonly bundle_origin: string | null;
  /** True if nothing can be scored now. */
  readonly blind: boolean;
  readonly control_plane: {
    readonly state: string;
    readonly address: string | null;
    readonly connects: number;
    readonly last_error: string;
  };
  readonly workload: string;
  readonly namespace: string;
  readonly boot_id: string;
  readonly ready: boolean;
  readonly draining: boolean;
  readonly uptime_s: number;
  readonly data_thread: { readonly stalled: boolean; readonly crashes: number };
  readonly identities: number;
  readonly replicas: number;
  readonly inflight: number;
  readonly connections: number;
  readonly tunnels: number;
  readonly requests_total: number;
  /** On hold-prefix routes: judged with the beginning of the body, and without it for want of room. */
  readonly bodies_held_total: number;
  readonly bodies_unheld_total: number;
  readonly scored_total: number;
  readonly forwarded_total: number;
  readonly verdicts_total: ByName;
  readonly verdicts_by_mode: Readonly<Record<string, ByName>>;
  readonly refused_total: ByName;
  readonly rejected_total: ByName;
  readonly uninspected_total: ByName;
  readonly answers_total: ByName;
  readonly notes_total: ByName;
  readonly status_classes: ByName;
  readonly events_dropped_total: number;
  readonly events: StreamAccount & { readonly sampled_out: number };
  /** The same of the workload's 10 s buckets. */
  readonly buckets: StreamAccount;
  readonly added_latency_ms: Quantiles;
  readonly upstream_latency_ms: Quantiles;
  readonly address_databases: readonly AddressDatabaseStatus[];
  readonly identity: IdentityStatus;
  readonly memory: {
    readonly rss_bytes: number;
    readonly plan_bytes: number;
    readonly limit_bytes: number | null;
    readonly plan: ByName;
  };
}

export interface Quantiles {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly count: number;
}

export interface AddressDatabaseStatus {
  /** The option that names it. */
  readonly option: string;
  readonly file: string;
  readonly type: string;
  /** ISO 8601; null if it does not say. */
  readonly built: string | null;
  readonly age_days: number | null;
  readonly bytes: number;
  /** Why what stands at the path now is not used; the last good one is. */
  readonly problem: string | null;
}

export interface StatusSources {
  readonly namespace: string;
  readonly workload: string;
  readonly bootId: string;
  readonly counters: readonly Counters[];
  readonly readers: readonly EventReader[];
  readonly current: Current;
  readonly plan: MemoryPlan;
  readonly databases: () => readonly GeoFileReport[];
  readonly identity: () => IdentityReport;
  readonly remembered: () => RememberedStatus;
  readonly startedMs: number;
  /** The sidecar's clock. */
  readonly nowMs: () => number;
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number;
  readonly controlPlane: () => UplinkReport | null;
  readonly thread: () => { readonly ready: boolean; readonly stalled: boolean; readonly crashes: number };
  readonly draining: () => boolean;
}

export class StatusView {
  readonly sources: StatusSources;

  constructor(sources: StatusSources) {
    this.sources = sources;
  }

  single(name: SingleName): number {
    return this.place(COUNTER[name]);
  }

  place(place: number): number {
    return this.sources.counters.reduce((sum, counters) => sum + counters.get(place), 0);
  }

  /** Bins of a histogram over all threads, and the sum of its values. */
  histogram(start: number): { readonly bins: Float64Array; readonly sumMs: number } {
    const bins = new Float64Array(HISTOGRAM_BINS);
    let sumMs = 0;
    for (const counters of this.sources.counters) sumMs += counters.readHistogram(start, bins);
    return { bins, sumMs };
  }

  /** Counts by name; `always` keeps those that are zero. */
  named(names: readonly string[], placeOf: (name: never) => number, always: boolean): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const name of names) {
      const count = this.place(placeOf(name as never));
      if (always || count > 0) counts[name] = count;
    }
    return counts;
  }

  verdicts(modes: readonly Mode[]): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const verdict of VERDICTS) {
      counts[verdict] = modes.reduce((sum, mode) => sum + this.place(verdictPlace(verdict, mode)), 0);
    }
    return counts;
  }

  /** Records of requests. */
  events(): StreamAccount {
    return this.#account((stream) => stream < BUCKET_STREAM_FIRST);
  }

  buckets(): StreamAccount {
    return this.#account((stream) => stream >= BUCKET_STREAM_FIRST);
  }

  #account(isWanted: (stream: number) => boolean): StreamAccount {
    const total = { assigned: 0, delivered: 0, dropped: 0, waiting: 0 };
    for (const reader of this.sources.readers) {
      if (!isWanted(reader.stream)) continue;
      const account = reader.account();
      total.assigned += account.assigned;
      total.delivered += account.delivered;
      total.dropped += account.dropped;
      total.waiting += account.waiting;
    }
    return total;
  }

  get blind(): boolean {
    return this.sources.current.bundle === null || !this.sources.thread().ready;
  }

  /** Listeners open, a policy in force (there always is one), not draining. */
  get ready(): boolean {
    return this.sources.thread().ready && !this.sources.draining();
  }

  status(): SidecarStatus {
    const { sources } = this;
    const { current, plan } = sources;
    const { rule } = current.compiled;
    const report = sources.controlPlane();
    const thread = sources.thread();
    const events = this.events();
    return {
      mode: rule.mode,
      mode_source: rule.modeSource,
      policy_version: current.policy.version,
      policy_origin: current.policy.origin,
      policy_age_s: Math.max(0, Math.round((sources.nowMs() - current.policySinceMs) / 1000)),
      openapi_version: current.openApi?.version ?? null,
      bundle_id: current.bundle?.prepared.id ?? null,
      bundle_origin: current.bundle?.origin ?? null,
      blind: this.blind,
      control_plane: {
        state: report?.state ?? 'off',
        address: report?.address ?? null,
        connects: report?.connects ?? 0,
        last_error: report?.lastError ?? '',
      },
      workload: sources.workload,
      namespace: sources.namespace,
      boot_id: sources.bootId,
      ready: this.ready,
      draining: sources.draining(),
      uptime_s: Math.round((sources.monotonicMs() - sources.startedMs) / 1000),
      data_thread: { stalled: thread.stalled, crashes: thread.crashes },
      ...this.#counts(),
      events_dropped_total: events.dropped,
      events: { ...events, sampled_out: this.single('eventsSampledOut') },
      buckets: this.buckets(),
      added_latency_ms: this.#quantiles(HISTOGRAM.addedLatency),
      upstream_latency_ms: this.#quantiles(HISTOGRAM.upstreamLatency),
      address_databases: sources.databases().map(databaseStatus),
      identity: identityStatus(sources.identity(), this),
      ...sources.remembered(),
      memory: {
        rss_bytes: process.memoryUsage.rss(),
        plan_bytes: plan.totalBytes,
        limit_bytes: plan.limitBytes,
        plan: Object.fromEntries(plan.items.map((item) => [item.name, item.bytes])),
      },
    };
  }

  #counts() {
    return {
      identities: this.single('identities'),
      replicas: this.single('replicas'),
      inflight: this.single('inflight'),
      connections: this.single('connections'),
      tunnels: this.single('tunnels'),
      requests_total: this.single('requests'),
      bodies_held_total: this.single('bodiesHeld'),
      bodies_unheld_total: this.single('bodiesUnheld'),
      scored_total: this.single('scored'),
      forwarded_total: this.single('forwarded'),
      verdicts_total: this.verdicts(MODES),
      verdicts_by_mode: Object.fromEntries(MODES.map((mode) => [mode, this.verdicts([mode])])),
      refused_total: this.named(['policy.blocked'], refusedPlace, true),
      rejected_total: this.named(REFUSAL_CODES, rejectedPlace, false),
      uninspected_total: this.named(UNSCORED_CAUSES.slice(1), uninspectedPlace, true),
      answers_total: this.named(REFUSAL_CODES, answerPlace, false),
      notes_total: this.named(NOTE_CODES, notePlace, false),
      status_classes: Object.fromEntries(
        [1, 2, 3, 4, 5].map((digit) => [`${digit}xx`, this.place(statusClassPlace(digit * 100))]),
      ),
    };
  }

  #quantiles(start: number): Quantiles {
    const { bins } = this.histogram(start);
    const at = (quantile: number): number | null => {
      const value = quantileMs(bins, quantile);
      return Number.isNaN(value) ? null : Math.round(value * 1e6) / 1e6;
    };
    return { p50: at(0.5), p90: at(0.9), p99: at(0.99), count: bins.reduce((sum, count) => sum + count, 0) };
  }
}

function databaseStatus(report: GeoFileReport): AddressDatabaseStatus {
  const { role, file, type, builtMs, bytes, problem } = report;
  const known = builtMs > 0;
  return {
    option: role === 'hostingCidrs' ? '--hosting-cidrs' : `--${role}`,
    ...{ file, type, bytes, problem },
    built: known ? new Date(builtMs).toISOString() : null,
    // By the machine's clock: a simulated one says nothing of a file's age.
    age_days: known ? Math.floor((Date.now() - builtMs) / 86_400_000) : null,
  };
}
