// The listening side: node:http with the settings that leave every judgement to us, and a listener for each event on which
// Node would otherwise act unseen. Hands complete heads to connections and parser errors to their reason codes.
// Judges no request. Made by data-plane.ts, one per listener.

import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { REFUSALS, type RefusalCode } from '../domain/refusal.ts';
import { Connection, type ConnectionHost } from './connection.ts';
import type { DataPlaneConfig } from './data-plane-config.ts';
import type { HeadRefusal } from './head-rules.ts';
import { LeanRequest } from './lean-request.ts';
import { bodyError, headError, isAfterClose, isConnectionEnd, type ParserError } from './parser-error.ts';
import { rawRefusal } from './respond.ts';

/** A head may be twice as large as allowed before Node gives up: so that the reason is ours to tell. */
const NODE_HEAD_BYTES = 32 * 1024;

/** What the data plane does beyond single exchanges. */
export interface ServerHost extends ConnectionHost {
  opened(connection: Connection): void;
  /** A handshake that must not pass as an ordinary request. */
  upgrade(connection: Connection, req: IncomingMessage, stream: Duplex, head: Buffer): void;
  /** A message that never became a request: counted as received and rejected. */
  rejected(code: RefusalCode): void;
  newRequestId(): string;
}

interface OwnedSocket extends Socket {
  picketConnection?: Connection;
}

/** An http.Server that is not listening yet. `upstream`: index of the upstream its requests go to. */
export function newServer(config: DataPlaneConfig, host: ServerHost, upstream: number): Server {
  const server = createServer({
    IncomingMessage: LeanRequest as unknown as typeof IncomingMessage,
    ServerResponse,
    requireHostHeader: false,
    requestTimeout: 0,
    headersTimeout: config.headTimeoutMs,
    // Idle connections are ended by sweep.ts: Node would set and clear a timer with every request.
    keepAliveTimeout: 0,
    connectionsCheckingInterval: Math.min(5000, Math.max(100, config.headTimeoutMs / 2)),
    maxHeaderSize: NODE_HEAD_BYTES,
    shouldUpgradeCallback: isWebSocket,
  });
  server.maxConnections = config.connectionsMax;
  const onRequest = (req: IncomingMessage, res: ServerResponse): void => {
    (req.socket as OwnedSocket).picketConnection?.accept(req, res);
  };
  server.on('connection', (socket: OwnedSocket) => {
    const connection = new Connection(socket, host, upstream);
    socket.picketConnection = connection;
    host.opened(connection);
  });
  server.on('request', onRequest);
  server.on('checkContinue', onRequest);
  server.on('checkExpectation', onRequest);
  server.on('connect', (req: IncomingMessage, stream: Duplex) => refuseConnect(host, req, stream));
  server.on('upgrade', (req: IncomingMessage, stream: Duplex, head: Buffer) =>
    onUpgrade(host, req, stream, head),
  );
  server.on('clientError', (error: ParserError, stream: Duplex) => onClientError(host, error, stream));
  server.on('drop', () => host.note('overload.connections'));
  // maxRequestsPerSocket is not set, so this cannot happen; a listener keeps it from passing unseen if that changes.
  server.on('dropRequest', () => host.note('overload.connections'));
  return server;
}

/** GET, HTTP/1.1, one `Upgrade: websocket` (RFC 6455 section 4.1); all else stays an ordinary request. */
function isWebSocket(req: IncomingMessage): boolean {
  if (req.method !== 'GET' || req.httpVersionMajor !== 1 || req.httpVersionMinor !== 1) return false;
  const raw = req.rawHeaders;
  let found = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.length !== 7 || name.toLowerCase() !== 'upgrade') continue;
    if ((raw[i + 1] as string).toLowerCase() !== 'websocket') return false;
    found++;
  }
  return found === 1;
}

function refuseConnect(host: ServerHost, req: IncomingMessage, stream: Duplex): void {
  stream.on('error', () => stream.destroy());
  const connection = (req.socket as OwnedSocket).picketConnection;
  if (connection === undefined || connection.closing) return;
  host.rejected('protocol.connect');
  if (connection.idle) refuseRaw(host, connection, { code: 'protocol.connect' });
  else connection.endWhenIdle();
}

/**
 * Node has taken the socket from its parser. A handshake behind an unanswered request is not taken: its answer would have
 * to wait for another, and the bytes after it would be read by nobody.
 */
function onUpgrade(host: ServerHost, req: IncomingMessage, stream: Duplex, head: Buffer): void {
  stream.on('error', () => stream.destroy());
  const connection = (req.socket as OwnedSocket).picketConnection;
  if (connection === undefined || connection.closing) return;
  if (connection.idle) {
    host.upgrade(connection, req, stream, head);
    return;
  }
  host.note('protocol.after_close');
  relayDrain(connection);
  connection.endWhenIdle();
}

/** Node took its own `drain` listener off the socket; the answer under way still needs it. */
function relayDrain(connection: Connection): void {
  connection.socket.on('drain', () => {
    connection.current?.res.emit('drain');
  });
}

function onClientError(host: ServerHost, error: ParserError, stream: Duplex): void {
  const connection = (stream as OwnedSocket).picketConnection;
  if (connection === undefined || isConnectionEnd(error)) {
    stream.destroy();
    return;
  }
  // A connection on its way out goes on failing to parse what still arrives.
  if (connection.detached || connection.socket.destroyed) return;
  // Nobody has asked for anything, or the rest of an answered request's body is being dropped: there is nothing to answer.
  const silent = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && connection.socket.bytesRead === 0;
  if (silent || connection.lingerTick !== 0) {
    stream.destroy();
    return;
  }
  switch (connection.parserFailed(bodyError(error))) {
    case 'head':
      if (connection.closing) return;
      host.rejected(headError(error).code);
      refuseRaw(host, connection, headError(error));
      return;
    case 'behind':
      host.note(isAfterClose(error) ? 'protocol.after_close' : 'protocol.pipelined_error');
      return;
    case 'body':
      return;
  }
}

/** Answers where there is no exchange: the parser's refusals and CONNECT. */
function refuseRaw(host: ServerHost, connection: Connection, refused: HeadRefusal): void {
  if (refused.code === 'protocol.h2_preface') {
    connection.socket.destroy();
    return;
  }
  host.answered(refused.code);
  const status = refused.status ?? REFUSALS[refused.code].status;
  connection.endWith(rawRefusal(refused.code, { requestId: host.newRequestId(), status }));
}
