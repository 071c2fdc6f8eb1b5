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
  /** Who stands behind the credential: windows of 1 h and more are his. */
  readonly principal: string;
  readonly address: string;
  /** Number of the network, 0 if unknown. */
  readonly asn: number;
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

const DAY_MS = 86_400_000;
const SPAN = { '10s': 10_000, '1m': 60_000, '5m': 300_000, '1h': 3_600_000, '24h': DAY_MS } as const;
const SPANS = ['10s', '1m', '5m', '1h', '24h'] as const;
type Span = keyof typeof SPAN;

export class NaiveEngine {
  readonly #rows = new Map<string, Row>();
  readonly #startedMs: number;
  #nowMs: number;

  constructor(startedMs: number) {
    this.#startedMs = startedMs;
    this.#nowMs = startedMs;
  }

  observe(request: NaiveRequest): Map<string, number> {
    const out = new Map(Object.entries(request.shape));
    const { principal: principalName, method } = request;
    const atMs = this.#moveTo(request.atMs);
    const identity = this.#row(`i ${request.identity}`);
    const own = principalName === request.identity;
    const principal = own ? identity : this.#row(`p ${principalName}`);
    const address = this.#row(`a ${request.address}`);
    const marks = {
      ...{ path: request.pathMark, route: mix32(request.routeHash), agent: request.agentMark },
      network: request.asn === 0 ? 0 : mix32(request.asn),
    };
    const marked = { ...marks, other: request.addressMark };
    flags(identity, { span: '1h', nowMs: atMs, marks: marked }, out);
    const stateMs = atMs - this.#startedMs;
    flags(principal, { span: '24h', nowMs: atMs, marks: marked, missing: stateMs < DAY_MS }, out);
    for (const row of new Set([identity, principal])) row.requests.push({ atMs, method, marks: marked });
    address.requests.push({ atMs, method, marks: { ...marks, other: request.identityMark } });
    axis('identity', { row: identity, long: principal }, atMs, out);
    axis('address', { row: address, long: address }, atMs, out);
    out.set('identity_addresses_5m', distinct(identity, 'other', '5m', atMs));
    out.set('identity_addresses_1h', distinct(principal, 'other', '1h', atMs));
    for (const span of ['5m', '1h'] as const)
      out.set(`address_identities_${span}`, distinct(address, 'other', span, atMs));
    out.set('state_age_s', stateMs / 1000);
    return out;
  }

  outcome(request: Pick<NaiveRequest, 'identity' | 'principal' | 'address'>, outcome: Outcome): void {
    this.#moveTo(outcome.atMs);
    const own = request.principal === request.identity;
    this.#row(`i ${request.identity}`).outcomes.push(outcome);
    if (!own) this.#row(`p ${request.principal}`).outcomes.push(outcome);
    this.#row(`a ${request.address}`).outcomes.push(outcome);
  }

  /** Time does not run backwards. */
  #moveTo(atMs: number): number {
    this.#nowMs = Math.max(this.#nowMs, atMs);
    return this.#nowMs;
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

interface Flagging {
  readonly span: '1h' | '24h';
  readonly nowMs: number;
  readonly marks: Readonly<Record<string, number>>;
  readonly missing?: boolean;
}

const FLAGS: readonly (readonly [span: '1h' | '24h', name: string, kind: string, bits: number])[] = [
  ['1h', 'address_new', 'other', 64],
  ['1h', 'user_agent_new', 'agent', 64],
  ['1h', 'route_new', 'route', 128],
  ['24h', 'address_new_24h', 'other', 64],
  ['24h', 'user_agent_new_24h', 'agent', 64],
  ['24h', 'asn_new_24h', 'network', 32],
];

/** First-seen flags of a row that does not hold the request yet. */
function flags(row: Row, at: Flagging, out: Map<string, number>): void {
  const young = row.requests.length + 1 < 5 || at.missing === true;
  for (const [span, flag, kind, bits] of FLAGS.filter(([s]) => s === at.span)) {
    const mark = at.marks[kind] as number;
    const nothing = mark === 0 && kind !== 'route' && kind !== 'other';
    const fresh = filterHas(row, { kind, mark, bits, span, nowMs: at.nowMs }) ? 0 : 1;
    // Within the hour a missing agent is never new; within the day it is missing.
    out.set(flag, young || (nothing && span === '24h') ? Number.NaN : nothing ? 0 : fresh);
  }
}

interface FilterQuery {
  readonly kind: string;
  readonly mark: number;
  readonly bits: number;
  readonly span: Span;
  readonly nowMs: number;
}

/** Two bits per item over the current and previous slice: no bit missing means seen. */
function filterHas(row: Row, { kind, mark, bits, span, nowMs }: FilterQuery): boolean {
  const { current, previous } = slices(row.requests, { span, nowMs });
  const places = (item: number) => [(item >>> 0) % bits, (item >>> 16) % bits];
  const set = new Set(
    [...current, ...previous]
      .map((r) => r.marks[kind] as number)
      .filter((item) => item !== 0 || kind === 'other' || kind === 'route')
      .flatMap(places),
  );
  return places(mark).every((place) => set.has(place));
}

/** Where the requests of each method are counted; others nowhere. */
const METHODS: readonly (readonly [string, readonly string[]])[] = [
  ['get', ['GET', 'HEAD', 'OPTIONS']],
  ['post', ['POST']],
  ['put', ['PUT', 'PATCH']],
  ['deletes', ['DELETE']],
];
/** First and last status of each count of answers. */
const STATUSES: readonly (readonly [string, number, number])[] = [
  ...([
    ['2xx', 100, 299],
    ['3xx', 300, 399],
    ['4xx', 400, 499],
    ['5xx', 500, 999],
  ] as const),
  ...[401, 403, 404, 429].map((status) => [String(status), status, status] as const),
];

/** Counts of one window of one row, by name without axis and window. */
function counters(row: Row, span: Span, nowMs: number): Map<string, number> {
  const at = { span, nowMs };
  const requests = (...methods: readonly string[]) =>
    windowed(row.requests, at, (r) => (methods.length === 0 || methods.includes(r.method) ? 1 : 0));
  const answered = (from: number, to: number) =>
    windowed(row.outcomes, at, (o) => (o.status >= from && o.status <= to ? 1 : 0));
  return new Map([
    ['requests', requests()],
    ['bytes_in', windowed(row.outcomes, at, (o) => o.bytesIn)],
    ['bytes_out', windowed(row.outcomes, at, (o) => o.bytesOut)],
    ...METHODS.map(([name, methods]) => [name, requests(...methods)] as const),
    ...STATUSES.map(([name, from, to]) => [`status_${name}`, answered(from, to)] as const),
    ['answers', answered(100, 999)],
  ]);
}

function axis(
  name: 'identity' | 'address',
  rows: { readonly row: Row; readonly long: Row },
  nowMs: number,
  out: Map<string, number>,
): void {
  const { row, long } = rows;
  const put = (feature: string, value: number) => out.set(`${name}_${feature}`, value);
  for (const span of SPANS) {
    const counted = counters(span === '1h' || span === '24h' ? long : row, span, nowMs);
    for (const [counter, value] of counted) if (counter !== 'answers') put(`${counter}_${span}`, value);
  }
  const five = counters(row, '5m', nowMs);
  const share = (part: string, of: string) => (five.get(part) as number) / (five.get(of) as number);
  put('post_share_5m', share('post', 'requests'));
  put('put_share_5m', share('put', 'requests'));
  put('delete_share_5m', share('deletes', 'requests'));
  put('client_error_share_5m', share('status_4xx', 'answers'));
  put('server_error_share_5m', share('status_5xx', 'answers'));
  for (const span of ['5m', '1h'] as const) {
    put(`routes_${span}`, distinct(span === '1h' ? long : row, 'route', span, nowMs));
    put(`user_agents_${span}`, distinct(span === '1h' ? long : row, 'agent', span, nowMs));
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
