// An origin that reads strictly and keeps every byte and every request that reaches it, on raw sockets.
// Answers as the test says. What it cannot read as exactly one request after another is a violation, and a failed test.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { FramingError, type Message, takeRequest, valuesOf } from './http-message.ts';

export interface SeenRequest extends Message {
  readonly method: string;
  readonly target: string;
  /** Value of x-request-id. */
  readonly requestId: string;
  readonly connection: number;
}

/** Bytes of an answer, or a function that writes to the socket itself. */
export type Answer = Buffer | string | ((request: SeenRequest, socket: Socket) => void);

/** A 200 with `text` as its body. */
export function ok(text = 'ok', fields = ''): string {
  return `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

export class RecordingOrigin {
  readonly requests: SeenRequest[] = [];
  readonly violations: string[] = [];
  readonly sockets = new Set<Socket>();
  connections = 0;
  bytes = 0;
  answer: (request: SeenRequest) => Answer = () => ok();
  /** Called on the first bytes of a connection instead of reading them as HTTP, if set. */
  takeOver: ((socket: Socket, first: Buffer) => void) | null = null;
  readonly #server: Server;
  readonly #waiters: (() => void)[] = [];

  constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.port}`);
  }

  /** Resolves when so many requests have come. */
  async seen(count: number): Promise<void> {
    while (this.requests.length < count) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Refuses connections from now on, without forgetting what was seen. */
  async stop(): Promise<void> {
    await this.close();
  }

  #serve(socket: Socket): void {
    const connection = ++this.connections;
    this.sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => {});
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      const takeOver = this.takeOver;
      if (takeOver !== null) {
        socket.removeAllListeners('data');
        takeOver(socket, chunk);
        return;
      }
      pending = Buffer.concat([pending, chunk]);
      try {
        pending = this.#readAll(socket, pending, connection);
      } catch (thrown) {
        if (!(thrown instanceof FramingError)) throw thrown;
        this.violations.push(thrown.message);
        socket.destroy();
      }
    });
  }

  #readAll(socket: Socket, bytes: Buffer, connection: number): Buffer<ArrayBuffer> {
    let rest: Buffer = bytes;
    for (let taken = takeRequest(rest); taken !== null; taken = takeRequest(rest)) {
      rest = taken.rest;
      const [method = '', target = ''] = taken.message.startLine.split(' ');
      const requestId = valuesOf(taken.message.fields, 'x-request-id').join(',');
      const request: SeenRequest = { ...taken.message, method, target, requestId, connection };
      this.requests.push(request);
      const answer = this.answer(request);
      if (typeof answer === 'function') answer(request, socket);
      else if (!socket.destroyed)
        socket.write(typeof answer === 'string' ? Buffer.from(answer, 'latin1') : answer);
      for (const wake of this.#waiters.splice(0)) wake();
    }
    return rest as Buffer<ArrayBuffer>;
  }
}
