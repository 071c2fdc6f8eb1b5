// WebSocket handshakes: judged like any request, then carried by http-proxy's `ws`, which is all of it that is ever used.
// Every listener that the library leaves out stands here: errors on both sockets, the handshake timer, answers other than
// 101, the end of either side. Defects and sources: docs/life-of-a-request.md. Made by data-plane.ts.

import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import httpProxy from 'http-proxy';
import type { RefusalCode } from '../../domain/refusal.ts';
import type { Connection } from '../connection.ts';
import { rawHead, rawRefusal } from '../respond.ts';
import type { IdleWatched } from '../sweep.ts';
import { type RefuseOptions, Transit } from '../transit.ts';
import { isForwardableStatus, responseHeadOf } from './response-head.ts';
import { failureCode } from './upstream-error.ts';

export interface UpgradeHost {
  readonly wsHandshakeTimeoutMs: number;
  /** The request is on the upstream socket. */
  sent(transit: Transit, attempt: number): void;
  /** The handshake is over: a tunnel, an answer of the origin, or a refusal. */
  handshakeSettled(handshake: Handshake): void;
  answered(code: RefusalCode): void;
  tunnelOpened(tunnel: IdleWatched): void;
  tunnelClosed(tunnel: IdleWatched): void;
}

export class Handshake extends Transit {
  readonly isUpgrade = true;
  readonly stream: Duplex;
  /** Bytes that came behind the request head. */
  readonly rest: Buffer;
  readonly #host: UpgradeHost;
  #upstream: ClientRequest | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** An end shows only to a reader: reads when there is nothing, and leaves early bytes to the tunnel. */
  readonly #onReadable = (): void => {
    if (this.stream.readableLength === 0) this.stream.read();
  };
  readonly #onEnd = (): void => this.abort();

  constructor(
    connection: Connection,
    req: IncomingMessage,
    source: { stream: Duplex; rest: Buffer; host: UpgradeHost },
  ) {
    super(connection, req);
    this.stream = source.stream;
    this.rest = source.rest;
    this.#host = source.host;
    this.stream.once('close', () => this.#clientClosed());
  }

  refuse(code: RefusalCode, options: RefuseOptions = {}): void {
    if (this.ended) return;
    this.refusal = code;
    this.#host.answered(code);
    const { requestId } = this;
    const text = rawRefusal(code, {
      requestId,
      status: options.status,
      retryAfterSec: options.retryAfterSec,
    });
    this.status = Number(text.slice(9, 12));
    if (this.stream === this.connection.socket) this.connection.endWith(text);
    else this.stream.end(text, 'latin1');
    this.#settle();
    this.stream.resume();
  }

  abort(): void {
    if (this.ended) return;
    if (this.refusal === null && this.upstreamStatus === 0) this.connection.host.note('client.aborted');
    this.#settle();
    this.stream.destroy();
  }

  /** From now until the handshake is over a FIN of the client ends it. */
  watchClient(): void {
    this.stream.on('readable', this.#onReadable);
    this.stream.once('end', this.#onEnd);
  }

  /** http-proxy has made the upstream request and not sent it yet. */
  attach(upstream: ClientRequest): void {
    this.#upstream = upstream;
    // The library joins "//" and "/./" in targets; what was scored is what is sent.
    upstream.path = this.head.target;
    this.#timer = setTimeout(() => this.refuse('upstream.ws_handshake'), this.#host.wsHandshakeTimeoutMs);
    upstream.once('finish', () => this.#host.sent(this, 1));
    upstream.once('upgrade', (answer: IncomingMessage, socket: Socket) => this.#switched(answer, socket));
    // The library's own `response` listener, added after this call, would relay a chunked head with an unchunked body.
    queueMicrotask(() => {
      upstream.removeAllListeners('response');
      upstream.once('response', (answer: IncomingMessage) => this.#relay(answer));
    });
  }

  /** An error of the upstream request, or of its socket once the tunnel stands. */
  upstreamFailed(error: Error): void {
    if (this.ended) this.stream.destroy();
    else this.refuse(failureCode(error, false));
  }

  #switched(answer: IncomingMessage, upstream: Socket): void {
    if (this.ended) {
      upstream.destroy();
      return;
    }
    this.upstreamStatus = answer.statusCode ?? 101;
    this.status = this.upstreamStatus;
    this.answeredMs = performance.now();
    this.#upstream = null;
    this.#settle();
    this.#host.tunnelOpened(new Tunnel(this.connection.socket, upstream, this.#host));
  }

  /** An answer other than 101: passed on with our own framing, and the connection ends with it. */
  #relay(answer: IncomingMessage): void {
    const status = answer.statusCode ?? 0;
    const head =
      isForwardableStatus(status) && status >= 200 ? responseHeadOf(answer.rawHeaders, status) : null;
    if (this.ended || head === null) {
      answer.destroy();
      this.refuse('upstream.bad_response');
      return;
    }
    this.upstreamStatus = status;
    this.status = status;
    this.answeredMs = performance.now();
    const hasBody = status !== 204 && status !== 304;
    const chunked = hasBody && head.contentLength < 0;
    const framing = chunked
      ? ['transfer-encoding', 'chunked', 'connection', 'close']
      : ['connection', 'close'];
    this.stream.write(rawHead(status, answer.statusMessage ?? '', [...head.fields, ...framing]), 'latin1');
    answer.on('data', (chunk: Buffer) => {
      this.bytesOut += chunk.length;
      if (chunked) this.stream.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
      const more = this.stream.write(chunk);
      if (chunked) this.stream.write('\r\n', 'latin1');
      if (more) return;
      answer.pause();
      this.stream.once('drain', () => answer.resume());
    });
    answer.once('end', () => {
      if (chunked) this.stream.write('0\r\n\r\n', 'latin1');
      this.stream.end();
      this.#settle();
    });
    answer.once('error', () => this.abort());
    answer.once('close', () => {
      if (!answer.complete) this.abort();
    });
  }

  #clientClosed(): void {
    this.#upstream?.destroy();
    if (this.ended) return;
    this.connection.host.note('client.aborted');
    this.#settle();
  }

  #settle(): void {
    if (this.ended) return;
    this.ended = true;
    this.stream.off('readable', this.#onReadable);
    this.stream.off('end', this.#onEnd);
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.upstreamStatus !== 101) this.#upstream?.destroy();
    this.#host.handshakeSettled(this);
  }
}

/** Two sockets and the bytes between them; http-proxy pipes, this ends one with the other. */
class Tunnel implements IdleWatched {
  idleBytes = 0;
  idleTick = 0;
  readonly #client: Socket;
  readonly #upstream: Socket;

  constructor(client: Socket, upstream: Socket, host: UpgradeHost) {
    this.#client = client;
    this.#upstream = upstream;
    client.once('close', () => {
      upstream.destroySoon();
      host.tunnelClosed(this);
    });
    upstream.once('close', () => client.destroySoon());
  }

  get bytes(): number {
    return this.#client.bytesRead + this.#client.bytesWritten;
  }

  expire(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }
}

/** http-proxy for one origin; only its `ws` is called. */
export class Upgrader {
  readonly #proxy: httpProxy<IncomingMessage>;
  readonly #handshakes = new WeakMap<IncomingMessage, Handshake>();

  constructor(origin: URL) {
    const target = {
      protocol: 'http:',
      host: origin.hostname.replace(/^\[|\]$/g, ''),
      port: origin.port || '80',
    };
    // toProxy: the target is taken as it is, not through the legacy URL parser.
    this.#proxy = httpProxy.createProxyServer<IncomingMessage>({
      target,
      toProxy: true,
      prependPath: false,
      xfwd: false,
    });
    this.#proxy.on('proxyReqWs', (upstream: ClientRequest, req: IncomingMessage) => {
      const handshake = this.#handshakes.get(req);
      if (handshake === undefined || handshake.ended) upstream.destroy();
      else handshake.attach(upstream);
    });
    this.#proxy.on('error', (error: Error, req: IncomingMessage) =>
      this.#handshakes.get(req)?.upstreamFailed(error),
    );
  }

  /** Sends a judged handshake to the origin. */
  start(handshake: Handshake): void {
    const { req, stream, rest } = handshake;
    this.#handshakes.set(req, handshake);
    handshake.handedOverMs = performance.now();
    req.headers = upgradeHeaders(handshake) as IncomingMessage['headers'];
    handshake.watchClient();
    // http-proxy 1.18.1 calls util._extend; its warning (DEP0060) has nothing to tell an operator.
    const quiet = process.noDeprecation ?? false;
    process.noDeprecation = true;
    try {
      this.#proxy.ws(req, stream as Socket, rest);
    } catch {
      handshake.refuse('upstream.connect');
    } finally {
      process.noDeprecation = quiet;
    }
  }
}

/** The forwarded head as http-proxy takes it: lower-case names, several lines of one name as a list. */
function upgradeHeaders(handshake: Handshake): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.create(null);
  const { fields, host } = handshake.head;
  headers['host'] = host;
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] as string).toLowerCase();
    const value = fields[i + 1] as string;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (typeof before === 'string') headers[name] = [before, value];
    else before.push(value);
  }
  headers['connection'] = 'Upgrade';
  headers['upgrade'] = 'websocket';
  return headers;
}
