// A strict little HTTP/1.1 reader for tests: takes bytes as they come and gives whole messages, or says what breaks the rules.
// Written apart from Picket's own code and from llhttp, so that it can judge both. Knows no leniency. Used by the recording
// origin and the raw client.

export interface Message {
  /** Request line or status line, without CRLF. */
  readonly startLine: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  readonly body: Buffer;
  readonly trailers: readonly (readonly [string, string])[];
}

export class FramingError extends Error {}

const FIELD_LINE =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)[ \t]*$/;

export function valuesOf(fields: Message['fields'], name: string): string[] {
  return fields.filter(([n]) => n.toLowerCase() === name).map(([, value]) => value);
}

function parseFields(lines: readonly string[]): [string, string][] {
  return lines.map((line) => {
    const match = FIELD_LINE.exec(line);
    if (match === null) throw new FramingError(`field line ${JSON.stringify(line)}`);
    return [match[1] as string, match[2] as string];
  });
}

interface Head {
  startLine: string;
  fields: [string, string][];
  end: number;
}

function readHead(bytes: Buffer): Head | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const text = bytes.toString('latin1', 0, end);
  if (/(?:^|[^\r])\n|\r(?!\n)/.test(text)) throw new FramingError('bare CR or LF in a head');
  const [startLine = '', ...lines] = text.split('\r\n');
  return { startLine, fields: parseFields(lines), end: end + 4 };
}

type Body = { body: Buffer; trailers: [string, string][]; end: number } | null;

function readChunked(bytes: Buffer, start: number): Body {
  const pieces: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = bytes.toString('latin1', at, lineEnd);
    if (!/^[0-9A-Fa-f]{1,8}$/.test(size))
      throw new FramingError(`chunk size ${JSON.stringify(size.slice(0, 40))}`);
    const length = Number.parseInt(size, 16);
    at = lineEnd + 2;
    if (length === 0) return readTrailers(bytes, at, pieces);
    if (bytes.length < at + length + 2) return null;
    pieces.push(bytes.subarray(at, at + length));
    if (bytes.toString('latin1', at + length, at + length + 2) !== '\r\n')
      throw new FramingError('chunk end');
    at += length + 2;
  }
}

function readTrailers(bytes: Buffer, start: number, pieces: Buffer[]): Body {
  const lines: string[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const line = bytes.toString('latin1', at, lineEnd);
    at = lineEnd + 2;
    if (line === '') return { body: Buffer.concat(pieces), trailers: parseFields(lines), end: at };
    lines.push(line);
  }
}

/** How a message says that its body ends (RFC 9112 section 6.3), refusing what has two readings. */
function framingOf(head: Head): { kind: Message['framing']; length: number } {
  const lengths = valuesOf(head.fields, 'content-length');
  const codings = valuesOf(head.fields, 'transfer-encoding');
  if (codings.length > 0 && lengths.length > 0)
    throw new FramingError('Content-Length with Transfer-Encoding');
  if (codings.length > 0) {
    if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked')
      throw new FramingError('transfer coding');
    return { kind: 'chunked', length: 0 };
  }
  if (lengths.length > 1) throw new FramingError('two Content-Length');
  if (lengths.length === 0) return { kind: 'none', length: 0 };
  if (!/^(?:0|[1-9][0-9]{0,14})$/.test(lengths[0] as string)) throw new FramingError('Content-Length value');
  return { kind: 'length', length: Number(lengths[0]) };
}

/** Takes one complete request off the front; null if more bytes are needed. Throws FramingError. */
export function takeRequest(bytes: Buffer): { message: Message; rest: Buffer } | null {
  const head = readHead(bytes);
  if (head === null) return null;
  if (!/^[A-Z-]+ \/[\x21-\x7e]* HTTP\/1\.1$/.test(head.startLine)) {
    throw new FramingError(`request line ${JSON.stringify(head.startLine.slice(0, 200))}`);
  }
  if (valuesOf(head.fields, 'host').length !== 1) throw new FramingError('not exactly one Host');
  return take(bytes, head, framingOf(head));
}

export interface ResponseContext {
  /** Answers a HEAD request. */
  readonly head?: boolean;
  /** The connection has ended: a body without framing is complete. */
  readonly ended?: boolean;
}

/** Takes one complete response (1xx included) off the front; null if more bytes are needed. Throws FramingError. */
export function takeResponse(
  bytes: Buffer,
  context: ResponseContext = {},
): { message: Message; rest: Buffer } | null {
  const head = readHead(bytes);
  if (head === null) return null;
  const match = /^HTTP\/1\.1 ([1-5][0-9]{2}) [\t\x20-\x7e]*$/.exec(head.startLine);
  if (match === null) throw new FramingError(`status line ${JSON.stringify(head.startLine.slice(0, 200))}`);
  const status = Number(match[1]);
  const bodiless = context.head === true || status < 200 || status === 204 || status === 304;
  if (bodiless) return take(bytes, head, { kind: 'none', length: 0 });
  const framing = framingOf(head);
  if (framing.kind !== 'none') return take(bytes, head, framing);
  if (context.ended !== true) return null;
  const { startLine, fields } = head;
  const message: Message = {
    startLine,
    fields,
    framing: 'close',
    body: bytes.subarray(head.end),
    trailers: [],
  };
  return { message, rest: Buffer.alloc(0) };
}

function take(bytes: Buffer, head: Head, framing: { kind: Message['framing']; length: number }) {
  const { startLine, fields } = head;
  if (framing.kind === 'chunked') {
    const read = readChunked(bytes, head.end);
    if (read === null) return null;
    const { body, trailers, end } = read;
    return {
      message: { startLine, fields, framing: framing.kind, body, trailers },
      rest: bytes.subarray(end),
    };
  }
  const end = head.end + framing.length;
  if (bytes.length < end) return null;
  const body = bytes.subarray(head.end, end);
  return {
    message: { startLine, fields, framing: framing.kind, body, trailers: [] },
    rest: bytes.subarray(end),
  };
}
