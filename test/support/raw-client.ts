// A client on a bare socket: sends exactly the bytes it is given, cut as the test wants, and reads answers strictly.
// Waits for events, never for time; a test's own time limit is the only clock.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Message, takeResponse } from './http-message.ts';

export interface SeenResponse extends Message {
  readonly status: number;
}

export class RawClient {
  readonly socket: Socket;
  received: Buffer = Buffer.alloc(0);
  ended = false;
  closed = false;
  /** The connection ended with an error, such as a reset. */
  error: Error | null = null;
  #wake: (() => void)[] = [];

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.#changed();
    });
    this.socket.on('end', () => {
      this.ended = true;
      this.#changed();
    });
    this.socket.on('error', (error) => {
      this.error = error;
    });
    this.socket.on('close', () => {
      this.closed = true;
      this.ended = true;
      this.#changed();
    });
  }

  static async open(port: number): Promise<RawClient> {
    const client = new RawClient(port);
    await once(client.socket, 'connect');
    return client;
  }

  send(bytes: string | Buffer): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return this;
  }

  /** FIN: no more bytes will come. */
  finish(): this {
    this.socket.end();
    return this;
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** The next answer, 1xx included; null if the connection ended without a whole one. Throws FramingError. */
  async response(options: { readonly head?: boolean } = {}): Promise<SeenResponse | null> {
    for (;;) {
      const taken = takeResponse(this.received, { ...options, ended: this.ended });
      if (taken !== null) {
        this.received = taken.rest;
        return { ...taken.message, status: Number(taken.message.startLine.slice(9, 12)) };
      }
      if (this.ended) return null;
      await this.#change();
    }
  }

  /** Resolves when what was received so far makes `enough` true, or the connection has ended. */
  async until(enough: (received: Buffer) => boolean): Promise<Buffer> {
    while (!enough(this.received) && !this.ended) await this.#change();
    return this.received;
  }

  /** Resolves when the other side has ended the connection, in whatever way. */
  async whenEnded(): Promise<void> {
    while (!this.ended) await this.#change();
    this.socket.end();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
