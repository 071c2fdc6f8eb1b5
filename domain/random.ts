// Seeded randomness for training, simulation and tests: the same seed gives the same stream on every machine.
// Not for secrets, nonces or hash keys: those come from node:crypto. Imports nothing.

export interface Random {
  /** Uniform in [0, 1), 53 random bits. */
  next(): number;
  /** Uniform integer in [0, n); n is an integer in 1..2^32. Without modulo bias. */
  int(n: number): number;
  /** Standard normal (mean 0, standard deviation 1), by the polar method. */
  normal(): number;
  /** Uniform 32-bit unsigned integer. */
  uint32(): number;
  /** Shuffles in place (Fisher-Yates) and returns the same array. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T;
  /** A stream of its own, told by `label`; drawing from it does not move this one. */
  fork(label: number): Random;
}

const TWO_32 = 4294967296;
const TWO_53 = 9007199254740992;

/** SplitMix32 step: spreads a small seed over the whole state. Returns [next state, output]. */
function splitMix(state: number): [number, number] {
  const next = (state + 0x9e3779b9) | 0;
  let z = next ^ (next >>> 16);
  z = Math.imul(z, 0x21f0aaad);
  z ^= z >>> 15;
  z = Math.imul(z, 0x735a2d97);
  return [next, (z ^ (z >>> 15)) >>> 0];
}

/** Four words of state from any finite number: its integer part (53 bits) and a stream label. */
function expandSeed(seed: number, label: number): Uint32Array {
  const whole = Math.trunc(Math.abs(seed));
  const low = (whole % TWO_32) | 0;
  const high = Math.trunc(whole / TWO_32) | 0;
  const words = new Uint32Array(4);
  let state = low ^ Math.imul(high, 0x85ebca6b) ^ Math.imul(label, 0xc2b2ae35) ^ (seed < 0 ? 0x5bd1e995 : 0);
  for (let i = 0; i < 4; i++) {
    const [next, output] = splitMix(state);
    state = next;
    words[i] = output;
  }
  if ((words[0]! | words[1]! | words[2]! | words[3]!) === 0) words[0] = 1;
  return words;
}

/**
 * A generator of the family xoshiro128** (Blackman and Vigna 2018), period 2^128 - 1.
 * @param seed any finite number; its integer part counts.
 * @throws RangeError when the seed is not finite.
 */
export function seededRandom(seed: number): Random {
  if (!Number.isFinite(seed)) throw new RangeError(`a seed must be a finite number, not ${seed}`);
  return new Xoshiro128(seed, 0);
}

class Xoshiro128 implements Random {
  readonly #seed: number;
  readonly #label: number;
  readonly #state: Uint32Array;
  #spare = Number.NaN;

  constructor(seed: number, label: number) {
    this.#seed = seed;
    this.#label = label;
    this.#state = expandSeed(seed, label);
  }

  uint32(): number {
    const s = this.#state;
    const b = s[1]!;
    const x = Math.imul(b, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    s[2]! ^= s[0]!;
    s[3]! ^= b;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= b << 9;
    const d = s[3]!;
    s[3] = (d << 11) | (d >>> 21);
    return result;
  }

  next(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 67108864 + low) / TWO_53;
  }

  int(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > TWO_32)
      throw new RangeError(`int(n) needs n in 1..2^32, not ${n}`);
    const fair = TWO_32 - (TWO_32 % n);
    let draw = this.uint32();
    while (draw >= fair) draw = this.uint32();
    return draw % n;
  }

  normal(): number {
    const kept = this.#spare;
    if (!Number.isNaN(kept)) {
      this.#spare = Number.NaN;
      return kept;
    }
    for (;;) {
      const u = 2 * this.next() - 1;
      const v = 2 * this.next() - 1;
      const s = u * u + v * v;
      if (s >= 1 || s === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(s)) / s);
      this.#spare = v * scale;
      return u * scale;
    }
  }

  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const kept = items[i];
      items[i] = items[j];
      items[j] = kept;
    }
    return items;
  }

  fork(label: number): Random {
    return new Xoshiro128(this.#seed, Math.imul(this.#label, 31) + label + 1);
  }
}
