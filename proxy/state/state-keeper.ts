// Keeps what the feature engine remembers over restarts: saves a snapshot every few minutes, at a drain and at the end, and tells
// a data thread which file to begin with. Reads the data thread's memory from the control thread; requests never wait for it.
// A failure is counted and said, and changes nothing else. Made by parts.ts, opened by main.ts.

import { join } from 'node:path';
import type { Clock } from '../../domain/clock.ts';
import { PicketError } from '../../domain/errors.ts';
import type { SnapshotKey } from '../../feature-engine/snapshot-read.ts';
import { type SnapshotTally, writeSnapshot } from '../../feature-engine/snapshot-write.ts';
import type { StateView } from '../../feature-engine/state-view.ts';
import type { SidecarLog } from '../log.ts';
import { replaceFile } from './snapshot-file.ts';
import {
  isoOrNull,
  NOT_RESTORED,
  type RestoreReport,
  type SaveReport,
  type StateStatus,
} from './state-report.ts';

export const SNAPSHOT_NAME = 'rows.state';
/** A data thread that ends sooner than this after it began with a snapshot is started without one. */
const SETTLED_MS = 30_000;

/** What a data thread needs to put a snapshot back. */
export interface RestoreOrder {
  readonly path: string;
  readonly keys: readonly SnapshotKey[];
  readonly owner: string;
}

export interface StateKeeperOptions {
  readonly owner: string;
  /** The key in force, then the former one while it is being rotated; empty: hashes do not outlive the process. */
  readonly keys: () => readonly SnapshotKey[];
  readonly bytesMax: number;
  /** 0: only at drains and at the end. */
  readonly intervalSeconds: number;
  /** The sidecar's clock, for what is written. */
  readonly clock: Clock;
  readonly log: SidecarLog;
  readonly monotonicMs: () => number;
  /** Names this sidecar where windows are shared, unless a snapshot says its former name: 16 hex digits. */
  readonly replica: string;
}

export class StateKeeper {
  readonly #options: StateKeeperOptions;
  #path: string | null = null;
  #offBecause = 'there is no state folder';
  #view: StateView | null = null;
  #restored: RestoreReport = NOT_RESTORED;
  #startedMs = 0;
  #replica: string;
  #orderedAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  #saves = 0;
  #failures = 0;
  #lastSave: SaveReport | null = null;
  #lastProblem = '';

  constructor(options: StateKeeperOptions) {
    this.#options = options;
    this.#replica = options.replica;
  }

  /** How this sidecar is known where windows are shared: the same over a restart whose state was put back. */
  get replica(): string {
    return this.#replica;
  }

  /** Another sidecar has the name: this one is known by another from now on. */
  rename(replica: string): void {
    this.#replica = replica;
  }

  /** The memory of the data thread that runs; null before it is ready. */
  get view(): StateView | null {
    return this.#view;
  }

  /**
   * Called once, with the state folder, before the data thread starts. `offBecause`: why nothing is to be kept there; empty if
   * something is.
   */
  open(folder: string | null, offBecause: string): void {
    const { bytesMax, intervalSeconds, keys } = this.#options;
    if (folder === null) return;
    if (offBecause !== '') this.#offBecause = offBecause;
    else if (bytesMax === 0) this.#offBecause = '--state-dir-max-bytes is 0';
    else if (keys().length === 0)
      this.#offBecause = 'without --identity-key-file hashes change at each start';
    else {
      this.#offBecause = '';
      this.#path = join(folder, SNAPSHOT_NAME);
      if (intervalSeconds > 0) {
        this.#timer = setInterval(() => void this.save(), intervalSeconds * 1000);
        this.#timer.unref();
      }
    }
  }

  /** The snapshot that a data thread is to begin with; null for none, or if the last thread that had one ended at once. */
  order(): RestoreOrder | null {
    const { owner, keys, monotonicMs, log } = this.#options;
    if (this.#path === null) return null;
    const sinceMs = monotonicMs() - this.#orderedAtMs;
    this.#orderedAtMs = monotonicMs();
    this.#view = null;
    if (sinceMs < SETTLED_MS && this.#restored.outcome === 'restored') {
      log.error('the data thread ended soon after its state was put back: it begins without it');
      this.#restored = NOT_RESTORED;
      return null;
    }
    return { path: this.#path, keys: keys(), owner };
  }

  /** The data thread is ready: its memory, since when it counts, and what became of the order. */
  began(view: StateView, startedMs: number, report: RestoreReport): void {
    const { log } = this.#options;
    this.#view = view;
    this.#startedMs = startedMs;
    this.#restored = report;
    const { outcome, why, refusal, rows, left } = report;
    if (outcome === 'restored') {
      this.#replica = report.replica;
      const taken = isoOrNull(report.takenMs);
      log.info({ rows, left, taken, since: isoOrNull(startedMs) }, 'what was remembered is back');
      if (why !== '') log.warn(`not all of the state could be used: ${why}`);
    } else if (outcome === 'refused' || outcome === 'failed') {
      log.error({ refusal }, `the state file is not used, counting begins anew: ${why}`);
    }
  }

  /** Saves now, after a save that is under way. Never throws: a failure is counted, said and shown in /status. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  /** No more saves on its own; waits for the one under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#saving;
  }

  status(): StateStatus {
    const restored = this.#restored;
    const last = this.#lastSave;
    return {
      file: this.#path,
      off_because: this.#offBecause,
      restored: restored.outcome,
      restore_refused: restored.refusal,
      restore_problem: restored.why,
      restored_rows: restored.rows,
      restored_left: restored.left,
      restored_taken: isoOrNull(restored.takenMs),
      since: isoOrNull(this.#startedMs),
      saves_total: this.#saves,
      save_failures_total: this.#failures,
      last_save:
        last === null
          ? null
          : {
              at: new Date(last.atMs).toISOString(),
              ...{ bytes: last.bytes, ms: last.tookMs, rows: last.rows, left: last.left },
            },
      last_save_problem: this.#lastProblem,
    };
  }

  async #save(): Promise<void> {
    const { monotonicMs, log, clock } = this.#options;
    if (this.#path === null || this.#view === null) return;
    const beganMs = monotonicMs();
    const takenMs = clock.nowMs();
    try {
      const tally = await replaceFile(this.#path, this.#pieces(this.#view, takenMs));
      const { bytes, written, left, regionsLeft } = tally;
      const tookMs = Math.round(monotonicMs() - beganMs);
      this.#saves++;
      this.#lastProblem = '';
      this.#lastSave = { atMs: takenMs, bytes, tookMs, rows: written, left };
      log.debug({ bytes, tookMs, written, left, regionsLeft }, 'the state was saved');
    } catch (thrown) {
      this.#failures++;
      const { message } = PicketError.from(thrown);
      if (message !== this.#lastProblem) log.error(`the state could not be saved: ${message}`);
      this.#lastProblem = message;
    }
  }

  #pieces(view: StateView, takenMs: number): Generator<Uint8Array | null, SnapshotTally> {
    const { owner, keys, bytesMax } = this.#options;
    const [key] = keys();
    if (key === undefined) throw new PicketError('INTERNAL', 'a snapshot needs a key');
    const startedMs = Math.min(this.#startedMs, takenMs);
    const head = { keyId: key.keyId, owner, replica: this.#replica, takenMs, startedMs };
    return writeSnapshot(view, { head, macKey: key.macKey, bytesMax });
  }
}
