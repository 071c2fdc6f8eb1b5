// One request and its answer on an HTTP/1.1 connection: the seam {sendInformation, sendHead, write, end, abort} that the
// forward side speaks to, whatever carries the request. Streams, never buffers more than one chunk for one tick.
// Knows nothing of scores or policy. Made by connection.ts, driven by pipeline.ts and forward/.

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { RefusalCode } from '../domain/refusal.ts';
import type { Connection } from './connection.ts';
import { refusalAnswer } from './respond.ts';
import { type RefuseOptions, Transit } from './transit.ts';

/** What an exchange tells the forward side. */
export interface AttemptControl {
  /** The client has gone, or was answered by Picket: end the upstream request. */
  cancel(): void;
  /** The client reads again. */
  drained(): void;
}

/** Up to this size a whole body is joined with its head into one write. */
const JOIN_MAX_BYTES = 8192;
/** A body that is refused but short is read and dropped, and the connection is kept. */
const DISCARD_MAX_BYTES = 65_536;

export class Exchange extends Transit {
  readonly isUpgrade = false;
  readonly res: ServerResponse;
  attempt: AttemptControl | null = null;
  headSent = false;
  /** Tick at which the last piece of the request body came. */
  bodyTick = 0;
  #held: Buffer | null = null;
  #flushed = false;
  #declared = -1;
  #draining = false;
  #continued = false;

  constructor(connection: Connection, req: IncomingMessage, res: ServerResponse) {
    super(connection, req);
    this.res = res;
  }

  /** A 1xx other than 100 and 101, to clients that know it. */
  sendInformation(status: number, fields: string[]): void {
    if (this.ended || this.headSent || this.head.http10) return;
    try {
      this.res.writeInformation(status, fields);
    } catch {
      this.abort();
    }
  }

  /** 100 Continue, once the body is wanted: by the upstream, or to be judged (RFC 9110 section 10.1.1). */
  sendContinue(): void {
    if (this.ended || this.headSent || this.head.http10 || this.#continued) return;
    this.#continued = true;
    this.res.writeContinue();
  }

  /** Head of a final answer. `declared`: its Content-Length, or -1. The fields must have been checked. */
  sendHead(status: number, reason: string, fields: string[], declared: number): void {
    if (this.ended || this.headSent) return;
    this.headSent = true;
    this.status = status;
    this.#declared = declared;
    const { res, connection } = this;
    if (this.head.http10 || connection.lastAnswer) res.shouldKeepAlive = false;
    if (this.head.http10) res.useChunkedEncodingByDefault = false;
    res.sendDate = false;
    try {
      res.writeHead(status, reason, fields);
    } catch {
      // The state of a response whose writeHead threw is not to be trusted: nothing more is written.
      this.abort();
      return;
    }
    connection.host.leaveInflight(this);
    connection.host.flushLater(this);
  }

  /** A piece of the body; false asks the caller to wait for `drained`. */
  write(chunk: Buffer): boolean {
    if (this.ended) return true;
    this.bytesOut += chunk.length;
    if (!this.#flushed && this.#held === null) {
      this.#held = chunk;
      return true;
    }
    this.flush();
    return this.#push(chunk);
  }

  /** Puts on the wire what has been held back; called at the end of the tick for answers still open. */
  flush(): void {
    if (this.#flushed || this.ended) return;
    this.#flushed = true;
    if (this.#declared >= 0) this.res.strictContentLength = true;
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#push(held);
    // Not flushHeaders(): it would write the head as UTF-8 and change bytes from 0x80 on.
    else this.res.write('', 'latin1');
  }

  /** The end of the body. `trailers`: name and value in turn, sent only with a chunked answer. */
  end(trailers: readonly string[] | null): void {
    if (this.ended) return;
    const held = this.#held;
    this.#held = null;
    const { res } = this;
    try {
      if (trailers !== null && res.chunkedEncoding) res.addTrailers(pairs(trailers));
      if (held === null) res.end();
      else this.#endWith(held);
    } catch {
      this.abort();
      return;
    }
    this.ended = true;
    this.#settle();
  }

  /** Ends without an end: the client sees that the answer is not whole (RFC 9112 section 8). */
  abort(): void {
    if (this.ended) return;
    this.ended = true;
    this.#held = null;
    const { socket } = this.connection;
    if (this.head.http10) socket.resetAndDestroy();
    else socket.destroy();
    this.#settle();
  }

  /** Picket's own answer in place of the origin's; if that has begun, the connection is destroyed instead. */
  refuse(code: RefusalCode, options: RefuseOptions = {}): void {
    if (this.ended) return;
    this.refusal = code;
    this.connection.host.answered(code);
    this.attempt?.cancel();
    if (this.headSent) {
      this.abort();
      return;
    }
    const { requestId } = this;
    const answer = refusalAnswer(code, { requestId, ...options });
    if (options.close === true || !this.#bodyIsHarmless()) this.connection.closeAfter(this);
    this.sendHead(answer.status, STATUS_CODES[answer.status] ?? '', answer.fields, answer.body.length);
    this.write(Buffer.from(answer.body, 'latin1'));
    this.end(null);
  }

  /** The client's connection ended before the answer did. */
  clientGone(): void {
    if (this.ended) return;
    this.ended = true;
    this.#held = null;
    this.connection.host.note('client.aborted');
    this.attempt?.cancel();
    this.#settle();
  }

  /** Has the request body been read, or is it short enough to read and drop? */
  #bodyIsHarmless(): boolean {
    if (this.req.complete || !this.head.hasBody) return true;
    return this.head.contentLength <= DISCARD_MAX_BYTES && !this.head.expectsContinue;
  }

  #endWith(held: Buffer): void {
    const { res } = this;
    const whole = !this.#flushed && this.#declared >= 0;
    if (whole && held.length !== this.#declared) throw new RangeError('body and Content-Length differ');
    if (whole && held.length <= JOIN_MAX_BYTES) res.end(held.toString('latin1'), 'latin1');
    else res.end(held);
  }

  #push(chunk: Buffer): boolean {
    let more = false;
    try {
      more = this.res.write(chunk);
    } catch {
      this.abort();
      return true;
    }
    if (!more && !this.#draining) {
      this.#draining = true;
      this.res.once('drain', () => {
        this.#draining = false;
        if (!this.ended) this.attempt?.drained();
      });
    }
    return more;
  }

  #settle(): void {
    this.attempt = null;
    this.connection.settled(this);
  }
}

/** Name and value in turn -> pairs, as addTrailers wants them. */
function pairs(flat: readonly string[]): [string, string][] {
  const out: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) out.push([flat[i] as string, flat[i + 1] as string]);
  return out;
}
