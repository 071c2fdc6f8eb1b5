// A thread that answers calls: numbers the calls, keeps their promises, and starts the thread anew if it dies.
// Calls under way when it dies fail with STORE_FAILED: their callers ask again (all writes are safe to repeat or refused).
// Knows nothing of what the thread does. Used by sqlite-store.ts.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Transferable, Worker } from 'node:worker_threads';
import { type ErrorCode, PicketError } from '../../domain/errors.ts';

const RESTART_MS = 500;

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: PicketError) => void;
}

interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly code?: ErrorCode;
  readonly message?: string;
  readonly hint?: string;
}

/** The worker's file: beside this one as source, or beside the bundled program. */
export function workerFile(name: string): string {
  const source = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  return existsSync(source) ? source : fileURLToPath(new URL(`./${name}.js`, import.meta.url));
}

export class WorkerLink {
  readonly #file: string;
  readonly #data: unknown;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #lastId = 0;
  #closed = false;
  #failure: PicketError | null = null;

  private constructor(file: string, data: unknown) {
    this.#file = file;
    this.#data = data;
  }

  /** Starts the thread; rejects with STORE_FAILED if it cannot begin its work. */
  static async start(file: string, data: unknown): Promise<WorkerLink> {
    const link = new WorkerLink(file, data);
    await link.#launch();
    return link;
  }

  /** One call. `transfer` lists buffers that the caller gives up. */
  call<T>(method: string, args: readonly unknown[], transfer: readonly Transferable[] = []): Promise<T> {
    const worker = this.#worker;
    if (worker === null) {
      return Promise.reject(this.#failure ?? new PicketError('STORE_FAILED', 'the store is closed'));
    }
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: never) => void, reject });
      worker.postMessage({ id, method, args }, transfer);
    });
  }

  /** Lets the thread finish what it was asked, then ends it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const worker = this.#worker;
    if (worker !== null) await this.call('close', []).catch(() => undefined);
    this.#worker = null;
    await worker?.terminate();
  }

  #launch(): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(this.#file, { workerData: this.#data });
      let ready = false;
      worker.on('message', (reply: Reply) => {
        if (reply.id !== 0) {
          this.#settle(reply);
          return;
        }
        ready = true;
        this.#worker = worker;
        this.#failure = null;
        resolve();
      });
      worker.on('error', (thrown) => {
        this.#failure = PicketError.from(thrown, 'STORE_FAILED');
        if (!ready) reject(new PicketError('STORE_FAILED', this.#failure.message, { cause: thrown }));
      });
      worker.on('exit', () => this.#ended(ready));
    });
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.code === undefined) waiting?.resolve(reply.value as never);
    else {
      const hint = reply.hint === undefined ? {} : { hint: reply.hint };
      waiting?.reject(new PicketError(reply.code, reply.message ?? '', hint));
    }
  }

  #ended(wasReady: boolean): void {
    this.#worker = null;
    const failure = this.#failure ?? new PicketError('STORE_FAILED', 'the store thread ended');
    this.#failure = failure;
    for (const waiting of this.#waiting.values()) waiting.reject(failure);
    this.#waiting.clear();
    if (this.#closed || !wasReady) return;
    const relaunch = () => {
      if (!this.#closed) this.#launch().catch(() => setTimeout(relaunch, RESTART_MS).unref());
    };
    setTimeout(relaunch, RESTART_MS).unref();
  }
}
