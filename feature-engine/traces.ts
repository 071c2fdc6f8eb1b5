// What the engine must still know of a request when its answer comes: a fixed ring of the last 4096 requests. A trace is the
// request's number; one that was overtaken meanwhile reads as unknown. Called by the engine.

const TRACES = 4096;
const WORDS = 2;

export class Traces {
  /** Of the last trace that `find` found. */
  route = 0;
  withId = false;
  readonly bytes = TRACES * WORDS * 4;
  readonly #ring = new Uint32Array(TRACES * WORDS);
  #last = 0;

  /** Notes a request; its trace, 1 or more. */
  add(route: number, withId: boolean): number {
    const trace = ++this.#last;
    const at = (trace % TRACES) * WORDS;
    this.#ring[at] = route;
    this.#ring[at + 1] = withId ? 1 : 0;
    return trace;
  }

  /** Reads a trace into `route` and `withId`; false if it was never given or has been overtaken. */
  find(trace: number): boolean {
    if (!(trace > 0 && trace <= this.#last && this.#last - trace < TRACES)) return false;
    const at = (trace % TRACES) * WORDS;
    this.route = this.#ring[at]! | 0;
    this.withId = this.#ring[at + 1] === 1;
    return true;
  }
}
