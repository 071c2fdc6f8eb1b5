// The feature engine in plain objects and arrays: keeps every request and outcome for ever and counts anew each time.
// The oracle of engine.test.ts: written from domain/features.ts and the definition in windows.ts, sharing no code with the
// engine but the hashes behind the sketches. Never used outside tests.

import { FEATURES } from '../../domain/features.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { mix32 } from '../sketch.ts';

export interface NaiveRequest {
  readonly atMs: number;
  readonly method: string;
  readonly identity: string;
  readonly address: string;
  /** Low words of the two keys, which mark the other axis. */
  readonly identityMark: number;
  readonly addressMark: number;
  readonly pathMark: number;
  readonly routeHash: number;
  readonly agentMark: number;
  /** Values of the request group, by name. */
  readonly shape: Readonly<Record<string, number>>;
}

interface Row {
  readonly requests: { atMs: number; method: string; marks: Record<string, number> }[];
  readonly outcomes: Outcome[];
}

const SPAN = { '10s': 10_000, '1m': 60_000, '5m': 300_000, '1h': 3_600_000 } as const;
type Span = keyof typeof SPAN;

export class NaiveEngine {
  readonly #rows = new Map<string, Row>();
  readonly #startedMs: number;

  constructor(startedMs: number) {
    this.#startedMs = startedMs;
  }

  observe(request: NaiveRequest): Map<string, number> {
    const out = new Map(Object.entries(request.shape));
    const identity = this.#row(`i ${request.identity}`);
    const address = this.#row(`a ${request.address}`);
    const young = identity.requests.length + 1 < 5;
    const marks = { path: request.pathMark, route: mix32(request.routeHash), agent: request.agentMark };
    for (const [flag, kind, mark, bits] of [
      ['address_new', 'other', request.addressMark, 64],
      ['user_agent_new', 'agent', marks.agent, 64],
      ['route_new', 'route', marks.route, 128],
    ] as const) {
      const seen = filterHas(identity, { kind, mark, bits, nowMs: request.atMs });
      out.set(flag, young ? Number.NaN : seen ? 0 : 1);
    }
    const { atMs, method } = request;
    identity.requests.push({ atMs, method, marks: { ...marks, other: request.addressMark } });
    address.requests.push({ atMs, method, marks: { ...marks, other: request.identityMark } });
    axis('identity', identity, atMs, out);
    axis('address', address, atMs, out);
    for (const span of ['5m', '1h'] as const) {
      out.set(`identity_addresses_${span}`, distinct(identity, 'other', span, atMs));
      out.set(`address_identities_${span}`, distinct(address, 'other', span, atMs));
    }
    out.set('state_age_s', (atMs - this.#startedMs) / 1000);
    return out;
  }

  outcome(identity: string, address: string, outcome: Outcome): void {
    this.#row(`i ${identity}`).outcomes.push(outcome);
    this.#row(`a ${address}`).outcomes.push(outcome);
  }

  #row(key: string): Row {
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = { requests: [], outcomes: [] };
      this.#rows.set(key, row);
    }
    return row;
  }
}

/** Sum over the current slice, plus the previous one's times what of it still overlaps. */
function windowed<T extends { atMs: number }>(
  items: readonly T[],
  at: { span: Span; nowMs: number },
  weight: (item: T) => number = () => 1,
): number {
  const { current, previous, overlap } = slices(items, at);
  const sum = (list: readonly T[]) => list.reduce((total, item) => total + weight(item), 0);
  return sum(current) + overlap * sum(previous);
}

function slices<T extends { atMs: number }>(items: readonly T[], at: { span: Span; nowMs: number }) {
  const length = SPAN[at.span];
  const start = at.nowMs - (at.nowMs % length);
  return {
    current: items.filter((item) => item.atMs >= start),
    previous: items.filter((item) => item.atMs >= start - length && item.atMs < start),
    overlap: 1 - (at.nowMs - start) / length,
  };
}

const SKETCH_BITS: Record<string, number> = { route: 64, path: 64, agent: 32, other: 32 };

function distinct(row: Row, kind: string, span: Span, nowMs: number): number {
  const bits = SKETCH_BITS[kind] as number;
  const { current, previous, overlap } = slices(row.requests, { span, nowMs });
  const marked = (list: readonly { marks: Record<string, number> }[]) =>
    list.map((r) => r.marks[kind] as number).filter((mark) => kind !== 'agent' || mark !== 0);
  const estimate = (list: readonly { marks: Record<string, number> }[]) => {
    const set = new Set(marked(list).map((mark) => (mark >>> 0) % bits)).size;
    return bits * Math.log(bits / Math.max(bits - set, 0.5));
  };
  const now = estimate(current);
  return now + overlap * (estimate([...current, ...previous]) - now);
}

/** Two bits per item over the current and previous hour: no bit missing means seen. A missing agent is never new. */
function filterHas(row: Row, query: { kind: string; mark: number; bits: number; nowMs: number }): boolean {
  if (query.kind === 'agent' && query.mark === 0) return true;
  const { current, previous } = slices(row.requests, { span: '1h', nowMs: query.nowMs });
  const places = (mark: number) => [(mark >>> 0) % query.bits, (mark >>> 16) % query.bits];
  const set = new Set(
    [...current, ...previous]
      .map((r) => r.marks[query.kind] as number)
      .filter((mark) => query.kind !== 'agent' || mark !== 0)
      .flatMap(places),
  );
  return places(query.mark).every((place) => set.has(place));
}

function axis(name: 'identity' | 'address', row: Row, nowMs: number, out: Map<string, number>): void {
  const put = (feature: string, value: number) => out.set(`${name}_${feature}`, value);
  const count = (span: Span, ...methods: string[]) =>
    windowed(row.requests, { span, nowMs }, (r) =>
      methods.length === 0 || methods.includes(r.method) ? 1 : 0,
    );
  for (const span of ['10s', '1m', '5m', '1h'] as const) put(`requests_${span}`, count(span));
  const five = { span: '5m', nowMs } as const;
  put(
    'bytes_in_5m',
    windowed(row.outcomes, five, (o) => o.bytesIn),
  );
  put(
    'bytes_out_5m',
    windowed(row.outcomes, five, (o) => o.bytesOut),
  );
  put('post_share_5m', count('5m', 'POST') / count('5m'));
  put('put_share_5m', count('5m', 'PUT', 'PATCH') / count('5m'));
  put('delete_share_5m', count('5m', 'DELETE') / count('5m'));
  put('deletes_5m', count('5m', 'DELETE'));
  const answered = (from: number, to: number) =>
    windowed(row.outcomes, five, (o) => (o.status >= from && o.status < to ? 1 : 0));
  const answers = answered(100, 1000);
  put('client_error_share_5m', answers === 0 ? Number.NaN : answered(400, 500) / answers);
  put('server_error_share_5m', answers === 0 ? Number.NaN : answered(500, 1000) / answers);
  for (const status of [401, 403, 404, 429]) put(`status_${status}_5m`, answered(status, status + 1));
  for (const span of ['5m', '1h'] as const) {
    put(`routes_${span}`, distinct(row, 'route', span, nowMs));
    put(`user_agents_${span}`, distinct(row, 'agent', span, nowMs));
  }
  put('paths_5m', distinct(row, 'path', '5m', nowMs));
  gaps(row, put);
  put('age_s', (nowMs - (row.requests[0]?.atMs ?? nowMs)) / 1000);
  put('requests_total', row.requests.length);
}

function gaps(row: Row, put: (feature: string, value: number) => void): void {
  const times = row.requests.map((r) => r.atMs);
  const all = times.slice(1).map((ms, i) => ms - (times[i] as number));
  let mean = all[0] ?? Number.NaN;
  let deviation = Number.NaN;
  for (const [i, gap] of all.slice(1).entries()) {
    const distance = Math.abs(gap - mean);
    deviation = i === 0 ? distance : deviation + (distance - deviation) / 8;
    mean += (gap - mean) / 8;
  }
  put('gap_ms', all.at(-1) ?? Number.NaN);
  put('gap_mean_ms', mean);
  put('gap_variation', mean === 0 && all.length >= 2 ? 0 : deviation / mean);
}

/** Names of the rows' features that the naive engine did not give: must be none. Profiles have oracles of their own. */
export function missingNames(vector: ReadonlyMap<string, number>): string[] {
  return FEATURES.filter((f) => f.id < 500)
    .map((f) => f.name)
    .filter((name) => !vector.has(name));
}
