// Session graphs by the seed's definition, in plain arrays: edges exploded, groups counted. Knows no bound of 32 edges.
// The oracle of graph.test.ts and of the whole engine's test; nothing else calls it.

import { SESSION_TIMEOUT_MS } from '../kernel/session-kernels.ts';

interface Edge {
  readonly from: number;
  readonly to: number;
  /** Global degrees at arrival. */
  readonly source: number;
  readonly dest: number;
}

export interface Session {
  readonly times: number[];
  readonly routes: number[];
  readonly edges: Edge[];
}

export class NaiveGraphs {
  /** Edges of all graphs in order of arrival. */
  readonly all: { from: number; to: number }[] = [];
  readonly #sessions = new Map<number, Session>();
  readonly #perMille: boolean;

  constructor(perMille: boolean) {
    this.#perMille = perMille;
  }

  call(identity: number, route: number, nowMs: number): Session {
    let session = this.#sessions.get(identity);
    if (session === undefined || nowMs - (session.times.at(-1) as number) > SESSION_TIMEOUT_MS) {
      session = { times: [], routes: [], edges: [] };
      this.#sessions.set(identity, session);
    } else {
      const from = session.routes.at(-1) as number;
      if (!session.edges.some((edge) => edge.from === from && edge.to === route)) {
        this.all.push({ from, to: route });
        const scale = this.#perMille ? 1000 / this.all.length : 1;
        session.edges.push({
          from,
          to: route,
          source: Math.fround(this.all.filter((edge) => edge.from === from).length * scale),
          dest: Math.fround(this.all.filter((edge) => edge.to === route).length * scale),
        });
      }
    }
    session.times.push(nowMs);
    session.routes.push(route);
    return session;
  }
}

function statistics(values: readonly number[]): number[] {
  const n = values.length;
  if (n === 0) return [Number.NaN, Number.NaN, Number.NaN, Number.NaN];
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const squares = values.reduce((a, b) => a + (b - mean) ** 2, 0);
  return [mean, Math.min(...values), Math.max(...values), n < 2 ? Number.NaN : Math.sqrt(squares / (n - 1))];
}

/** The 24 features of a session, in the order of domain/features-session.ts. */
export function vectorOf({ times, routes, edges }: Session): number[] {
  const spanMs = (times.at(-1) as number) - (times[0] as number);
  const distinct = new Set(routes).size;
  const same = (key: 'from' | 'to') =>
    edges.map((edge) => edges.filter((other) => other[key] === edge[key]).length);
  return [
    routes.length,
    spanMs / 1000,
    routes.length < 2 ? Number.NaN : spanMs / (routes.length - 1),
    distinct,
    distinct / routes.length,
    edges.length,
    new Set(edges.flatMap((edge) => [edge.from, edge.to])).size,
    ...statistics(same('from')),
    ...statistics(same('to')),
    ...statistics(edges.map((edge) => edge.source)),
    ...statistics(edges.map((edge) => edge.dest)),
    0,
  ].map(Math.fround);
}
