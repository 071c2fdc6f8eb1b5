// A data plane: listeners, pipeline, upstreams and the counters around them, on whichever thread it is started. No thread,
// no file, no environment: everything comes in through its options, so tests run the same thing in process.
// Called by data-thread.ts, and by tests.

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../domain/clock.ts';
import { PicketError } from '../domain/errors.ts';
import type { DeclaredPath } from '../domain/openapi.ts';
import type { CompiledPolicy } from '../domain/policy.ts';
import { BUCKET_MS, isEmptyBucket } from '../domain/workload-bucket.ts';
import { type EngineStats, FeatureEngine } from '../feature-engine/engine.ts';
import { type AddressData, addressSources } from '../feature-engine/geo-files.ts';
import type { LearnedRoutes } from '../feature-engine/learned-routes.ts';
import { Core } from '../wasm-core/host/core.ts';
import type { PreparedBundle } from '../wasm-core/host/prepare.ts';
import { AddressBook } from './client-address.ts';
import { COUNTER, type Counters } from './counters.ts';
import type { DataPlaneConfig } from './data-plane-config.ts';
import type { EventWriter } from './event-writer.ts';
import { Upgrader } from './forward/upgrade.ts';
import { Upstream } from './forward/upstream.ts';
import { Front, type Origin } from './front.ts';
import { type HashKeys, KeyedHash } from './keyed-hash.ts';
import type { ThreadNote } from './note.ts';
import { Pipeline } from './pipeline.ts';
import { type TokenBuffers, TokenDesk } from './principal/token-desk.ts';
import { RequestIds } from './request-id.ts';
import { type Faults, Scorer } from './score.ts';
import { newServer } from './server.ts';
import { holderOf } from './state/engine-holder.ts';
import { restoreState } from './state/restore-state.ts';
import type { RestoreOrder } from './state/state-keeper.ts';
import type { ThreadMemory } from './thread-messages.ts';

export interface ListenerOptions {
  readonly name: string;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Origin of the application; http only. */
  readonly upstream: URL;
  readonly protocol: 'http1';
}

export interface DataPlaneOptions {
  readonly listeners: readonly ListenerOptions[];
  readonly config: DataPlaneConfig;
  /** Compiled, its margins bound to `bundle`. */
  readonly policy: CompiledPolicy;
  readonly bundle: PreparedBundle | null;
  /** Address databases that GeoFiles checked; without them places are unknown. */
  readonly addresses?: AddressData;
  /** The paths of an OpenAPI document: declared routes, after the policy's. */
  readonly paths?: readonly DeclaredPath[];
  /** Route templates learned before, checked. */
  readonly learned?: string | null;
  /** The snapshot to begin with; none if absent. */
  readonly state?: RestoreOrder | null;
  /** Key of identity hashes: four words, little-endian. */
  readonly identityKey: Uint32Array;
  /** The key before it while it is being rotated, and the number that names the present one; none and 0 if absent. */
  readonly formerIdentityKey?: Uint32Array | null;
  readonly identityKeyId?: number;
  /** Where tokens go to be verified and their principals come back; without it no token names a principal. */
  readonly tokens?: TokenBuffers | null;
  readonly counters: Counters;
  readonly events: EventWriter;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: (note: ThreadNote) => void;
  readonly core?: Core;
  readonly faults?: Faults;
  /** Milliseconds between sweeps over slow limits; shorter in tests. */
  readonly tickMs?: number;
}

export interface ListeningAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface DataPlane {
  readonly addresses: readonly ListeningAddress[];
  readonly inflight: number;
  readonly tunnels: number;
  /** Swaps one reference; requests under way keep what they were judged by. */
  setPolicy(policy: CompiledPolicy): void;
  /** Stages, warms and activates; null scores nothing any more. Throws PicketError, and the old bundle stays. */
  setBundle(prepared: PreparedBundle | null): void;
  rollbackBundle(): void;
  /** Keys of identity hashes from the next request on. */
  setIdentityKeys(keys: HashKeys): void;
  /** The paths of an OpenAPI document, in place of those before. */
  setPaths(paths: readonly DeclaredPath[]): void;
  /** Address databases that GeoFiles checked: in use from the next request on. */
  setAddresses(data: AddressData): void;
  /** `soft`: answers carry `Connection: close`. `stop`: also no new connections, and at most `ms` for what is under way. */
  drain(mode: 'soft' | 'stop', ms: number): Promise<void>;
  close(): Promise<void>;
  /** Call it now and then: closes what only time closes, such as the workload's bucket. */
  beat(): void;
  /** Identities in the table. */
  identities(): number;
  /** Route templates learned so far. */
  readonly learned: LearnedRoutes;
  /** What the feature engine remembers, for the control thread to read. */
  readonly memory: ThreadMemory;
  /** What the feature engine counts: rows, evictions, outcomes that came too late. */
  engineStats(): EngineStats;
}

/** Opens the listeners. Throws PicketError LISTEN_REFUSED if one cannot be opened; then none is. */
export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const plane = new RunningPlane(options);
  try {
    await plane.listen();
  } catch (thrown) {
    await plane.close();
    throw thrown;
  }
  return plane;
}

class RunningPlane implements DataPlane {
  addresses: readonly ListeningAddress[] = [];
  readonly memory: ThreadMemory;
  readonly #options: DataPlaneOptions;
  readonly #scorer: Scorer;
  readonly #engine: FeatureEngine;
  readonly #hash: KeyedHash;
  readonly #pipeline: Pipeline;
  readonly #front: Front;
  readonly #servers: Server[];
  readonly #origins: readonly Origin[];

  constructor(options: DataPlaneOptions) {
    const { config, counters, events, clock, identityKey } = options;
    this.#options = options;
    this.#scorer = new Scorer({ core: options.core ?? new Core(), faults: options.faults });
    if (options.bundle !== null) this.#scorer.activate(options.bundle);
    this.#engine = new FeatureEngine({
      identities: config.identities,
      newIdentitiesPerPeer: config.newIdentitiesPerPeer,
      sharedViews: config.sharedViews,
      startedMs: clock.nowMs(),
      sketchSeed: identityKey[0] as number,
      onBucket: (bucket) => {
        if (!isEmptyBucket(bucket)) events.bucket(bucket.startMs, bucket);
      },
    });
    // Before anything is counted.
    const restored = restoreState(holderOf(this.#engine), options.state ?? null, clock.nowMs());
    const { stateView: view, stateStartedMs } = this.#engine;
    this.memory = { view, restored, startedMs: stateStartedMs };
    if (options.addresses !== undefined) this.setAddresses(options.addresses);
    const { formerIdentityKey: former = null, identityKeyId: keyId = 0, tokens = null } = options;
    this.#hash = new KeyedHash(this.#engine, { current: identityKey, former, keyId });
    const hash = this.#hash;
    const desk = tokens === null ? null : new TokenDesk(tokens, counters);
    const requestIds = new RequestIds(options.random);
    this.#pipeline = new Pipeline({
      ...{ config, counters, events, clock, requestIds, hash, desk },
      ...{ policy: options.policy, scorer: this.#scorer, engine: this.#engine },
      ...{ paths: options.paths ?? [], learned: options.learned ?? null },
    });
    this.#origins = options.listeners.map((listener) => newOrigin(listener.upstream, config));
    const addresses = new AddressBook({
      source: config.clientIpSource,
      trusted: config.trustedProxies,
      hash,
    });
    this.#front = new Front({
      ...{ config, counters, events, clock, requestIds, addresses },
      ...{ pipeline: this.#pipeline, engine: this.#engine, origins: this.#origins },
      ...{ log: options.log, tickMs: options.tickMs },
    });
    this.#servers = options.listeners.map((_, index) => newServer(config, this.#front, index));
  }

  async listen(): Promise<void> {
    const { listeners } = this.#options;
    const bound: ListeningAddress[] = [];
    for (const [index, server] of this.#servers.entries()) {
      const { name, host, port } = listeners[index] as ListenerOptions;
      await new Promise<void>((resolve, reject) => {
        server.once('error', (cause) =>
          reject(
            new PicketError('LISTEN_REFUSED', `cannot listen on ${host}:${port}: ${cause.message}`, {
              cause,
            }),
          ),
        );
        server.listen({ host, port, backlog: 4096 }, resolve);
      });
      server.removeAllListeners('error');
      server.on('error', (error) =>
        this.#options.log({ level: 'error', code: 'LISTEN_REFUSED', message: error.message }),
      );
      bound.push({ name, host, port: (server.address() as AddressInfo).port });
    }
    this.addresses = bound;
  }

  get learned(): LearnedRoutes {
    return this.#pipeline.learned;
  }

  setPaths(paths: readonly DeclaredPath[]): void {
    this.#pipeline.setPaths(paths);
  }

  get inflight(): number {
    return this.#front.inflight;
  }

  get tunnels(): number {
    return this.#front.tunnels;
  }

  identities(): number {
    return this.#engine.stats.identities.rows;
  }

  engineStats(): EngineStats {
    return this.#engine.stats;
  }

  setPolicy(policy: CompiledPolicy): void {
    this.#pipeline.setPolicy(policy);
  }

  setBundle(prepared: PreparedBundle | null): void {
    if (prepared === null) this.#scorer.deactivate();
    else this.#scorer.activate(prepared);
  }

  rollbackBundle(): void {
    this.#scorer.rollback();
  }

  setAddresses(data: AddressData): void {
    this.#engine.addressBook.use(addressSources(data));
  }

  setIdentityKeys(keys: HashKeys): void {
    this.#hash.setKeys(keys);
  }

  beat(): void {
    this.#engine.buckets.replicas = this.#options.counters.get(COUNTER.replicas);
    this.#engine.idle(this.#options.clock.nowMs());
  }

  async drain(mode: 'soft' | 'stop', ms: number): Promise<void> {
    this.#front.draining = true;
    if (mode === 'soft') return;
    for (const server of this.#servers) {
      server.close();
      server.closeIdleConnections();
    }
    await this.#front.whenQuiet(ms);
    // The bucket under way goes out as it is: after a restart its other part comes and is merged.
    this.#engine.idle(this.#options.clock.nowMs() + BUCKET_MS);
  }

  async close(): Promise<void> {
    this.#front.draining = true;
    const closed = this.#servers.map(
      (server) =>
        new Promise<void>((resolve) => (server.listening ? server.close(() => resolve()) : resolve())),
    );
    this.#front.destroy();
    for (const origin of this.#origins) origin.upstream.destroy();
    await Promise.all(closed);
  }
}

function newOrigin(url: URL, config: DataPlaneConfig): Origin {
  const upstream = new Upstream({
    url,
    connectTimeoutMs: config.connectTimeoutMs,
    headTimeoutMs: config.upstreamHeadTimeoutMs,
    bodyIdleMs: config.upstreamBodyIdleMs,
    keepAliveMs: config.upstreamKeepAliveMs,
    connectionsMax: Math.max(config.connectionsMax, config.inflightMax),
  });
  return { upstream, upgrader: new Upgrader(url) };
}
