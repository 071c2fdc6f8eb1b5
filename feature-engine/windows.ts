// Two-slice windows: the definition of "in the last 10 s / 1 min / 5 min / 1 h / 24 h" that every counter follows.
// A window keeps the current wall-aligned slice and the one before; the older one counts by the part that still overlaps.
// Pure arithmetic on times; the counters themselves lie in the rows (row-layout.ts). Called once per request by the engine.

/** Lengths in ms; a slice is as long as its window. */
export const WINDOW_MS = [10_000, 60_000, 300_000, 3_600_000, 86_400_000] as const;
export const W10S = 0;
export const W1M = 1;
export const W5M = 2;
export const W1H = 3;
export const W24H = 4;
export const WINDOW_COUNT = WINDOW_MS.length;

/** Number of the wall-aligned slice that holds `ms`: slices begin at multiples of their length since the epoch. */
export function sliceOf(ms: number, window: number): number {
  return Math.floor(ms / (WINDOW_MS[window] as number));
}

/**
 * How much of the previous slice still counts at `ms`: 1 at the start of the current slice, near 0 at its end.
 * The count of a window is `current + overlap * previous`: exact when the previous slice was even, and O(1).
 */
export function overlapAt(ms: number, window: number): number {
  const length = WINDOW_MS[window] as number;
  return 1 - (ms - Math.floor(ms / length) * length) / length;
}

/** Slices and overlaps of one moment, computed once and used for both rows. */
export class Moment {
  nowMs = 0;
  readonly slices = new Float64Array(WINDOW_COUNT);
  readonly overlaps = new Float64Array(WINDOW_COUNT);

  set(nowMs: number): void {
    this.nowMs = nowMs;
    for (let w = 0; w < WINDOW_COUNT; w++) {
      this.slices[w] = sliceOf(nowMs, w);
      this.overlaps[w] = overlapAt(nowMs, w);
    }
  }
}
