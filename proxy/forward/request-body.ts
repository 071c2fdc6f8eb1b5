// A request body on its way to undici: as much of a stream as undici asks for, and no more.
// Not the request itself: undici would destroy it, and the client's socket with it, when the origin answers early; and it
// would re-frame a chunked body that is already complete. Counts bytes, drops trailers. Made by forward.ts per attempt.

import { EventEmitter } from 'node:events';
import type { Exchange } from '../exchange.ts';

export interface BodyEvents {
  /** The upstream socket is ready for the body: time to send 100 Continue. */
  wanted(): void;
  /** Called per chunk, before it is passed on; false if the body is too long and must not go on. */
  passing(bytes: number): boolean;
  /** Trailer fields came with the body and were dropped. */
  trailersDropped(): void;
}

export class RequestBody extends EventEmitter {
  destroyed = false;
  readonly #exchange: Exchange;
  readonly #events: BodyEvents;
  #started = false;
  /** Pieces that were held back are on their way: more of them may go. */
  #flowing = false;
  readonly #onData = (chunk: Buffer): void => {
    if (this.#events.passing(chunk.length)) this.emit('data', chunk);
  };
  readonly #onEnd = (): void => {
    if (this.#exchange.req.rawTrailers.length > 0) this.#events.trailersDropped();
    this.emit('end');
  };

  constructor(exchange: Exchange, events: BodyEvents) {
    super();
    this.#exchange = exchange;
    this.#events = events;
  }

  /** Has undici begun to take it? After that it cannot be sent again. */
  get started(): boolean {
    return this.#started;
  }

  /** Nothing that was held back is left to be sent. */
  get heldSent(): boolean {
    return this.#exchange.held === null || this.#exchange.held.chunks.length === 0;
  }

  pause(): void {
    this.#flowing = false;
    if (!this.destroyed && this.#exchange.held === null) this.#exchange.req.pause();
  }

  resume(): void {
    if (this.destroyed) return;
    const first = !this.#started;
    this.#started = true;
    if (first) this.#events.wanted();
    if (this.#exchange.held !== null) {
      // Not at once: undici is not ready for data before it returns from its call.
      if (!this.#flowing) process.nextTick(this.#sendHeld);
      this.#flowing = true;
      return;
    }
    if (first) this.#attach();
    this.#exchange.req.resume();
  }

  #attach(): void {
    const { req } = this.#exchange;
    req.on('data', this.#onData);
    req.on('end', this.#onEnd);
  }

  /** What was read before the judgement, in its pieces, then the rest as it comes. */
  readonly #sendHeld = (): void => {
    const { held, req } = this.#exchange;
    if (held === null) return;
    while (this.#flowing && !this.destroyed) {
      const chunk = held.chunks.shift();
      if (chunk === undefined) break;
      this.#onData(chunk);
    }
    if (!this.#flowing || this.destroyed) return;
    this.#flowing = false;
    this.#exchange.held = null;
    held.release();
    if (held.ended) {
      this.#onEnd();
      return;
    }
    this.#attach();
    req.resume();
  };

  /** Present because undici tells streams by it; it uses events only. */
  pipe(): never {
    throw new TypeError('a request body is not piped');
  }

  /** undici is done with it, for better or worse. The request itself lives on. */
  destroy(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    const { req } = this.#exchange;
    req.off('data', this.#onData);
    req.off('end', this.#onEnd);
    return this;
  }
}
