// Picket's own fields on a forwarded request: forwarding fields, request id, Via. Added after all stripping, so that no
// client can have them removed through Connection. Nothing else is ever added, and no verdict. Called by pipeline.ts.

import type { ForwardHeaders } from '../data-plane-config.ts';
import type { RequestHead } from '../head.ts';

export interface OwnFieldsContext {
  readonly mode: ForwardHeaders;
  readonly via: boolean;
  /** The peer may speak for others: its claims are kept. */
  trusted: boolean;
  peerText: string;
  clientText: string;
}

/** Appends to `head.fields`; `requestId` must be well formed. */
export function addOwnFields(head: RequestHead, requestId: string, context: OwnFieldsContext): void {
  const { fields } = head;
  if (context.mode === 'append') appendForwarding(head, context);
  else passForwarding(head);
  fields.push('x-request-id', requestId);
  if (context.via) fields.push('via', head.http10 ? '1.0 picket' : '1.1 picket');
}

function appendForwarding(head: RequestHead, context: OwnFieldsContext): void {
  const { fields, forwardedFor } = head;
  const { trusted, peerText } = context;
  fields.push(
    'x-forwarded-for',
    forwardedFor === '' ? peerText : `${forwardedFor}, ${peerText}`,
    'x-forwarded-proto',
    trusted && head.forwardedProto !== '' ? head.forwardedProto : 'http',
  );
  const host = trusted && head.forwardedHost !== '' ? head.forwardedHost : head.host;
  if (host !== '') fields.push('x-forwarded-host', host);
  fields.push('x-real-ip', trusted && head.realIp !== '' ? head.realIp : context.clientText);
}

/** `preserve`: as it came, nothing added (several lines of one name arrive as one list). */
function passForwarding(head: RequestHead): void {
  const { fields } = head;
  if (head.forwardedFor !== '') fields.push('x-forwarded-for', head.forwardedFor);
  if (head.forwardedProto !== '') fields.push('x-forwarded-proto', head.forwardedProto);
  if (head.forwardedHost !== '') fields.push('x-forwarded-host', head.forwardedHost);
  if (head.realIp !== '') fields.push('x-real-ip', head.realIp);
}
