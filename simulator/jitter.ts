// What senders, networks and busy machines do to arrival times: they come in ticks, and now and then everything stands still
// for a moment and then arrives at once. Keeps the order. For training data and for judging models on times as they arrive.

import type { Random } from '../domain/random.ts';
import { exponential } from './draw.ts';

export interface JitterOptions {
  readonly random: Random;
  /** Arrivals fall on multiples of this; 0 or 1 leaves them as they are. */
  readonly tickMs: number;
  /** Mean time between two stalls; Infinity for none. */
  readonly stallEveryMs: number;
  /** Mean length of a stall. */
  readonly stallMs: number;
}

/** The same requests with arrival times as a receiver would see them. */
export function* jittered<R extends { readonly atMs: number }>(
  requests: Iterable<R>,
  options: JitterOptions,
): Generator<R> {
  const { random, tickMs, stallEveryMs, stallMs } = options;
  let stallFromMs = Number.NaN;
  let stallToMs = Number.NaN;
  let lastMs = 0;
  for (const request of requests) {
    while (!(request.atMs < stallToMs)) {
      const fromMs = Number.isNaN(stallToMs) ? request.atMs : stallToMs;
      stallFromMs = fromMs + Math.max(exponential(random, stallEveryMs), 1);
      stallToMs = stallFromMs + exponential(random, stallMs);
    }
    const heldMs = request.atMs >= stallFromMs ? stallToMs : request.atMs;
    const tickedMs = tickMs > 1 ? Math.ceil(heldMs / tickMs) * tickMs : Math.ceil(heldMs);
    lastMs = Math.max(lastMs, tickedMs);
    yield { ...request, atMs: lastMs };
  }
}
