// The HTTP listener: /startup, /live, /ready for probes, /metrics for Prometheus, /status (JSON, loopback peers only, since
// it names workloads), /v1/openapi.json; POST /v1/score in score-http.ts. Nothing here changes anything.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { isLoopbackHost } from './config.ts';
import type { IntakeTotals } from './intake.ts';
import { metricsText } from './metrics.ts';
import type { ScoreEndpoint } from './score-http.ts';
import { scoreOpenApi } from './score-openapi.ts';
import type { ControlPlaneStatus } from './status.ts';

export interface HttpSources {
  readonly status: () => Promise<ControlPlaneStatus>;
  readonly intake: () => IntakeTotals;
  /** False once the store failed or the process is stopping. */
  readonly isServing: () => boolean;
  readonly score: ScoreEndpoint;
  /** Version of this program. */
  readonly version: string;
  readonly log: Logger;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export function createHttpServer(sources: HttpSources): Server {
  const handlers: Readonly<Record<string, Handler>> = {
    '/startup': async (_request, response) => text(response, 200, 'started\n'),
    '/live': async (_request, response) => text(response, 200, 'live\n'),
    '/ready': async (_request, response) => {
      if (sources.isServing()) text(response, 200, 'ready\n');
      else text(response, 503, 'not serving: the store failed or the process is stopping\n');
    },
    '/metrics': async (_request, response) => {
      const body = metricsText(await sources.status(), sources.intake());
      send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', body);
    },
    '/status': async (request, response) => {
      if (!isLoopbackHost(request.socket.remoteAddress ?? '')) {
        text(response, 403, 'only from this machine; from elsewhere use: picket ctl status\n');
        return;
      }
      send(response, 200, 'application/json', `${JSON.stringify(statusJson(await sources.status()))}\n`);
    },
    '/v1/openapi.json': async (_request, response) => {
      send(response, 200, 'application/json', `${JSON.stringify(scoreOpenApi(sources.version))}\n`);
    },
  };
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000, keepAliveTimeout: 15_000 });
  server.maxConnections = 256;
  server.on('request', (request, response) => {
    const path = (request.url ?? '').replace(/\?.*$/s, '');
    const handler = Object.hasOwn(handlers, path) ? handlers[path] : undefined;
    if (path === '/v1/score') void sources.score.handle(request, response);
    else if (request.method !== 'GET' && request.method !== 'HEAD') text(response, 405, 'GET only\n');
    else if (handler === undefined)
      text(response, 404, `paths: ${Object.keys(handlers).join(' ')} /v1/score\n`);
    else {
      handler(request, response).catch((thrown: unknown) => {
        sources.log.error({ err: thrown, path }, 'an HTTP answer failed');
        if (!response.headersSent) text(response, 503, 'the store does not answer\n');
        else response.destroy();
      });
    }
  });
  return server;
}

/** The status as documented for scripts: snake_case, as in the sidecar's /status. */
export function statusJson(status: ControlPlaneStatus): Record<string, unknown> {
  return {
    picket_version: status.picketVersion,
    started_ms: status.startedMs,
    now_ms: status.nowMs,
    policy_version: status.policyVersion,
    bundle_id: status.bundleId,
    bundle_digest: status.bundleDigest,
    events: status.events,
    buckets: status.buckets,
    verdicts: status.verdicts,
    sidecars: status.sidecars.map((sidecar) => ({
      boot_id: sidecar.bootId,
      namespace: sidecar.namespace,
      workload: sidecar.workload,
      connected_ms: sidecar.connectedMs,
      last_seen_ms: sidecar.lastSeenMs,
      mode: sidecar.mode,
      mode_source: sidecar.modeSource,
      policy_version: sidecar.policyVersion,
      bundle_id: sidecar.bundleId,
      blind: sidecar.blind,
      policy_error: sidecar.policyError,
      bundle_error: sidecar.bundleError,
      counts: Object.fromEntries(sidecar.counts.map(({ name, value }) => [name, value])),
    })),
  };
}

function text(response: ServerResponse, code: number, body: string): void {
  send(response, code, 'text/plain; charset=utf-8', body);
}

function send(response: ServerResponse, code: number, type: string, body: string): void {
  response.writeHead(code, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
