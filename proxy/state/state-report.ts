// What became of the state over a restart, for the log and /status: what was put back, what was refused and why, what was saved.
// Shapes and words only. Filled by restore-state.ts and state-keeper.ts.

import type { RefusalKind } from '../../feature-engine/snapshot-format.ts';

/** What a data thread says of the snapshot that it was to begin with. */
export interface RestoreReport {
  /** `off`: there was none to look for. `failed`: the file could not be read. */
  readonly outcome: 'off' | 'absent' | 'restored' | 'refused' | 'failed';
  readonly refusal: RefusalKind | null;
  /** Why, in words; empty if it was restored whole. */
  readonly why: string;
  /** When the snapshot was taken, and since when its state had been counted, ms since the epoch; 0 without one. */
  readonly takenMs: number;
  readonly startedMs: number;
  readonly rows: Readonly<Record<string, number>>;
  /** Rows that made no sense or found no room. */
  readonly left: number;
  /** Who wrote it, where windows are shared. */
  readonly replica: string;
}

export const NOT_RESTORED: RestoreReport = {
  outcome: 'off',
  refusal: null,
  why: '',
  takenMs: 0,
  startedMs: 0,
  rows: {},
  left: 0,
  replica: '',
};

export interface SaveReport {
  readonly atMs: number;
  readonly bytes: number;
  readonly tookMs: number;
  readonly rows: Readonly<Record<string, number>>;
  /** Rows that found no room within --state-dir-max-bytes. */
  readonly left: number;
}

/** Part of /status. */
export interface StateStatus {
  /** Where the state is kept; null if it is not. */
  readonly file: string | null;
  /** Why it is not kept; empty if it is. */
  readonly off_because: string;
  readonly restored: RestoreReport['outcome'];
  readonly restore_refused: RefusalKind | null;
  readonly restore_problem: string;
  readonly restored_rows: Readonly<Record<string, number>>;
  readonly restored_left: number;
  readonly restored_taken: string | null;
  /** Since when what is remembered has been counted. */
  readonly since: string | null;
  readonly saves_total: number;
  readonly save_failures_total: number;
  readonly last_save: {
    readonly at: string;
    readonly bytes: number;
    readonly ms: number;
    readonly rows: Readonly<Record<string, number>>;
    readonly left: number;
  } | null;
  readonly last_save_problem: string;
}

export function isoOrNull(ms: number): string | null {
  return ms > 0 ? new Date(ms).toISOString() : null;
}
