// Keeps the sidecar connected to its control plane: connects, waits with jitter after each loss, and says how it stands.
// The sidecar never waits for it: without a control plane it starts, and goes on deciding. Loaded only with --control-plane,
// so that gRPC costs nothing without it.

import { PicketError } from '../../domain/errors.ts';
import type { SidecarLog } from '../log.ts';
import { Backoff } from './backoff.ts';
import { Link, type LinkOptions } from './link.ts';

export type UplinkState = 'connecting' | 'connected' | 'waiting' | 'closed';

export interface UplinkReport {
  readonly state: UplinkState;
  readonly address: string;
  readonly connects: number;
  /** Why the last connection ended, or none came about; empty if none did. */
  readonly lastError: string;
}

export interface UplinkOptions extends Omit<LinkOptions, 'onWelcome'> {
  readonly random: () => number;
}

const FLUSH_POLL_MS = 20;

export class Uplink {
  readonly #options: UplinkOptions;
  readonly #backoff: Backoff;
  #link: Link | null = null;
  #state: UplinkState = 'connecting';
  #connects = 0;
  #lastError = '';
  #wake: () => void = () => {};
  #running: Promise<void>;

  /** Begins to connect. */
  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.random);
    this.#running = this.#run();
  }

  report(): UplinkReport {
    return {
      state: this.#state,
      address: this.#options.address,
      connects: this.#connects,
      lastError: this.#lastError,
    };
  }

  /** Waits until every event is settled, at most `ms`, if there is a connection. */
  async flush(ms: number): Promise<void> {
    const untilMs = performance.now() + ms;
    while (this.#state === 'connected' && this.#link?.idle === false && performance.now() < untilMs) {
      await new Promise((resolve) => setTimeout(resolve, FLUSH_POLL_MS));
    }
    this.#link?.beat();
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    this.#link?.end('the sidecar stops');
    this.#wake();
    await this.#running;
    await this.#options.pushes.saved();
  }

  async #run(): Promise<void> {
    const { log, address } = this.#options;
    while (!this.#closed()) {
      this.#state = 'connecting';
      const reason = await this.#connectOnce(log);
      if (this.#closed()) break;
      const waitMs = this.#backoff.next();
      if (reason !== this.#lastError) log.warn({ address, retryInMs: waitMs }, `no control plane: ${reason}`);
      this.#lastError = reason;
      this.#state = 'waiting';
      await this.#pause(waitMs);
    }
  }

  async #connectOnce(log: SidecarLog): Promise<string> {
    try {
      this.#link = new Link({
        ...this.#options,
        onWelcome: () => {
          this.#state = 'connected';
          this.#connects++;
          this.#lastError = '';
          this.#backoff.reset();
          log.info({ address: this.#options.address }, 'connected to the control plane');
        },
      });
      return await this.#link.over;
    } catch (thrown) {
      return PicketError.from(thrown).message;
    } finally {
      this.#link = null;
    }
  }

  /** A method, so that the compiler does not take the state for what it was before an await. */
  #closed(): boolean {
    return this.#state === 'closed';
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
