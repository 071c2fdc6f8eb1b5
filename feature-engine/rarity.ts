// How often something happened in the workload, as a probability: a count-min sketch of well-mixed 32-bit hashes with
// conservative update, halved when its total reaches a limit so that old habits fade. A count is never too low, and too high by
// more than total / 4096 in at most one case of four. Called by sequence.ts for routes, transitions, answers, agents and
// networks.

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

  /** Adds one and gives the count before. */
  add(hash: number): number {
    const counts = this.#counts;
    const a = firstOf(hash);
    const b = secondOf(hash);
    const countA = counts[a]!;
    const countB = counts[b]!;
    const before = Math.min(countA, countB);
    if (countA === before) counts[a] = before + 1;
    if (countB === before) counts[b] = before + 1;
    if (++this.total >= this.#totalMax) this.#halve();
    return before;
  }

  /** Adds one and writes -log2 of the part of `total` that the hash made up before, as f32, to out[place]. */
  take(hash: number, total: number, out: Float64Array | Float32Array, place: number): void {
    out[place] = Math.fround(surpriseOf(this.add(hash), total));
  }

  #halve(): void {
    this.total = Math.floor(this.total / 2);
    for (let i = 0; i < this.#counts.length; i++) this.#counts[i] = this.#counts[i]! >>> 1;
  }
}

const LOG_SIZE = 4096;
const LOG_BITS = 12;
const LOG = Float64Array.from({ length: LOG_SIZE }, (_, n) => Math.log2(n));
const LOG_HALF = Float64Array.from({ length: LOG_SIZE }, (_, n) => Math.log2(n + PRIOR));

/** log2 of a whole number below 2^31, by its first 12 bits: exact below 4096, then at most 0.0007 too small. */
function log2Of(n: number): number {
  if (n < LOG_SIZE) return LOG[n]!;
  const shift = 32 - LOG_BITS - Math.clz32(n);
  return LOG[n >>> shift]! + shift;
}

/** log2(total + 1) - log2(count + 1/2), between 0 and SURPRISE_MAX_BITS; whole numbers below 2^31. */
export function surpriseOf(count: number, total: number): number {
  const part = count < LOG_SIZE ? LOG_HALF[count]! : log2Of(count);
  return Math.min(Math.max(log2Of(total + 1) - part, 0), SURPRISE_MAX_BITS);
}

/** Hashes come mixed: their low and high bits are two hashes. */
function firstOf(hash: number): number {
  return hash & (WIDTH - 1);
}

function secondOf(hash: number): number {
  return WIDTH + (hash >>> 19);
}
