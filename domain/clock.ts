// Time comes in from outside: wall time at start plus monotonic time times a rate, never backwards.
// Read once per request, at accept. Tests and offline runs pass a ManualClock.

export interface Clock {
  /** Milliseconds since the Unix epoch, an integer, never less than an earlier answer. */
  nowMs(): number;
}

/** The live clock. `rate` > 1 makes simulated days pass in minutes (loopback only, see `--clock-rate`). */
export function systemClock(rate = 1): Clock {
  const startWallMs = Date.now();
  const startMonotonicMs = performance.now();
  return {
    nowMs: () => Math.floor(startWallMs + (performance.now() - startMonotonicMs) * rate),
  };
}

/** A clock that stands until it is told to move. */
export class ManualClock implements Clock {
  #nowMs: number;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** Moves to `ms`; an earlier time is ignored, since clocks never go backwards. */
  moveTo(ms: number): void {
    if (ms > this.#nowMs) this.#nowMs = ms;
  }
}
