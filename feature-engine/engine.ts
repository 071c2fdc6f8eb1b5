// The feature engine: two tables of rows (identities, client addresses) and the vector made of them, request by request.
// All memory is taken at start; a request allocates nothing and touches one row of each table. It judges nothing.
// Used by the proxy (one per data thread) and, with the same code, by offline runs, training data and replay.

import type { HeadView } from '../domain/head-view.ts';
import { IDENTITY_KINDS } from '../domain/identity.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Outcome } from '../domain/outcome.ts';
import { AddressBook } from './address-facts.ts';
import { AgentFamilies } from './agent-family.ts';
import type { EngineStats, FeatureEngineOptions, MemoryItem, ObservedRequest } from './engine-types.ts';
import * as X from './extract.ts';
import { NO_FACTS, newProfileCall, type ProfileCall, Profiles } from './profiles.ts';
import * as L from './row-layout-before.ts';
import { RowTable } from './row-table.ts';
import {
  addGap,
  addOutcome,
  addRequest,
  METHOD_PAIR,
  type RequestMarks,
  type RowPlace,
  rollRow,
  seenBefore,
} from './row-update.ts';
import { hashBytes, mix32 } from './sketch.ts';
import { TargetScan } from './target-scan.ts';
import { newAsked, Traces } from './traces.ts';
import { Moment } from './windows.ts';
import { Workload } from './workload.ts';

export type * from './engine-types.ts';

/** Profiles for each identity: many are seen only once. */
const PROFILE_SHARE = 0.4;
const ADDRESS_KIND = IDENTITY_KINDS.indexOf('address');
/** First-seen flags are missing until an identity has this many requests. */
const FIRST_SEEN_REQUESTS = 5;

export class FeatureEngine {
  /** Handles of the last observed request, for its outcome. Exact integers below 2^48. */
  lastIdentity = 0;
  lastAddress = 0;
  /** Trace of the last observed request, for its outcome. */
  lastTrace = 0;
  /** Place and network of addresses; whoever has databases gives them here (geo-files.ts). */
  readonly addressBook: AddressBook;
  /** The last request's target, as scanned. */
  readonly target = new TargetScan();
  readonly #identities: RowTable;
  readonly #addresses: RowTable;
  readonly #profiles: Profiles;
  readonly #traces = new Traces();
  readonly #answered = newAsked();
  readonly #workload: Workload;
  readonly #asker = { identity: 0, address: 0, login: 0 };
  readonly #families = new AgentFamilies();
  readonly #identity: RowPlace;
  readonly #address: RowPlace;
  readonly #moment = new Moment();
  readonly #call: ProfileCall = newProfileCall(this.#moment);
  readonly #identityKey = new Uint32Array(4);
  readonly #marks: RequestMarks = { methodPair: 0, path: 0, route: 0, agent: 0, other: 0 };
  readonly #history = { nowMs: 0, gapMs: 0 };
  readonly #startedMs: number;
  readonly #seed: number;
  #observed = 0;
  #outcomes = 0;
  #stale = 0;
  #late = 0;

  /** Profiles for so many identities, unless an option says otherwise. */
  static profilesFor(identities: number): number {
    return Math.ceil(identities * PROFILE_SHARE);
  }

  constructor(options: FeatureEngineOptions) {
    const identities = options.identities ?? LIMITS.identitiesDefault;
    const shared = options.shared ?? true;
    this.#identities = new RowTable(identities, { shared });
    this.#addresses = new RowTable(options.addresses ?? identities, { shared });
    this.#identity = placeIn(this.#identities);
    this.#address = placeIn(this.#addresses);
    this.#profiles = new Profiles(
      options.profiles ?? FeatureEngine.profilesFor(identities),
      this.#moment,
      shared,
    );
    this.addressBook = new AddressBook(options.addressFacts);
    this.#startedMs = options.startedMs;
    this.#seed = (options.sketchSeed ?? 0) >>> 0;
    this.#moment.set(options.startedMs);
    this.#workload = new Workload(this.#moment, options.onBucket);
  }

  /**
   * Counts the request into its two rows and writes the feature vector into out[0, FEATURE_COUNT), each value
   * rounded to f32, NaN where missing. Sets `lastIdentity` and `lastAddress`. Synchronous, allocates nothing.
   */
  observe(request: ObservedRequest, out: Float64Array): void {
    const { head, who } = request;
    const moment = this.#moment;
    if (request.nowMs > moment.nowMs) moment.set(request.nowMs);
    const marks = this.#marks;
    marks.methodPair = METHOD_PAIR[head.method] ?? 0;
    this.target.read(head, this.#seed);
    marks.path = this.target.pathHash;
    marks.route = mix32(request.routeHash ^ this.#seed) || 1;
    marks.agent = agentHash(head, this.#seed);
    X.writeRequest(out, head, this.target, who.kind !== ADDRESS_KIND);

    const identity = this.#identity;
    const identitySlot = this.#identities.find(who.key);
    identity.at = identitySlot * L.ROW_WORDS;
    marks.other = who.addressKey[2]!;
    const call = this.#call;
    call.lastRoute = identity.words[identity.at + L.LAST_ROUTE]!;
    call.lastMs = identity.doubles[(identity.at >> 1) + L.F_LAST]!;
    identity.words[identity.at + L.LAST_ROUTE] = marks.route;
    const first = this.#identities.madeNew;
    this.#count(identity, this.#identities.madeNew, X.IDENTITY_PLACE, out);
    this.#writeFirstSeen(out);
    const address = this.#address;
    const addressSlot = this.#addresses.find(who.addressKey);
    address.at = addressSlot * L.ROW_WORDS;
    marks.other = who.key[2]!;
    this.#count(address, this.#addresses.madeNew, X.ADDRESS_PLACE, out);

    X.writeLink(out, identity, address, moment);
    out[X.STATE_PLACE] = Math.fround(Math.max(moment.nowMs - this.#startedMs, 0) / 1000);
    this.#fillCall(request);
    if (first) this.#profiles.observeFirst(call, out);
    else this.#profiles.observe(who, call, out);
    this.#workload.observe(head, this.#asker, call, out);
    this.lastTrace = this.#traces.add(this.#workload.asked);
    this.lastIdentity = this.#identities.handleOf(identitySlot);
    this.lastAddress = this.#addresses.handleOf(addressSlot);
    this.#observed++;
  }

  /**
   * Brings the origin's answer back into both rows, into the slice of its own time. Not for our refusals.
   * @param identity handle that `lastIdentity` had after the request was observed.
   * @param address the same of `lastAddress`.
   * @param trace the same of `lastTrace`; 0: what needs the route is not counted.
   */
  outcome(identity: number, address: number, outcome: Outcome, trace = 0): void {
    this.#outcomes++;
    if (outcome.atMs > this.#moment.nowMs) this.#moment.set(outcome.atMs);
    this.#bringBack(this.#identities, this.#identity, identity, outcome);
    this.#bringBack(this.#addresses, this.#address, address, outcome);
    const known = this.#traces.find(trace, this.#answered);
    if (known) this.#answerProfile(identity, outcome.status);
    this.#workload.answered(known ? this.#answered : null, outcome);
  }

  get stats(): EngineStats {
    return {
      identities: this.#identities.stats(),
      addresses: this.#addresses.stats(),
      profiles: this.#profiles.stats,
      observed: this.#observed,
      outcomes: this.#outcomes,
      staleOutcomes: this.#stale,
      lateOutcomes: this.#late,
    };
  }

  memoryPlan(): MemoryItem[] {
    return [
      { name: 'identity rows', bytes: this.#identities.bytes },
      { name: 'address rows', bytes: this.#addresses.bytes },
      { name: 'profiles', bytes: this.#profiles.bytes },
      {
        name: 'workload features',
        bytes: this.#workloadBytes(),
      },
      { name: 'address facts', bytes: this.addressBook.bytes },
    ];
  }

  #count(row: RowPlace, isNew: boolean, place: number, out: Float64Array): void {
    const { doubles } = row;
    const half = row.at >> 1;
    const { nowMs } = this.#moment;
    const history = this.#history;
    history.nowMs = nowMs;
    if (isNew) {
      doubles[half + L.F_CREATED] = nowMs;
      history.gapMs = Number.NaN;
    } else {
      history.gapMs = nowMs - doubles[half + L.F_LAST]!;
      addGap(row, history.gapMs, row.words[row.at + L.TOTAL]!);
    }
    doubles[half + L.F_LAST] = nowMs;
    rollRow(row, this.#moment);
    addRequest(row, this.#marks);
    X.writeRow(out, place, row, this.#moment);
    X.writeRowHistory(out, place, row, history);
  }

  /** What the profiles need of the request, from what the rows were given. */
  #fillCall(request: ObservedRequest): void {
    const { head, who } = request;
    const call = this.#call;
    const marks = this.#marks;
    const field = head.userAgentField;
    call.objectId.read(head, this.#seed);
    call.method = head.method;
    // Signed: a number above 2^31 in a field or an argument would be a heap number.
    call.route = marks.route | 0;
    call.path = marks.path === 0 ? 1 : marks.path | 0;
    call.agent = marks.agent | 0;
    const { bytes } = head;
    call.agentFamily = this.#families.of(marks.agent, bytes, head.valueStart(field), head.valueEnd(field));
    call.pair = (mix32(who.addressKey[2]! ^ marks.agent) || 1) | 0;
    call.stateAgeMs = this.#moment.nowMs - this.#startedMs;
    const asker = this.#asker;
    asker.identity = who.key[2]! | 0;
    asker.address = (who.addressKey[2]! || 1) | 0;
    asker.login = (request.login ?? 0) | 0;
    const text = request.addressText;
    call.facts = text === undefined ? NO_FACTS : this.addressBook.look(who.addressKey, text);
  }

  #workloadBytes(): number {
    return this.#profiles.workloadBytes + this.#workload.bytes + this.#traces.bytes + this.#families.bytes;
  }

  #answerProfile(identity: number, status: number): void {
    const slot = this.#identities.slotOf(identity);
    const key = this.#identityKey;
    if (slot >= 0)
      for (let i = 0; i < 4; i++) key[i] = this.#identities.words[slot * L.ROW_WORDS + L.KEY + i]!;
    this.#profiles.answered(slot < 0 ? null : key, this.#answered, status);
  }

  /** Address, user agent and route: seen with this identity before? Marks them for the next time. */
  #writeFirstSeen(out: Float64Array): void {
    const { words, at } = this.#identity;
    const marks = this.#marks;
    const young = words[at + L.TOTAL]! < FIRST_SEEN_REQUESTS;
    const address = seenBefore(words, at + L.SEEN_OTHERS_1H, L.SEEN_OTHERS_WORDS, marks.other);
    const agent =
      marks.agent === 0 || seenBefore(words, at + L.SEEN_AGENTS_1H, L.SEEN_AGENTS_WORDS, marks.agent);
    const route = seenBefore(words, at + L.SEEN_ROUTES_1H, L.SEEN_ROUTES_WORDS, marks.route);
    out[X.ADDRESS_NEW_PLACE] = young ? Number.NaN : address ? 0 : 1;
    out[X.USER_AGENT_NEW_PLACE] = young ? Number.NaN : agent ? 0 : 1;
    out[X.ROUTE_NEW_PLACE] = young ? Number.NaN : route ? 0 : 1;
  }

  #bringBack(table: RowTable, row: RowPlace, handle: number, outcome: Outcome): void {
    const slot = table.slotOf(handle);
    if (slot < 0) {
      this.#stale++;
      return;
    }
    row.at = slot * L.ROW_WORDS;
    if (outcome.status >= 200 && outcome.status < 400) table.addGoodAnswer(slot);
    rollRow(row, this.#moment);
    if (!addOutcome(row, outcome)) this.#late++;
  }
}

function placeIn(table: RowTable): RowPlace {
  return { words: table.words, doubles: table.doubles, at: 0 };
}

/** Hash of the User-Agent's bytes, never 0; 0 if there is none. */
function agentHash(head: HeadView, seed: number): number {
  const field = head.userAgentField;
  if (field < 0) return 0;
  const hash = hashBytes(head.bytes, head.valueStart(field), head.valueEnd(field), seed);
  return hash === 0 ? 1 : hash;
}
