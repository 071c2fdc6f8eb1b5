// The admin listener, read-only, on the control thread: it answers while the data thread is busy or gone.
//   /startup  200 once config, core and listeners are there      /ready  200 if traffic may come, else 503
//   /live     503 if the data thread's heartbeat stands still    /metrics  Prometheus text
//   /status   JSON, to loopback peers only
// Nothing that can be sent here changes anything; draining is a local socket's business (drain-socket.ts).

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PicketError } from '../domain/errors.ts';
import { isLoopback } from './config.ts';
import { metricsText } from './metrics.ts';
import type { StatusView } from './status.ts';

const CONNECTIONS_MAX = 64;
const TIMEOUT_MS = 5_000;

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function text(status: number, body: string): Page {
  return { status, type: 'text/plain; charset=utf-8', body: `${body}\n` };
}

export class Admin {
  readonly #view: StatusView;
  readonly #server: Server;
  #started = false;

  constructor(view: StatusView) {
    this.#view = view;
    this.#server = createServer({ requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS }, (req, res) =>
      this.#serve(req, res),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.keepAliveTimeout = TIMEOUT_MS;
  }

  /** Opens the listener. Throws LISTEN_REFUSED. */
  listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: Error) => {
        reject(
          new PicketError(
            'LISTEN_REFUSED',
            `the admin listener ${host}:${port} cannot be opened: ${error.message}`,
          ),
        );
      });
      this.#server.listen(port, host, () => {
        this.#server.on('error', () => {});
        const { address, port: bound } = this.#server.address() as AddressInfo;
        resolve({ host: address, port: bound });
      });
    });
  }

  /** From now on /startup answers 200. */
  started(): void {
    this.#started = true;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #serve(req: IncomingMessage, res: ServerResponse): void {
    const page = this.#answer(req);
    res.writeHead(page.status, {
      'content-type': page.type,
      'content-length': Buffer.byteLength(page.body),
      'cache-control': 'no-store',
      ...(page.status === 405 ? { allow: 'GET, HEAD' } : {}),
    });
    res.end(req.method === 'HEAD' ? undefined : page.body);
    req.resume();
  }

  #answer(req: IncomingMessage): Page {
    const path = (req.url ?? '').split('?', 1)[0];
    const route = this.#routes(req)[path ?? ''];
    if (route === undefined) return text(404, 'there are /startup, /live, /ready, /metrics and /status');
    if (req.method !== 'GET' && req.method !== 'HEAD') return text(405, 'this listener is read-only');
    try {
      return route();
    } catch (thrown) {
      return text(500, PicketError.from(thrown).message);
    }
  }

  #routes(req: IncomingMessage): Record<string, () => Page> {
    const { sources } = this.#view;
    return {
      '/startup': () => (this.#started ? text(200, 'started') : text(503, 'starting')),
      '/live': () =>
        sources.thread().stalled ? text(503, 'the data thread stands still') : text(200, 'live'),
      '/ready': () => this.#ready(),
      '/metrics': () => ({
        status: 200,
        type: 'text/plain; version=0.0.4; charset=utf-8',
        body: metricsText(this.#view),
      }),
      '/status': () => {
        if (!isLoopback(req.socket.remoteAddress ?? ''))
          return text(403, '/status answers to loopback peers only');
        return { status: 200, type: 'application/json', body: `${JSON.stringify(this.#view.status())}\n` };
      },
    };
  }

  #ready(): Page {
    if (this.#started && this.#view.ready) return text(200, 'ready');
    return text(503, this.#view.sources.draining() ? 'draining' : 'not ready');
  }
}
