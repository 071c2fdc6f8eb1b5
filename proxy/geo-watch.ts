// Keeps the sidecar's address databases fresh: looks at the files now and then on the control thread and hands what is new,
// already checked, to the data thread, which takes it up between two requests. Says what it did; a bad file changes nothing.
// Called by main.ts: on its tick, and at SIGHUP.

import { PicketError } from '../domain/errors.ts';
import type { GeoFileReport, GeoFiles } from '../feature-engine/geo-files.ts';
import type { ThreadOrder } from './data-thread-host.ts';
import type { SidecarLog } from './log.ts';

/** Between two looks at the files. */
const LOOK_MS = 2_000;

export interface GeoWatchOptions {
  readonly files: GeoFiles;
  readonly log: SidecarLog;
  readonly send: (order: ThreadOrder) => Promise<void>;
}

export class GeoWatch {
  readonly #options: GeoWatchOptions;
  #sinceLookMs = 0;
  /** The look under way: one at a time, so that an older file never overtakes a newer one. */
  #looking: Promise<boolean> = Promise.resolve(false);
  #busy = false;

  constructor(options: GeoWatchOptions) {
    this.#options = options;
    options.files.onProblem = ({ code, message, hint, problems }) =>
      options.log.error(
        { code, hint, problems },
        `the new address database is not used, the last good one stays: ${message}`,
      );
  }

  get reports(): readonly GeoFileReport[] {
    return this.#options.files.reports;
  }

  /** Call it every `everyMs`. */
  tick(everyMs: number): void {
    this.#sinceLookMs += everyMs;
    if (this.#sinceLookMs < LOOK_MS || this.#busy) return;
    this.#sinceLookMs = 0;
    void this.#look(false);
  }

  /** Looks at once; says what became of it, as SIGHUP reports. Never throws. */
  async reload(): Promise<string[]> {
    const { files } = this.#options;
    if (files.reports.length === 0) return [];
    const changed = await this.#look(true);
    const refused = files.reports.some((report) => report.problem !== null);
    return [`address databases: ${refused ? 'refused, DATA_INVALID' : changed ? 'read anew' : 'unchanged'}`];
  }

  #look(now: boolean): Promise<boolean> {
    this.#looking = this.#looking.then(() => this.#refresh(now));
    return this.#looking;
  }

  async #refresh(now: boolean): Promise<boolean> {
    const { files, log, send } = this.#options;
    this.#busy = true;
    try {
      if (!(await files.refresh(now))) return false;
      await send({ kind: 'addresses', data: files.data });
      log.info({ databases: files.reports }, 'address databases read anew');
      return true;
    } catch (thrown) {
      log.error({ err: PicketError.from(thrown) }, 'the address databases could not be handed over');
      return false;
    } finally {
      this.#busy = false;
    }
  }
}
