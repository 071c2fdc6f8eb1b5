// What Node's parser refused by itself -> our reason code. The parser gives a code, a reason text and the packet at hand;
// where its code covers several rows of the table, the request line in that packet decides.
// Called by server.ts on clientError. Verified case by case in test/integration/http-rules.test.ts.

import { LIMITS } from '../domain/limits.ts';
import type { RefusalCode } from '../domain/refusal.ts';
import { type HeadRefusal, refusal } from './head-rules.ts';

/** The error of a `clientError` event, as far as it is told. */
export interface ParserError extends Error {
  readonly code?: string;
  readonly reason?: string;
  readonly bytesParsed?: number;
  readonly rawPacket?: Buffer;
}

const BY_CODE: Readonly<Record<string, RefusalCode>> = {
  HPE_INVALID_METHOD: 'protocol.method',
  HPE_INVALID_VERSION: 'protocol.version',
  HPE_PAUSED_H2_UPGRADE: 'protocol.h2_preface',
  HPE_INVALID_HEADER_TOKEN: 'protocol.field_syntax',
  HPE_UNEXPECTED_SPACE: 'protocol.field_syntax',
  HPE_LF_EXPECTED: 'protocol.field_syntax',
  HPE_CR_EXPECTED: 'protocol.field_syntax',
  HPE_STRICT: 'protocol.field_syntax',
  HPE_UNEXPECTED_CONTENT_LENGTH: 'protocol.content_length',
  HPE_INVALID_CHUNK_SIZE: 'protocol.chunk',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'limit.chunk_ext',
  ERR_HTTP_REQUEST_TIMEOUT: 'limit.head_timeout',
};

/** Codes that speak of a connection that ended, not of bytes that were wrong. */
const ENDED = new Set([
  'HPE_INVALID_EOF_STATE',
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'ETIMEDOUT',
  'ENOTCONN',
]);

/** True if the peer went away in mid-message: there is nobody to answer. */
export function isConnectionEnd(error: ParserError): boolean {
  return ENDED.has(error.code ?? '');
}

/** True for bytes behind a request that announced the end of its connection. */
export function isAfterClose(error: ParserError): boolean {
  return error.code === 'HPE_CLOSED_CONNECTION';
}

/** Reason for an error in a request head. */
export function headError(error: ParserError): HeadRefusal {
  const reason = error.reason ?? '';
  switch (error.code) {
    case 'HPE_INVALID_URL':
      return refusal(targetError(error));
    case 'HPE_INVALID_CONSTANT':
      return refusal(hasSpaceInTarget(requestLine(error)) ? 'protocol.target_chars' : 'protocol.version');
    case 'HPE_HEADER_OVERFLOW':
      return refusal(overflow(error));
    case 'HPE_INVALID_CONTENT_LENGTH':
      if (reason.includes('Transfer-Encoding')) return refusal('protocol.cl_te');
      return refusal(reason.includes('overflow') ? 'limit.content_length' : 'protocol.content_length');
    case 'HPE_INVALID_TRANSFER_ENCODING':
      return refusal(reason.includes('Content-Length') ? 'protocol.cl_te' : 'protocol.transfer_coding');
    default:
      return refusal(BY_CODE[error.code ?? ''] ?? 'protocol.malformed');
  }
}

/** Reason for an error behind a complete head: in a chunk, or in the trailers. */
export function bodyError(error: ParserError): HeadRefusal {
  switch (error.code) {
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return refusal('limit.chunk_ext');
    case 'HPE_INVALID_CONTENT_LENGTH':
    case 'HPE_UNEXPECTED_CONTENT_LENGTH':
    case 'HPE_INVALID_TRANSFER_ENCODING':
    case 'HPE_INVALID_HEADER_TOKEN':
    case 'HPE_HEADER_OVERFLOW':
      return refusal('protocol.trailer');
    default:
      return refusal('protocol.chunk');
  }
}

/** The request line at the start of the packet, or empty if the packet does not start with one. */
function requestLine(error: ParserError): string {
  const text = error.rawPacket?.toString('latin1', 0, LIMITS.targetMaxBytes + 256) ?? '';
  const line = /^[\r\n]*([A-Z-]+ [^\n]*)/.exec(text)?.[1] ?? '';
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function hasSpaceInTarget(line: string): boolean {
  return /^[A-Z-]+ +\S+ +\S.* HTTP\/\d\.\d$/.test(line);
}

function targetError(error: ParserError): RefusalCode {
  const line = requestLine(error);
  const target = /^[A-Z-]+ +(.*?)(?: +HTTP\/\d\.\d)?$/.exec(line)?.[1];
  if (target !== undefined) {
    if (/[^\x21-\x7e]/.test(target)) return 'protocol.target_chars';
    return /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(target) ? 'protocol.target_absolute' : 'protocol.target_form';
  }
  const reason = error.reason ?? '';
  return /schema|start/.test(reason) ? 'protocol.target_form' : 'protocol.target_chars';
}

/** Which bound a head broke: its target, its number of field lines, or its size. */
function overflow(error: ParserError): RefusalCode {
  const packet = error.rawPacket;
  if (packet === undefined) return 'limit.head';
  const read = packet.subarray(0, error.bytesParsed ?? packet.length);
  let lines = 0;
  let first = -1;
  for (let at = read.indexOf(10); at >= 0; at = read.indexOf(10, at + 1)) {
    if (lines++ === 0) first = at;
  }
  if (lines > LIMITS.fieldsMax) return 'limit.fields';
  const lineBytes = first < 0 ? read.length : first;
  return /^[A-Z-]+ +\S/.test(read.toString('latin1', 0, 32)) && lineBytes > LIMITS.targetMaxBytes
    ? 'limit.target'
    : 'limit.head';
}
