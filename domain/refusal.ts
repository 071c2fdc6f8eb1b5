// The closed list of answers that Picket itself makes: reason code -> status and title.
// One code per answer, the same in the body, the log and the metric. docs/errors.md is generated from here.
// policy.* follow a verdict (refused); protocol.* and limit.* have none (rejected); the rest is about the origin or load.

export interface Refusal {
  readonly status: number;
  readonly title: string;
  /** A second status that the same code may carry, where the RFC tells two cases apart. */
  readonly otherStatus?: number;
}

export const REFUSALS = {
  'policy.blocked': { status: 403, otherStatus: 429, title: 'The request was refused by policy' },
  'protocol.version': { status: 400, otherStatus: 505, title: 'HTTP version not supported' },
  'protocol.h2_preface': { status: 400, title: 'HTTP/2 on an HTTP/1.1 port' },
  'protocol.method': { status: 400, title: 'Malformed method' },
  'protocol.connect': { status: 405, title: 'CONNECT is not allowed' },
  'protocol.trace': { status: 405, title: 'TRACE is not allowed' },
  'protocol.target_chars': { status: 400, title: 'Forbidden bytes in the request target' },
  'protocol.target_fragment': { status: 400, title: 'Fragment in the request target' },
  'protocol.target_absolute': { status: 400, title: 'Malformed absolute request target' },
  'protocol.target_form': { status: 400, title: 'Wrong form of request target' },
  'protocol.options_asterisk': { status: 501, title: 'OPTIONS * is not supported' },
  'protocol.authority_conflict': { status: 400, title: 'Target and Host name different authorities' },
  'protocol.host_missing': { status: 400, title: 'No Host field' },
  'protocol.host_duplicate': { status: 400, title: 'More than one Host field' },
  'protocol.host_invalid': { status: 400, title: 'Malformed Host field' },
  'protocol.field_syntax': { status: 400, title: 'Malformed field line' },
  'protocol.field_alias': { status: 400, title: 'Field name that origins may read as a framing field' },
  'protocol.cl_te': { status: 400, title: 'Content-Length together with Transfer-Encoding' },
  'protocol.content_length': { status: 400, title: 'Malformed or repeated Content-Length' },
  'protocol.transfer_coding': { status: 400, otherStatus: 501, title: 'Transfer coding not supported' },
  'protocol.te_http10': { status: 400, title: 'Transfer-Encoding in HTTP/1.0' },
  'protocol.chunk': { status: 400, title: 'Malformed chunk' },
  'protocol.trailer': { status: 400, title: 'Forbidden field in trailers' },
  'protocol.expect': { status: 417, title: 'Expectation not supported' },
  'protocol.upgrade_body': { status: 400, title: 'Upgrade request with a body' },
  'protocol.malformed': { status: 400, title: 'Malformed request' },
  'limit.target': { status: 414, title: 'Request target too long' },
  'limit.head': { status: 431, title: 'Request head too large' },
  'limit.fields': { status: 431, title: 'Too many field lines' },
  'limit.content_length': { status: 413, title: 'Content-Length out of range' },
  'limit.body': { status: 413, title: 'Request body too large' },
  'limit.chunk_ext': { status: 413, title: 'Chunk extensions too long' },
  'limit.head_timeout': { status: 408, title: 'Request head took too long' },
  'limit.body_idle': { status: 408, title: 'Request body stalled' },
  'upstream.connect': { status: 502, title: 'The application cannot be reached' },
  'upstream.connect_timeout': { status: 504, title: 'Connecting to the application took too long' },
  'upstream.head_timeout': { status: 504, title: 'The application did not answer in time' },
  'upstream.reset': { status: 502, title: 'The application closed the connection' },
  'upstream.bad_response': { status: 502, title: 'The application sent a malformed answer' },
  'upstream.truncated': { status: 502, title: 'The application cut its answer short' },
  'upstream.ws_handshake': { status: 504, title: 'The application did not finish the WebSocket handshake' },
  'overload.inflight': { status: 503, title: 'Too many requests in flight' },
  'overload.upstream': { status: 503, title: 'No connection to the application is free' },
  'fail_closed.trap': { status: 503, title: 'The request could not be inspected' },
  'fail_closed.no_bundle': { status: 503, title: 'No model is loaded' },
  'internal.dispatch': { status: 500, title: 'Internal error' },
} as const satisfies Record<string, Refusal>;

export type RefusalCode = keyof typeof REFUSALS;
export const REFUSAL_CODES = Object.keys(REFUSALS) as RefusalCode[];

/** Not answers but notes: something was normalised or ended without an answer of ours. Counted and logged. */
export const NOTES = {
  'client.aborted': 'the client closed before its request or answer was complete',
  'protocol.after_close': 'bytes followed a request that announced the end of its connection',
  'protocol.pipelined_error': 'a malformed request followed one that was still being answered',
  'protocol.normalised': 'the request was accepted after normalisation',
  'protocol.trailers_dropped': 'request trailers were dropped',
  'upstream.stale_socket':
    'a kept connection had been closed by the application; the request was tried once more',
  'overload.connections': 'a connection was refused because too many are open',
  'local.max_forwards': 'OPTIONS with Max-Forwards: 0 was answered by Picket',
} as const;
export type NoteCode = keyof typeof NOTES;

/** rejected_total counts these: the message itself cannot be judged. */
export function isRejection(code: RefusalCode): boolean {
  return code.startsWith('protocol.') || code.startsWith('limit.');
}
