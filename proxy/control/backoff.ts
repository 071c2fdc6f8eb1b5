// How long to wait before the next attempt: full jitter, so that a thousand sidecars that lost their control plane at once
// do not come back at once. Delay = random x min(cap, first x 2^attempt).

const FIRST_MS = 200;
const CAP_MS = 8_000;

export class Backoff {
  readonly #random: () => number;
  #attempt = 0;

  /** `random`: uniform in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Milliseconds to wait now; grows with each call. */
  next(): number {
    const ceilingMs = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(this.#attempt, 16));
    this.#attempt++;
    return Math.floor(this.#random() * ceilingMs);
  }

  reset(): void {
    this.#attempt = 0;
  }
}
