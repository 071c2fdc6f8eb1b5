// What outlives requests: the state keeper and the windows shared with other replicas, made from the config as one part, so that
// main.ts opens, drains and closes one thing. Decides nothing itself. Made by parts.ts.

import { randomBytes } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { fieldsOf } from '../../feature-engine/engine-view.ts';
import type { SnapshotKey } from '../../feature-engine/snapshot-read.ts';
import type { SidecarConfig } from '../config.ts';
import type { HashKeys } from '../keyed-hash.ts';
import type { SidecarLog } from '../log.ts';
import { SHARED_WINDOWS_OFF, SharedWindows, type SharedWindowsStatus } from './shared-windows.ts';
import { ownerId, snapshotKey } from './snapshot-keys.ts';
import { StateKeeper } from './state-keeper.ts';
import type { StateStatus } from './state-report.ts';

/** Part of /status. */
export interface RememberedStatus {
  readonly state: StateStatus;
  readonly shared_windows: SharedWindowsStatus;
}

export interface RememberedOptions {
  readonly config: SidecarConfig;
  readonly hashKeys: () => HashKeys;
  readonly clock: Clock;
  readonly monotonicMs: () => number;
  readonly random: () => number;
  readonly log: SidecarLog;
}

export class Remembered {
  readonly keeper: StateKeeper;
  readonly #shared: SharedWindows | null;
  readonly #options: RememberedOptions;
  #made: { readonly from: HashKeys; readonly keys: readonly SnapshotKey[] } | null = null;

  constructor(options: RememberedOptions) {
    this.#options = options;
    const { config, clock, monotonicMs, random, log } = options;
    const owner = ownerId(config.namespace, config.workload);
    const lasting = config.identityKeyFile !== undefined || config.stateDir !== undefined;
    const keys = () => (lasting ? this.#keys() : []);
    this.keeper = new StateKeeper({
      ...{ owner, keys, clock, log, monotonicMs },
      bytesMax: config.stateDirMaxBytes,
      intervalSeconds: config.snapshotIntervalSeconds,
      replica: randomBytes(8).toString('hex'),
    });
    const url = config.sharedWindows;
    this.#shared =
      url === undefined
        ? null
        : new SharedWindows({
            ...{ url, owner, clock, monotonicMs, random, log, clockRate: config.clockRate },
            intervalMs: config.sharedWindowsInterval,
            stalenessMs: config.sharedWindowsStaleness,
            view: () => this.keeper.view,
            fields: fieldsOf('identities'),
            keyId: () => this.#keys()[0]!.keyId,
            replica: () => this.keeper.replica,
            rename: (replica) => this.keeper.rename(replica),
          });
  }

  /** Called once, with the state folder if there is one. `temporary`: it goes with the process. */
  open(folder: string | null, temporary: boolean): void {
    this.keeper.open(folder, this.#offBecause(temporary));
    this.#shared?.start();
  }

  #offBecause(temporary: boolean): string {
    if (temporary) return 'the state folder is a temporary one';
    // A clock that ran ahead would begin again at the time of day: what it counted would lie in the future.
    return this.#options.config.clockRate === 1 ? '' : '--clock-rate makes times that do not last';
  }

  /** Nothing more is counted: what was counted last is shared and saved. */
  async close(): Promise<void> {
    await this.#shared?.close();
    await this.keeper.save();
    await this.keeper.close();
  }

  /** Everything at once: nothing is shared or saved any more. */
  async end(): Promise<void> {
    this.#shared?.end();
    await this.keeper.close();
  }

  status(): RememberedStatus {
    return { state: this.keeper.status(), shared_windows: this.#shared?.status() ?? SHARED_WINDOWS_OFF };
  }

  /** The key in force and the former one; made anew when they change. */
  #keys(): readonly SnapshotKey[] {
    const from = this.#options.hashKeys();
    const { current, former } = from;
    if (this.#made?.from.current !== current || this.#made.from.former !== former) {
      this.#made = { from, keys: (former === null ? [current] : [current, former]).map(snapshotKey) };
    }
    return this.#made.keys;
  }
}
