// For each route that carries login names: how many logins the origin refuses in 5 minutes, against the share it usually refuses.
// The habit is an exponential mean over 5-minute slices with at least one login (weight 1/16 once 16 are known). 64 routes; when
// full, further ones have no habit. A known habit learns at most four times itself from a slice, so that an attack does not soon
// look habitual. Called by crossing.ts.

import { type Moment, W5M } from './windows.ts';

const ROUTES = 64;
const WEIGHT_MIN = 1 / 16;
/** A share that may always be taught. */
const TAUGHT_MIN = 0.05;

export class LoginRoutes {
  readonly bytes = ROUTES * (4 + 4 + 4 * 4 + 8 + 4);
  readonly #routes = new Uint32Array(ROUTES);
  readonly #slices = new Uint32Array(ROUTES);
  /** Of each route: answers and refusals of the current slice, then of the previous one. */
  readonly #counts = new Uint32Array(ROUTES * 4);
  readonly #habits = new Float64Array(ROUTES);
  readonly #learned = new Uint32Array(ROUTES);
  #used = 0;

  /** Counts an answered login. */
  count(route: number, refused: boolean, moment: Moment): void {
    const i = this.#indexOf(route, true);
    if (i < 0) return;
    this.#roll(i, moment);
    this.#counts[i * 4] = this.#counts[i * 4]! + 1;
    if (refused) this.#counts[i * 4 + 1] = this.#counts[i * 4 + 1]! + 1;
  }

  /** Writes log2((refused + 1) / (expected + 1)) to out[place]; NaN without a habit. */
  write(route: number, moment: Moment, out: Float64Array, place: number): void {
    out[place] = Number.NaN;
    const i = this.#indexOf(route, false);
    if (i < 0) return;
    this.#roll(i, moment);
    if (this.#learned[i] === 0) return;
    const overlap = moment.overlaps[W5M]!;
    const answers = this.#counts[i * 4]! + overlap * this.#counts[i * 4 + 2]!;
    const refused = this.#counts[i * 4 + 1]! + overlap * this.#counts[i * 4 + 3]!;
    out[place] = Math.fround(Math.log2((refused + 1) / (this.#habits[i]! * answers + 1)));
  }

  #indexOf(route: number, make: boolean): number {
    for (let i = 0; i < this.#used; i++) if (this.#routes[i] === route >>> 0) return i;
    if (!make || this.#used === ROUTES) return -1;
    this.#routes[this.#used] = route;
    return this.#used++;
  }

  /** Closes the current slice, which then teaches the habit. */
  #roll(i: number, moment: Moment): void {
    const counts = this.#counts;
    const behind = moment.slices[W5M]! - this.#slices[i]!;
    if (behind <= 0) return;
    const answers = counts[i * 4]!;
    const refused = counts[i * 4 + 1]!;
    if (answers > 0) {
      const learned = this.#learned[i]! + 1;
      this.#learned[i] = learned;
      const weight = Math.max(1 / learned, WEIGHT_MIN);
      const habit = this.#habits[i]!;
      const most = weight === WEIGHT_MIN ? 4 * habit + TAUGHT_MIN : 1;
      this.#habits[i] = habit + (Math.min(refused / answers, most) - habit) * weight;
    }
    counts[i * 4 + 2] = behind === 1 ? answers : 0;
    counts[i * 4 + 3] = behind === 1 ? refused : 0;
    counts[i * 4] = 0;
    counts[i * 4 + 1] = 0;
    this.#slices[i] = moment.slices[W5M]!;
  }
}
