// The data thread's end of token verification: knows a verified token's principal at once, hands a new token over and goes on.
// A token that is not yet judged is its own principal; so is one that was refused. Never waits, allocates nothing per request.
// Called by the identity stage for tokens that look like a JWT; verifier.ts is the other end.

import type { Hash128 } from '../../domain/identity.ts';
import { COUNTER, type Counters } from '../counters.ts';
import { TOKEN_MAX_BYTES } from './jwt.ts';
import { type Found, type PrincipalOut, PrincipalTable } from './principal-table.ts';
import { TokenQueue } from './token-queue.ts';

/** Shared memory that both ends of verification hold. */
export interface TokenBuffers {
  readonly table: SharedArrayBuffer;
  readonly queue: SharedArrayBuffer;
}

/** Remembers the last tokens that were handed over, so that the next requests with one do not hand it over again. */
const RECENT = 1024;
const RECENT_WORDS = 4;
/** After so long without a judgement a token is handed over again. */
const AGAIN_SEC = 2;

/** Where in the head a token lies. */
export interface TokenRange {
  readonly start: number;
  readonly end: number;
}

export class TokenDesk {
  readonly #table: PrincipalTable;
  readonly #queue: TokenQueue;
  readonly #counters: Counters;
  readonly #recent = new Uint32Array(RECENT * RECENT_WORDS);

  constructor(buffers: TokenBuffers, counters: Counters) {
    this.#table = new PrincipalTable(buffers.table);
    this.#queue = new TokenQueue(buffers.queue);
    this.#counters = counters;
  }

  /** What is known of a token by its credential key; if it is verified, `out` holds its principal now. */
  find(key: Hash128, nowSec: number, out: PrincipalOut): Found {
    return this.#table.find(key, nowSec, out);
  }

  /** Hands over a token of which nothing is known. */
  submit(head: Uint8Array, range: TokenRange, key: Hash128, job: { source: number; nowSec: number }): void {
    if (range.end - range.start > TOKEN_MAX_BYTES) {
      this.#counters.add(COUNTER.tokensTooLong);
      return;
    }
    const at = (key[2]! & (RECENT - 1)) * RECENT_WORDS;
    const recent = this.#recent;
    const same = recent[at] === key[0] && recent[at + 1] === key[1] && recent[at + 2] === key[3];
    if (same && job.nowSec - recent[at + 3]! < AGAIN_SEC) return;
    if (!this.#queue.push(head, range, key, job.source)) {
      this.#counters.add(COUNTER.tokensDropped);
      return;
    }
    this.#counters.add(COUNTER.tokensSubmitted);
    recent[at] = key[0]!;
    recent[at + 1] = key[1]!;
    recent[at + 2] = key[3]!;
    recent[at + 3] = job.nowSec;
  }
}
