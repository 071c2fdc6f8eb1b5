// Reads comma-separated files (RFC 4180) of any length as a stream of records: quoted cells, CRLF or LF, a first line of
// names, gzip by the name's end. Knows nothing of numbers or features; table.ts makes columns of the records.
// Every error says line and column. Called by table.ts.
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { PicketError } from '../domain/errors.ts';

/** A record is longer than any honest one: most likely a quote that is never closed. */
export const RECORD_MAX_BYTES = 1 << 20;

/** Called for each record, the header included; `line` is where it begins, counted from 1. The array is reused. */
export type OnRecord = (cells: readonly string[], line: number) => void;

const COMMA = 44;
const QUOTE = 34;
const CR = 13;
const LF = 10;

function invalid(message: string, hint?: string): PicketError {
  return new PicketError('DATA_INVALID', message, hint === undefined ? {} : { hint });
}

/** Splits bytes into records; feed it chunks in order, then `end()`. */
export class CsvReader {
  readonly #onRecord: OnRecord;
  readonly #cells: string[] = [];
  #rest: Uint8Array = new Uint8Array(0);
  #line = 1;
  #started = false;

  constructor(onRecord: OnRecord) {
    this.#onRecord = onRecord;
  }

  /** @throws PicketError DATA_INVALID with line and column. */
  push(chunk: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const from = this.#started ? 0 : this.#skipMark(bytes);
    if (from < 0) {
      this.#rest = bytes;
      return;
    }
    this.#started = true;
    this.#rest = bytes.subarray(this.#records(bytes, from, false));
    if (this.#rest.length > RECORD_MAX_BYTES) {
      throw invalid(
        `line ${this.#line}: the record is longer than ${RECORD_MAX_BYTES} bytes`,
        'a quote that is opened there may never be closed',
      );
    }
  }

  /** The last record may lack its line end. */
  end(): void {
    const from = this.#started ? 0 : Math.max(0, this.#skipMark(this.#rest));
    if (this.#rest.length > from) this.#records(this.#rest, from, true);
  }

  /** Length of a UTF-8 byte order mark at the start; -1 when more bytes are needed to tell. */
  #skipMark(bytes: Uint8Array): number {
    const mark = [0xef, 0xbb, 0xbf];
    for (let i = 0; i < mark.length; i++) {
      if (i >= bytes.length) return -1;
      if (bytes[i] !== mark[i]) return 0;
    }
    return mark.length;
  }

  /** Emits every whole record from `start` on; returns where the first unfinished one begins. */
  #records(bytes: Uint8Array, start: number, isLast: boolean): number {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let recordStart = start;
    for (;;) {
      const next = this.#record(text, recordStart, isLast);
      if (next < 0) return recordStart;
      recordStart = next;
      if (recordStart >= bytes.length) return recordStart;
    }
  }

  /** Reads one record; returns where the next one begins, or -1 if this one is not complete yet. */
  #record(bytes: Buffer, start: number, isLast: boolean): number {
    this.#cells.length = 0;
    let at = start;
    for (;;) {
      const end = bytes[at] === QUOTE ? this.#quotedCell(bytes, at, isLast) : this.#plainCell(bytes, at);
      if (end < 0 || (end === bytes.length && !isLast)) return -1;
      if (bytes[end] === COMMA) {
        at = end + 1;
        continue;
      }
      if (bytes[end] === CR && end + 1 === bytes.length && !isLast) return -1;
      const after = lineEndAfter(bytes, end);
      if (after < 0) throw this.#misplaced('text follows the closing quote, or a lone CR stands in the line');
      const line = this.#line;
      for (let lf = bytes.indexOf(LF, start); lf >= 0 && lf < after; lf = bytes.indexOf(LF, lf + 1))
        this.#line++;
      this.#onRecord(this.#cells, line);
      return after;
    }
  }

  /** Takes the quoted cell that opens at `at`; returns where it ends, -1 if it is not closed in these bytes. */
  #quotedCell(bytes: Buffer, at: number, isLast: boolean): number {
    let close = bytes.indexOf(QUOTE, at + 1);
    while (close >= 0 && bytes[close + 1] === QUOTE) close = bytes.indexOf(QUOTE, close + 2);
    if (close < 0) {
      if (isLast) throw this.#misplaced('the quote is never closed');
      return -1;
    }
    const inner = bytes.toString('utf8', at + 1, close);
    this.#cells.push(inner.includes('"') ? inner.replaceAll('""', '"') : inner);
    return close + 1;
  }

  /** Takes an unquoted cell: up to a comma, CR, LF or the end of the bytes. */
  #plainCell(bytes: Buffer, start: number): number {
    let end = start;
    for (; end < bytes.length; end++) {
      const byte = bytes[end]!;
      if (byte === COMMA || byte === LF || byte === CR) break;
      if (byte === QUOTE) throw this.#misplaced('a quote stands inside an unquoted cell');
    }
    this.#cells.push(bytes.toString('utf8', start, end));
    return end;
  }

  #misplaced(what: string): PicketError {
    const column = this.#cells.length + 1;
    const hint = 'cells with quotes, commas or line ends are put in quotes';
    return invalid(`line ${this.#line}, column ${column}: ${what}`, hint);
  }
}

/** Index after the line end that stands at `at`; the end of the bytes counts as one; -1 if something else stands there. */
function lineEndAfter(bytes: Buffer, at: number): number {
  if (at >= bytes.length) return bytes.length;
  if (bytes[at] === LF) return at + 1;
  if (bytes[at] === CR && (bytes[at + 1] === LF || at + 1 === bytes.length))
    return Math.min(at + 2, bytes.length);
  return -1;
}

/**
 * Reads a file, unpacked on the way if its name ends in `.gz`.
 * @throws PicketError DATA_INVALID: missing or unreadable file, damaged gzip, broken CSV.
 */
export async function readCsvFile(path: string, onRecord: OnRecord): Promise<void> {
  const reader = new CsvReader(onRecord);
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  let source: Readable = file;
  if (path.endsWith('.gz')) {
    const gunzip = createGunzip({ chunkSize: 1 << 18 });
    file.on('error', (error) => gunzip.destroy(error));
    source = file.pipe(gunzip);
  }
  try {
    for await (const chunk of source) reader.push(chunk as Uint8Array);
    reader.end();
  } catch (thrown) {
    if (thrown instanceof PicketError) {
      throw new PicketError(thrown.code, `${path}, ${thrown.message}`, {
        ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
        cause: thrown,
      });
    }
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new PicketError('DATA_INVALID', `${path} cannot be read: ${reason}`, { cause: thrown });
  } finally {
    file.destroy();
  }
}
