// The sample upstream API as a listening server: what the sidecar protects in the demo, in load runs and in tests.
// Answers as SampleStore says, after its latency; bodies are filler of the right size. Knows nothing of Picket.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { seededRandom } from '../domain/random.ts';
import type { Answer } from './request.ts';
import { SampleStore } from './sample-store.ts';

export interface UpstreamOptions {
  readonly host?: string;
  /** 0 = any free port. */
  readonly port?: number;
  readonly seed?: number;
  /** Latencies are multiplied by this; 0 answers at once, 1 / speed suits a run at that speed. */
  readonly latencyScale?: number;
  readonly mishapShare?: number;
}

export interface RunningUpstream {
  readonly port: number;
  /** Requests answered so far. */
  readonly served: () => number;
  readonly close: () => Promise<void>;
}

const BODY_MAX_BYTES = 64 * 1024;
const OPENING = '{"data":"';
const CLOSING = '"}';
const FILLER = Buffer.alloc(200_000, 'lorem ipsum ');

/** Starts listening; resolves when it does. */
export async function startUpstream(options: UpstreamOptions = {}): Promise<RunningUpstream> {
  const store = new SampleStore({
    random: seededRandom(options.seed ?? 1),
    ...(options.mishapShare === undefined ? {} : { mishapShare: options.mishapShare }),
  });
  const latencyScale = options.latencyScale ?? 1;
  let served = 0;
  const server = createServer((request, response) => {
    served++;
    handle(request, response, { store, latencyScale });
  });
  server.keepAliveTimeout = 120_000;
  await listen(server, options.port ?? 0, options.host ?? '127.0.0.1');
  return {
    port: (server.address() as AddressInfo).port,
    served: () => served,
    close: () => close(server),
  };
}

interface Service {
  readonly store: SampleStore;
  readonly latencyScale: number;
}

function handle(request: IncomingMessage, response: ServerResponse, service: Service): void {
  let body = '';
  request.setEncoding('latin1');
  request.on('data', (chunk: string) => {
    if (body.length < BODY_MAX_BYTES) body += chunk;
  });
  request.on('error', () => response.destroy());
  request.on('end', () => {
    const answer = service.store.answer({
      method: request.method ?? 'GET',
      target: request.url ?? '/',
      token: bearerOf(request),
      body: body === '' ? null : body,
      conditional: request.headers['if-none-match'] !== undefined,
    });
    const waitMs = answer.latencyMs * service.latencyScale;
    if (waitMs < 1) send(request, response, answer);
    else setTimeout(send, waitMs, request, response, answer);
  });
}

function bearerOf(request: IncomingMessage): string | null {
  const value = request.headers.authorization;
  return value?.startsWith('Bearer ') === true ? value.slice('Bearer '.length) : null;
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (response.destroyed) return;
  const fillBytes = Math.max(0, answer.bodyBytes - OPENING.length - CLOSING.length);
  const empty = answer.status === 204 || answer.status === 304;
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    etag: '"1"',
    ...(empty ? {} : { 'content-length': OPENING.length + fillBytes + CLOSING.length }),
    ...(answer.status === 303 ? { location: '/' } : {}),
  });
  if (empty || request.method === 'HEAD') {
    response.end();
    return;
  }
  response.write(OPENING);
  response.write(FILLER.subarray(0, fillBytes));
  response.end(CLOSING);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
