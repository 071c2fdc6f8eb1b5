// Sends simulated or replayed requests over real HTTP at their times (open model: a slow answer delays nobody else) and notes
// what each client saw. Bounded: at most `inflightMax` at once; a request that finds no room waits and is counted as late.
// Knows nothing of verdicts beyond the refusal that a client can see.

import { Pool } from 'undici';
import { requestIdOf, type SimRequest } from './request.ts';

/** What the sender needs of a request. */
export interface Sendable {
  /** Virtual time; only differences count. */
  readonly atMs: number;
  readonly requestId: string;
  readonly label: string;
  readonly actor: string;
  readonly nth: number;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | null;
  /** Sent as X-Forwarded-For. */
  readonly address: string;
}

/** A simulated request as it is sent: labelled by its request id, and by nothing else. */
export function sendableOf(request: SimRequest): Sendable {
  return { ...request, requestId: requestIdOf(request) };
}

/** One request as its client saw it. */
export interface Seen {
  readonly requestId: string;
  readonly label: string;
  readonly actor: string;
  readonly nth: number;
  /** 0 if no answer came. */
  readonly status: number;
  /** 403 or 429 by Picket, reason `policy.blocked`. */
  readonly refused: boolean;
  readonly latencyMs: number;
  /** Empty, or why there was no answer. */
  readonly error: string;
}

export interface SendOptions {
  /** Origin to send to: `http://127.0.0.1:14080`. */
  readonly target: string;
  /** Virtual milliseconds per wall millisecond. */
  readonly speed: number;
  readonly connections?: number;
  readonly inflightMax?: number;
  readonly timeoutMs?: number;
  /** Called once per request, in the order of the answers. */
  readonly onSeen: (seen: Seen) => void;
  readonly signal?: AbortSignal;
}

export interface SendSummary {
  readonly sent: number;
  /** Requests that had to wait for room, and the longest such delay. */
  readonly late: number;
  readonly latestMs: number;
}

const CONNECTIONS = 64;
const INFLIGHT_MAX = 512;
const TIMEOUT_MS = 15_000;
const REFUSAL_MAX_BYTES = 4_096;
/** Sending is planned in steps of this length. */
const TICK_MS = 4;
/** A request sent so long after its time counts as late. */
const LATE_MS = 250;

/** Sends all of them and resolves when the last answer is in. */
export async function sendAll(requests: Iterable<Sendable>, options: SendOptions): Promise<SendSummary> {
  const pool = new Pool(options.target, {
    connections: options.connections ?? CONNECTIONS,
    pipelining: 1,
    headersTimeout: options.timeoutMs ?? TIMEOUT_MS,
    bodyTimeout: options.timeoutMs ?? TIMEOUT_MS,
  });
  const inflight = new Set<Promise<void>>();
  const inflightMax = options.inflightMax ?? INFLIGHT_MAX;
  const summary = { sent: 0, late: 0, latestMs: 0 };
  const startMs = performance.now();
  let firstMs: number | null = null;
  try {
    for (const request of requests) {
      firstMs ??= request.atMs;
      const dueMs = startMs + (request.atMs - firstMs) / options.speed;
      while (performance.now() < dueMs && !stopped(options))
        await sleep(Math.min(dueMs - performance.now(), 200));
      while (inflight.size >= inflightMax) await Promise.race(inflight);
      if (stopped(options)) break;
      const behindMs = performance.now() - dueMs;
      if (behindMs > LATE_MS) summary.late++;
      summary.latestMs = Math.max(summary.latestMs, behindMs);
      summary.sent++;
      const sending = sendOne(pool, request, options).finally(() => inflight.delete(sending));
      inflight.add(sending);
    }
    await Promise.all(inflight);
  } finally {
    await pool.close();
  }
  return summary;
}

function stopped(options: SendOptions): boolean {
  return options.signal?.aborted === true;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(ms, TICK_MS)));
}

async function sendOne(pool: Pool, request: Sendable, options: SendOptions): Promise<void> {
  const { requestId, label, actor, nth } = request;
  const startMs = performance.now();
  let status = 0;
  let refused = false;
  let error = '';
  try {
    const answer = await pool.request({
      method: request.method as 'GET',
      path: sendableTarget(request.target),
      headers: fieldsOf(request),
      body: request.body,
    });
    status = answer.statusCode;
    const type = answer.headers['content-type'];
    if ((status === 403 || status === 429) && type === 'application/problem+json')
      refused = isRefusal(await textOf(answer.body));
    else await answer.body.dump({ limit: Number.MAX_SAFE_INTEGER });
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.message : String(thrown);
  }
  options.onSeen({
    requestId,
    label,
    actor,
    nth,
    status,
    refused,
    latencyMs: performance.now() - startMs,
    error,
  });
}

function fieldsOf(request: Sendable): string[] {
  const fields: string[] = [];
  for (const [name, value] of request.headers) fields.push(name, value);
  fields.push('x-forwarded-for', request.address, 'x-request-id', request.requestId);
  return fields;
}

/** Bytes that no HTTP client may send are percent-encoded; the rest goes as it is. */
export function sendableTarget(target: string): string {
  return target.replace(/[^\x21-\x7e]|["<>\\^`{|}#]/g, (char) => {
    return `%${(char.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of body) if (text.length < REFUSAL_MAX_BYTES) text += chunk.toString('utf8');
  return text;
}

function isRefusal(text: string): boolean {
  try {
    return (JSON.parse(text) as { reason?: unknown }).reason === 'policy.blocked';
  } catch {
    return false;
  }
}
