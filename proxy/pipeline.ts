// The whole way of one request, from its head to what is recorded of it: a list of stages, with why each stands where it does.
// From identity to decision nothing awaits, so a row is touched inside one call and one set of views serves every request.
// Called by server side (Exchange) and upgrades (Handshake) alike; the stages themselves live in their own files.

import type { Clock } from '../domain/clock.ts';
import { type DecideInput, type Decision, decide } from '../domain/decide.ts';
import { findExemption } from '../domain/exemption.ts';
import { METHODS } from '../domain/head-view.ts';
import { hashHex, IDENTITY_KINDS, newRequestIdentity } from '../domain/identity.ts';
import type { DeclaredPath } from '../domain/openapi.ts';
import type { CompiledPolicy } from '../domain/policy.ts';
import { signalBits } from '../domain/signal.ts';
import type { Action } from '../domain/verdict.ts';
import type { FeatureEngine, ObservedRequest } from '../feature-engine/engine.ts';
import type { LearnedRoutes } from '../feature-engine/learned-routes.ts';
import { type Route, RouteTable } from '../feature-engine/routes.ts';
import { type ClientAddress, NOBODY } from './client-address.ts';
import {
  COUNTER,
  type Counters,
  principalPlace,
  refusedPlace,
  rejectedPlace,
  uninspectedPlace,
} from './counters.ts';
import type { DataPlaneConfig } from './data-plane-config.ts';
import { EventDraft } from './event-record.ts';
import type { EventWriter } from './event-writer.ts';
import { addOwnFields, type OwnFieldsContext } from './forward/own-fields.ts';
import { HeadReader } from './head.ts';
import type { HeadRefusal } from './head-rules.ts';
import { HoldGate } from './hold-gate.ts';
import { Identifier, type IdentifyInput } from './identify.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { compileSources } from './principal/compiled-source.ts';
import type { TokenDesk } from './principal/token-desk.ts';
import { type RequestIds, requestIdOf } from './request-id.ts';
import type { Scorer } from './score.ts';
import { compileTails, type Tail, type Tails } from './tails.ts';
import type { Transit } from './transit.ts';

export interface PipelineOptions {
  readonly config: DataPlaneConfig;
  readonly policy: CompiledPolicy;
  /** The paths of an OpenAPI document. */
  readonly paths: readonly DeclaredPath[];
  /** Route templates learned before, as LearnedRoutes saved them. */
  readonly learned: string | null;
  readonly scorer: Scorer;
  readonly engine: FeatureEngine;
  readonly counters: Counters;
  readonly events: EventWriter;
  readonly clock: Clock;
  readonly requestIds: RequestIds;
  readonly hash: KeyedHash;
  /** Null where no tokens are verified. */
  readonly desk: TokenDesk | null;
}

export class Pipeline {
  /** Which requests wait for the beginning of their body before they come here. */
  readonly holds: HoldGate;
  readonly #options: PipelineOptions;
  readonly #reader: HeadReader;
  readonly #who = newRequestIdentity();
  readonly #draft = new EventDraft();
  readonly #observed: ObservedRequest;
  /** One object each for all requests: the hot path makes nothing that it can refill. */
  readonly #identifier: Identifier;
  readonly #identifyInput: IdentifyInput;
  readonly #ownFields: OwnFieldsContext;
  readonly #decideInput: DecideInput = { cause: 'none', margin: 0, exempt: 'none', rampHash: 0 };
  #policy: CompiledPolicy;
  #tails: Tails;
  #paths: readonly DeclaredPath[];
  readonly #routes = new RouteTable();
  #vector: Float64Array;

  constructor(options: PipelineOptions) {
    this.#options = options;
    // Heads are parsed into the engine's memory, where they are hashed and read.
    this.#reader = new HeadReader(options.engine.headView);
    this.#vector = options.scorer.core.vector;
    this.#identifier = new Identifier(options.hash, options.desk);
    const sources = compileSources(options.policy.identitySources, options.desk !== null);
    const nobody = { client: NOBODY, trusted: false, certificate: null };
    this.#identifyInput = { reader: this.#reader, ...nobody, sources, nowMs: 0 };
    const { forwardHeaders: mode, via } = options.config;
    this.#ownFields = { mode, via, trusted: false, peerText: '', clientText: '' };
    this.#observed = { head: this.#reader.view, who: this.#who, routeHash: 0, nowMs: 0, addressText: '' };
    this.#draft.identityKey = this.#who.key;
    this.#draft.addressKey = this.#who.addressKey;
    this.#draft.principalKey = this.#who.principalKey;
    const { requestIds, hash, counters } = options;
    this.holds = new HoldGate({ reader: this.#reader, routes: this.#routes, requestIds, hash, counters });
    this.holds.setPolicy(options.policy);
    this.#policy = options.policy;
    this.#tails = compileTails(options.policy);
    this.#paths = options.paths;
    this.#declare();
    if (options.learned !== null) this.#routes.restore(options.learned);
  }

  /** One reference is swapped; requests under way keep the tail they were judged by. `policy` has its margins bound. */
  setPolicy(policy: CompiledPolicy): void {
    const before = this.#policy.routes.map((route) => route.pattern.text).join('\n');
    const after = policy.routes.map((route) => route.pattern.text).join('\n');
    this.#identifyInput.sources = compileSources(policy.identitySources, this.#options.desk !== null);
    this.#tails = compileTails(policy);
    this.holds.setPolicy(policy);
    this.#policy = policy;
    if (before !== after) this.#declare();
  }

  /** The paths of an OpenAPI document: declared routes, after the policy's. */
  setPaths(paths: readonly DeclaredPath[]): void {
    this.#paths = paths;
    this.#declare();
  }

  get learned(): LearnedRoutes {
    return this.#routes.learned;
  }

  /** The origin's answer to a request that `run` let through: it may teach its route. */
  answered(transit: Transit): void {
    if (transit.route !== null) this.#routes.answered(transit.route, transit.upstreamStatus);
  }

  #declare(): void {
    const patterns = this.#policy.routes.map((route) => route.pattern);
    this.#routes.declare({ patterns, paths: this.#paths });
  }

  /** Judges a complete head. True if the request is to be forwarded; else it has been answered. */
  run(transit: Transit): boolean {
    const { clock, counters, scorer, engine } = this.#options;
    transit.acceptedMs ||= performance.now();
    transit.atMs = clock.nowMs();
    counters.add(COUNTER.requests);
    // Head: first, since nothing may be said of a message that has two readings. In both modes alike.
    const refused = transit.poison ?? this.#readHead(transit);
    if (refused !== null) return this.#reject(transit, refused);
    // Identity: before the features, whose rows are found by it; after the head, whose bytes it hashes.
    const client = this.#identify(transit);
    // Route: from the raw path, since a policy speaks of declared templates and features count learned ones.
    const route = this.#routes.resolve(this.#reader.view);
    transit.route = route;
    // Features: count the request and write the vector in the core's memory, whether or not a bundle can read it.
    this.#observed.routeHash = route.hash;
    this.#observed.nowMs = transit.atMs;
    this.#observed.addressText = client.text;
    engine.observe(this.holds.observed(this.#observed, transit, route), this.#vector);
    transit.identityHandle = engine.lastIdentity;
    transit.addressHandle = engine.lastAddress;
    transit.featureTrace = engine.lastTrace;
    // Score: one synchronous call; load never sheds it.
    const margin = scorer.score();
    // Decide: the rule that the route leads to, then the pure function of rule and score.
    const tail = this.#tailOf(route);
    transit.tail = tail;
    const decision = this.#decide(transit, tail, margin, client);
    // Enforce: a member that monitor tails do not have.
    const action = tail.mode === 'block' ? tail.enforcement.actionOf(decision) : 'forward';
    this.#record(transit, route, decision, { action, margin });
    if (scorer.recover()) this.#renewVector();
    if (tail.mode === 'block' && action !== 'forward' && !transit.ended) {
      const code = tail.enforcement.codeOf(decision);
      counters.add(refusedPlace(code));
      tail.enforcement.enforce(transit, action, code);
      return false;
    }
    return true;
  }

  #readHead(transit: Transit): HeadRefusal | null {
    const { head, connection } = transit;
    const { config, requestIds } = this.#options;
    const refused = this.#reader.read(transit.req, head, transit.isUpgrade);
    transit.requestId ||= requestIdOf(connection.trusted, head.requestId, requestIds);
    if (refused !== null) return refused;
    return head.contentLength > config.bodyMaxBytes ? { code: 'limit.body' } : null;
  }

  #reject(transit: Transit, refused: HeadRefusal): false {
    const { counters, requestIds } = this.#options;
    if (transit.requestId === '') transit.requestId = requestIds.next();
    counters.add(rejectedPlace(refused.code));
    transit.refuse(refused.code, { status: refused.status, close: true });
    return false;
  }

  /** Fills `who`, and completes the forwarded head with what Picket says of the client. */
  #identify(transit: Transit): ClientAddress {
    const { connection, head } = transit;
    const client = connection.clientOf(head);
    const input = this.#identifyInput;
    input.client = client;
    input.trusted = connection.trusted;
    input.certificate = connection.certificate;
    input.nowMs = transit.atMs;
    this.#identifier.identify(input, this.#who);
    this.#options.counters.add(principalPlace(this.#who.principalSource));
    const own = this.#ownFields;
    own.trusted = connection.trusted;
    own.peerText = connection.peer.text;
    own.clientText = client.text;
    addOwnFields(head, transit.requestId, own);
    return client;
  }

  #tailOf(route: Route): Tail {
    if (this.#options.engine.target.rewritten) return this.#tails.strictest;
    return this.#tails.routes[route.declared] ?? this.#tails.workload;
  }

  #decide(transit: Transit, tail: Tail, margin: number, client: ClientAddress): Decision {
    const { counters, scorer } = this.#options;
    const input = this.#decideInput;
    input.cause = scorer.cause;
    input.margin = margin;
    input.rampHash = (this.#who.key[1] as number) % 10_000;
    // Exemptions are looked up for what would be flagged only, and never for a target that reads two ways.
    const flagged = margin >= tail.rule.flagMargin;
    const exempt = flagged && !this.#options.engine.target.rewritten && this.#policy.exemptions.length > 0;
    input.exempt = exempt ? this.#exemptionOf(transit, client) : 'none';
    const decision = decide(input, tail.rule);
    counters.add(input.cause === 'none' ? COUNTER.scored : uninspectedPlace(input.cause));
    counters.add(tail.verdictPlaces[decision.verdict]);
    return decision;
  }

  #exemptionOf(transit: Transit, client: ClientAddress): DecideInput['exempt'] {
    const who = this.#who;
    const { view } = this.#reader;
    const found = findExemption(this.#policy.exemptions, {
      identity: `${IDENTITY_KINDS[who.kind]}:${hashHex(who.key)}`,
      address: client.bytes,
      method: METHODS[view.method] === 'OTHER' ? transit.head.method : (METHODS[view.method] as string),
      path: view.text(view.targetStart, view.pathEnd),
      nowMs: transit.atMs,
    });
    if (found === null) return 'none';
    this.#options.counters.add(COUNTER.exempted);
    return found.kind;
  }

  /** The event, opened now; completed when the outcome is known. */
  #record(
    transit: Transit,
    route: Route,
    decision: Decision,
    judged: { action: Action; margin: number },
  ): void {
    const { events, scorer } = this.#options;
    if (!events.enabled) return;
    const draft = this.#draft;
    const { view } = this.#reader;
    const { rule } = transit.tail as Tail;
    const flagged = decision.verdict !== 'allow';
    draft.requestId = transit.requestId;
    draft.atMs = transit.atMs;
    draft.identityKind = this.#who.kind;
    draft.principalSource = this.#who.principalSource;
    draft.identityKeyId = this.#options.hash.keyId;
    draft.method = view.method;
    draft.route = route.text;
    draft.pathBytes = view.bytes;
    draft.pathStart = view.targetStart;
    draft.pathEnd = view.pathEnd;
    draft.margin = judged.margin;
    draft.unscored = scorer.cause;
    // Only for what is flagged: an allowed request pays nothing for explanations.
    draft.attackClass = flagged && scorer.cause === 'none' ? scorer.attackClass() : '';
    draft.signals = flagged ? signalBits(this.#vector) : 0;
    draft.verdict = decision.verdict;
    draft.reason = decision.reason;
    draft.action = judged.action;
    draft.mode = rule.mode;
    draft.modeSource = rule.modeSource;
    draft.policyVersion = this.#policy.version;
    draft.bundleId = scorer.bundleId;
    draft.vector = this.#vector;
    transit.eventHandle = events.open(draft);
  }

  /** A new instance has new memory; the old view served the request that trapped to its end. */
  #renewVector(): void {
    this.#options.counters.add(COUNTER.coreResets);
    this.#vector = this.#options.scorer.core.vector;
  }
}
