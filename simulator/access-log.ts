// Reads access logs in the combined format (Apache, nginx) and gives their requests by time. Lines that are not such requests
// are counted and a few are kept to be shown; none ends a run. Knows variants: whole line in quotes, a further quoted field.
// Timestamps have whole seconds: requests of one second are spread evenly over it, in the order of the file.

import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { PicketError } from '../domain/errors.ts';

export interface LogRequest {
  readonly atMs: number;
  readonly address: string;
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly bodyBytes: number;
  readonly referer: string | null;
  readonly agent: string | null;
}

export interface AccessLog {
  /** By time. */
  readonly requests: readonly LogRequest[];
  readonly lines: number;
  readonly malformed: number;
  /** The first few malformed lines, cut short, with their line numbers. */
  readonly malformedLines: readonly { readonly line: number; readonly text: string }[];
}

const QUOTED = '"((?:[^"\\\\]|\\\\.)*)"';
const LINE = new RegExp(
  `^(\\S+) \\S+ (?:\\S+|${QUOTED.replace('(', '(?:')}) \\[([^\\]]+)\\] ` +
    `${QUOTED} (\\d{3}) (\\d+|-)(?: ${QUOTED} ${QUOTED})?`,
);
const REQUEST = /^([A-Z][A-Z-]*) (.+?)(?: HTTP\/\d(?:\.\d)?)?$/;
const TIME = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const SHOWN_MAX = 5;
const SHOWN_CHARS = 160;
const TARGET_MAX_CHARS = 8_192;
/** A longer line is no request; it is cut there. */
const LINE_MAX_CHARS = 1 << 20;

/** One line, or null if it is no request in combined (or common) format. */
export function parseLogLine(line: string): LogRequest | null {
  const bare = line.startsWith('"') ? line.slice(1, line.endsWith('"') ? -1 : undefined) : line;
  const fields = LINE.exec(bare);
  if (fields === null) return null;
  const [, address = '', time = '', request = '', status = '', bytes = '', referer, agent] = fields;
  const atMs = parseLogTime(time);
  const parts = REQUEST.exec(request);
  if (atMs === null || parts === null || (parts[2] as string).length > TARGET_MAX_CHARS) return null;
  return {
    atMs,
    address,
    method: parts[1] as string,
    target: parts[2] as string,
    status: Number(status),
    bodyBytes: bytes === '-' ? 0 : Number(bytes),
    referer: present(referer),
    agent: present(agent),
  };
}

function present(text: string | undefined): string | null {
  return text === undefined || text === '-' || text === '' ? null : text;
}

/** `14/Oct/2019:10:50:18 +0200` as ms since the epoch; null for anything else. */
export function parseLogTime(text: string): number | null {
  const parts = TIME.exec(text);
  if (parts === null) return null;
  const [, day, monthName, year, hour, minute, second, sign, zoneHour, zoneMinute] = parts;
  const month = MONTHS.indexOf(monthName as string);
  if (month < 0) return null;
  const local = Date.UTC(Number(year), month, Number(day), Number(hour), Number(minute), Number(second));
  const zoneMs = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000;
  return sign === '+' ? local - zoneMs : local + zoneMs;
}

/**
 * Reads a whole log; `.gz` is unpacked by name.
 * @throws PicketError DATA_INVALID when the file cannot be read or unpacked.
 */
export async function readAccessLog(path: string): Promise<AccessLog> {
  const requests: LogRequest[] = [];
  const malformedLines: { line: number; text: string }[] = [];
  let lines = 0;
  let malformed = 0;
  try {
    for await (const line of linesOf(path)) {
      lines++;
      const request = parseLogLine(line.trimEnd());
      if (request !== null) requests.push(request);
      else if (line.trim() !== '') {
        malformed++;
        if (malformedLines.length < SHOWN_MAX)
          malformedLines.push({ line: lines, text: line.slice(0, SHOWN_CHARS) });
      }
    }
  } catch (thrown) {
    const { message } = PicketError.from(thrown);
    throw new PicketError('DATA_INVALID', `${path}: ${message}`, { cause: thrown });
  }
  return { requests: spreadSeconds(requests), lines, malformed, malformedLines };
}

/** The lines of a log as latin-1 text; `.gz` is unpacked by name. Throws what the file system or gunzip say. */
export async function* linesOf(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const stream = path.endsWith('.gz') ? createGunzip() : null;
  if (stream !== null) file.on('error', (error) => stream.destroy(error)).pipe(stream);
  const input = stream ?? file;
  input.setEncoding('latin1');
  let rest = '';
  for await (const chunk of input) {
    const text = rest + (chunk as string);
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      yield text.slice(start, end);
      start = end + 1;
    }
    rest = text.slice(start);
    if (rest.length < LINE_MAX_CHARS) continue;
    yield rest;
    rest = '';
  }
  if (rest !== '') yield rest;
}

/** Sorts by time (stable) and spreads the requests of one second over it. */
function spreadSeconds(requests: readonly LogRequest[]): LogRequest[] {
  return spreadSorted(requests.toSorted((a, b) => a.atMs - b.atMs));
}

/** Spreads the requests of one second over it. `sorted`: by time, whole seconds. */
export function spreadSorted(sorted: readonly LogRequest[]): LogRequest[] {
  const out: LogRequest[] = [];
  for (let i = 0; i < sorted.length; ) {
    const first = sorted[i] as LogRequest;
    let end = i;
    while (end < sorted.length && (sorted[end] as LogRequest).atMs === first.atMs) end++;
    for (let k = i; k < end; k++) {
      const offsetMs = Math.floor(((k - i) * 1000) / (end - i));
      out.push({ ...(sorted[k] as LogRequest), atMs: first.atMs + offsetMs });
    }
    i = end;
  }
  return out;
}
