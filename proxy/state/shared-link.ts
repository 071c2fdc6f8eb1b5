// The sidecar's end of the shared store, with a circuit breaker: after a failure nothing is tried until a pause is over that
// grows with each failure (full jitter), so that a store that is away costs nothing and one that comes back is not overrun.
// Counts what failed. Called by shared-windows.ts, whose tick it never holds up for longer than its timeouts.

import { PicketError } from '../../domain/errors.ts';
import { Backoff } from '../control/backoff.ts';
import type { SidecarLog } from '../log.ts';
import type { Exchange, SharedFields, SharedStore, StoreOptions } from './shared-store.ts';
import { shownUrl } from './store-url.ts';

export type LinkState = 'connecting' | 'connected' | 'away';

export interface StoreLinkOptions extends StoreOptions {
  readonly random: () => number;
  readonly monotonicMs: () => number;
  readonly log: SidecarLog;
}

export class StoreLink {
  readonly #options: StoreLinkOptions;
  readonly #backoff: Backoff;
  #store: SharedStore | null = null;
  #retryAtMs = 0;
  #closed = false;
  state: LinkState = 'connecting';
  connects = 0;
  failures = 0;
  lastError = '';

  constructor(options: StoreLinkOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.random);
  }

  /** Milliseconds until the next attempt; 0 if there is no need to wait. */
  get retryInMs(): number {
    return this.state === 'away' ? Math.max(0, this.#retryAtMs - this.#options.monotonicMs()) : 0;
  }

  /** True if there is a connection; makes one if it is time. Never throws. */
  async ready(): Promise<boolean> {
    if (this.#closed) return false;
    if (this.#store !== null) return true;
    if (this.retryInMs > 0) return false;
    try {
      // Loaded only where windows are shared: the client's library costs 6 MB of heap.
      const { connectStore } = await import('./shared-store.ts');
      const store = await connectStore(this.#options);
      if (this.#closed) {
        store.close();
        return false;
      }
      this.#store = store;
    } catch (thrown) {
      this.#fail(thrown);
      return false;
    }
    this.connects++;
    this.state = 'connected';
    this.#options.log.info({ store: shownUrl(this.#options.url) }, 'windows are shared');
    return true;
  }

  /** One tick's work; null if it failed. Never throws. */
  async exchange(items: readonly Exchange[], field: string): Promise<readonly SharedFields[] | null> {
    const store = this.#store;
    if (store === null) return null;
    try {
      const answers = await store.exchange(items, field);
      // Not sooner: a store that takes connections and then does nothing is asked ever less often.
      this.#backoff.reset();
      return answers;
    } catch (thrown) {
      this.#store = null;
      this.#fail(thrown);
      return null;
    }
  }

  remove(key: string, field: string): void {
    this.#store?.remove(key, field);
  }

  close(): void {
    this.#closed = true;
    this.#store?.close();
    this.#store = null;
  }

  #fail(thrown: unknown): void {
    if (this.#closed) return;
    const { message } = PicketError.from(thrown);
    this.failures++;
    const pauseMs = this.#backoff.next();
    this.#retryAtMs = this.#options.monotonicMs() + pauseMs;
    if (this.state !== 'away' || message !== this.lastError)
      this.#options.log.warn(`windows are not shared now, each sidecar uses its own: ${message}`);
    this.state = 'away';
    this.lastError = message;
  }
}
