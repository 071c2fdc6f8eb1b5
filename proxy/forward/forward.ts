// One request to its origin and the answer back: streaming both ways with back-pressure, one retry where it is certain that
// the origin did nothing, and every failure as one reason code. An undici dispatch handler, one object per request.
// Judges nothing; what it reports goes to the exchange and its host. Called by pipeline.ts.

import type { Dispatcher } from 'undici';
import type { NoteCode } from '../../domain/refusal.ts';
import type { AttemptControl, Exchange } from '../exchange.ts';
import { RequestBody } from './request-body.ts';
import { isForwardableStatus, readResponseHead, readTrailers, reasonPhrase } from './response-head.ts';
import type { Upstream, UpstreamConnection } from './upstream.ts';
import { failureCode, isLostSocket, isTimeout } from './upstream-error.ts';

export interface ForwardHost {
  readonly bodyMaxBytes: number;
  readonly retries: boolean;
  /** The request is on the upstream socket; `attempt` counts from 1. */
  sent(exchange: Exchange, attempt: number): void;
  note(code: NoteCode): void;
  /** The request body is under way, or is not any more. */
  watchBody(exchange: Exchange): void;
}

const ATTEMPTS_MAX = 2;
/** Without side effects (RFC 9110 section 9.2.1), and tried again when a kept socket turns out to be closed. */
const RETRYABLE = new Set(['GET', 'HEAD', 'OPTIONS']);

export class Forwarding implements Dispatcher.DispatchHandler, AttemptControl {
  readonly #exchange: Exchange;
  readonly #upstream: Upstream;
  readonly #host: ForwardHost;
  #connection: UpstreamConnection | null = null;
  #controller: Dispatcher.DispatchController | null = null;
  #body: RequestBody | null = null;
  #attempt = 0;
  #reused = false;
  #sent = false;
  #answering = false;
  #cancelled = false;
  #done = false;

  constructor(exchange: Exchange, upstream: Upstream, host: ForwardHost) {
    this.#exchange = exchange;
    this.#upstream = upstream;
    this.#host = host;
  }

  /** Starts the first attempt. The exchange's head must be ready to send. */
  start(): void {
    this.#exchange.attempt = this;
    this.#try(false);
  }

  /** The client has gone or was answered by Picket: the upstream request ends with it. */
  cancel(): void {
    if (this.#done) return;
    this.#cancelled = true;
    const connection = this.#connection;
    if (this.#controller !== null) this.#controller.abort(CANCELLED);
    if (!this.#done && connection !== null) this.#finish(false);
  }

  drained(): void {
    if (!this.#done) this.#controller?.resume();
  }

  // undici's handler, in the order of calls.

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#exchange.handedOverMs = performance.now();
    this.#reused = (this.#connection?.served ?? 0) > 0;
    if (this.#cancelled) controller.abort(CANCELLED);
  }

  onBodySent(): void {
    if (!this.#sent) this.#markSent();
  }

  onRequestSent(): void {
    if (!this.#sent) this.#markSent();
  }

  /** First byte of an answer, before its head is complete. */
  onResponseStarted(): void {
    this.#answering = true;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusMessage = '',
  ): void {
    const exchange = this.#exchange;
    if (exchange.ended) return;
    const raw = controller.rawHeaders as Buffer[];
    const head = isForwardableStatus(status) ? readResponseHead(raw, status) : null;
    if (head === null) {
      exchange.refuse('upstream.bad_response');
      return;
    }
    if (status < 200) {
      exchange.sendInformation(status, head.fields);
      return;
    }
    exchange.upstreamStatus = status;
    exchange.answeredMs = performance.now();
    const { fields, contentLength } = head;
    exchange.sendHead(status, reasonPhrase(status, statusMessage, raw), fields, contentLength);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#exchange.write(chunk)) controller.pause();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    // An answer that came before the body was complete costs the upstream socket: undici ends it.
    this.#finish(this.#body === null || (this.#exchange.req.complete && this.#body.heldSent));
    this.#exchange.end(readTrailers(controller.rawTrailers as Buffer[]));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const wasReused = this.#reused;
    const lost = isLostSocket(error);
    this.#finish(false);
    if (this.#cancelled || this.#exchange.ended) return;
    if (this.#mayRetry(error, wasReused && lost)) {
      if (this.#sent) this.#host.note('upstream.stale_socket');
      this.#done = false;
      this.#try(true);
      return;
    }
    this.#exchange.refuse(failureCode(error, this.#exchange.headSent));
  }

  #try(fresh: boolean): void {
    const exchange = this.#exchange;
    const connection = this.#upstream.acquire(fresh);
    if (connection === null) {
      exchange.refuse('overload.upstream');
      return;
    }
    this.#attempt++;
    this.#connection = connection;
    this.#controller = null;
    this.#reused = false;
    this.#sent = false;
    this.#answering = false;
    const { head } = exchange;
    this.#body = head.hasBody ? this.#newBody() : null;
    this.#upstream.dispatch(
      connection,
      { method: head.method, path: head.target, headers: head.fields, body: this.#body },
      this,
    );
  }

  #newBody(): RequestBody {
    const exchange = this.#exchange;
    return new RequestBody(exchange, {
      wanted: () => {
        if (exchange.head.expectsContinue) exchange.sendContinue();
        this.#host.watchBody(exchange);
      },
      passing: (bytes) => this.#passing(bytes),
      trailersDropped: () => this.#host.note('protocol.trailers_dropped'),
    });
  }

  #passing(bytes: number): boolean {
    const exchange = this.#exchange;
    exchange.bytesIn += bytes;
    exchange.bodyTick = exchange.connection.host.tick;
    if (exchange.bytesIn <= this.#host.bodyMaxBytes) return true;
    exchange.refuse('limit.body', { close: true });
    return false;
  }

  #markSent(): void {
    this.#sent = true;
    this.#host.sent(this.#exchange, this.#attempt);
  }

  /**
   * RFC 9110 section 9.2.2, narrowed: connecting failed, so nothing was written; or a kept socket was gone, no byte of an
   * answer came, and the request has no side effects and no body. Never after a timeout.
   */
  #mayRetry(error: Error, staleSocket: boolean): boolean {
    if (!this.#host.retries || this.#attempt >= ATTEMPTS_MAX || this.#exchange.headSent) return false;
    if (isTimeout(error) || this.#answering) return false;
    if (!this.#sent) return this.#controller === null && this.#body?.started !== true;
    return staleSocket && this.#body === null && RETRYABLE.has(this.#exchange.head.method);
  }

  /** Gives the connection back, once. */
  #finish(reusable: boolean): void {
    if (this.#done) return;
    this.#done = true;
    const connection = this.#connection;
    this.#connection = null;
    this.#body?.destroy();
    if (connection !== null) this.#upstream.release(connection, reusable);
  }
}

const CANCELLED = new Error('the exchange has ended');
