// Refusals as bytes: one problem document (RFC 9457) per reason code, for an exchange or for a bare socket.
// Says the reason code and the request id, nothing about scores or thresholds. Decides nothing. Called by exchange.ts,
// server.ts and forward/upgrade.ts.

import { STATUS_CODES } from 'node:http';
import { REFUSALS, type Refusal, type RefusalCode } from '../domain/refusal.ts';

export interface RefusalAnswer {
  readonly status: number;
  readonly fields: string[];
  readonly body: string;
}

export interface RefusalOptions {
  readonly requestId: string;
  /** One of the code's two statuses, where it has two. */
  readonly status?: number | undefined;
  /** Seconds; set for answers that make sense to repeat later. */
  readonly retryAfterSec?: number | undefined;
}

const ALLOW = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const OVERLOAD_RETRY_SEC = 1;

/** The answer for a code. `requestId` must be well formed: it goes into field and body as it is. */
export function refusalAnswer(code: RefusalCode, options: RefusalOptions): RefusalAnswer {
  const { title, status: first } = REFUSALS[code] as Refusal;
  const status = options.status ?? first;
  const body =
    `{"type":"urn:picket:refusal:${code}","title":"${title}","status":${status},` +
    `"request_id":"${options.requestId}","reason":"${code}"}\n`;
  const fields = [
    'content-type',
    'application/problem+json',
    'content-length',
    String(body.length),
    'cache-control',
    'no-store',
    'x-picket-request-id',
    options.requestId,
  ];
  const retryAfterSec = options.retryAfterSec ?? (status === 503 ? OVERLOAD_RETRY_SEC : 0);
  if (retryAfterSec > 0) fields.push('retry-after', String(retryAfterSec));
  if (status === 405) fields.push('allow', ALLOW);
  return { status, fields, body };
}

/** The whole answer as text, for a socket that no longer belongs to the server's parser; always closes. */
export function rawRefusal(code: RefusalCode, options: RefusalOptions): string {
  const { status, fields, body } = refusalAnswer(code, options);
  return rawHead(status, STATUS_CODES[status] ?? '', [...fields, 'connection', 'close']) + body;
}

/** Status line and field lines, with the empty line. */
export function rawHead(status: number, reason: string, fields: readonly string[]): string {
  let head = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return `${head}\r\n`;
}
