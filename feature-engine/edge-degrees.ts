// How many edges of all session graphs of this workload begin and end at each route: the global degrees of seed 000.
// A fixed table of routes in sets of eight; in a full set the route with the fewest edges makes room, so a flood of random
// routes undercounts other rare ones and never the common ones. Called by graph.ts when an edge is new to its session.

const WAYS = 8;
const TAG = 0;
const SOURCE = 1;
const DEST = 2;
const ENTRY_WORDS = 4;

export interface EdgeDegreesOptions {
  /** Routes that can be told apart, rounded up to a multiple of 8; exact while no set of eight is full. */
  readonly routes?: number;
  /** All counts are halved when the total reaches this, so shares follow what the workload does now. */
  readonly totalMax?: number;
}

export class EdgeDegrees {
  /** Edges of all sessions that begin where the last edge begins, itself included; and those that end where it ends. */
  source = 0;
  dest = 0;
  total = 0;
  readonly bytes: number;
  readonly #sets: number;
  readonly #totalMax: number;
  readonly #entries: Uint32Array;

  constructor(options: EdgeDegreesOptions = {}) {
    this.#sets = Math.ceil((options.routes ?? 4096) / WAYS);
    this.#totalMax = options.totalMax ?? 2 ** 30;
    this.#entries = new Uint32Array(this.#sets * WAYS * ENTRY_WORDS);
    this.bytes = this.#entries.byteLength;
  }

  /** Counts an edge from route `from` to route `to` (well-mixed 32-bit hashes) and sets `source`, `dest` and `total`. */
  arrive(from: number, to: number): void {
    this.total++;
    this.source = this.#add(from, SOURCE);
    this.dest = this.#add(to, DEST);
    if (this.total >= this.#totalMax) this.#halve();
  }

  #add(route: number, side: number): number {
    const at = this.#entryOf(route) + side;
    const count = this.#entries[at]! + 1;
    this.#entries[at] = count;
    return count;
  }

  #entryOf(route: number): number {
    const entries = this.#entries;
    const tag = route === 0 ? 1 : route;
    const first = Math.floor((route / 4294967296) * this.#sets) * WAYS * ENTRY_WORDS;
    let least = first;
    let fewest = Number.POSITIVE_INFINITY;
    for (let at = first; at < first + WAYS * ENTRY_WORDS; at += ENTRY_WORDS) {
      if (entries[at + TAG] === tag) return at;
      const edges = entries[at + TAG] === 0 ? -1 : entries[at + SOURCE]! + entries[at + DEST]!;
      if (edges < fewest) {
        fewest = edges;
        least = at;
      }
    }
    entries[least + TAG] = tag;
    entries[least + SOURCE] = 0;
    entries[least + DEST] = 0;
    return least;
  }

  #halve(): void {
    this.total = Math.floor(this.total / 2);
    for (let at = 0; at < this.#entries.length; at += ENTRY_WORDS) {
      this.#entries[at + SOURCE] = this.#entries[at + SOURCE]! >>> 1;
      this.#entries[at + DEST] = this.#entries[at + DEST]! >>> 1;
    }
  }
}
