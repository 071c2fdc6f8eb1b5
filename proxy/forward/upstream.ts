// Connections to one origin: undici clients of one socket each, the most recently used one first, up to a fixed number.
// There is no queue: no free connection is an answer (503), not a wait. Knows nothing of requests beyond their dispatch.
// Made by data-plane.ts, used by forward.ts.

import { buildConnector, Client, type Dispatcher } from 'undici';

export interface UpstreamOptions {
  /** Origin, http only. */
  readonly url: URL;
  readonly connectTimeoutMs: number;
  readonly headTimeoutMs: number;
  /** 0 = off. */
  readonly bodyIdleMs: number;
  readonly keepAliveMs: number;
  readonly connectionsMax: number;
}

const NO_HEADERS: string[] = [];
/** Response heads up to this size are passed on. */
const RESPONSE_HEAD_MAX_BYTES = 64 * 1024;

export class UpstreamConnection {
  readonly client: Client;
  /** A socket is up. */
  connected = false;
  /** Requests that it has carried. */
  served = 0;
  busy = false;

  constructor(client: Client) {
    this.client = client;
  }
}

export class Upstream {
  /** `host:port` for requests that have no Host. */
  readonly authority: string;
  readonly #options: UpstreamOptions;
  readonly #connect: buildConnector.connector;
  readonly #idle: UpstreamConnection[] = [];
  readonly #all = new Set<UpstreamConnection>();
  /** One object for all dispatches: undici copies what it needs before `dispatch` returns. */
  readonly #dispatch: Dispatcher.DispatchOptions;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.authority = options.url.host;
    this.#connect = buildConnector({ timeout: options.connectTimeoutMs, allowH2: false });
    this.#dispatch = {
      path: '/',
      method: 'GET',
      body: null,
      headers: [],
      headersTimeout: options.headTimeoutMs,
      bodyTimeout: options.bodyIdleMs,
    };
  }

  /** Connections that carry a request. */
  get busy(): number {
    return this.#all.size - this.#idle.length;
  }

  /** A free connection, or null if all are taken. `fresh`: one whose socket is new. */
  acquire(fresh: boolean): UpstreamConnection | null {
    if (!fresh) {
      const kept = this.#idle.pop();
      if (kept !== undefined) {
        kept.busy = true;
        return kept;
      }
    }
    if (this.#all.size >= this.#options.connectionsMax && !this.#dropIdle()) return null;
    const connection = this.#open();
    connection.busy = true;
    return connection;
  }

  /** Starts a request on an acquired connection; never throws, errors reach the handler. */
  dispatch(
    connection: UpstreamConnection,
    request: UpstreamRequest,
    handler: Dispatcher.DispatchHandler,
  ): void {
    const options = this.#dispatch;
    options.method = request.method;
    options.path = request.path;
    options.headers = request.headers;
    options.body = request.body as Dispatcher.DispatchOptions['body'] & null;
    connection.client.dispatch(options, handler);
    options.headers = NO_HEADERS;
    options.body = null;
  }

  /** Gives a connection back. One that failed is not used again. */
  release(connection: UpstreamConnection, reusable: boolean): void {
    if (!connection.busy) return;
    connection.busy = false;
    if (reusable) {
      connection.served++;
      this.#idle.push(connection);
    } else {
      this.#drop(connection);
    }
  }

  /** Ends every connection, busy or not. */
  destroy(): void {
    for (const connection of [...this.#all]) this.#drop(connection);
  }

  #open(): UpstreamConnection {
    const { url, keepAliveMs, headTimeoutMs, bodyIdleMs } = this.#options;
    const client = new Client(url.origin, {
      connect: this.#connect,
      allowH2: false,
      pipelining: 1,
      strictContentLength: true,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      keepAliveTimeoutThreshold: Math.min(500, keepAliveMs / 2),
      headersTimeout: headTimeoutMs,
      bodyTimeout: bodyIdleMs,
      maxHeaderSize: RESPONSE_HEAD_MAX_BYTES,
    });
    const connection = new UpstreamConnection(client);
    this.#all.add(connection);
    client.on('connect', () => {
      connection.connected = true;
      connection.served = 0;
    });
    client.on('disconnect', () => {
      connection.connected = false;
      if (!connection.busy) this.#drop(connection);
    });
    // undici emits this for what its own handlers threw; the request is told by onResponseError.
    (client as unknown as NodeJS.EventEmitter).on('error', () => {});
    return connection;
  }

  /** Makes room for a fresh connection; false if every connection is busy. */
  #dropIdle(): boolean {
    const oldest = this.#idle[0];
    if (oldest === undefined) return false;
    this.#drop(oldest);
    return true;
  }

  #drop(connection: UpstreamConnection): void {
    if (!this.#all.delete(connection)) return;
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    connection.client.destroy(null, () => {});
  }
}

export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  /** Name and value in turn. */
  readonly headers: string[];
  /** Null, or what forward/request-body.ts makes. */
  readonly body: object | null;
}
