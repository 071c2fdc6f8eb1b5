// Reads a key set's bytes from a file or a URL, bounded in size and time. HTTPS, or plain HTTP on loopback: who can change the
// answer on its way can name principals. Follows no redirect. Judges nothing of what it read. Called by jwks-keeper.ts.

import { readFile, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { get as getHttps } from 'node:https';
import { PicketError } from '../../domain/errors.ts';
import { JWKS_MAX_BYTES } from './jwk.ts';

/** Longest that a key set may take, from the first byte sent to the last received. */
export const JWKS_TIMEOUT_MS = 5_000;

/** The text of --jwks, taken apart. */
export type JwksPlace =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'url'; readonly url: URL };

/** A file's path, or an http(s) URL; null for a text that means to be a URL and is none. */
export function jwksPlace(text: string): JwksPlace | null {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { kind: 'file', path: text };
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return null;
  return url.username === '' && url.password === '' ? { kind: 'url', url } : null;
}

export interface JwksReadOptions {
  /** PEM roots for the URL, the system's if absent; read anew each time. */
  readonly caFile?: string | undefined;
  readonly timeoutMs?: number;
}

/** The bytes at the place. Throws UNREACHABLE or DATA_INVALID with what is wrong. */
export async function readJwks(place: JwksPlace, options: JwksReadOptions = {}): Promise<Uint8Array> {
  if (place.kind === 'file') return readSmallFile(place.path);
  const ca = options.caFile === undefined ? undefined : await readSmallFile(options.caFile);
  // Loaded only where there is a URL to read.
  const { get } = await (place.url.protocol === 'https:' ? import('node:https') : import('node:http'));
  return fetchSmall(get, place.url, { timeoutMs: options.timeoutMs ?? JWKS_TIMEOUT_MS, ca });
}

async function readSmallFile(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > JWKS_MAX_BYTES) throw new PicketError('DATA_INVALID', `larger than ${JWKS_MAX_BYTES} bytes`);
    return await readFile(path);
  } catch (thrown) {
    throw PicketError.from(thrown, 'UNREACHABLE');
  }
}

interface Fetch {
  readonly timeoutMs: number;
  readonly ca: Buffer | undefined;
}

function fetchSmall(get: typeof getHttps, url: URL, { timeoutMs, ca }: Fetch): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const fail = (code: 'UNREACHABLE' | 'DATA_INVALID', message: string): void =>
      reject(new PicketError(code, message));
    const signal = AbortSignal.timeout(timeoutMs);
    const headers = { accept: 'application/jwk-set+json, application/json', 'user-agent': 'picket' };
    const options = { agent: false, signal, headers, ...(ca === undefined ? {} : { ca }) } as const;
    const onAnswer = (res: IncomingMessage): void => {
      if (res.statusCode !== 200) {
        fail('UNREACHABLE', `the answer has status ${res.statusCode}, expected 200`);
        res.destroy();
        return;
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      res.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > JWKS_MAX_BYTES) {
          fail('DATA_INVALID', `larger than ${JWKS_MAX_BYTES} bytes`);
          res.destroy();
        } else chunks.push(chunk);
      });
      res.on('end', () => resolve(Buffer.concat(chunks)));
      res.on('error', (error) => fail('UNREACHABLE', error.message));
      res.on('close', () => fail('UNREACHABLE', 'the answer was cut short'));
    };
    get(url, options, onAnswer).on('error', (error) =>
      fail('UNREACHABLE', signal.aborted ? `no answer within ${timeoutMs} ms` : error.message),
    );
  });
}
