// A line of an access log as the offline run takes it. Such logs name no credential, so the address is the identity; the logged
// answer is the outcome, at the time of the request. Used by `picket replay --offline` and `picket features --log`.

import type { LogRequest } from '../simulator/access-log.ts';
import type { OfflineRequest } from '../simulator/offline.ts';

export type LoggedRequest = OfflineRequest & { readonly line: LogRequest };

/** The fields that a line tells of the head. */
export function fieldsOf(request: LogRequest): (readonly [string, string])[] {
  const fields: (readonly [string, string])[] = [];
  if (request.agent !== null) fields.push(['user-agent', request.agent]);
  if (request.referer !== null) fields.push(['referer', request.referer]);
  return fields;
}

/** `atMs`: when it counts; the line's own time unless times went back. */
export function offlineRequest(line: LogRequest, atMs: number = line.atMs): LoggedRequest {
  const { method, target, address, status, bodyBytes } = line;
  return {
    ...{ line, atMs, method, target, address },
    ...{ headers: fieldsOf(line), body: null, token: null, cookie: null },
    answer: { status, bodyBytes, latencyMs: 0 },
  };
}
