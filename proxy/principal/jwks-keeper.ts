// Keeps the key set that tokens are verified with: reads it at start and every so often, at once when a token names a key that
// is not in it (but seldom), soon again after a failure. The last good set is kept whatever happens; nothing here is fatal.
// Runs on the control thread; verifier.ts asks for the keys.

import { PicketError } from '../../domain/errors.ts';
import type { SidecarLog } from '../log.ts';
import { parseJwks, type VerifyKey } from './jwk.ts';

/** Between two readings that tokens with unknown keys may cause. */
export const ASK_AGAIN_MS = 30_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 60_000;

export interface JwksKeeperOptions {
  /** Reads the bytes; throws what is wrong. */
  readonly read: () => Promise<Uint8Array>;
  readonly refreshMs: number;
  readonly log: SidecarLog;
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number;
  /** The set has other keys now; `removed`: one that there was is gone. */
  readonly onChange: (removed: boolean) => void;
}

export interface JwksReport {
  readonly keys: number;
  /** Seconds since the last good reading; null if there was none. */
  readonly age_s: number | null;
  readonly readings: number;
  readonly failures: number;
  /** What was wrong with the last reading; empty if nothing. */
  readonly last_error: string;
}

export class JwksKeeper {
  readonly #options: JwksKeeperOptions;
  #keys: readonly VerifyKey[] = [];
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> | null = null;
  #readings = 0;
  #failures = 0;
  #failuresInRow = 0;
  #lastError = '';
  #goodAtMs: number | null = null;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: JwksKeeperOptions) {
    this.#options = options;
  }

  get keys(): readonly VerifyKey[] {
    return this.#keys;
  }

  /** Reads now, unless it is being read already; plans the next reading. Never throws. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /** A token named a key that is not in the set: it may be a new one. True if it is being read. */
  askAgain(): boolean {
    if (this.#reading !== null) return true;
    const nowMs = this.#options.monotonicMs();
    if (this.#closed || nowMs - this.#askedAtMs < ASK_AGAIN_MS) return false;
    this.#askedAtMs = nowMs;
    void this.refresh();
    return true;
  }

  report(): JwksReport {
    const nowMs = this.#options.monotonicMs();
    return {
      keys: this.#keys.length,
      age_s: this.#goodAtMs === null ? null : Math.round((nowMs - this.#goodAtMs) / 1000),
      readings: this.#readings,
      failures: this.#failures,
      last_error: this.#lastError,
    };
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #read(): Promise<void> {
    clearTimeout(this.#timer);
    this.#readings++;
    try {
      const set = parseJwks(await this.#options.read());
      if (typeof set === 'string') throw new PicketError('DATA_INVALID', set);
      if (!this.#closed) this.#take(set.keys, set.skipped);
    } catch (thrown) {
      this.#failed(PicketError.from(thrown));
    }
    if (this.#closed) return;
    const retryMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** (this.#failuresInRow - 1));
    const waitMs =
      this.#failuresInRow > 0 ? Math.min(retryMs, this.#options.refreshMs) : this.#options.refreshMs;
    this.#timer = setTimeout(() => void this.refresh(), waitMs).unref();
  }

  #take(keys: readonly VerifyKey[], skipped: number): void {
    const { log, monotonicMs, onChange } = this.#options;
    const before = new Set(this.#keys.map(print));
    const after = new Set(keys.map(print));
    const removed = [...before].some((one) => !after.has(one));
    const added = [...after].some((one) => !before.has(one));
    this.#keys = keys;
    this.#goodAtMs = monotonicMs();
    this.#failuresInRow = 0;
    this.#lastError = '';
    if (!removed && !added) return;
    log.info({ keys: keys.length, skipped }, 'keys of tokens: a new set is in use');
    onChange(removed);
  }

  #failed(error: PicketError): void {
    this.#failures++;
    this.#failuresInRow++;
    this.#lastError = error.message;
    if (this.#failuresInRow > 1) return;
    const kept =
      this.#keys.length === 0 ? 'no token names a principal until there is one' : 'the last good set stays';
    this.#options.log.warn(
      { code: error.code },
      `the key set of --jwks cannot be used, ${kept}: ${error.message}`,
    );
  }
}

/** A key under another name or for another algorithm is another key. */
function print(key: VerifyKey): string {
  return `${key.kid ?? ''} ${key.alg ?? ''} ${key.print}`;
}
