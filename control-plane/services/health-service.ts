// The standard gRPC health service (grpc.health.v1), for probes and clients. One state for the whole server and all services.
// Source: github.com/grpc/grpc/blob/master/doc/health-checking.md

import { type ServerWritableStream, status } from '@grpc/grpc-js';
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  type HealthServer,
  HealthCheckResponse_ServingStatus as Serving,
} from '../../proto/gen/grpc/health/v1/health.ts';

const WATCHERS_MAX = 256;

export class Health {
  readonly #names: ReadonlySet<string>;
  readonly #watchers = new Set<ServerWritableStream<HealthCheckRequest, HealthCheckResponse>>();
  #serving = true;

  /** `names`: full names of the services; the empty name is the server as a whole. */
  constructor(names: readonly string[]) {
    this.#names = new Set(['', ...names]);
  }

  get isServing(): boolean {
    return this.#serving;
  }

  /** Tells every watcher if that is news. */
  setServing(serving: boolean): void {
    if (serving === this.#serving) return;
    this.#serving = serving;
    for (const watcher of this.#watchers) watcher.write({ status: this.#status(watcher.request.service) });
  }

  service(): HealthServer {
    return {
      check: (call, callback) => {
        const { service } = call.request;
        if (this.#names.has(service)) callback(null, { status: this.#status(service) });
        else callback({ code: status.NOT_FOUND, details: `no service is named ${service.slice(0, 200)}` });
      },
      list: (_call, callback) => {
        const entries = [...this.#names].map((name) => [name, { status: this.#status(name) }]);
        callback(null, { statuses: Object.fromEntries(entries) as Record<string, HealthCheckResponse> });
      },
      watch: (call) => {
        if (this.#watchers.size >= WATCHERS_MAX) {
          call.emit('error', {
            code: status.RESOURCE_EXHAUSTED,
            details: 'too many callers watch the health',
          });
          return;
        }
        this.#watchers.add(call);
        const forget = () => this.#watchers.delete(call);
        call.on('cancelled', () => {
          forget();
          call.end();
        });
        call.on('error', forget);
        call.write({ status: this.#status(call.request.service) });
      },
    };
  }

  /** Ends every watch. */
  close(): void {
    this.setServing(false);
    for (const watcher of this.#watchers) watcher.end();
    this.#watchers.clear();
  }

  #status(service: string): Serving {
    if (!this.#names.has(service)) return Serving.SERVICE_UNKNOWN;
    return this.#serving ? Serving.SERVING : Serving.NOT_SERVING;
  }
}
