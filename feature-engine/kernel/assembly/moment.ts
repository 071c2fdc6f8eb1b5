// The moment of the request or answer at hand: slices and overlaps of all windows, as windows.ts defines them, computed once in
// the call struct and used by every kernel. Time does not run backwards: an earlier moment counts as the last one.

import { call, NOW_MS, OVERLAPS, SLICES, STATE_AGE_MS, STATE_STARTED_MS } from './call';

const WINDOW_MS: usize = memory.data<f64>([10_000, 60_000, 300_000, 3_600_000, 86_400_000], 16);
const WINDOW_COUNT: usize = 5;

/** Moves the moment to `ms` since the epoch. */
export function setMoment(ms: f64): void {
  store<f64>(call, ms, NOW_MS);
  for (let w: usize = 0; w < WINDOW_COUNT; w++) {
    const length = load<f64>(WINDOW_MS + (w << 3));
    const slice = floor(ms / length);
    store<f64>(call + (w << 3), 1 - (ms - slice * length) / length, OVERLAPS);
    store<u32>(call + (w << 2), <u32>slice, SLICES);
  }
  store<f64>(call, ms - load<f64>(call, STATE_STARTED_MS), STATE_AGE_MS);
}

/** Moves the moment on, unless it is later already. */
// @ts-ignore: decorator
@inline
export function moveTo(ms: f64): void {
  if (ms > load<f64>(call, NOW_MS)) setMoment(ms);
}
