// Fetches the bytes of a bundle in chunks and goes on where a broken transfer stopped. The digest is checked at the end:
// what does not match is thrown away whole. Parsing is the caller's business.

import { createHash } from 'node:crypto';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { PicketError } from '../../domain/errors.ts';
import type { FetchBundleRequest, FetchBundleResponse } from '../../proto/gen/picket/v1/sidecar.ts';

export const BUNDLE_FETCH_MAX_BYTES = 64 * 1024 * 1024;
const TRIES_WITHOUT_PROGRESS = 3;

export type OpenFetch = (request: FetchBundleRequest) => ClientReadableStream<FetchBundleResponse>;

/** One bundle under way; keep it across connections to resume. */
export class BundleFetch {
  readonly digest: string;
  readonly #sizeBytes: number;
  readonly #chunks: Buffer[] = [];
  #received = 0;

  /** Throws BUNDLE_TOO_LARGE for an offer above 64 MiB. */
  constructor(digest: string, sizeBytes: number) {
    if (!(sizeBytes > 0 && sizeBytes <= BUNDLE_FETCH_MAX_BYTES)) {
      throw new PicketError(
        'BUNDLE_TOO_LARGE',
        `the offered bundle has ${sizeBytes} bytes, at most ${BUNDLE_FETCH_MAX_BYTES}`,
      );
    }
    this.digest = digest;
    this.#sizeBytes = sizeBytes;
  }

  get receivedBytes(): number {
    return this.#received;
  }

  /** All bytes, checked. Throws UNREACHABLE if the transfer keeps breaking, BUNDLE_CORRUPT if they are not what was offered. */
  async run(open: OpenFetch, signal: AbortSignal): Promise<Buffer> {
    let tries = 0;
    while (this.#received < this.#sizeBytes) {
      const before = this.#received;
      const failure = await this.#pull(open({ digest: this.digest, offset: this.#received }), signal);
      if (signal.aborted) throw new PicketError('UNREACHABLE', 'the transfer was given up');
      tries = this.#received > before ? 0 : tries + 1;
      if (tries >= TRIES_WITHOUT_PROGRESS) {
        throw new PicketError(
          'UNREACHABLE',
          `the bundle's transfer stopped at ${this.#received} bytes: ${failure ?? 'the stream ended'}`,
        );
      }
    }
    const bytes = Buffer.concat(this.#chunks);
    const digest = createHash('sha256').update(bytes).digest('hex');
    if (digest === this.digest) return bytes;
    this.#chunks.length = 0;
    this.#received = 0;
    throw new PicketError(
      'BUNDLE_CORRUPT',
      `the fetched bundle has digest ${digest}, offered was ${this.digest}`,
    );
  }

  /** Takes what one stream gives; resolves with the reason when it ends early. */
  #pull(stream: ClientReadableStream<FetchBundleResponse>, signal: AbortSignal): Promise<string | undefined> {
    return new Promise((resolve) => {
      const abort = (): void => stream.cancel();
      signal.addEventListener('abort', abort, { once: true });
      const end = (reason: string | undefined): void => {
        signal.removeEventListener('abort', abort);
        resolve(reason);
      };
      stream.on('data', (chunk: FetchBundleResponse) => {
        const fits = chunk.offset === this.#received && this.#received + chunk.data.length <= this.#sizeBytes;
        if (!fits || chunk.data.length === 0) {
          stream.cancel();
          return;
        }
        this.#chunks.push(chunk.data);
        this.#received += chunk.data.length;
      });
      stream.on('error', (error: Error) => end(error.message));
      stream.on('end', () => end(undefined));
    });
  }
}
