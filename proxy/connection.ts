// One client connection: its peer, and its exchanges, one at a time in the order they came (RFC 9112 section 9.3.2).
// Holds what survives from request to request, and how the connection ends: at once, after an answer, or lingering so that
// the client can read a refusal while its body is dropped. Made by server.ts.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { LIMITS } from '../domain/limits.ts';
import type { NoteCode, RefusalCode } from '../domain/refusal.ts';
import type { AddressBook, ClientAddress } from './client-address.ts';
import { Exchange } from './exchange.ts';
import type { RequestHead } from './head.ts';
import type { HeadRefusal } from './head-rules.ts';
import type { CertificateName } from './identify.ts';

/** What a connection needs from the data plane around it. */
export interface ConnectionHost {
  readonly addresses: AddressBook;
  /** Answers carry `Connection: close` (drain). */
  readonly draining: boolean;
  /** Ticks of the coarse clock, about one a second. */
  readonly tick: number;
  start(exchange: Exchange): void;
  settled(exchange: Exchange): void;
  leaveInflight(exchange: Exchange): void;
  flushLater(exchange: Exchange): void;
  note(code: NoteCode): void;
  /** Picket made an answer with this code. */
  answered(code: RefusalCode): void;
  /** Watches a connection that has to end within LINGER_TICKS. */
  lingering(connection: Connection): void;
  closed(connection: Connection): void;
}

/** After its last answer a connection may stay this long for the client to read it. */
export const LINGER_TICKS = 3;
/** Bytes that are read and dropped on the way out; more ends the connection at once. */
export const LINGER_MAX_BYTES = 16 * 1024 * 1024;

export class Connection {
  readonly socket: Socket;
  readonly host: ConnectionHost;
  readonly upstream: number;
  readonly peer: ClientAddress;
  /** The peer's forwarding fields and request ids are believed. */
  readonly trusted: boolean;
  /** What the verified client certificate names; null on a plain connection. */
  readonly certificate: CertificateName | null;
  current: Exchange | null = null;
  /** No further request is taken. */
  closing = false;
  /** The parser is in an error state, or the socket belongs to a tunnel. */
  detached = false;
  lingerTick = 0;
  /** Tick at which the last answer ended, or the connection came. */
  idleTick: number;
  /** Bytes read when it was last looked at. */
  idleBytes = 0;
  lingerFromBytes = 0;
  readonly #waiting: Exchange[] = [];
  #pumping = false;
  #paused = false;
  #dropped: IncomingMessage | null = null;
  #claim = '';
  #claimed: ClientAddress | null = null;

  /** `upstream`: which listener's upstream its requests go to. */
  constructor(socket: Socket, host: ConnectionHost, upstream: number) {
    this.socket = socket;
    this.host = host;
    this.upstream = upstream;
    this.idleTick = host.tick;
    this.peer = host.addresses.addressOf(socket.remoteAddress ?? '');
    this.trusted = host.addresses.isTrusted(this.peer);
    this.certificate = host.addresses.certificateOf(socket);
    socket.on('close', () => this.#closed());
  }

  /** The answer being made now is the last on this connection. */
  get lastAnswer(): boolean {
    return this.host.draining || (this.closing && this.#waiting.length === 0);
  }

  get idle(): boolean {
    return this.current === null && this.#waiting.length === 0;
  }

  /** Takes a complete request head; it starts at once or waits for its turn. */
  accept(req: IncomingMessage, res: ServerResponse): void {
    if (this.closing) return;
    const exchange = new Exchange(this, req, res);
    if (this.current === null && !this.#pumping) {
      this.current = exchange;
      this.host.start(exchange);
      return;
    }
    this.#waiting.push(exchange);
    if (this.#waiting.length >= LIMITS.pipelinedMax && !this.#paused) {
      this.#paused = true;
      this.socket.pause();
    }
  }

  /** The client address by the configured source. A claim that cannot be read is ignored and noted on the head. */
  clientOf(head: RequestHead): ClientAddress {
    const { addresses } = this.host;
    if (!this.trusted || !addresses.readsFields) return this.peer;
    const claim = addresses.claimOf(head);
    if (claim === '') return this.peer;
    if (claim === this.#claim && this.#claimed !== null) return this.#claimed;
    const client = addresses.resolve(claim);
    if (client === null) {
      head.normalised = true;
      return this.peer;
    }
    this.#claim = claim;
    this.#claimed = client;
    return client;
  }

  /** An exchange has ended, one way or the other. */
  settled(exchange: Exchange): void {
    this.host.settled(exchange);
    if (!exchange.req.complete && !this.socket.destroyed) this.#discardBody(exchange);
    if (this.current !== exchange) return;
    this.current = null;
    this.idleTick = this.host.tick;
    this.#pump();
    if (this.closing && this.idle && !this.detached) this.socket.destroySoon();
  }

  /** No request after this one; what waits is dropped, as RFC 9112 section 9.6 has it. */
  closeAfter(exchange: Exchange): void {
    this.closing = true;
    this.#waiting.length = 0;
    if (!exchange.req.complete) this.#linger();
  }

  /** The parser failed behind `current` or a waiting request; it is told which of them the error belongs to. */
  parserFailed(bodyRefusal: HeadRefusal): 'head' | 'body' | 'behind' {
    const last = this.#waiting.at(-1) ?? this.current;
    if (last === null) return 'head';
    this.closing = true;
    if (last.req.complete) return 'behind';
    if (last === this.current) last.refuse(bodyRefusal.code, { status: bodyRefusal.status, close: true });
    else last.poison = bodyRefusal;
    return 'body';
  }

  /** Sends bytes that no exchange stands for, then ends the connection, reading on for a while so that they arrive. */
  endWith(bytes: string): void {
    this.closing = true;
    this.detached = true;
    if (this.socket.writable) this.socket.end(bytes, 'latin1');
    this.host.lingering(this);
    this.lingerTick = this.host.tick;
    this.lingerFromBytes = this.socket.bytesRead;
  }

  /** Once nothing is under way any more, the connection ends. */
  endWhenIdle(): void {
    this.closing = true;
    if (this.idle) this.socket.destroySoon();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.current === null) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      if (this.#paused && this.#waiting.length <= LIMITS.pipelinedMax / 2) {
        this.#paused = false;
        this.socket.resume();
      }
      this.current = next;
      this.host.start(next);
    }
    this.#pumping = false;
  }

  /** The body that was being dropped has been read to its end, and the connection goes on. */
  get lingerDone(): boolean {
    return !this.closing && this.#dropped !== null && this.#dropped.complete;
  }

  /** The rest of a body whose exchange is over: read and dropped, for a while. */
  #discardBody(exchange: Exchange): void {
    this.#dropped = exchange.req;
    exchange.req.resume();
    if (this.lingerTick === 0) {
      this.lingerTick = this.host.tick;
      this.lingerFromBytes = this.socket.bytesRead;
      this.host.lingering(this);
    }
  }

  /** Node would destroy the socket with the answer unread; half-close it instead, and read on. */
  #linger(): void {
    const { socket } = this;
    socket.destroySoon = () => {
      socket.end();
    };
  }

  #closed(): void {
    const { current } = this;
    this.closing = true;
    this.#waiting.length = 0;
    this.host.closed(this);
    current?.clientGone();
  }
}
