// What the engine must still know of a request when its answer comes: a fixed ring of the last 4096 requests. A trace is the
// request's number; one that was overtaken meanwhile reads as unknown. Called by the engine.

import type { CrossingCall } from './crossing.ts';

const TRACES = 4096;
const WORDS = 8;

/** What an answer is counted by: 32-bit hashes as signed numbers, 0 where unknown. */
export interface Asked extends CrossingCall {
  /** Did the request ask for an object id? */
  withId: boolean;
}

export function newAsked(): Asked {
  return {
    ...{ address: 0, subnet: 0, network: 0, agentRoute: 0, identity: 0, login: 0, route: 0 },
    withId: false,
  };
}

export class Traces {
  readonly bytes = TRACES * WORDS * 4;
  readonly #ring = new Int32Array(TRACES * WORDS);
  #last = 0;

  /** Notes a request; its trace, 1 or more. */
  add(asked: Asked): number {
    const ring = this.#ring;
    const trace = ++this.#last;
    const at = (trace % TRACES) * WORDS;
    ring[at] = asked.address;
    ring[at + 1] = asked.subnet;
    ring[at + 2] = asked.network;
    ring[at + 3] = asked.agentRoute;
    ring[at + 4] = asked.identity;
    ring[at + 5] = asked.login;
    ring[at + 6] = asked.route;
    ring[at + 7] = asked.withId ? 1 : 0;
    return trace;
  }

  /** Reads a trace into `asked`; false if it was never given or has been overtaken. */
  find(trace: number, asked: Asked): boolean {
    if (!(trace > 0 && trace <= this.#last && this.#last - trace < TRACES)) return false;
    const ring = this.#ring;
    const at = (trace % TRACES) * WORDS;
    asked.address = ring[at]!;
    asked.subnet = ring[at + 1]!;
    asked.network = ring[at + 2]!;
    asked.agentRoute = ring[at + 3]!;
    asked.identity = ring[at + 4]!;
    asked.login = ring[at + 5]!;
    asked.route = ring[at + 6]!;
    asked.withId = ring[at + 7] === 1;
    return true;
  }
}
