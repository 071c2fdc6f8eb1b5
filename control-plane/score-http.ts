// POST /v1/score: named features in; score, class, threshold and SHAP out. Checks who asks, reads a bounded body, answers
// RFC 9457 problems. Without a token file only callers on the same machine are served. Called by http.ts.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { type ErrorCode, PicketError, type Problem } from '../domain/errors.ts';
import type { Caller } from './auth.ts';
import { isLoopbackHost } from './config.ts';
import { CONTROL_LIMITS } from './limits.ts';
import type { ScoreDesk } from './score.ts';
import { readScoreRows } from './score-rows.ts';

export interface ScoreSources {
  readonly desk: ScoreDesk;
  /** Finds the caller of an `authorization` value, throws AUTH_REQUIRED; null: the control plane has no tokens. */
  readonly authenticate: ((authorization: string | undefined) => Caller) | null;
  readonly log: Logger;
}

interface Refusal {
  readonly status: number;
  readonly detail: string;
  readonly code?: ErrorCode;
  readonly errors?: readonly Problem[];
  readonly headers?: Readonly<Record<string, string>>;
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** Thrown inside, answered at the edge. */
class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.refusal = refusal;
  }
}

export class ScoreEndpoint {
  readonly #sources: ScoreSources;
  #underWay = 0;

  constructor(sources: ScoreSources) {
    this.#sources = sources;
  }

  /** Answers one request, whatever it is. Never throws. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#underWay++;
    try {
      const answer = await this.#answer(request);
      send(response, 200, { type: 'application/json', body: answer });
    } catch (thrown) {
      const refusal = thrown instanceof Refused ? thrown.refusal : refusalOf(PicketError.from(thrown));
      if (refusal.status >= 500) this.#sources.log.error({ err: thrown }, 'a scoring request failed');
      const { status, detail, code, errors, headers } = refusal;
      const body = { type: 'about:blank', title: TITLES[status], status, detail, code, errors };
      send(response, status, { type: 'application/problem+json', body, headers: headers ?? {} });
    } finally {
      this.#underWay--;
    }
  }

  async #answer(request: IncomingMessage): Promise<unknown> {
    this.#admit(request);
    const { bundle, explain } = readQuery(request.url ?? '');
    const model = await this.#sources.desk.model(bundle);
    if (model === null) {
      const detail = 'no model is active; push and activate one, or name one with ?bundle=';
      throw new Refused({ status: 404, code: 'NOT_FOUND', detail });
    }
    const read = readScoreRows(await readBody(request), model.featureNames);
    if (!('rows' in read)) {
      throw new Refused({ status: 422, detail: 'the features cannot be scored', errors: read });
    }
    const scored = await model.score(read.rows, explain);
    const results = scored.map((row) => ({ bundle: model.bundleId, ...row }));
    return read.isList ? results : results[0];
  }

  #admit(request: IncomingMessage): void {
    const { authenticate } = this.#sources;
    if (request.method !== 'POST') {
      throw new Refused({ status: 405, detail: 'POST only', headers: { allow: 'POST' } });
    }
    if (authenticate === null) {
      if (!isLoopbackHost(request.socket.remoteAddress ?? '')) {
        throw new Refused({ status: 403, detail: 'without a token file only from this machine' });
      }
    } else if (authenticate(request.headers.authorization).role === 'sidecar') {
      throw new Refused({ status: 403, detail: 'a sidecar token may not score; operator and viewer may' });
    }
    // A page in a browser on this machine can send other types without asking first, this one not.
    const type = (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
    if (type !== 'application/json') {
      throw new Refused({ status: 415, detail: 'content-type: application/json' });
    }
    if (this.#underWay > CONTROL_LIMITS.scoresAtOnceMax) {
      throw new Refused({ status: 503, detail: 'too many at once', headers: { 'retry-after': '1' } });
    }
  }
}

/** `?bundle=DIGEST_OR_ID&explain=true|false`; nothing else. */
function readQuery(url: string): { bundle: string | null; explain: boolean } {
  const query = new URL(url, 'http://localhost').searchParams;
  const explain = query.get('explain') ?? 'true';
  const errors: Problem[] = [];
  for (const name of query.keys()) {
    if (name === 'bundle' || name === 'explain') continue;
    errors.push({ field: `?${name.slice(0, 64)}`, value: 'a parameter', expected: 'bundle or explain' });
  }
  if (explain !== 'true' && explain !== 'false') {
    errors.push({ field: '?explain', value: explain.slice(0, 40), expected: 'true or false' });
  }
  if (errors.length > 0) throw new Refused({ status: 422, detail: 'the query cannot be read', errors });
  return { bundle: query.get('bundle'), explain: explain === 'true' };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const { scoreBodyMaxBytes } = CONTROL_LIMITS;
  const tooLarge = new Refused({ status: 413, detail: `the body is over ${scoreBodyMaxBytes} bytes` });
  if (Number(request.headers['content-length'] ?? 0) > scoreBodyMaxBytes) throw tooLarge;
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > scoreBodyMaxBytes) throw tooLarge;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function refusalOf({ code, message: detail }: PicketError): Refusal {
  switch (code) {
    case 'AUTH_REQUIRED':
      return { status: 401, code, detail, headers: { 'www-authenticate': 'Bearer' } };
    case 'NOT_FOUND':
      return { status: 404, code, detail };
    case 'DATA_INVALID': // Only the name of a bundle is read with this code.
      return {
        status: 422,
        code,
        detail,
        errors: [{ field: '?bundle', value: 'another text', expected: detail }],
      };
    case 'INTERNAL':
      return { status: 500, code, detail: 'a bug in Picket; its log says more' };
    default:
      return { status: 503, code, detail };
  }
}

interface Answer {
  readonly type: string;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request whose body was not read to its end takes the connection with it. */
function send(response: ServerResponse, status: number, { type, body, headers = {} }: Answer): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(response.req.complete ? {} : { connection: 'close' }),
    ...headers,
  });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}
