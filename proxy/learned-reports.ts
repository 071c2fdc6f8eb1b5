// When the data thread tells the control thread what routes it learned: now and then if there are more, and at its end.
// Driven by the heartbeat of data-thread.ts; route-memory.ts keeps what is told.

import type { LearnedRoutes } from '../feature-engine/learned-routes.ts';

/** Heartbeats between two reports: ten seconds. */
const BEATS = 100;

export class LearnedReports {
  readonly #learned: LearnedRoutes;
  readonly #tell: (saved: string) => void;
  #told: number;
  #beats = 0;

  constructor(learned: LearnedRoutes, tell: (saved: string) => void) {
    this.#learned = learned;
    this.#tell = tell;
    this.#told = learned.changes;
  }

  beat(): void {
    this.#beats++;
    if (this.#beats % BEATS === 0) this.report();
  }

  report(): void {
    const { changes } = this.#learned;
    if (changes === this.#told) return;
    this.#told = changes;
    this.#tell(this.#learned.save());
  }
}
