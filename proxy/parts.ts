// Makes the parts of a sidecar from its config and joins them, without starting any: log, what runs, event rings and their
// readers, the data thread's host, the status view. Called by main.ts only.

import { randomBytes } from 'node:crypto';
import type { DestinationStream } from 'pino';
import type { Clock } from '../domain/clock.ts';
import { OFFERED_IDS } from '../domain/features.ts';
import { schemaId } from '../domain/schema-id.ts';
import { BUCKET_STREAM_FIRST } from '../domain/workload-bucket.ts';
import { loadCoreModule } from '../wasm-core/host/core-module.ts';
import type { SidecarConfig } from './config.ts';
import { Counters } from './counters.ts';
import { Current } from './current.ts';
import type { DataPlaneConfig } from './data-plane-config.ts';
import type { DataThreadSeams } from './data-thread.ts';
import { DataThreadHost } from './data-thread-host.ts';
import { EventReader } from './event-reader.ts';
import { createEventBuffers, type EventBuffers, LABEL_TEXTS, ROUTE_TEXTS } from './event-ring.ts';
import { GeoWatch } from './geo-watch.ts';
import { newLog, type SidecarLog } from './log.ts';
import { DATA_HEAP_MB } from './memory-plan.ts';
import { IdentityService } from './principal/identity-service.ts';
import { RouteMemory } from './route-memory.ts';
import { type ClockBase, clockFrom, monotonicMs, newClockBase } from './shared-clock.ts';
import type { StartFiles } from './start-files.ts';
import { OVERLAY_ROWS } from './state/overlay-rows.ts';
import { Remembered } from './state/remembered.ts';
import { TextTableReader } from './text-table.ts';
import type { ThreadStart } from './thread-messages.ts';

export interface PartsOptions {
  readonly config: SidecarConfig;
  /** Brings a clock of its own: the data plane then runs on this thread. For tests. */
  readonly clock?: Clock;
  /** Uniform in [0, 1): jitter, and ids in the data plane when it runs on this thread. */
  readonly random?: () => number;
  /** Runs the data plane on this thread, without a worker. For tests. */
  readonly inline?: boolean;
  /** Where log lines go; standard output if absent. */
  readonly logStream?: DestinationStream;
  /** Another entry for the data thread. For tests that stall or crash it. */
  readonly threadEntry?: URL;
}

export interface Parts {
  readonly bootId: string;
  readonly log: SidecarLog;
  readonly clock: Clock;
  readonly random: () => number;
  readonly counters: Counters;
  readonly readers: readonly EventReader[];
  readonly current: Current;
  readonly host: DataThreadHost;
  readonly routes: RouteMemory;
  readonly geo: GeoWatch;
  readonly identity: IdentityService;
  readonly remembered: Remembered;
}

export function makeParts(options: PartsOptions, files: StartFiles): Parts {
  const { config, logStream } = options;
  const { namespace, workload, requireSigned, logLevel } = config;
  const bootId = randomBytes(16).toString('hex');
  const stream = logStream === undefined ? {} : { stream: logStream };
  const log = newLog({ level: logLevel, workload, bootId, ...stream });
  const base = newClockBase(config.clockRate);
  const clock = options.clock ?? clockFrom(base);
  const current = new Current({ namespace, workload, clock, requireSigned, trustedKeys: files.trustedKeys });
  const counters = new Counters();
  const events = eventBuffers(config);
  const routes = new RouteMemory({ namespace, workload, log });
  const identity = new IdentityService({
    ...{ config, log, monotonicMs, keys: files.identityKeys },
    policy: () => current.compiled,
    nowMs: () => clock.nowMs(),
    send: (order) => host.send(order),
  });
  const random = options.random ?? Math.random;
  const hashKeys = () => identity.hashKeys;
  const remembered = new Remembered({ config, hashKeys, clock, monotonicMs, random, log });
  const shared = { counters, events, base, current, routes, identity, remembered };
  const host: DataThreadHost = new DataThreadHost({
    startData: () => threadStart(config, files, shared),
    counters,
    log,
    heapMaxMb: DATA_HEAP_MB,
    onLearned: (saved) => routes.keep(saved),
    onLost: () => remembered.keeper.save(),
    onMemory: ({ view, startedMs, restored }) => remembered.keeper.began(view, startedMs, restored),
    ...(options.threadEntry === undefined ? {} : { entry: options.threadEntry }),
    ...inlineSeams(options),
  });
  const readers = events === null ? [] : newReaders(events, { bootId, namespace, workload });
  const geo = new GeoWatch({ files: files.geo, log, send: (order) => host.send(order) });
  return { bootId, log, clock, random, counters, readers, current, host, routes, geo, identity, remembered };
}

function inlineSeams(options: PartsOptions): { inline?: DataThreadSeams } {
  const { clock, random, inline } = options;
  if (inline !== true && clock === undefined) return {};
  return {
    inline: { ...(clock === undefined ? {} : { clock }), ...(random === undefined ? {} : { random }) },
  };
}

interface Shared {
  readonly counters: Counters;
  readonly events: EventBuffers | null;
  readonly base: ClockBase;
  readonly current: Current;
  readonly routes: RouteMemory;
  readonly identity: IdentityService;
  readonly remembered: Remembered;
}

/** What a data thread starts with at this moment. */
function threadStart(config: SidecarConfig, files: StartFiles, shared: Shared): ThreadStart {
  return {
    listeners: [{ name: 'http', ...config.listen, upstream: config.upstream.origin }],
    config: dataPlaneConfig(config),
    policy: shared.current.compiled,
    bundle: shared.current.bundle?.prepared ?? null,
    addresses: files.geo.data,
    paths: shared.current.openApi?.routes.paths ?? [],
    learned: shared.routes.saved,
    identityKeys: shared.identity.hashKeys,
    tokens: shared.identity.tokens,
    counters: shared.counters.buffer,
    events: shared.events,
    clock: shared.base,
    state: shared.remembered.keeper.order(),
    core: loadCoreModule(),
  };
}

function dataPlaneConfig(config: SidecarConfig): DataPlaneConfig {
  return {
    trustedProxies: config.trustedProxies,
    clientIpSource: config.clientIpSource,
    forwardHeaders: config.forwardHeaders,
    via: config.via,
    identities: config.identities,
    newIdentitiesPerPeer: config.newIdentitiesPerPeer,
    sharedViews: config.sharedWindows === undefined ? 0 : OVERLAY_ROWS,
    bodyMaxBytes: config.bodyMaxBytes ?? Infinity,
    bodyPrefixBytes: config.bodyPrefixBytes,
    heldBodiesMax: config.heldBodiesMax,
    headTimeoutMs: config.headTimeout,
    bodyIdleTimeoutMs: config.bodyIdleTimeout,
    keepAliveIdleMs: config.keepAliveTimeout,
    connectTimeoutMs: config.connectTimeout,
    upstreamHeadTimeoutMs: config.upstreamHeadTimeout,
    upstreamBodyIdleMs: config.upstreamBodyIdleTimeout,
    upstreamKeepAliveMs: config.upstreamKeepAlive,
    wsHandshakeTimeoutMs: config.websocketHandshakeTimeout,
    wsIdleTimeoutMs: config.websocketIdleTimeout,
    connectionsMax: config.connectionsMax,
    inflightMax: config.inflightMax,
    retries: config.retries,
  };
}

/** Without a control plane nobody reads events, so none are kept. */
function eventBuffers(config: SidecarConfig): EventBuffers | null {
  const { controlPlane, flaggedRingSlots, allowRingSlots } = config;
  if (controlPlane === undefined) return null;
  return createEventBuffers({ flaggedSlots: flaggedRingSlots, allowSlots: allowRingSlots });
}

function newReaders(
  buffers: EventBuffers,
  producer: { bootId: string; namespace: string; workload: string },
): EventReader[] {
  const texts = {
    routes: new TextTableReader(buffers.routes, ROUTE_TEXTS),
    labels: new TextTableReader(buffers.labels, LABEL_TEXTS),
  };
  const common = { ...producer, schemaId: schemaId(OFFERED_IDS) };
  const readerOf = (ring: SharedArrayBuffer, stream: number) =>
    new EventReader(ring, { context: { ...common, stream }, texts });
  return [...buffers.rings.map(readerOf), readerOf(buffers.buckets, BUCKET_STREAM_FIRST)];
}
