// The random orders numpy's RandomState draws (MT19937, Matsumoto and Nishimura 1998; shuffle by masked rejection), so that a fit
// of ours can be paired with one of scikit-learn from the same seed. For parity tests only; training draws from domain/random.ts.

const WORDS = 624;
const SHIFT = 397;

/** numpy.random.RandomState(seed), as far as permutations need it. */
export class NumpyRandom {
  readonly #state = new Uint32Array(WORDS);
  #at = WORDS;

  /** @param seed 32 bits. */
  constructor(seed: number) {
    this.#state[0] = seed;
    for (let i = 1; i < WORDS; i++) {
      const before = this.#state[i - 1]!;
      this.#state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
    }
  }

  uint32(): number {
    if (this.#at === WORDS) this.#renew();
    let y = this.#state[this.#at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** Uniform in 0..most, both included. */
  upTo(most: number): number {
    if (most === 0) return 0;
    const mask = 0xffffffff >>> Math.clz32(most);
    for (;;) {
      const value = (this.uint32() & mask) >>> 0;
      if (value <= most) return value;
    }
  }

  readonly permutation = (n: number): Uint32Array => {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.upTo(i);
      const kept = order[i]!;
      order[i] = order[j]!;
      order[j] = kept;
    }
    return order;
  };

  #renew(): void {
    const s = this.#state;
    for (let k = 0; k < WORDS; k++) {
      const y = (s[k]! & 0x80000000) | (s[(k + 1) % WORDS]! & 0x7fffffff);
      s[k] = s[(k + SHIFT) % WORDS]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#at = 0;
  }
}
