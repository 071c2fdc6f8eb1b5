// Calls of MLflow's REST API 2.0: JSON requests with a time limit and bounded retries, and uploads through the server's
// artifact proxy. Knows neither runs nor experiments: mlflow.ts, the only caller, does.

import { setTimeout as wait } from 'node:timers/promises';
import { PicketError } from '../domain/errors.ts';

export interface TrackingServer {
  /** Scheme, host, port and path prefix, without a slash at the end and without credentials. */
  readonly base: string;
  /** Value of the authorization header. */
  readonly authorization?: string;
}

interface Request {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly body?: Uint8Array<ArrayBuffer> | string;
  readonly type?: string;
  /** Tries in all. */
  readonly tries: number;
  readonly timeoutMs: number;
}

const TRIES = 3;
const FIRST_WAIT_MS = 250;
const CALL_MS = 30_000;
const UPLOAD_MS = 120_000;
const ANSWER_SHOWN_CHARS = 300;
const PROXIED = 'mlflow-artifacts:';

export class MlflowClient {
  readonly base: string;
  readonly #authorization: string | undefined;
  readonly #firstWaitMs: number;

  /** @param firstWaitMs before the second try; doubled for the third. */
  constructor(server: TrackingServer, firstWaitMs = FIRST_WAIT_MS) {
    this.base = server.base;
    this.#authorization = server.authorization;
    this.#firstWaitMs = firstWaitMs;
  }

  /** Null when the server refuses with one of `expected` error codes. Throws UNREACHABLE or DATA_INVALID. */
  get(path: string, expected: readonly string[] = []): Promise<unknown> {
    return this.#json({ method: 'GET', path, tries: TRIES, timeoutMs: CALL_MS }, expected);
  }

  /** For calls that may be repeated without harm. As `get`. */
  post(path: string, body: object, expected: readonly string[] = []): Promise<unknown> {
    return this.#json({ ...jsonBody(body), path, tries: TRIES }, expected);
  }

  /** For calls that make something: never repeated. As `get`. */
  postOnce(path: string, body: object): Promise<unknown> {
    return this.#json({ ...jsonBody(body), path, tries: 1 }, []);
  }

  /** Uploads one file below a run's artifact address. DATA_INVALID when the server does not take artifacts itself. */
  async putArtifact(
    artifactUri: string,
    path: string,
    bytes: Uint8Array<ArrayBuffer> | string,
  ): Promise<void> {
    if (!artifactUri.startsWith(PROXIED)) {
      throw new PicketError(
        'DATA_INVALID',
        `MLflow keeps artifacts at ${artifactUri.split(':')[0]}:, not through its own server: ` +
          'start it with --serve-artifacts',
      );
    }
    const root = new URL(artifactUri).pathname.replace(/^\/+/, '');
    const place = [...root.split('/'), ...path.split('/')].map(encodeURIComponent).join('/');
    const response = await this.#fetch({
      method: 'PUT',
      path: `/api/2.0/mlflow-artifacts/artifacts/${place}`,
      body: bytes,
      type: 'application/octet-stream',
      tries: TRIES,
      timeoutMs: UPLOAD_MS,
    });
    await this.#refuseFailure(response, path);
  }

  async #json(request: Request, expected: readonly string[]): Promise<unknown> {
    const response = await this.#fetch({ ...request, path: `/api/2.0/mlflow/${request.path}` });
    if (!response.ok && expected.length > 0) {
      const refusal = parsed(await response.clone().text()) as { error_code?: unknown } | null;
      if (expected.includes(String(refusal?.error_code))) return null;
    }
    await this.#refuseFailure(response, request.path.split('?')[0]!);
    const answer = parsed(await response.text());
    if (answer !== null) return answer;
    throw new PicketError('DATA_INVALID', `${this.base} does not answer with JSON; is it an MLflow server?`);
  }

  async #refuseFailure(response: Response, what: string): Promise<void> {
    if (response.ok) return;
    const said = (await response.text()).replace(/\s+/g, ' ').slice(0, ANSWER_SHOWN_CHARS);
    const code = response.status >= 500 || response.status === 429 ? 'UNREACHABLE' : 'DATA_INVALID';
    throw new PicketError(code, `MLflow at ${this.base} answers ${response.status} to ${what}: ${said}`);
  }

  /** Tries again after network errors, 429 and 5xx. Redirects are not followed: credentials stay with their server. */
  async #fetch({ method, path, body, type, tries, timeoutMs }: Request): Promise<Response> {
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
    if (this.#authorization !== undefined) headers['authorization'] = this.#authorization;
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await fetch(`${this.base}${path}`, {
          method,
          headers,
          redirect: 'manual',
          signal: AbortSignal.timeout(timeoutMs),
          ...(body === undefined ? {} : { body }),
        });
        const isPassing = response.status === 429 || response.status >= 500;
        if (!isPassing || attempt >= tries) return response;
        await response.body?.cancel();
      } catch (cause) {
        if (attempt >= tries) throw unreachable(this.base, cause);
      }
      await wait(this.#firstWaitMs * 2 ** (attempt - 1));
    }
  }
}

function jsonBody(body: object) {
  const text = JSON.stringify(body);
  return { method: 'POST', body: text, type: 'application/json', timeoutMs: CALL_MS } as const;
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null; // Told as what it is: no JSON.
  }
}

/** fetch hides the reason ("fetch failed") in its cause. */
function unreachable(base: string, thrown: unknown): PicketError {
  const { message, cause } = thrown as Error;
  const reason = cause instanceof Error && cause.message !== '' ? cause.message : message;
  const code = (cause as { code?: string } | undefined)?.code;
  const why = code === undefined || reason.includes(code) ? reason : `${code} ${reason}`;
  return new PicketError('UNREACHABLE', `MLflow at ${base} cannot be reached: ${why}`, { cause: thrown });
}
