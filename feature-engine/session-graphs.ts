// Session call graphs outside of the live engine: the same kernel (kernel/assembly/graph.ts) on a memory of its own, a block for
// each of a fixed number of sessions. For experiments that want graph features of recorded walks; the live engine drives the
// kernel itself, with the profiles of principals.

import { EngineMemory } from './kernel/memory.ts';
import {
  configureSession,
  GRAPH_FEATURES,
  GRAPH_WORDS,
  type SessionKernels,
  type SessionOptions,
  sessionBytes,
} from './kernel/session-kernels.ts';

const BLOCK_BYTES = GRAPH_WORDS * 4;

export interface SessionGraphsOptions extends SessionOptions {
  /** How many sessions are followed side by side (default 1). */
  readonly sessions?: number;
}

export class SessionGraphs {
  readonly #memory: EngineMemory;
  readonly #kernels: SessionKernels;
  readonly #blocks: number;
  readonly #sessions: number;
  readonly #features: number;

  constructor(options: SessionGraphsOptions = {}) {
    this.#sessions = options.sessions ?? 1;
    const blocksBytes = this.#sessions * BLOCK_BYTES;
    this.#memory = new EngineMemory(sessionBytes(options) + blocksBytes + GRAPH_FEATURES * 8 + 128);
    this.#kernels = this.#memory.kernels;
    configureSession(this.#memory, {}, options);
    this.#blocks = this.#memory.take(blocksBytes);
    this.#features = this.#memory.take(GRAPH_FEATURES * 8);
  }

  /** Starts session 0..sessions - 1 with its first call. `route` is a well-mixed 32-bit hash, never 0. */
  begin(session: number, route: number, nowMs: number): void {
    this.#kernels.graphBegin(this.#block(session), route, nowMs);
  }

  /** Counts a call into a session that was begun, or starts it anew when more than 30 minutes passed. */
  call(session: number, route: number, nowMs: number): void {
    this.#kernels.graphCall(this.#block(session), route, nowMs);
  }

  /** Writes the features of the session so far, 24 places from `place`: domain/features-session.ts up to graph_truncated. */
  write(session: number, out: Float64Array, place = 0): void {
    this.#kernels.graphWrite(this.#block(session), this.#features);
    for (let i = 0; i < GRAPH_FEATURES; i++) out[place + i] = this.#memory.doubles[this.#features / 8 + i]!;
  }

  /** 32 bits of the set of distinct edges, whatever their order. */
  fingerprint(session: number): number {
    return this.#kernels.graphFingerprint(this.#block(session)) >>> 0;
  }

  /** Address of the session's block. Throws RangeError for a session that there is no room for. */
  #block(session: number): number {
    if (!(session >= 0 && session < this.#sessions))
      throw new RangeError(`session ${session} of ${this.#sessions}`);
    return this.#blocks + session * BLOCK_BYTES;
  }
}
