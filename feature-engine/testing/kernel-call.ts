// The kernels' struct of the request at hand, filled by name: for tests and benches that drive one kernel without the engine.
// Offsets are those of kernel/assembly/call.ts.

import type { EngineMemory } from '../kernel/memory.ts';
import { Moment, WINDOW_COUNT } from '../windows.ts';

const OVERLAPS = 8;
const SLICES = 48;
const WORDS = {
  ...{ route: 72, method: 76, path: 80, agent: 84, agentFamily: 88, agentRoute: 92, pair: 96, asn: 100 },
  ...{ subnet: 104, address: 108, credential: 112, principal: 116, login: 120, object: 124, status: 328 },
  trace: 436,
} as const;
const DOUBLES = { objectNumber: 128, bytesIn: 448, bytesOut: 456 } as const;
const PARAM_COUNT = 136;
const PARAM_KEYS = 140;
const PARAM_VALUES = 172;

export type CallWords = Partial<Record<keyof typeof WORDS, number>>;

export class KernelCall {
  readonly #memory: EngineMemory;
  readonly #at: number;
  readonly #moment = new Moment();

  constructor(memory: EngineMemory) {
    this.#memory = memory;
    this.#at = memory.kernels.callAt.value;
  }

  /** Time, slices and overlaps of the call. */
  moveTo(nowMs: number): void {
    const { doubles, words } = this.#memory;
    const moment = this.#moment;
    moment.set(nowMs);
    doubles[this.#at / 8] = nowMs;
    for (let w = 0; w < WINDOW_COUNT; w++) {
      doubles[(this.#at + OVERLAPS) / 8 + w] = moment.overlaps[w]!;
      words[(this.#at + SLICES) / 4 + w] = moment.slices[w]!;
    }
  }

  /** Index of a word of the call in the memory's `words`. */
  word(name: keyof typeof WORDS): number {
    return (this.#at + WORDS[name]) / 4;
  }

  /** Words of the call; those that are not named stay as they were. */
  set(call: CallWords): void {
    for (const [name, value] of Object.entries(call))
      this.#memory.words[this.word(name as keyof typeof WORDS)] = value;
  }
  get(name: keyof typeof WORDS): number {
    return this.#memory.words[(this.#at + WORDS[name]) / 4]!;
  }

  setDoubles(values: Partial<Record<keyof typeof DOUBLES, number>>): void {
    for (const [name, value] of Object.entries(values))
      this.#memory.doubles[(this.#at + DOUBLES[name as keyof typeof DOUBLES]) / 8] = value;
  }

  /** At most 8 parameters of the query: hashes of keys, never 0, and of values. */
  setParams(params: readonly (readonly [number, number])[]): void {
    const { words } = this.#memory;
    words[(this.#at + PARAM_COUNT) / 4] = params.length;
    for (const [i, [key, value]] of params.entries()) {
      words[(this.#at + PARAM_KEYS) / 4 + i] = key;
      words[(this.#at + PARAM_VALUES) / 4 + i] = value;
    }
  }
}
