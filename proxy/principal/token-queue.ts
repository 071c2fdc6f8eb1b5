// Tokens on their way from a data thread to the control thread, which verifies them: a bounded ring in shared memory with one
// producer and one consumer. A full ring drops, and says so; nobody waits. The bytes of a token are wiped once they are read.
// Filled by token-desk.ts, emptied by verifier.ts.

// Layout: words 0 head (tokens pushed), 1 tail (tokens taken), then SLOTS slots of
//   0 length in bytes   1 index of the policy's identity source   2..5 credential key   then TOKEN_MAX_BYTES bytes

import type { Hash128 } from '../../domain/identity.ts';
import { TOKEN_MAX_BYTES } from './jwt.ts';

/** Tokens that may wait. New tokens come at the rate of logins and refreshes, not of requests. */
export const QUEUE_SLOTS = 64;
const HEAD = 0;
const TAIL = 1;
const HEADER_BYTES = 64;
const SLOT_HEADER_BYTES = 24;
const SLOT_BYTES = SLOT_HEADER_BYTES + TOKEN_MAX_BYTES;
export const TOKEN_QUEUE_BYTES = HEADER_BYTES + QUEUE_SLOTS * SLOT_BYTES;

/** One token to judge. The bytes are the taker's own. */
export interface QueuedToken {
  readonly bytes: Buffer;
  readonly key: Hash128;
  readonly source: number;
}

export class TokenQueue {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(TOKEN_QUEUE_BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#bytes = new Uint8Array(buffer);
  }

  /** Producer: copies head bytes [start, end); false if the ring is full. The token must not be over TOKEN_MAX_BYTES. */
  push(head: Uint8Array, range: { start: number; end: number }, key: Hash128, source: number): boolean {
    const words = this.#words;
    const pushed = Atomics.load(words, HEAD);
    if (((pushed - Atomics.load(words, TAIL)) | 0) >= QUEUE_SLOTS) return false;
    const at = slotAt(pushed);
    const word = at >> 2;
    const length = range.end - range.start;
    words[word] = length;
    words[word + 1] = source;
    for (let i = 0; i < 4; i++) words[word + 2 + i] = key[i]!;
    const to = at + SLOT_HEADER_BYTES;
    for (let i = 0; i < length; i++) this.#bytes[to + i] = head[range.start + i]!;
    Atomics.store(words, HEAD, (pushed + 1) | 0);
    Atomics.notify(words, HEAD);
    return true;
  }

  /** Consumer: the oldest token, or null. Its slot is wiped. */
  take(): QueuedToken | null {
    const words = this.#words;
    const taken = Atomics.load(words, TAIL);
    if (Atomics.load(words, HEAD) === taken) return null;
    const at = slotAt(taken);
    const word = at >> 2;
    const from = at + SLOT_HEADER_BYTES;
    const length = Math.min(words[word]! >>> 0, TOKEN_MAX_BYTES);
    const bytes = Buffer.from(this.#bytes.subarray(from, from + length));
    const key = new Uint32Array(4);
    for (let i = 0; i < 4; i++) key[i] = words[word + 2 + i]!;
    const source = words[word + 1]!;
    this.#bytes.fill(0, from, from + length);
    Atomics.store(words, TAIL, (taken + 1) | 0);
    return { bytes, key, source };
  }

  /** Consumer: resolves when something waits. Holds no process open. */
  async waiting(): Promise<void> {
    const taken = Atomics.load(this.#words, TAIL);
    const wait = Atomics.waitAsync(this.#words, HEAD, taken);
    if (wait.async) await wait.value;
  }

  /** Consumer: wakes its own `waiting`. */
  wake(): void {
    Atomics.notify(this.#words, HEAD);
  }
}

/** Byte offset of the slot of a count, which may have run over into the negative numbers. */
function slotAt(count: number): number {
  return HEADER_BYTES + (count & (QUEUE_SLOTS - 1)) * SLOT_BYTES;
}
