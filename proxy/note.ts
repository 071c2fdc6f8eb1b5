// What a data thread tells the control thread for the log: a code, words, never a value of a request.
// Rate-limited where it is made, so that no traffic can turn into a flood of log lines. log.ts writes it.

export type NoteLevel = 'debug' | 'info' | 'warn' | 'error';

export interface ThreadNote {
  readonly level: NoteLevel;
  /** A code of REFUSALS, NOTES or the error catalogue. */
  readonly code: string;
  readonly message: string;
}

/** At most so many notes at once, and so many a second on average. */
const BURST = 50;
const PER_SECOND = 10;

/** A bucket of allowances; what it refuses is counted and told with the next note that passes. */
export class NoteLimiter {
  readonly #nowMs: () => number;
  #allowance = BURST;
  #lastMs: number;
  #suppressed = 0;

  /** `nowMs`: monotonic milliseconds. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#lastMs = nowMs();
  }

  /** True if a note may pass now. */
  admit(): boolean {
    const nowMs = this.#nowMs();
    this.#allowance = Math.min(BURST, this.#allowance + ((nowMs - this.#lastMs) / 1000) * PER_SECOND);
    this.#lastMs = nowMs;
    if (this.#allowance < 1) {
      this.#suppressed++;
      return false;
    }
    this.#allowance--;
    return true;
  }

  /** How many were refused since the last call. */
  takeSuppressed(): number {
    const count = this.#suppressed;
    this.#suppressed = 0;
    return count;
  }
}
