// Puts the requests of a long access log into the order of their times within a bounded window, so that a log of any length can
// be read in one pass: servers write a line when its answer ends, so neighbours change places, distant lines hardly ever.
// Gives what readAccessLog gives for every log whose disorder stays within the window. Used by `picket features`.

import { type LogRequest, spreadSorted } from './access-log.ts';

const WINDOW_DEFAULT = 16_384;

export class LogOrder {
  /** Requests that came after later ones had been handed on; they keep their own time. */
  late = 0;
  readonly #window: number;
  /** By time; of equal times, in the order of the file. */
  #waiting: LogRequest[] = [];
  #handedMs = -Infinity;

  /** @param window requests that wait at most; half of them are handed on at a time. */
  constructor(window: number = WINDOW_DEFAULT) {
    this.#window = window;
  }

  /** Takes the next request of the file; hands on those that are ready, by time, whole seconds spread. */
  push(request: LogRequest): LogRequest[] {
    const waiting = this.#waiting;
    const at = placeFor(waiting, request.atMs);
    if (at === waiting.length) waiting.push(request);
    else waiting.splice(at, 0, request);
    if (request.atMs <= this.#handedMs) this.late++;
    return waiting.length < this.#window ? [] : this.#hand(Math.ceil(this.#window / 2));
  }

  /** The rest. */
  end(): LogRequest[] {
    return this.#hand(this.#waiting.length);
  }

  /** So many, and those of the same second with them; a second that fills the window is cut. */
  #hand(least: number): LogRequest[] {
    const waiting = this.#waiting;
    let count = least;
    while (count < waiting.length && waiting[count]!.atMs === waiting[count - 1]!.atMs) count++;
    const ready = waiting.slice(0, count);
    this.#waiting = waiting.slice(count);
    this.#handedMs = Math.max(this.#handedMs, ready.at(-1)?.atMs ?? -Infinity);
    return spreadSorted(ready);
  }
}

/** After all requests of this time and before; mostly at the end. */
function placeFor(sorted: readonly LogRequest[], atMs: number): number {
  if (sorted.length === 0 || sorted.at(-1)!.atMs <= atMs) return sorted.length;
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]!.atMs <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
