// An access log through the feature engine, one CSV row a request, in one pass and bounded memory: lines are read as the file
// gives them, put in order within a window, observed under the log's clock, written as the file takes them. Scores nothing.
// Called by `picket features --log`; the same engine and identities as `picket replay --offline`.

import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { PicketError } from '../domain/errors.ts';
import { FEATURES } from '../domain/features.ts';
import { FeatureEngine } from '../feature-engine/engine.ts';
import { type AddressData, addressSources } from '../feature-engine/geo-files.ts';
import { type LogRequest, linesOf, parseLogLine } from '../simulator/access-log.ts';
import { LogOrder } from '../simulator/log-order.ts';
import { OfflineRun } from '../simulator/offline.ts';
import { type LoggedRequest, offlineRequest } from './logged-request.ts';

export const LOG_COLUMNS = ['time', 'address', 'method', 'path', 'status'] as const;
const CHUNK_CHARS = 1 << 18;

export interface LogFeaturesOptions {
  readonly log: string;
  readonly out: string;
  /** Rows of the feature engine, per axis. */
  readonly identities: number;
  /** Address databases, checked. */
  readonly addresses: AddressData;
  readonly onProgress: (lines: number) => void;
}

export interface LogFeaturesResult {
  readonly lines: number;
  readonly requests: number;
  readonly malformed: number;
  /** Lines whose time lies before what had been written; they count at the time of the line before them. */
  readonly late: number;
}

/** Throws DATA_INVALID when the log cannot be read, holds no request, or the output cannot be written. */
export async function writeLogFeatures(options: LogFeaturesOptions): Promise<LogFeaturesResult> {
  const rows = new CsvRows(options.out);
  const order = new LogOrder();
  const engine = new OfflineEngine(options, rows);
  let lines = 0;
  let requests = 0;
  let malformed = 0;
  try {
    for await (const line of linesOf(options.log)) {
      lines++;
      const request = parseLogLine(line.trimEnd());
      if (request === null) malformed += line.trim() === '' ? 0 : 1;
      else {
        requests++;
        await engine.take(order.push(request));
      }
      options.onProgress(lines);
    }
    await engine.take(order.end());
    await rows.end();
  } catch (thrown) {
    rows.abandon();
    const { message } = PicketError.from(thrown);
    throw new PicketError('DATA_INVALID', message, { cause: thrown });
  }
  if (requests === 0) {
    throw new PicketError('DATA_INVALID', `${options.log}: none of its ${lines} lines is a request`, {
      hint: 'the combined format of Apache and nginx is needed',
    });
  }
  return { lines, requests, malformed, late: order.late };
}

class OfflineEngine {
  readonly #options: LogFeaturesOptions;
  readonly #rows: CsvRows;
  #run: OfflineRun<LoggedRequest> | null = null;
  #lastMs = -Infinity;

  constructor(options: LogFeaturesOptions, rows: CsvRows) {
    this.#options = options;
    this.#rows = rows;
  }

  async take(requests: readonly LogRequest[]): Promise<void> {
    for (const request of requests) {
      this.#run ??= this.#begin(request.atMs);
      this.#lastMs = Math.max(this.#lastMs, request.atMs);
      this.#run.step(offlineRequest(request, this.#lastMs));
      await this.#rows.room();
    }
  }

  /** The state begins with the log. */
  #begin(startedMs: number): OfflineRun<LoggedRequest> {
    const { identities, addresses } = this.#options;
    const engine = new FeatureEngine({ identities, startedMs });
    engine.addressBook.use(addressSources(addresses));
    return new OfflineRun({
      engine,
      onVector: ({ request, vector }) => {
        this.#rows.add(request.line, vector);
        return true;
      },
    });
  }
}

/** Rows on their way to a file, in chunks. */
class CsvRows {
  readonly #out: WriteStream;
  #text = `${[...LOG_COLUMNS, ...FEATURES.map(({ name }) => name)].join(',')}\n`;
  #failed: Error | null = null;

  constructor(path: string) {
    this.#out = createWriteStream(path);
    this.#out.on('error', (error) => {
      this.#failed = error;
    });
  }

  add(line: LogRequest, vector: Float64Array): void {
    const query = line.target.indexOf('?');
    const path = query < 0 ? line.target : line.target.slice(0, query);
    const time = new Date(line.atMs).toISOString();
    let row = `${time},${csvCell(line.address)},${line.method},${csvCell(path)},${line.status}`;
    for (let i = 0; i < FEATURES.length; i++) {
      const value = vector[i]!;
      row += Number.isNaN(value) ? ',' : `,${value}`;
    }
    this.#text += `${row}\n`;
  }

  /** Resolves when there is room for more: at once, mostly. */
  room(): Promise<void> | undefined {
    return this.#text.length < CHUNK_CHARS ? undefined : this.#flush();
  }

  async end(): Promise<void> {
    await this.#flush();
    this.#out.end();
    await finished(this.#out);
  }

  abandon(): void {
    this.#out.destroy();
  }

  async #flush(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    await new Promise<void>((resolve, reject) => {
      if (this.#failed !== null) reject(this.#failed);
      else this.#out.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }
}

/** Quoted if need be (RFC 4180). */
function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
