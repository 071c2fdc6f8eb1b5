// Runs requests through the feature engine under their own clock, with their answers coming back when they would:
// the same engine, heads and order of events as in the sidecar, without sockets. Used for training data, tests and replay.
// Does not score: the caller looks at each vector and says whether the request was forwarded.

import { FEATURE_COUNT } from '../domain/features.ts';
import { HeadView } from '../domain/head-view.ts';
import {
  IDENTITY_KINDS,
  newRequestIdentity,
  ownPrincipal,
  type RequestIdentity,
} from '../domain/identity.ts';
import { seededRandom } from '../domain/random.ts';
import { sipHash128 } from '../domain/siphash.ts';
import type { FeatureEngine } from '../feature-engine/engine.ts';
import { type Route, RouteTable } from '../feature-engine/routes.ts';
import type { Answer } from './request.ts';

/** What an offline run needs of a request; SimRequest has it all, a log line can be made to. */
export interface OfflineRequest {
  readonly atMs: number;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | null;
  readonly address: string;
  readonly token: string | null;
  readonly cookie: string | null;
  readonly answer: Answer;
}

export interface Observed<R> {
  readonly request: R;
  /** Valid until the next request: copy what is kept. */
  readonly vector: Float64Array;
  readonly route: Route;
  readonly who: RequestIdentity;
}

export interface OfflineOptions<R> {
  readonly engine: FeatureEngine;
  /** Where vectors are written: the core's own memory, or nothing for a fresh array. */
  readonly vector?: Float64Array;
  /** Called for every request, in order. False = refused: the origin never answers it. */
  readonly onVector: (observed: Observed<R>) => boolean;
}

interface Pending {
  readonly identity: number;
  readonly address: number;
  readonly trace: number;
  readonly route: Route;
  readonly bytesIn: number;
  readonly answer: Answer;
  readonly atMs: number;
}

const encoder = new TextEncoder();

/** The hash key of offline runs: fixed, so that two runs are alike. Live sidecars have their own. */
function offlineKey(): Uint32Array {
  const random = seededRandom(0x0ff1);
  return Uint32Array.from({ length: 4 }, () => random.uint32());
}

export class OfflineRun<R extends OfflineRequest> {
  readonly #options: OfflineOptions<R>;
  readonly #routes = new RouteTable();
  readonly #head = new HeadView();
  readonly #who = newRequestIdentity();
  readonly #key = offlineKey();
  readonly #vector: Float64Array;
  /** Kept sorted by time; short, since answers take little. */
  readonly #pending: Pending[] = [];

  constructor(options: OfflineOptions<R>) {
    this.#options = options;
    this.#vector = options.vector ?? new Float64Array(FEATURE_COUNT);
  }

  /** One request; times must not go back. */
  step(request: R): void {
    const { engine, onVector } = this.#options;
    this.#deliverUntil(request.atMs);
    fillHead(this.#head, request);
    this.#identify(request);
    const route = this.#routes.resolve(this.#head);
    const who = this.#who;
    const observed = { head: this.#head, who, routeHash: route.hash, nowMs: request.atMs };
    engine.observe({ ...observed, addressText: request.address }, this.#vector);
    if (!onVector({ request, vector: this.#vector, route, who })) return;
    this.#await({
      identity: engine.lastIdentity,
      address: engine.lastAddress,
      trace: engine.lastTrace,
      route,
      bytesIn: request.body?.length ?? 0,
      answer: request.answer,
      atMs: request.atMs + Math.round(request.answer.latencyMs),
    });
  }

  /** All of them. */
  run(requests: Iterable<R>): void {
    for (const request of requests) this.step(request);
    this.#deliverUntil(Infinity);
  }

  #identify(request: R): void {
    const who = this.#who;
    const kind = request.token !== null ? 'bearer' : request.cookie !== null ? 'cookie' : 'address';
    who.kind = IDENTITY_KINDS.indexOf(kind);
    this.#hash(`${kind} ${request.token ?? request.cookie ?? request.address}`, who.key);
    ownPrincipal(who);
    this.#hash(`address ${request.address}`, who.addressKey);
  }

  #hash(text: string, out: Uint32Array): void {
    const bytes = encoder.encode(text);
    sipHash128(bytes, 0, bytes.length, this.#key, out);
  }

  #await(pending: Pending): void {
    const queue = this.#pending;
    let at = queue.length;
    while (at > 0 && queue[at - 1]!.atMs > pending.atMs) at--;
    queue.splice(at, 0, pending);
  }

  #deliverUntil(ms: number): void {
    const queue = this.#pending;
    let count = 0;
    while (count < queue.length && queue[count]!.atMs <= ms) {
      const { identity, address, trace, route, answer, bytesIn, atMs } = queue[count]!;
      const { status, latencyMs, bodyBytes } = answer;
      const outcome = { status, latencyMs, bytesIn, bytesOut: bodyBytes, atMs };
      this.#options.engine.outcome(identity, address, outcome, trace);
      this.#routes.answered(route, status);
      count++;
    }
    if (count > 0) queue.splice(0, count);
  }
}

/** The head as the sidecar would receive it. */
function fillHead(head: HeadView, request: OfflineRequest): void {
  head.begin(request.method, request.target);
  head.add('host', 'sample.internal');
  for (const [name, value] of request.headers) {
    const field = head.add(name, value);
    if (name === 'user-agent') head.userAgentField = field;
  }
  head.add('x-forwarded-for', request.address);
  if (request.body !== null) {
    head.contentLength = request.body.length;
    head.add('content-length', String(request.body.length));
  }
}
