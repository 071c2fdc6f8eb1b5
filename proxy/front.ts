// What stands around the pipeline in one data thread: takes requests from connections, gives those that may pass to their
// origin, and brings what came of them back into counters, rows and events. The only owner of what is in flight.
// Judges nothing (pipeline.ts) and parses nothing (server.ts, head.ts). Made by data-plane.ts.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../domain/clock.ts';
import type { NoteCode, RefusalCode } from '../domain/refusal.ts';
import type { FeatureEngine } from '../feature-engine/engine.ts';
import { BodyHolds } from './body-hold.ts';
import type { AddressBook } from './client-address.ts';
import type { Connection } from './connection.ts';
import { answerPlace, COUNTER, type Counters, HISTOGRAM, notePlace, rejectedPlace } from './counters.ts';
import type { DataPlaneConfig } from './data-plane-config.ts';
import type { EventWriter } from './event-writer.ts';
import type { Exchange } from './exchange.ts';
import { Flusher } from './flusher.ts';
import { type ForwardHost, Forwarding } from './forward/forward.ts';
import { Handshake, type UpgradeHost, type Upgrader } from './forward/upgrade.ts';
import type { Upstream } from './forward/upstream.ts';
import type { ThreadNote } from './note.ts';
import { Outcomes } from './outcomes.ts';
import type { Pipeline } from './pipeline.ts';
import type { RequestIds } from './request-id.ts';
import type { ServerHost } from './server.ts';
import { type IdleWatched, Sweep } from './sweep.ts';
import type { Transit } from './transit.ts';

/** Where a listener's requests go. */
export interface Origin {
  readonly upstream: Upstream;
  readonly upgrader: Upgrader;
}

export interface FrontOptions {
  readonly config: DataPlaneConfig;
  readonly pipeline: Pipeline;
  readonly engine: FeatureEngine;
  readonly counters: Counters;
  readonly events: EventWriter;
  readonly clock: Clock;
  readonly requestIds: RequestIds;
  readonly addresses: AddressBook;
  readonly origins: readonly Origin[];
  readonly log: (note: ThreadNote) => void;
  readonly tickMs?: number | undefined;
}

export class Front implements ServerHost, ForwardHost, UpgradeHost {
  readonly addresses: AddressBook;
  readonly bodyMaxBytes: number;
  readonly retries: boolean;
  readonly wsHandshakeTimeoutMs: number;
  draining = false;
  /** Requests between judgement and answer head. */
  inflight = 0;
  readonly #options: FrontOptions;
  readonly #counters: Counters;
  readonly #flusher = new Flusher();
  readonly #sweep: Sweep;
  readonly #holds: BodyHolds;
  #quiet: (() => void) | null = null;
  readonly #outcomes: Outcomes;

  constructor(options: FrontOptions) {
    const { config } = options;
    this.#options = options;
    this.#counters = options.counters;
    this.#outcomes = new Outcomes(options);
    this.addresses = options.addresses;
    this.bodyMaxBytes = config.bodyMaxBytes;
    this.retries = config.retries;
    this.wsHandshakeTimeoutMs = config.wsHandshakeTimeoutMs;
    this.#holds = new BodyHolds({
      ...{ max: config.heldBodiesMax, prefixBytes: config.bodyPrefixBytes, counters: options.counters },
      go: (exchange) => this.#begin(exchange),
    });
    this.#sweep = new Sweep({
      keepAliveIdleMs: config.keepAliveIdleMs,
      bodyIdleTimeoutMs: config.bodyIdleTimeoutMs,
      wsIdleTimeoutMs: config.wsIdleTimeoutMs,
      ...(options.tickMs === undefined ? {} : { tickMs: options.tickMs }),
    });
  }

  get tick(): number {
    return this.#sweep.tick;
  }

  get tunnels(): number {
    return this.#sweep.tunnels.size;
  }

  // Connections.

  opened(connection: Connection): void {
    this.#sweep.connections.add(connection);
    this.#counters.add(COUNTER.connectionsTotal);
    this.#counters.set(COUNTER.connections, this.#sweep.connections.size);
  }

  closed(connection: Connection): void {
    this.#sweep.connections.delete(connection);
    this.#counters.set(COUNTER.connections, this.#sweep.connections.size);
    if (this.#quiet !== null) this.#checkQuiet();
  }

  lingering(connection: Connection): void {
    this.#sweep.lingering.add(connection);
  }

  // Requests, in the order of their life.

  start(exchange: Exchange): void {
    const head = this.#options.pipeline.holds.headToHold(exchange);
    if (head === null || !this.#holds.take(exchange, head)) this.#begin(exchange);
  }

  #begin(exchange: Exchange): void {
    exchange.waiting = false;
    if (!this.#judged(exchange)) return;
    const { upstream } = this.#originOf(exchange);
    if (exchange.head.maxForwards === 0) {
      // RFC 9110 section 7.6.2: the request ends here.
      this.note('local.max_forwards');
      exchange.sendHead(204, 'No Content', ['x-picket-request-id', exchange.requestId], -1);
      exchange.end(null);
      return;
    }
    const { head } = exchange;
    head.fields.push('host', head.host === '' ? upstream.authority : head.host);
    if (!Number.isNaN(head.contentLength)) head.fields.push('content-length', String(head.contentLength));
    new Forwarding(exchange, upstream, this).start();
  }

  upgrade(connection: Connection, req: IncomingMessage, stream: Duplex, rest: Buffer): void {
    connection.closing = true;
    connection.detached = true;
    const handshake = new Handshake(connection, req, { stream, rest, host: this });
    if (this.#judged(handshake)) this.#originOf(handshake).upgrader.start(handshake);
  }

  /** The pipeline's judgement, then the bound on what is in flight: load is shed as traffic, never as scores. */
  #judged(transit: Transit): boolean {
    try {
      if (!this.#options.pipeline.run(transit)) return false;
    } catch (thrown) {
      this.#bug(transit, thrown);
      return false;
    }
    if (transit.head.normalised) this.note('protocol.normalised');
    if (this.inflight >= this.#options.config.inflightMax) {
      transit.refuse('overload.inflight');
      return false;
    }
    transit.inflight = true;
    this.inflight++;
    this.#counters.set(COUNTER.inflight, this.inflight);
    return true;
  }

  /** It ended while it waited for its body: it counts and is judged like any other, and nothing comes of it. */
  #judgeEnded(transit: Transit): void {
    transit.waiting = false;
    try {
      this.#options.pipeline.run(transit);
    } catch (thrown) {
      this.#bug(transit, thrown);
    }
  }

  /** Nothing that arrives ends the process: a bug costs its request, and is told. */
  #bug(transit: Transit, thrown: unknown): void {
    this.#counters.add(COUNTER.internalErrors);
    const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    this.#options.log({ level: 'error', code: 'INTERNAL', message });
    transit.refuse('internal.dispatch', { close: true });
  }

  #originOf(transit: Transit): Origin {
    return this.#options.origins[transit.connection.upstream] as Origin;
  }

  sent(transit: Transit, attempt: number): void {
    this.#counters.add(COUNTER.attempts);
    if (attempt === 1 || !transit.forwarded) this.#counters.add(COUNTER.forwarded);
    transit.forwarded = true;
  }

  watchBody(exchange: Exchange): void {
    exchange.bodyTick = this.#sweep.tick;
    this.#sweep.bodies.add(exchange);
  }

  flushLater(exchange: Exchange): void {
    this.#flusher.add(exchange);
  }

  /** An answer's head is out: what follows is a stream, and does not count against the limit any more. */
  leaveInflight(transit: Transit): void {
    if (!transit.inflight) return;
    transit.inflight = false;
    this.inflight--;
    this.#counters.set(COUNTER.inflight, this.inflight);
    if (transit.upstreamStatus === 0) return;
    const { acceptedMs, handedOverMs, answeredMs } = transit;
    const added = handedOverMs - acceptedMs + (performance.now() - answeredMs);
    this.#counters.observe(HISTOGRAM.addedLatency, added);
    this.#counters.observe(HISTOGRAM.upstreamLatency, answeredMs - handedOverMs);
  }

  settled(transit: Transit): void {
    this.leaveInflight(transit);
    transit.held?.release();
    if (transit.waiting) this.#judgeEnded(transit);
    if (transit.tail !== null) this.#outcomes.bringBack(transit);
  }

  handshakeSettled(handshake: Handshake): void {
    this.settled(handshake);
  }

  // Tunnels.

  tunnelOpened(tunnel: IdleWatched): void {
    tunnel.idleTick = this.#sweep.tick;
    this.#sweep.tunnels.add(tunnel);
    this.#counters.add(COUNTER.tunnelsTotal);
    this.#counters.set(COUNTER.tunnels, this.tunnels);
  }

  tunnelClosed(tunnel: IdleWatched): void {
    this.#sweep.tunnels.delete(tunnel);
    this.#counters.set(COUNTER.tunnels, this.tunnels);
  }

  // Counts.

  rejected(code: RefusalCode): void {
    this.#counters.add(COUNTER.requests);
    this.#counters.add(rejectedPlace(code));
  }

  answered(code: RefusalCode): void {
    this.#counters.add(answerPlace(code));
  }

  note(code: NoteCode): void {
    this.#counters.add(notePlace(code));
  }

  newRequestId(): string {
    return this.#options.requestIds.next();
  }

  // The end.

  /** Waits until every answer has left and every connection has ended, at most `ms`; then ends what is left. */
  async whenQuiet(ms: number): Promise<void> {
    for (const { socket } of [...this.#sweep.connections]) if (socket.bytesRead === 0) socket.destroy();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#quiet = resolve;
    this.#checkQuiet();
    await promise;
    clearTimeout(timer);
    this.#quiet = null;
    this.destroy();
  }

  #checkQuiet(): void {
    if (this.#sweep.connections.size === 0) this.#quiet?.();
  }

  destroy(): void {
    this.#sweep.stop();
    for (const tunnel of [...this.#sweep.tunnels]) tunnel.expire();
    for (const connection of [...this.#sweep.connections]) connection.socket.destroy();
  }
}
