// The control thread's end of one data thread: starts it, hands it policies and bundles, watches its heartbeat, and starts
// it again when it crashed or hangs. What was handed over while it was down is in its start data, so acks stay true.
// Knows nothing of policies or HTTP; main.ts composes it.

import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { PicketError } from '../domain/errors.ts';
import { COUNTER, type Counters } from './counters.ts';
import type { DataThreadSeams } from './data-thread.ts';
import type { SidecarLog } from './log.ts';
import { logNote } from './log.ts';
import type {
  BoundAddress,
  FromDataThread,
  ThreadFailure,
  ThreadMemory,
  ThreadStart,
  ToDataThread,
} from './thread-messages.ts';

/** Without a heartbeat for so long the data thread counts as stalled; /live says so. */
export const STALLED_AFTER_MS = 3_000;
/** Without one for so long it is ended and started again. Counted in watches, so that a suspended machine is no hang. */
const HUNG_AFTER_MS = 10_000;
const RESTART_FIRST_MS = 50;
/** A disk that hangs must not keep the traffic waiting. */
const SAVE_MAX_MS = 2_000;
const RESTART_MAX_MS = 5_000;
/** A thread that ran for so long begins its restarts quickly again. */
const STEADY_MS = 30_000;
const ROLE = 'picket-data-thread';
/** Orders whose content a thread that is started again gets with its start data. */
const IN_START_DATA: ReadonlySet<string> = new Set([
  'policy',
  'bundle',
  'addresses',
  'routes',
  'identity_keys',
]);

type Unnumbered<M> = M extends { readonly nonce: number } ? Omit<M, 'nonce'> : never;
export type ThreadOrder = Unnumbered<ToDataThread>;

export interface DataThreadHostOptions {
  /** Start data with the policy and bundle of this moment; called at each start. */
  readonly startData: () => ThreadStart;
  readonly counters: Counters;
  readonly log: SidecarLog;
  /** The worker's entry; the built-in data thread if absent. Tests wrap it. */
  readonly entry?: URL;
  /** Runs the data plane on the control thread, with these seams. For tests. */
  readonly inline?: DataThreadSeams;
  /** Told of all learned route templates whenever there are more. */
  readonly onLearned?: (saved: string) => void;
  /** A data thread is ready: its feature engine's memory, and what came back into it. */
  readonly onMemory?: (memory: ThreadMemory) => void;
  /** A data thread ended by itself; its memory can still be read. The next one waits for this, but not for long. Never throws. */
  readonly onLost?: () => Promise<void>;
  readonly heapMaxMb: { readonly old: number; readonly young: number };
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: PicketError) => void;
  /** A later start of the thread fulfils it, since start data hold it. */
  readonly inStartData: boolean;
}

function errorOf(failure: ThreadFailure): PicketError {
  const { code, message, problems, hint } = failure;
  return new PicketError(code, message, { problems, ...(hint === undefined ? {} : { hint }) });
}

/** The worker's file beside this one: TypeScript from source, JavaScript when bundled. */
export function dataThreadEntry(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './data-thread.ts' : './data-thread.js', import.meta.url);
}

export class DataThreadHost {
  readonly #options: DataThreadHostOptions;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #post: ((message: ToDataThread) => void) | null = null;
  #addresses: readonly BoundAddress[] = [];
  #nonce = 0;
  #closing = false;
  #restartMs = RESTART_FIRST_MS;
  #restartTimer: NodeJS.Timeout | undefined;
  #startedAtMs = 0;
  #lastBeat = 0;
  #silentMs = 0;
  #ready = false;
  crashes = 0;

  constructor(options: DataThreadHostOptions) {
    this.#options = options;
  }

  /** Bound listeners, known after `start`. */
  get addresses(): readonly BoundAddress[] {
    return this.#addresses;
  }

  /** Its listeners are open and it is not known to be stalled. */
  get ready(): boolean {
    return this.#ready && !this.stalled;
  }

  get stalled(): boolean {
    return this.#silentMs >= STALLED_AFTER_MS && this.#beat() === this.#lastBeat;
  }

  /** First start. Throws what the thread failed with (LISTEN_REFUSED, …). */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#launch(resolve, reject);
    });
  }

  /** Hands an order over; resolves when the thread has carried it out, or has been started anew with it. */
  send(order: ThreadOrder): Promise<void> {
    const nonce = ++this.#nonce;
    const inStartData = IN_START_DATA.has(order.kind);
    return new Promise((resolve, reject) => {
      if (this.#post === null && !inStartData) {
        resolve();
        return;
      }
      this.#waiting.set(nonce, { resolve, reject, inStartData });
      this.#post?.({ ...order, nonce });
    });
  }

  /** Looks at the heartbeat; called every `everyMs`. Ends a thread that hangs: its exit starts the next one. */
  watch(everyMs: number): void {
    const beat = this.#beat();
    if (beat !== this.#lastBeat || !this.#ready) {
      this.#lastBeat = beat;
      this.#silentMs = 0;
      return;
    }
    this.#silentMs += everyMs;
    if (this.#silentMs < HUNG_AFTER_MS || this.#worker === null) return;
    this.#options.log.error({ silentMs: this.#silentMs }, 'the data thread hangs; it is started again');
    this.#silentMs = 0;
    void this.#worker.terminate();
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    clearTimeout(this.#restartTimer);
    const orderly = this.send({ kind: 'close' });
    await Promise.race([orderly, new Promise((resolve) => setTimeout(resolve, 2000).unref())]).catch(
      () => {},
    );
    await this.#worker?.terminate();
    this.#ready = false;
    for (const waiting of this.#waiting.values()) waiting.resolve();
    this.#waiting.clear();
  }

  #beat(): number {
    return this.#options.counters.get(COUNTER.heartbeat);
  }

  #launch(onReady: () => void, onFailed: (error: PicketError) => void): void {
    this.#startedAtMs = performance.now();
    const receive = (message: FromDataThread): void => this.#receive(message, onReady, onFailed);
    if (this.#options.inline !== undefined) {
      const { port1, port2 } = new MessageChannel();
      port1.on('message', receive);
      this.#post = (message) => port1.postMessage(message);
      void this.#runInline(port2, this.#options.inline);
      return;
    }
    const { old, young } = this.#options.heapMaxMb;
    const worker = new Worker(this.#options.entry ?? dataThreadEntry(), {
      workerData: { role: ROLE, start: this.#startData() },
      resourceLimits: { maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young },
      execArgv: [],
      name: 'picket-data',
    });
    this.#worker = worker;
    this.#post = (message) => worker.postMessage(message);
    worker.on('message', receive);
    worker.on('error', (error) => this.#options.log.error({ err: error }, 'the data thread failed'));
    worker.on('exit', (code) => this.#exited(worker, code, onFailed));
  }

  async #runInline(port: MessagePort, seams: DataThreadSeams): Promise<void> {
    const { runDataThread } = await import('./data-thread.ts');
    await runDataThread(port, this.#startData(), seams);
  }

  /** A thread that is started again takes the ports that the first one got. */
  #startData(): ThreadStart {
    const start = this.#options.startData();
    const listeners = start.listeners.map((listener) => {
      const bound = this.#addresses.find((address) => address.name === listener.name);
      return bound === undefined ? listener : { ...listener, port: bound.port };
    });
    return { ...start, listeners };
  }

  #receive(message: FromDataThread, onReady: () => void, onFailed: (error: PicketError) => void): void {
    if (message.kind === 'note') {
      logNote(this.#options.log, message.note);
    } else if (message.kind === 'learned_routes') {
      this.#options.onLearned?.(message.saved);
    } else if (message.kind === 'failed') {
      onFailed(errorOf(message.failure));
    } else if (message.kind === 'ready') {
      this.#addresses = message.addresses;
      this.#options.onMemory?.(message.memory);
      this.#ready = true;
      this.#silentMs = 0;
      onReady();
    } else {
      this.#settle(message);
    }
  }

  #settle(message: Extract<FromDataThread, { readonly nonce: number }>): void {
    const waiting = this.#waiting.get(message.nonce);
    this.#waiting.delete(message.nonce);
    if (message.kind === 'done') waiting?.resolve();
    else waiting?.reject(errorOf(message.failure));
  }

  #exited(worker: Worker, code: number, onFailed: (error: PicketError) => void): void {
    if (this.#worker !== worker) return;
    const wasReady = this.#ready;
    this.#worker = null;
    this.#post = null;
    this.#ready = false;
    const { counters, log } = this.#options;
    for (const place of [COUNTER.listening, COUNTER.inflight, COUNTER.connections, COUNTER.tunnels])
      counters.set(place, 0);
    // What only this thread could do (drain, close) is over with it.
    this.#resolveUpTo(this.#nonce, (waiting) => !waiting.inStartData);
    if (this.#closing) return;
    if (!wasReady && this.crashes === 0) {
      onFailed(new PicketError('INTERNAL', `the data thread ended while it started (exit ${code})`));
      return;
    }
    this.crashes++;
    if (performance.now() - this.#startedAtMs > STEADY_MS) this.#restartMs = RESTART_FIRST_MS;
    log.error(
      { exit: code, crashes: this.crashes, restartInMs: this.#restartMs },
      'the data thread ended; it is started again',
    );
    const saved = this.#options.onLost?.() ?? Promise.resolve();
    this.#restartTimer = setTimeout(() => this.#restartAfter(saved), this.#restartMs);
    this.#restartMs = Math.min(RESTART_MAX_MS, this.#restartMs * 2);
  }

  async #restartAfter(saved: Promise<void>): Promise<void> {
    await Promise.race([saved, new Promise((resolve) => setTimeout(resolve, SAVE_MAX_MS))]);
    if (!this.#closing) this.#restart();
  }

  #restart(): void {
    const lastNonce = this.#nonce;
    this.#launch(
      () => {
        this.#options.log.info({ crashes: this.crashes }, 'the data thread runs again');
        this.#resolveUpTo(lastNonce, () => true);
      },
      (error) =>
        this.#options.log.error({ code: error.code }, `the data thread cannot start: ${error.message}`),
    );
  }

  #resolveUpTo(lastNonce: number, which: (waiting: Waiting) => boolean): void {
    for (const [nonce, waiting] of this.#waiting) {
      if (nonce > lastNonce || !which(waiting)) continue;
      this.#waiting.delete(nonce);
      waiting.resolve();
    }
  }
}
