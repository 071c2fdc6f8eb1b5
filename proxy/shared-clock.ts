// One clock for all threads of a process: wall time and monotonic time at start, read once, then monotonic time x rate.
// A thread that starts later (or again, after a crash) gets the same time as the others, whatever the rate.

import type { Clock } from '../domain/clock.ts';

export interface ClockBase {
  readonly wallMs: number;
  readonly monotonicMs: number;
  readonly rate: number;
}

/** Monotonic milliseconds with the same zero in every thread of the process (performance.now() has one per thread). */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

export function newClockBase(rate: number): ClockBase {
  return { wallMs: Date.now(), monotonicMs: monotonicMs(), rate };
}

export function clockFrom(base: ClockBase): Clock {
  return { nowMs: () => Math.floor(base.wallMs + (monotonicMs() - base.monotonicMs) * base.rate) };
}
