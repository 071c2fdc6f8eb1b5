// Holds a request back until the first bytes of its body are there, so that they can be judged with it: until the prefix is
// full, the body has ended or 50 ms are over, whatever comes first. Nothing is lost or changed: forward/request-body.ts sends
// what was read, piece by piece, before the rest. A fixed number of bodies is held; beyond it requests are judged by their head
// alone. Called by front.ts.

import { LIMITS } from '../domain/limits.ts';
import { COUNTER, type Counters } from './counters.ts';
import type { AttemptControl, Exchange } from './exchange.ts';
import type { RequestHead } from './head.ts';

/** More pieces are joined: each is an object of its own. */
const PIECES_MAX = 32;

export interface BodyHoldsOptions {
  /** Held bodies at the same time; 0 holds none. */
  readonly max: number;
  /** Bytes that are enough. */
  readonly prefixBytes: number;
  readonly counters: Counters;
  /** The wait is over; the exchange has its `held` body. */
  readonly go: (exchange: Exchange) => void;
}

/** What the body's reading before the judgement gave. */
export class HeldBody {
  /** Pieces as they came; what was sent is taken out. */
  readonly chunks: Buffer[];
  /** The body ended within them. */
  readonly ended: boolean;
  /** Its first bytes, at most `prefixBytes`. */
  readonly prefix: Uint8Array;
  #free: (() => void) | null;

  constructor(read: { chunks: Buffer[]; ended: boolean; prefixBytes: number }, free: () => void) {
    this.chunks = read.chunks;
    this.ended = read.ended;
    const [only] = read.chunks;
    const all = only !== undefined && read.chunks.length === 1 ? only : Buffer.concat(read.chunks);
    this.prefix = all.subarray(0, read.prefixBytes);
    this.#free = free;
  }

  /** The prefix is the whole body. */
  get whole(): boolean {
    return this.ended && this.chunks.reduce((sum, chunk) => sum + chunk.length, 0) <= this.prefix.length;
  }

  /** It has been sent, or nobody will: its place is free again. May be called more than once. */
  release(): void {
    this.chunks.length = 0;
    this.#free?.();
    this.#free = null;
  }
}

export class BodyHolds {
  readonly #options: BodyHoldsOptions;
  #taken = 0;

  constructor(options: BodyHoldsOptions) {
    this.#options = options;
  }

  /** Bodies that are held now, those included that were judged and are not sent yet. */
  get taken(): number {
    return this.#taken;
  }

  /** Begins to wait; false if there is no room: then the request goes on at once. `head`: as read, for its framing. */
  take(exchange: Exchange, head: RequestHead): boolean {
    const { max, counters } = this.#options;
    if (this.#taken >= max) {
      counters.add(COUNTER.bodiesUnheld);
      return false;
    }
    this.#taken++;
    counters.add(COUNTER.bodiesHeld);
    exchange.waiting = true;
    exchange.acceptedMs = performance.now();
    // Its own head is read when it is judged; an answer before that must know this much.
    exchange.head.http10 = head.http10;
    // RFC 9110 section 10.1.1: the client may wait for it, and the body is wanted here.
    if (head.expectsContinue) exchange.sendContinue();
    new BodyHold(exchange, this.#options, () => {
      this.#taken--;
    }).start();
    return true;
  }
}

class BodyHold implements AttemptControl {
  readonly #exchange: Exchange;
  readonly #options: BodyHoldsOptions;
  readonly #free: () => void;
  #chunks: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;
  #bytes = 0;
  #over = false;
  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    // A body in pieces of a byte must not cost more than its bytes.
    if (this.#chunks.length === PIECES_MAX) this.#chunks = [Buffer.concat(this.#chunks)];
    this.#bytes += chunk.length;
    if (this.#bytes >= this.#options.prefixBytes) this.#finish(false);
  };
  readonly #onEnd = (): void => this.#finish(true);

  constructor(exchange: Exchange, options: BodyHoldsOptions, free: () => void) {
    this.#exchange = exchange;
    this.#options = options;
    this.#free = free;
  }

  start(): void {
    const { req } = this.#exchange;
    this.#exchange.attempt = this;
    this.#timer = setTimeout(() => this.#finish(false), LIMITS.holdMs);
    req.on('data', this.#onData);
    req.on('end', this.#onEnd);
  }

  /** The client has gone, or was answered by Picket: there is nothing to wait for. */
  cancel(): void {
    if (this.#stop()) this.#free();
  }

  drained(): void {}

  /** False if it was over before. */
  #stop(): boolean {
    if (this.#over) return false;
    this.#over = true;
    clearTimeout(this.#timer);
    const { req } = this.#exchange;
    req.off('data', this.#onData);
    req.off('end', this.#onEnd);
    this.#exchange.attempt = null;
    return true;
  }

  #finish(ended: boolean): void {
    if (!this.#stop()) return;
    const exchange = this.#exchange;
    // What has not come yet waits in the socket until the origin takes it.
    if (!ended) exchange.req.pause();
    const { prefixBytes, go } = this.#options;
    exchange.held = new HeldBody({ chunks: this.#chunks, ended, prefixBytes }, this.#free);
    go(exchange);
  }
}
