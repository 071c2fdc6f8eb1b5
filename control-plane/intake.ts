// Takes batches of events from many sidecars at once and hands them to the store, bounded: a call that sends faster than
// the store writes is not read any further until acks have gone out. Looks into no batch: the store's thread does.

import { CONTROL_LIMITS } from './limits.ts';
import type { AppendResult, EventStore } from './store/store.ts';

export interface IntakeTotals {
  readonly batches: number;
  readonly events: number;
  readonly repeated: number;
  readonly refused: number;
  readonly failed: number;
  readonly pendingBytes: number;
}

export class Intake {
  readonly #events: EventStore;
  readonly #waiting: (() => void)[] = [];
  readonly #listeners = new Set<() => void>();
  #pendingBytes = 0;
  #batches = 0;
  #stored = 0;
  #repeated = 0;
  #refused = 0;
  #failed = 0;

  constructor(events: EventStore) {
    this.#events = events;
  }

  /** True while no more should be read; `whenFree` tells when that ends. */
  get isFull(): boolean {
    return this.#pendingBytes >= CONTROL_LIMITS.intakePendingMaxBytes;
  }

  /** Calls `resume` once there is room again. */
  whenFree(resume: () => void): void {
    if (this.isFull) this.#waiting.push(resume);
    else resume();
  }

  /** Stores one encoded batch; resolves when it is durable. */
  async take(batch: Uint8Array): Promise<AppendResult> {
    this.#pendingBytes += batch.length;
    try {
      const result = await this.#events.append(batch);
      this.#batches += 1;
      this.#stored += result.stored;
      this.#repeated += result.repeated;
      this.#refused += result.refused;
      if (result.stored > 0) for (const listener of this.#listeners) listener();
      return result;
    } catch (thrown) {
      this.#failed += 1;
      throw thrown;
    } finally {
      this.#pendingBytes -= batch.length;
      if (!this.isFull) for (const resume of this.#waiting.splice(0)) resume();
    }
  }

  /** Calls `listener` after each commit that added events, until the returned function is called. */
  onStored(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Counts since start. */
  totals(): IntakeTotals {
    return {
      batches: this.#batches,
      events: this.#stored,
      repeated: this.#repeated,
      refused: this.#refused,
      failed: this.#failed,
      pendingBytes: this.#pendingBytes,
    };
  }
}
