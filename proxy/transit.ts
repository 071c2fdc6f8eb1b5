// What one request carries through the pipeline, whatever transport it came by: its head, its times, the handles of what was
// counted for it, and what came of it. Exchange (HTTP/1.1) and Handshake (WebSocket) extend it. No behaviour of its own.

import type { IncomingMessage } from 'node:http';
import type { RefusalCode } from '../domain/refusal.ts';
import type { Route } from '../feature-engine/routes.ts';
import type { HeldBody } from './body-hold.ts';
import type { Connection } from './connection.ts';
import { RequestHead } from './head.ts';
import type { HeadRefusal } from './head-rules.ts';
import type { Tail } from './tails.ts';

export interface RefuseOptions {
  readonly status?: number | undefined;
  readonly retryAfterSec?: number | undefined;
  /** Always end the connection (RFC 9112 section 9.6); else only if the request body has not been read. */
  readonly close?: boolean;
}

export abstract class Transit {
  readonly connection: Connection;
  readonly req: IncomingMessage;
  readonly head = new RequestHead();
  /** A WebSocket handshake: judged like any request, forwarded otherwise. */
  abstract readonly isUpgrade: boolean;
  requestId = '';
  /** Monotonic, milliseconds: accepted, handed to the upstream socket, upstream head received. */
  acceptedMs = 0;
  handedOverMs = 0;
  answeredMs = 0;
  /** Wall time at accept. */
  atMs = 0;
  /** The tail that judged it; null until then. It keeps this one whatever the policy becomes. */
  tail: Tail | null = null;
  /** The route that it was counted under; null until then. */
  route: Route | null = null;
  eventHandle = 0;
  identityHandle = 0;
  addressHandle = 0;
  featureTrace = 0;
  /** Status of the origin's answer, 0 if none came. */
  upstreamStatus = 0;
  /** Status that the client was sent, 0 if nothing was. */
  status = 0;
  refusal: RefusalCode | null = null;
  bytesIn = 0;
  bytesOut = 0;
  ended = false;
  /** The origin was sent it at least once. */
  forwarded = false;
  /** Counts against the in-flight limit: from the judgement to the answer's head. */
  inflight = false;
  /** What was read of its body before it was judged; null if nothing was. */
  held: HeldBody | null = null;
  /** Waits for the beginning of its body: it has not been judged yet. */
  waiting = false;
  /** A parser error that came while it waited for its turn: it is refused then. */
  poison: HeadRefusal | null = null;

  constructor(connection: Connection, req: IncomingMessage) {
    this.connection = connection;
    this.req = req;
  }

  /** Picket's own answer in place of the origin's. */
  abstract refuse(code: RefusalCode, options?: RefuseOptions): void;
  /** Ends without an answer. */
  abstract abort(): void;
}
