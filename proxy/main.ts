// One sidecar: config in, a running proxy out. Starts the parts in order, ties them together, stops them in the other order.
// Usable in process; signals and exit codes are in signals.ts, the making of parts in parts.ts.

import { rm } from 'node:fs/promises';
import type { Server } from 'node:net';
import { PicketError } from '../domain/errors.ts';
import { Admin } from './admin.ts';
import { type SidecarConfig, stateDirOf } from './config.ts';
import type { Uplink } from './control/uplink.ts';
import { drainSocketPath, listenForDrain, makeStateDir } from './drain-socket.ts';
import type { SidecarLog } from './log.ts';
import { checkMemoryPlan, containerLimitBytes, type MemoryPlan, memoryPlan, mib } from './memory-plan.ts';
import { makeParts, type Parts, type PartsOptions } from './parts.ts';
import { reloadFiles, takeStartFiles } from './reload.ts';
import { monotonicMs } from './shared-clock.ts';
import { readStartFiles, type StartFiles } from './start-files.ts';
import { type SidecarStatus, StatusView } from './status.ts';
import type { BoundAddress } from './thread-messages.ts';

const TICK_MS = 250;
const FLUSH_MS = 2_000;

export type SidecarOptions = PartsOptions;

export interface SidecarAddresses {
  readonly listeners: readonly BoundAddress[];
  readonly admin: { readonly host: string; readonly port: number };
}

/**
 * Starts a sidecar; resolves when its listeners are open. Throws PicketError (CONFIG_INVALID, POLICY_INVALID, BUNDLE_*,
 * MEMORY_PLAN, LISTEN_REFUSED) and leaves nothing open then. Never waits for a control plane.
 */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const plan = memoryPlan(options.config, containerLimitBytes());
  checkMemoryPlan(plan);
  const files = await readStartFiles(options.config);
  const sidecar = new Sidecar(options.config, makeParts(options, files), plan);
  try {
    await sidecar.start(files);
    return sidecar;
  } catch (thrown) {
    await sidecar.close();
    throw thrown;
  }
}

export class Sidecar {
  readonly #config: SidecarConfig;
  readonly #parts: Parts;
  readonly #plan: MemoryPlan;
  readonly #view: StatusView;
  readonly #admin: Admin;
  #adminAddress = { host: '', port: 0 };
  #uplink: Uplink | null = null;
  #drainServer: Server | null = null;
  #stateDir: string | null = null;
  #tick: NodeJS.Timeout | undefined;
  #draining = false;
  #closing: Promise<void> | null = null;

  constructor(config: SidecarConfig, parts: Parts, plan: MemoryPlan) {
    this.#config = config;
    this.#parts = parts;
    this.#plan = plan;
    this.#view = new StatusView({
      namespace: config.namespace,
      workload: config.workload,
      bootId: parts.bootId,
      counters: [parts.counters],
      readers: parts.readers,
      current: parts.current,
      plan,
      databases: () => this.#parts.geo.reports,
      identity: () => this.#parts.identity.report(),
      remembered: () => this.#parts.remembered.status(),
      startedMs: monotonicMs(),
      nowMs: () => parts.clock.nowMs(),
      monotonicMs,
      controlPlane: () => this.#uplink?.report() ?? null,
      thread: () => parts.host,
      draining: () => this.#draining,
    });
    this.#admin = new Admin(this.#view);
  }

  get log(): SidecarLog {
    return this.#parts.log;
  }

  get addresses(): SidecarAddresses {
    return { listeners: this.#parts.host.addresses, admin: this.#adminAddress };
  }

  /** Where the drain socket and the last good files lie; null if there is no such place. */
  get stateDir(): string | null {
    return this.#stateDir;
  }

  status(): SidecarStatus {
    return this.#view.status();
  }

  /** Called once, by startSidecar. */
  async start(files: StartFiles): Promise<void> {
    const { host, current } = this.#parts;
    const { admin, controlPlane } = this.#config;
    await takeStartFiles(this.#config, files, { current, log: this.log });
    this.#adminAddress = await this.#admin.listen(admin.host, admin.port);
    await this.#openState();
    if (this.#stateDir !== null) await this.#parts.routes.open(this.#stateDir);
    this.#parts.remembered.open(this.#stateDir, this.#isTemporary());
    const uplink = controlPlane === undefined ? null : await this.#prepareUplink(controlPlane);
    await host.start();
    current.attach((order) => host.send(order));
    this.#tick = setInterval(() => this.#onTick(), TICK_MS);
    this.#uplink = uplink?.() ?? null;
    this.#parts.identity.start();
    this.#admin.started();
    this.#announce();
  }

  /** Reads all files again but the config; a bad one keeps what runs. Says what became of each. Never throws. */
  async reload(): Promise<string[]> {
    const files = await reloadFiles(this.#config, this.#parts.current, this.log);
    const { geo, identity } = this.#parts;
    return [...files, ...(await geo.reload()), ...(await identity.reload())];
  }

  /** Not ready from now on; answers carry Connection: close; everything is still served. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.log.info('draining: not ready, connections are closed after their answers');
    this.#order('soft', 0).catch(() => {});
    void this.#parts.remembered.keeper.save();
  }

  /** Stops accepting, waits for what is under way (at most `ms`), sends the last events, closes. */
  async stop(ms: number = this.#config.drainSeconds * 1000): Promise<void> {
    this.#draining = true;
    this.log.info({ waitMs: ms }, 'stopping: no new connections, waiting for what is under way');
    await this.#order('stop', ms).catch((thrown: unknown) =>
      this.log.error({ err: thrown }, 'the drain failed'),
    );
    await Promise.all([this.#uplink?.flush(FLUSH_MS), this.#parts.remembered.close()]);
    await this.close();
  }

  /** Ends everything at once. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #order(mode: 'soft' | 'stop', ms: number): Promise<void> {
    return this.#parts.host.send({ kind: 'drain', mode, ms });
  }

  async #close(): Promise<void> {
    clearInterval(this.#tick);
    this.#parts.identity.close();
    await this.#uplink?.close();
    await this.#parts.remembered.end();
    await this.#parts.host.close();
    await this.#parts.routes.flush();
    await this.#admin.close();
    this.#drainServer?.close();
    if (this.#stateDir !== null && this.#isTemporary())
      await rm(this.#stateDir, { recursive: true, force: true });
    this.log.info('stopped');
  }

  /** A port that the system chose names no lasting folder. */
  #isTemporary(): boolean {
    return this.#config.stateDir === undefined && this.#config.listen.port === 0;
  }

  /** The state folder and its drain socket. One that was asked for must work; the standard one is done without. */
  async #openState(): Promise<void> {
    const { stateDir } = this.#config;
    const place = stateDirOf(this.#config);
    const path = this.#isTemporary() ? `${place}-${this.#parts.bootId.slice(0, 8)}` : place;
    try {
      await makeStateDir(path, stateDir === undefined);
      this.#drainServer = await listenForDrain(drainSocketPath(path), () => this.drain());
      this.#stateDir = path;
    } catch (thrown) {
      if (stateDir !== undefined) throw thrown;
      this.log.warn(
        `no state folder, so no "picket drain" and no last good files: ${PicketError.from(thrown).message}`,
      );
    }
  }

  /** Loads what the control plane last gave, and the code that talks to it; the result connects. */
  async #prepareUplink(address: string): Promise<() => Uplink> {
    const { connectControlPlane } = await import('./control/attach-uplink.ts');
    return connectControlPlane({
      address,
      config: this.#config,
      parts: this.#parts,
      stateDir: this.#stateDir,
      status: () => this.status(),
    });
  }

  #onTick(): void {
    this.#parts.host.watch(TICK_MS);
    this.#parts.geo.tick(TICK_MS);
    this.#parts.identity.tick();
    this.#parts.current.tick().then(
      (changed) => {
        if (changed)
          this.log.info(
            { mode: this.#parts.current.compiled.rule.mode },
            'a mode has run out: policy compiled again',
          );
      },
      (thrown: unknown) => this.log.error({ err: thrown }, 'the policy could not be compiled again'),
    );
  }

  #announce(): void {
    const { listeners, admin } = this.addresses;
    const status = this.status();
    const plan = Object.fromEntries(this.#plan.items.map((item) => [item.name, mib(item.bytes)]));
    this.log.info(
      { plan, total: mib(this.#plan.totalBytes), limitBytes: this.#plan.limitBytes },
      'memory plan',
    );
    if (status.bundle_id === null)
      this.log.warn('no model bundle: requests pass uninspected (uninspected.no_bundle)');
    const [first] = listeners;
    this.log.info(
      {
        listen: `${first?.host}:${first?.port}`,
        admin: `${admin.host}:${admin.port}`,
        upstream: this.#config.upstream.origin,
        mode: status.mode,
        modeSource: status.mode_source,
        policy: status.policy_version,
        bundle: status.bundle_id,
        stateDir: this.#stateDir,
      },
      'sidecar started',
    );
  }
}
