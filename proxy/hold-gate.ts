// Which requests wait for the beginning of their body, and what that adds to what is judged: the `hold-prefix` routes of the
// policy, compiled when it is swapped. A policy without such routes costs a request one comparison. Called by front.ts (before
// the pipeline) and pipeline.ts (with the held body).

import type { CompiledPolicy, CompiledRoute } from '../domain/policy.ts';
import type { ObservedRequest } from '../feature-engine/engine.ts';
import type { Route, RouteTable } from '../feature-engine/routes.ts';
import { BodyFacts } from './body-facts.ts';
import type { Counters } from './counters.ts';
import { type HeadReader, RequestHead } from './head.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { type RequestIds, requestIdOf } from './request-id.ts';
import type { Transit } from './transit.ts';

/** What a hold route wants of the body. */
export interface HoldRule {
  /** Field with the login name; null: none is read. */
  readonly loginField: string | null;
}

export interface HoldGateOptions {
  readonly reader: HeadReader;
  readonly routes: RouteTable;
  readonly requestIds: RequestIds;
  readonly hash: KeyedHash;
  readonly counters: Counters;
}

export class HoldGate {
  readonly #options: HoldGateOptions;
  readonly #facts: BodyFacts;
  /** By place of the declared route; undefined for routes that are judged by their head. */
  #rules: readonly (HoldRule | undefined)[] = [];
  /** Methods that such routes have; null: any. */
  #methods: ReadonlySet<string> | null = new Set();

  constructor(options: HoldGateOptions) {
    this.#options = options;
    this.#facts = new BodyFacts(options.hash, options.counters);
  }

  setPolicy({ routes }: CompiledPolicy): void {
    const ruleOf = ({ hold, loginField }: CompiledRoute) => (hold ? { loginField } : undefined);
    this.#rules = routes.map(ruleOf);
    const methods = routes.filter(({ hold }) => hold).map(({ pattern }) => pattern.method);
    this.#methods = methods.includes('*') ? null : new Set(methods);
  }

  /**
   * The head of a request that is to be judged with the beginning of its body; null for all others. Leaves no trace but a
   * request id: the pipeline reads the head again.
   */
  headToHold(transit: Transit): RequestHead | null {
    const method = transit.req.method ?? '';
    if (this.#methods !== null && (this.#methods.size === 0 || !this.#methods.has(method))) return null;
    if (transit.poison !== null) return null;
    const { reader, routes, requestIds } = this.#options;
    const head = new RequestHead();
    if (reader.read(transit.req, head, false) !== null || !head.hasBody) return null;
    if (this.#rules[routes.resolve(reader.view).declared] === undefined) return null;
    transit.requestId = requestIdOf(transit.connection.trusted, head.requestId, requestIds);
    return head;
  }

  /** The request as the engine sees it: with its held body, if there is one. */
  observed(bare: ObservedRequest, transit: Transit, route: Route): ObservedRequest {
    const { held, head } = transit;
    if (held === null) return bare;
    return this.#facts.of(bare, { held, head, rule: this.#rules[route.declared] });
  }
}
