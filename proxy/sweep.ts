// All slow limits of a data thread behind one timer: idle connections, stalled request bodies, connections on their way out,
// idle tunnels.
// No timer per request; limits are therefore met to within one tick. Ends what is over its limit and says so.

import { type Connection, LINGER_MAX_BYTES, LINGER_TICKS } from './connection.ts';
import type { Exchange } from './exchange.ts';

export const TICK_MS = 1000;

/** A WebSocket tunnel, as far as its idle limit goes. */
export interface IdleWatched {
  /** Bytes in both directions so far. */
  readonly bytes: number;
  idleBytes: number;
  idleTick: number;
  /** Ends both sides. */
  expire(): void;
}

export interface SweepLimits {
  readonly keepAliveIdleMs: number;
  readonly bodyIdleTimeoutMs: number;
  readonly wsIdleTimeoutMs: number;
  /** Shorter in tests. */
  readonly tickMs?: number;
}

export class Sweep {
  tick = 1;
  readonly connections = new Set<Connection>();
  readonly bodies = new Set<Exchange>();
  readonly lingering = new Set<Connection>();
  readonly tunnels = new Set<IdleWatched>();
  readonly #timer: NodeJS.Timeout;
  readonly #idleTicks: number;
  readonly #bodyTicks: number;
  readonly #tunnelTicks: number;

  constructor(limits: SweepLimits) {
    const tickMs = limits.tickMs ?? TICK_MS;
    this.#idleTicks = Math.ceil(limits.keepAliveIdleMs / tickMs);
    this.#bodyTicks = Math.ceil(limits.bodyIdleTimeoutMs / tickMs);
    this.#tunnelTicks = Math.ceil(limits.wsIdleTimeoutMs / tickMs);
    this.#timer = setInterval(() => this.run(), tickMs);
    this.#timer.unref();
  }

  run(): void {
    this.tick++;
    for (const connection of this.connections) this.#checkIdle(connection);
    for (const exchange of this.bodies) this.#checkBody(exchange);
    for (const connection of this.lingering) this.#checkLingering(connection);
    for (const tunnel of this.tunnels) this.#checkTunnel(tunnel);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Bytes that arrive are a sign of life: a head under way has its own, shorter limit. */
  #checkIdle(connection: Connection): void {
    if (!connection.idle || connection.detached) return;
    const { bytesRead } = connection.socket;
    if (bytesRead !== connection.idleBytes) {
      connection.idleBytes = bytesRead;
      connection.idleTick = this.tick;
    } else if (this.tick - connection.idleTick > this.#idleTicks) {
      connection.endWhenIdle();
    }
  }

  #checkBody(exchange: Exchange): void {
    const { req } = exchange;
    if (exchange.ended || req.complete) {
      this.bodies.delete(exchange);
      return;
    }
    // While we do not read, because the origin does not, the client is not to blame.
    if (req.isPaused()) exchange.bodyTick = this.tick;
    if (this.tick - exchange.bodyTick <= this.#bodyTicks) return;
    this.bodies.delete(exchange);
    exchange.refuse('limit.body_idle', { close: true });
  }

  #checkLingering(connection: Connection): void {
    const { socket } = connection;
    if (socket.destroyed || connection.lingerDone) {
      connection.lingerTick = 0;
      this.lingering.delete(connection);
      return;
    }
    const bytes = socket.bytesRead - connection.lingerFromBytes;
    if (this.tick - connection.lingerTick <= LINGER_TICKS && bytes <= LINGER_MAX_BYTES) return;
    this.lingering.delete(connection);
    socket.destroy();
  }

  #checkTunnel(tunnel: IdleWatched): void {
    if (tunnel.bytes !== tunnel.idleBytes) {
      tunnel.idleBytes = tunnel.bytes;
      tunnel.idleTick = this.tick;
    } else if (this.tick - tunnel.idleTick > this.#tunnelTicks) {
      this.tunnels.delete(tunnel);
      tunnel.expire();
    }
  }
}
