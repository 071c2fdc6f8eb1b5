// The profiles of identities, given from the second request on: session graph, order, objects, travel, encounters; and what the
// whole workload shares of them. A pool smaller than the table of rows: a flood of one-request identities costs it nothing; in a
// full set those that the origin never answered well make room first, known ones only when idle; who finds no room has none.
// Called by the engine once per request and answer.

import type { RequestIdentity } from '../domain/identity.ts';
import type { AddressFacts } from './address-facts.ts';
import { KIND_UNKNOWN } from './address-kind.ts';
import type { Block } from './block.ts';
import { countEncounters } from './encounters.ts';
import { GRAPH_FEATURES, graphFingerprint, SessionGraphs, writeGraph } from './graph.ts';
import { GraphRarity } from './graph-rarity.ts';
import { putMissing } from './missing.ts';
import { ObjectId } from './object-id.ts';
import { Objects, objectAnswered } from './objects.ts';
import * as P from './profile-layout.ts';
import * as X from './profile-places.ts';
import { RowTable, type TableStats } from './row-table.ts';
import { Sequence } from './sequence.ts';
import { ESTIMATE, mix32 } from './sketch.ts';
import type { Asked } from './traces.ts';
import { observeTravel, writeAddress } from './travel.ts';
import type { Moment } from './windows.ts';

/** The facts of a request that came without an address. */
export const NO_FACTS: AddressFacts = {
  latitude: Number.NaN,
  longitude: Number.NaN,
  country: 0,
  asn: 0,
  subnet: 0,
  kind: KIND_UNKNOWN,
};

/**
 * One request as the profiles see it; one object per engine, refilled. Hashes are 32 bits and never 0 where something is
 * there.
 */
export interface ProfileCall {
  readonly objectId: ObjectId;
  readonly moment: Moment;
  facts: AddressFacts;
  method: number;
  /** Route and method. */
  route: number;
  path: number;
  /** 0 without a User-Agent. */
  agent: number;
  agentFamily: number;
  pair: number;
  stateAgeMs: number;
  /** Route (0: none) and time of the identity's request before this one. */
  lastRoute: number;
  lastMs: number;
}

export function newProfileCall(moment: Moment): ProfileCall {
  return {
    objectId: new ObjectId(),
    moment,
    facts: NO_FACTS,
    ...{ method: 0, route: 0, path: 0, agent: 0, agentFamily: 0, pair: 0 },
    ...{ stateAgeMs: 0, lastRoute: 0, lastMs: 0 },
  };
}

/** A profile is safe until as many requests as sixteen times the pool have come since its identity's last one. */
const PATIENCE_TURNOVERS = 16;

export class Profiles {
  readonly #table: RowTable;
  readonly #graphs = new SessionGraphs();
  readonly #rarity = new GraphRarity();
  readonly #objects = new Objects();
  readonly #sequence = new Sequence();
  readonly #graph: Block;
  readonly #order: Block;
  readonly #things: Block;
  readonly #travel: Block;
  readonly #encounters: Block;
  // Refilled for each request, so that no call allocates.
  readonly #objectCall = { id: new ObjectId(), route: 0, path: 0, who: 0, moment: null as unknown as Moment };
  readonly #orderCall = { route: 0, agentFamily: 0, asn: 0, nowMs: 0 };

  readonly #moment: Moment;

  /** @param moment the engine's, which moves with the requests. */
  constructor(capacity: number, moment: Moment, shared: boolean) {
    this.#moment = moment;
    this.#table = new RowTable(capacity, {
      ...{ rowWords: P.PROFILE_WORDS, shared },
      patience: PATIENCE_TURNOVERS * capacity,
    });
    this.#graph = this.#blockOf();
    this.#order = this.#blockOf();
    this.#things = this.#blockOf();
    this.#travel = this.#blockOf();
    this.#encounters = this.#blockOf();
  }

  get stats(): TableStats {
    return this.#table.stats();
  }

  /** Bytes of the pool. */
  get bytes(): number {
    return this.#table.bytes;
  }

  /** Bytes of what the workload shares. */
  get workloadBytes(): number {
    return this.#graphs.bytes + this.#rarity.bytes + this.#objects.bytes + this.#sequence.bytes;
  }

  /** Writes the features of a request whose identity has no profile: those that the request and the workload give. */
  observeFirst(call: ProfileCall, out: Float64Array): void {
    putMissing(out, X.SESSION_PLACE, X.SESSION_PLACE + X.SESSION_COUNT);
    putMissing(out, X.OBJECT_PLACE, X.OBJECT_PLACE + X.OBJECT_COUNT);
    putMissing(out, X.GEO_PLACE, X.GEO_PLACE + X.GEO_COUNT);
    putMissing(out, X.ENCOUNTER_PLACE, X.ENCOUNTER_PLACE + X.ENCOUNTER_COUNT);
    writeAddress(call.facts, out, X.GEO_PLACE);
    this.#sequence.observe(null, this.#fillOrder(call), out, X.SEQUENCE_PLACE);
  }

  /** Counts a further request of the identity into its profile, which is made where there is none, and writes its features. */
  observe(who: RequestIdentity, call: ProfileCall, out: Float64Array): void {
    const slot = this.#table.find(who.key);
    if (slot < 0) {
      this.observeFirst(call, out);
      return;
    }
    this.#moveTo(slot * P.PROFILE_WORDS);
    if (this.#table.madeNew) {
      this.#graphs.begin(this.#graph, call.lastRoute, call.lastMs);
      this.#sequence.begin(this.#order, call.lastRoute, call.lastMs);
    }
    const { moment } = call;
    this.#graphs.call(this.#graph, call.route, moment);
    writeGraph(out, X.SESSION_PLACE, this.#graph);
    const mark = who.key[2]! | 0;
    this.#rarity.share(graphFingerprint(this.#graph), mark, moment);
    out[X.SESSION_PLACE + GRAPH_FEATURES] = Math.fround(ESTIMATE[0]!);
    this.#sequence.observe(this.#order, this.#fillOrder(call), out, X.SEQUENCE_PLACE);
    const things = this.#objectCall;
    things.id = call.objectId;
    things.route = call.route;
    things.path = call.path;
    things.who = (mix32(mark) || 1) | 0;
    things.moment = moment;
    this.#objects.observe(this.#things, things, out, X.OBJECT_PLACE);
    observeTravel(this.#travel, call, out, X.GEO_PLACE);
    countEncounters(this.#encounters, call, out, X.ENCOUNTER_PLACE);
  }

  /**
   * Brings the origin's answer back.
   * @param key the identity's, or null if its row is gone. @param asked its route, and whether it asked for an object id.
   */
  answered(key: Uint32Array | null, asked: Asked, status: number): void {
    const slot = key === null ? -1 : this.#table.peek(key);
    const { route, withId } = asked;
    if (slot >= 0) {
      this.#moveTo(slot * P.PROFILE_WORDS);
      if (status >= 200 && status < 400) this.#table.addGoodAnswer(slot);
      if (withId) objectAnswered(this.#things, route, status, this.#moment);
    }
    this.#sequence.answered(slot < 0 ? null : this.#order, route, status);
  }

  #fillOrder(call: ProfileCall) {
    const order = this.#orderCall;
    order.route = call.route;
    order.agentFamily = call.agentFamily;
    order.asn = call.facts.asn;
    order.nowMs = call.moment.nowMs;
    return order;
  }

  #moveTo(at: number): void {
    this.#graph.at = at + P.GRAPH_AT;
    this.#order.at = at + P.SEQUENCE_AT;
    this.#things.at = at + P.OBJECTS_AT;
    this.#travel.at = at + P.TRAVEL_AT;
    this.#encounters.at = at + P.ENCOUNTERS_AT;
  }

  #blockOf(): Block {
    const { words, floats, doubles } = this.#table;
    return { words, floats, doubles, at: 0 };
  }
}
