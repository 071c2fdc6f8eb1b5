// The edge of every gRPC handler: what was thrown becomes a status with the coded error beside it, and nothing thrown in a
// handler reaches the process. Also the interceptor that lets callers in. Knows no service.

import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { type ErrorCode, PicketError } from '../domain/errors.ts';
import { ERROR_DETAIL_KEY, encodeErrorDetail } from '../proto/error-detail.ts';
import { type Caller, isOpenMethod, mayCall } from './auth.ts';

const STATUS: Readonly<Partial<Record<ErrorCode, status>>> = {
  CONFIG_INVALID: status.INVALID_ARGUMENT,
  POLICY_INVALID: status.INVALID_ARGUMENT,
  DATA_INVALID: status.INVALID_ARGUMENT,
  BUNDLE_CORRUPT: status.INVALID_ARGUMENT,
  BUNDLE_UNSUPPORTED: status.INVALID_ARGUMENT,
  BUNDLE_UNSIGNED: status.INVALID_ARGUMENT,
  BUNDLE_SIGNATURE: status.INVALID_ARGUMENT,
  BUNDLE_MODEL: status.INVALID_ARGUMENT,
  BUNDLE_FEATURES: status.INVALID_ARGUMENT,
  BUNDLE_SELF_TEST: status.INVALID_ARGUMENT,
  BUNDLE_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  POLICY_VERSION_CONFLICT: status.ABORTED,
  AUTH_REQUIRED: status.UNAUTHENTICATED,
  NOT_FOUND: status.NOT_FOUND,
  STORE_FAILED: status.UNAVAILABLE,
  UNREACHABLE: status.UNAVAILABLE,
};

export interface RpcStatus {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** The gRPC status of an error, with its code, problems and hint in the trailers. */
export function statusOf(thrown: unknown, code?: status): RpcStatus {
  const error = PicketError.from(thrown);
  const metadata = new Metadata();
  metadata.set(ERROR_DETAIL_KEY, encodeErrorDetail(error));
  const details = error.code === 'INTERNAL' ? 'internal error' : error.message.slice(0, 1000);
  return { code: code ?? STATUS[error.code] ?? status.INTERNAL, details, metadata };
}

/** Handlers of one call each: request in, response out, or a thrown PicketError. */
export function unary<Request, Response>(
  log: Logger,
  handle: (request: Request, caller: Caller) => Promise<Response>,
) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    handle(call.request, callerOf(call.metadata)).then(
      (response) => callback(null, response),
      (thrown: unknown) => {
        logBug(log, thrown, call.getPath());
        callback(statusOf(thrown));
      },
    );
  };
}

/** Anything but an expected, coded error is a bug or a broken store: it is logged where it ends. */
export function logBug(log: Logger, thrown: unknown, path: string): void {
  const error = PicketError.from(thrown);
  if (error.code === 'INTERNAL' || error.code === 'STORE_FAILED')
    log.error({ err: error, path }, 'a call failed');
}

const CALLER_KEY = 'picket-caller';

/** Who is calling, as the interceptor found it. */
export function callerOf(metadata: Metadata): Caller {
  const [role, token = ''] = String(metadata.get(CALLER_KEY)[0] ?? '').split(' ');
  return { role: (role === '' ? 'viewer' : role) as Caller['role'], token };
}

export interface GuardOptions {
  /** Finds the caller of an `authorization` value or throws AUTH_REQUIRED. */
  readonly authenticate: (authorization: string | undefined) => Caller;
  readonly onRefused: (path: string) => void;
}

/** Checks token and role before any handler runs. What a caller wrote under our own key is overwritten. */
export function guard(options: GuardOptions): ServerInterceptor {
  return (method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            try {
              metadata.set(CALLER_KEY, admit(options, method.path, metadata));
            } catch (thrown) {
              options.onRefused(method.path);
              const code = thrown instanceof RoleError ? status.PERMISSION_DENIED : undefined;
              call.sendStatus(statusOf(thrown, code));
              return;
            }
            proceed(metadata);
          },
        }),
    });
}

class RoleError extends PicketError {}

function admit(options: GuardOptions, path: string, metadata: Metadata): string {
  if (isOpenMethod(path)) return 'viewer';
  const { role, token } = options.authenticate(metadata.get('authorization')[0]?.toString());
  if (mayCall(role, path)) return `${role} ${token}`;
  throw new RoleError('AUTH_REQUIRED', `a ${role} token may not call ${path}`, {
    hint: 'use a token with the role operator',
  });
}
