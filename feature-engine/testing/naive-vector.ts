// The whole vector from the full list of requests: rows by NaiveEngine, every other group by its own oracle, put together by
// name. Profiles count from a principal's second request on, as the engine gives them. Without the workload's buckets and the
// profiles of routes, whose tests have lists of their own. The oracle of engine-whole.test.ts; nothing else calls it.

import { CROSSING_FEATURES } from '../../domain/features-crossing.ts';
import { ENCOUNTER_FEATURES } from '../../domain/features-encounters.ts';
import { GEO_FEATURES } from '../../domain/features-geo.ts';
import { BODY_FEATURES, LEXICAL_FEATURES } from '../../domain/features-lexical.ts';
import { OBJECT_FEATURES } from '../../domain/features-objects.ts';
import { SEQUENCE_FEATURES } from '../../domain/features-sequence.ts';
import { SESSION_FEATURES } from '../../domain/features-session.ts';
import type { HeadView } from '../../domain/head-view.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { AddressFacts } from '../address-facts.ts';
import { mix32 } from '../sketch.ts';
import { type Answered, type Asked as Crossing, crossingOf } from './naive-crossing.ts';
import { type Seen as Encounter, encountersOf } from './naive-encounters.ts';
import { NaiveEngine, type NaiveRequest } from './naive-engine.ts';
import { NaiveGraphs, vectorOf } from './naive-graphs.ts';
import { type Asked as ObjectAsked, objectsOf } from './naive-objects.ts';
import { type Call, NaiveSequence } from './naive-sequence.ts';
import { type Seen as Place, travelOf } from './naive-travel.ts';
import { plainFamily, plainLexical } from './plain-head.ts';

const DAY_MS = 86_400_000;
const NOBODY = -1;

export interface WholeRequest extends NaiveRequest {
  readonly head: HeadView;
  readonly target: string;
  /** The object id of the path, '' without one. */
  readonly objectId: string;
  readonly agent: string;
  readonly methodCode: number;
  readonly facts: AddressFacts;
  readonly login: number;
  readonly principalMark: number;
}

/** What the answer needs of a request. */
interface Open {
  readonly request: WholeRequest;
  readonly crossing: Crossing;
  readonly call: Call;
  /** Null for a request without a profile. */
  readonly object: ObjectAsked | null;
}

export class NaiveVector {
  readonly #rows: NaiveEngine;
  readonly #graphs = new NaiveGraphs(true);
  readonly #sequence = new NaiveSequence();
  readonly #objects: ObjectAsked[] = [];
  readonly #answers: Answered[] = [];
  readonly #encounters = new Map<string, Encounter[]>();
  readonly #places = new Map<string, Place[]>();
  readonly #edgeSets: { key: string; atMs: number; mark: number }[] = [];
  readonly #principals: string[] = [];
  readonly #startedMs: number;
  #nowMs: number;
  #open: Open | null = null;

  constructor(startedMs: number) {
    this.#rows = new NaiveEngine(startedMs);
    this.#startedMs = startedMs;
    this.#nowMs = startedMs;
  }

  /** The values by name, but for groups `bucket` and `route_profile`, not yet rounded to f32. */
  observe(request: WholeRequest): Map<string, number> {
    this.#nowMs = Math.max(this.#nowMs, request.atMs);
    const out = this.#rows.observe(request);
    const route = mix32(request.routeHash) || 1;
    const crossing = crossingAsked(request, route);
    put(out, CROSSING_FEATURES, crossingOf(this.#answers, crossing, this.#nowMs));
    put(out, LEXICAL_FEATURES, plainLexical(request.head));
    put(out, BODY_FEATURES, missing(BODY_FEATURES.length));
    const first = !this.#principals.includes(request.principal);
    if (first) this.#principals.push(request.principal);
    const call = {
      who: this.#principals.indexOf(request.principal),
      ...{ route, agentFamily: request.agent === '' ? 0 : plainFamily(request.agent) },
      ...{ asn: request.asn, nowMs: this.#nowMs },
    };
    const session = this.#graphs.call(call.who, route, this.#nowMs);
    const object = first ? this.#begin(call, request, out) : this.#goOn(call, request, out);
    if (!first) put(out, SESSION_FEATURES, [...vectorOf(session), this.#sharing(session, request)]);
    this.#open = { request, crossing, call, object };
    return out;
  }

  /** The answer to the last request. */
  outcome(outcome: Outcome): void {
    if (this.#open === null) return;
    const { request, crossing, call, object } = this.#open;
    this.#nowMs = Math.max(this.#nowMs, outcome.atMs);
    this.#rows.outcome(request, outcome);
    const { status } = outcome;
    if (status < 100) return;
    this.#answers.push({ ...crossing, atMs: this.#nowMs, status });
    this.#sequence.answered(object === null ? { ...call, who: NOBODY } : call, status);
    if (object !== null && object.id !== '') object.status = { code: status, atMs: this.#nowMs };
  }

  /** A principal's first request: what has no profile is missing. */
  #begin(call: Call, request: WholeRequest, out: Map<string, number>): null {
    put(out, SESSION_FEATURES, missing(SESSION_FEATURES.length));
    put(out, OBJECT_FEATURES, missing(OBJECT_FEATURES.length));
    put(out, ENCOUNTER_FEATURES, missing(ENCOUNTER_FEATURES.length));
    const { latitude, longitude, kind } = request.facts;
    put(out, GEO_FEATURES, [latitude, longitude, kind === 1 ? 1 : 0, kind === 2 ? 1 : 0, ...missing(6)]);
    put(out, SEQUENCE_FEATURES, this.#sequence.first(call));
    return null;
  }

  #goOn(call: Call, request: WholeRequest, out: Map<string, number>): ObjectAsked {
    const { principal, objectId: id, target } = request;
    put(out, SEQUENCE_FEATURES, this.#sequence.observe(call));
    const object = { atMs: this.#nowMs, who: call.who + 1, route: call.route, target, id };
    put(out, OBJECT_FEATURES, objectsOf(this.#objects, object));
    const encounters = listOf(this.#encounters, principal);
    const encounter = {
      ...{ atMs: this.#nowMs, method: request.methodCode, agent: request.agentMark },
      ...{ route: call.route, path: request.pathMark || 1 },
    };
    encounters.push(encounter);
    put(out, ENCOUNTER_FEATURES, encountersOf(encounters, encounter));
    const pair = mix32(request.addressMark ^ request.agentMark) || 1;
    const place = { ...request.facts, atMs: this.#nowMs, pair };
    put(out, GEO_FEATURES, travelOf(listOf(this.#places, principal), place));
    if (this.#nowMs - this.#startedMs < DAY_MS)
      for (const name of ['country_new', 'asn_new']) out.set(name, Number.NaN);
    return object;
  }

  /** Principals whose session had just these edges in two daily slices, as a 32-bit sketch estimates them. */
  #sharing({ edges }: { readonly edges: readonly object[] }, { principalMark: mark }: WholeRequest): number {
    const pairs = edges as readonly { readonly from: number; readonly to: number }[];
    const key = pairs
      .map(({ from, to }) => `${from}>${to}`)
      .sort()
      .join(' ');
    this.#edgeSets.push({ key, atMs: this.#nowMs, mark });
    const start = this.#nowMs - (this.#nowMs % DAY_MS);
    const same = this.#edgeSets.filter((set) => set.key === key && set.atMs >= start - DAY_MS);
    const estimate = (sets: typeof same) => {
      const bits = new Set(sets.map((set) => set.mark & 31)).size;
      return 32 * Math.log(32 / Math.max(32 - bits, 0.5));
    };
    const now = estimate(same.filter((set) => set.atMs >= start));
    return now + (1 - (this.#nowMs - start) / DAY_MS) * (estimate(same) - now);
  }
}

function crossingAsked(request: WholeRequest, route: number): Crossing {
  const { agentMark: agent, facts, login } = request;
  return {
    ...{ address: request.addressMark || 1, subnet: facts.subnet, asn: facts.asn },
    agentRoute: agent === 0 ? 0 : mix32(agent ^ Math.imul(route, 0x9e3779b1)) || 1,
    ...{ credential: request.identityMark, login, route },
  };
}

function missing(count: number): number[] {
  return new Array<number>(count).fill(Number.NaN);
}

function put(
  out: Map<string, number>,
  features: readonly { readonly name: string }[],
  values: readonly number[],
): void {
  for (const [place, { name }] of features.entries()) out.set(name, values[place] as number);
}

function listOf<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}
