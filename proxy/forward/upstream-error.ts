// What went wrong upstream -> one reason code. The only place that knows undici's and Node's error codes.
// Decides nothing about retries or answers. Called by forward.ts and upgrade.ts.
// Decides no retry and answers nothing. Called by forward.ts and upgrade.ts.

import type { RefusalCode } from '../../domain/refusal.ts';

interface CodedError extends Error {
  readonly code?: string;
}

const CONNECT = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'EMFILE',
  'ENFILE',
]);
const BAD_RESPONSE = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
]);
const OUR_BUG = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);
const LOST = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'ECONNABORTED']);

export function isTimeout(error: CodedError): boolean {
  const code = error.code ?? '';
  return code === 'ETIMEDOUT' || code.endsWith('_TIMEOUT');
}

/** The socket ended under the request, as a kept one does when the origin has closed it. */
export function isLostSocket(error: CodedError): boolean {
  return LOST.has(error.code ?? '') && !isBadResponse(error);
}

function isBadResponse(error: CodedError): boolean {
  const code = error.code ?? '';
  return (
    BAD_RESPONSE.has(code) ||
    error.name === 'HTTPParserError' ||
    /^bad (?:response|upgrade)/.test(error.message)
  );
}

/** `answered`: the origin's head has gone on to the client, so there is no answer to make any more. */
export function failureCode(error: CodedError, answered: boolean): RefusalCode {
  const code = error.code ?? '';
  if (answered) return 'upstream.truncated';
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') return 'upstream.connect_timeout';
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return 'upstream.head_timeout';
  if (CONNECT.has(code)) return 'upstream.connect';
  if (OUR_BUG.has(code)) return 'internal.dispatch';
  return isBadResponse(error) ? 'upstream.bad_response' : 'upstream.reset';
}
