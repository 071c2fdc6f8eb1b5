// How often something happened in the workload, as a probability: a count-min sketch of 32-bit hashes with conservative update,
// halved when its total reaches a limit so that old habits fade. A count is never too low, and too high by more than total / 4096
// in at most one case of four. Called by sequence.ts for routes, transitions, answers, agents and networks.

import { mix32 } from './sketch.ts';

const WIDTH = 8192;
/** Adds to each count: what was never seen is rare, not impossible. */
const PRIOR = 0.5;
/** Surprise is never given as more than this. */
export const SURPRISE_MAX_BITS = 40;

export class Rarity {
  total = 0;
  readonly bytes: number;
  readonly #counts: Uint32Array;
  readonly #totalMax: number;

  /** @param totalMax when all counts are halved. */
  constructor(totalMax = 2 ** 24) {
    this.#counts = new Uint32Array(2 * WIDTH);
    this.#totalMax = totalMax;
    this.bytes = this.#counts.byteLength;
  }

  /** Times that the hash was added, as known here. */
  count(hash: number): number {
    return Math.min(this.#counts[firstOf(hash)]!, this.#counts[secondOf(hash)]!);
  }

  /** Adds one. */
  add(hash: number): void {
    const counts = this.#counts;
    const a = firstOf(hash);
    const b = secondOf(hash);
    const next = Math.min(counts[a]!, counts[b]!) + 1;
    if (counts[a]! < next) counts[a] = next;
    if (counts[b]! < next) counts[b] = next;
    if (++this.total >= this.#totalMax) this.#halve();
  }

  /** -log2 of the part of `total` that this hash makes up (default: of all that was added), before it is added. */
  surprise(hash: number, total = this.total): number {
    return surpriseOf(this.count(hash), total);
  }

  #halve(): void {
    this.total = Math.floor(this.total / 2);
    for (let i = 0; i < this.#counts.length; i++) this.#counts[i] = this.#counts[i]! >>> 1;
  }
}

/** -log2((count + 1/2) / (total + 1)), between 0 and SURPRISE_MAX_BITS. */
export function surpriseOf(count: number, total: number): number {
  const bits = -Math.log2((count + PRIOR) / (total + 2 * PRIOR));
  return Math.min(Math.max(bits, 0), SURPRISE_MAX_BITS);
}

function firstOf(hash: number): number {
  return mix32(hash) & (WIDTH - 1);
}

function secondOf(hash: number): number {
  return WIDTH + (mix32(hash ^ 0x5bd1e995) & (WIDTH - 1));
}
