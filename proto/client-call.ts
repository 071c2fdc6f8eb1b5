// Unary calls as promises, and gRPC failures as coded errors: the caller's edge, as control-plane/rpc.ts is the server's.
// Used by cli (ctl, demo) and by tests. Streams are made with the generated clients.

import { type Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type ErrorCode, PicketError } from '../domain/errors.ts';
import { decodeErrorDetail, ERROR_DETAIL_KEY } from './error-detail.ts';

/** One method of a generated service definition, such as `ControlServiceService.setMode`. */
export interface UnaryMethod<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (value: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

export interface CallSettings {
  readonly metadata?: Metadata;
  /** Gives up with UNREACHABLE after so long; 10 s if absent. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;

const CODES: Readonly<Partial<Record<status, ErrorCode>>> = {
  [status.UNAVAILABLE]: 'UNREACHABLE',
  [status.DEADLINE_EXCEEDED]: 'UNREACHABLE',
  [status.UNAUTHENTICATED]: 'AUTH_REQUIRED',
  [status.PERMISSION_DENIED]: 'AUTH_REQUIRED',
  [status.NOT_FOUND]: 'NOT_FOUND',
  [status.INVALID_ARGUMENT]: 'DATA_INVALID',
};

/** The coded error of a failed call: the server's own if it sent one, else by the status. */
export function errorOfCall(error: ServiceError): PicketError {
  const detail = error.metadata?.get(ERROR_DETAIL_KEY)[0];
  const sent = detail instanceof Buffer ? decodeErrorDetail(detail) : null;
  if (sent !== null) return sent;
  const code = CODES[error.code] ?? 'INTERNAL';
  const hint =
    code === 'UNREACHABLE'
      ? { hint: 'is a control plane running there, with or without TLS as you call it?' }
      : {};
  return new PicketError(code, error.details || error.message, { cause: error, ...hint });
}

/** Calls a method once. Rejects with a PicketError only. */
export function unaryCall<Request, Response>(
  client: Client,
  method: UnaryMethod<Request, Response>,
  request: Request,
  settings: CallSettings = {},
): Promise<Response> {
  const { metadata = new Metadata(), timeoutMs = TIMEOUT_MS } = settings;
  const { path, requestSerialize, responseDeserialize } = method;
  const options = { deadline: Date.now() + timeoutMs };
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      options,
      (error, response) => {
        if (error !== null) reject(errorOfCall(error));
        else resolve(response as Response);
      },
    );
  });
}
