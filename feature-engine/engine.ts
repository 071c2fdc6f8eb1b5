// The feature engine: rows of identities and client addresses, profiles of principals, what the workload shares, and the vector
// made of them, request by request. All memory is taken at start and a request allocates nothing: the host fills one struct, the
// kernels (kernel/assembly/observe.ts, answer.ts) do the rest. It judges nothing.
// Used by the proxy (one per data thread) and, with the same code, by offline runs, training data and replay.

import { FEATURE_COUNT } from '../domain/features.ts';
import type { HeadView } from '../domain/head-view.ts';
import { IDENTITY_KINDS, type RequestIdentity } from '../domain/identity.ts';
import type { Outcome } from '../domain/outcome.ts';
import { BUCKET_MS } from '../domain/workload-bucket.ts';
import { AddressBook, type AddressFacts, NO_FACTS } from './address-facts.ts';
import { Buckets } from './buckets.ts';
import { memoryItems, PATIENCE_TURNOVERS, profilesFor, sizesOf, vectorBytes } from './engine-regions.ts';
import { EngineTable, type RankedRow } from './engine-tables.ts';
import type { EngineStats, FeatureEngineOptions, MemoryItem, ObservedRequest } from './engine-types.ts';
import { stateViewOf, takeOverlays } from './engine-view.ts';
import { configureBucket } from './kernel/bucket-kernels.ts';
import { configureCrossing } from './kernel/crossing-kernels.ts';
import type { HeadHasher } from './kernel/head-hasher.ts';
import { HeadMemory } from './kernel/head-memory.ts';
import { EngineMemory, type Kernels } from './kernel/memory.ts';
import { configureObjects, objectSizes } from './kernel/object-kernels.ts';
import { configureRouteProfiles } from './kernel/route-kernels.ts';
import { CALL, TRACES_BYTES } from './kernel/row-kernels.ts';
import { configureSession } from './kernel/session-kernels.ts';
import { PROFILE_BYTES } from './profile-layout.ts';
import * as X from './profile-places.ts';
import { ADDRESS_ROW_BYTES, IDENTITY_ROW_BYTES, PROFILE, SLICE } from './row-layout.ts';
import type { StateView } from './state-view.ts';
import { W5M, WINDOW_COUNT } from './windows.ts';

export type { RankedRow } from './engine-tables.ts';
export type * from './engine-types.ts';

const ADDRESS_KIND = IDENTITY_KINDS.indexOf('address');

export class FeatureEngine {
  /** Handles of the last observed request, for its outcome. Exact integers below 2^48. */
  lastIdentity = 0;
  lastAddress = 0;
  /** Trace of the last observed request, for its outcome. */
  lastTrace = 0;
  /** Place and network of addresses; whoever has databases gives them here (geo-files.ts). */
  readonly addressBook: AddressBook;
  /** The last request's vector, in the engine's own memory: `observe` without `out` copies nothing. */
  readonly vector: Float64Array;
  /** A head in the engine's own memory: requests that come in it are not copied. */
  readonly headView: HeadView;
  /** Hashes bytes of `headView` under the key in force, and under the one before a rotation. */
  readonly hasher: HeadHasher;
  readonly formerHasher: HeadHasher;
  /** What the last request's target was found to be. */
  readonly target: { readonly rewritten: boolean };
  /** The workload's 10 s buckets: other replicas' are joined here. */
  readonly buckets: Buckets;
  readonly identities: EngineTable;
  readonly addresses: EngineTable;
  readonly profiles: EngineTable;
  /** All that is remembered, for other threads. */
  readonly stateView: StateView;
  readonly #options: FeatureEngineOptions;
  readonly #kernels: Kernels;
  readonly #words: Uint32Array;
  readonly #floats: Float32Array;
  readonly #doubles: Float64Array;
  /** First byte of the struct of the request at hand, and of the vector. */
  readonly #call: number;
  readonly #vectorAt: number;
  readonly #head: HeadMemory;
  /** When the workload's bucket of now is over. */
  #bucketEndMs = 0;
  #observed = 0;
  #outcomes = 0;

  /** Profiles for so many identities, unless an option says otherwise. */
  static profilesFor(identities: number): number {
    return profilesFor(identities);
  }

  constructor(options: FeatureEngineOptions) {
    this.#options = options;
    const sizes = sizesOf(options);
    const items = memoryItems(options, FEATURE_COUNT);
    const memory = new EngineMemory(
      items.reduce((sum, item) => sum + item.bytes, 0),
      options.kernels,
    );
    const { kernels } = memory;
    this.#kernels = kernels;
    this.#words = memory.words;
    this.#floats = memory.floats;
    this.#doubles = memory.doubles;
    this.#call = kernels.callAt.value;
    this.#vectorAt = memory.take(vectorBytes(FEATURE_COUNT));
    this.vector = new Float64Array(memory.buffer, this.#vectorAt, FEATURE_COUNT).fill(Number.NaN);
    const table = (at: number, rows: number, rowBytes: number, patience = 0) =>
      new EngineTable(memory, at, { rows, rowBytes, patience });
    this.identities = table(kernels.identities.value, sizes.identities, IDENTITY_ROW_BYTES);
    this.addresses = table(kernels.addresses.value, sizes.addresses, ADDRESS_ROW_BYTES);
    const patience = PATIENCE_TURNOVERS * sizes.profiles;
    this.profiles = table(kernels.profiles.value, sizes.profiles, PROFILE_BYTES, patience);
    this.#head = new HeadMemory(memory, {
      ...{ seed: (options.sketchSeed ?? 0) >>> 0, request: X.REQUEST_PLACE },
      ...{ lexical: X.LEXICAL_PLACE, body: X.BODY_PLACE },
    });
    this.headView = this.#head.view;
    this.hasher = this.#head.hasher;
    this.formerHasher = this.#head.formerHasher;
    this.target = this.#head;
    this.#configure(memory, sizes.identities);
    const views = configureBucket(memory, { bucket: X.BUCKET_PLACE, pathBytes: X.PATH_BYTES_PLACE });
    this.buckets = new Buckets(views, options.startedMs, options.onBucket);
    const overlays = takeOverlays(memory, sizes.identities, options.sharedViews ?? 0);
    this.stateView = stateViewOf(memory, this, overlays);
    this.addressBook = new AddressBook(options.addressFacts);
    this.stateStartedMs = options.startedMs;
  }

  /** When what is remembered began, ms since the epoch: the start, or what a snapshot says that was restored. */
  get stateStartedMs(): number {
    return this.#doubles[(this.#call + CALL.stateStartedMs) / 8]!;
  }

  set stateStartedMs(ms: number) {
    this.#doubles[(this.#call + CALL.stateStartedMs) / 8] = ms;
    this.#kernels.setMoment(Math.max(this.#options.startedMs, this.#doubles[this.#call / 8]!));
  }

  /**
   * Counts the request and writes its feature vector into out[0, FEATURE_COUNT), each value rounded to f32, NaN where missing;
   * by default into `vector`. Sets `lastIdentity`, `lastAddress` and `lastTrace`. Synchronous, allocates nothing.
   */
  observe(request: ObservedRequest, out: Float64Array = this.vector): void {
    if (request.nowMs >= this.#bucketEndMs) this.#moveBuckets(request.nowMs);
    this.#fillCall(request);
    this.#kernels.observe(this.#vectorAt);
    const doubles = this.#doubles;
    const call = this.#call;
    this.lastIdentity = doubles[(call + CALL.identityHandle) / 8]!;
    this.lastAddress = doubles[(call + CALL.addressHandle) / 8]!;
    this.lastTrace = this.#words[(call + CALL.trace) / 4]!;
    if (out !== this.vector) out.set(this.vector);
    this.#observed++;
  }

  /**
   * Brings the origin's answer back to everything that its request was counted in, into the slice of its own time. Not for our
   * refusals.
   * @param identity handle that `lastIdentity` had after the request was observed.
   * @param address the same of `lastAddress`.
   * @param trace the same of `lastTrace`; 0: what needs the route or the principal is not counted.
   */
  outcome(identity: number, address: number, outcome: Outcome, trace = 0): void {
    const words = this.#words;
    const doubles = this.#doubles;
    const call = this.#call;
    doubles[(call + CALL.atMs) / 8] = outcome.atMs;
    doubles[(call + CALL.bytesIn) / 8] = outcome.bytesIn;
    doubles[(call + CALL.bytesOut) / 8] = outcome.bytesOut;
    words[(call + CALL.status) / 4] = outcome.status;
    words[(call + CALL.trace) / 4] = trace;
    if (outcome.atMs >= this.#bucketEndMs) this.#moveBuckets(outcome.atMs);
    this.#kernels.answer(identity, address);
    this.#outcomes++;
  }

  /** Nothing may have come for a while: closes the workload's bucket if its 10 s are over. Call it now and then. */
  idle(nowMs: number): void {
    if (nowMs >= this.#bucketEndMs) this.#moveBuckets(nowMs);
  }

  get stats(): EngineStats {
    const kernels = this.#kernels;
    return {
      identities: this.identities.stats(),
      addresses: this.addresses.stats(),
      profiles: this.profiles.stats(),
      observed: this.#observed,
      outcomes: this.#outcomes,
      staleOutcomes: kernels.staleAnswers(),
      lateOutcomes: kernels.lateAnswers(W5M),
      lateByWindow: Array.from({ length: WINDOW_COUNT }, (_, window) => kernels.lateAnswers(window)),
      sharedRows: kernels.sharedRequests(),
    };
  }

  memoryPlan(): MemoryItem[] {
    return memoryItems(this.#options, FEATURE_COUNT);
  }

  /** Puts an identity's or address's row of a snapshot back; false if it found no room. Its profile is found again. */
  restoreRow(axis: 'identity' | 'address', ranked: RankedRow): boolean {
    const row = (axis === 'identity' ? this.identities : this.addresses).restore(ranked);
    if (row === null) return false;
    row[PROFILE] = axis === 'identity' ? this.profiles.slot(row) + 1 : 0;
    // A row from a clock that was ahead would wait for its time: what it counted is of now.
    row[SLICE] = Math.min(row[SLICE] as number, this.#words[(this.#call + CALL.slices) / 4]!);
    return true;
  }

  /** Puts a profile of a snapshot back; false if it found no room. */
  restoreProfile(ranked: RankedRow): boolean {
    const profile = this.profiles.restore(ranked);
    if (profile === null) return false;
    const row = this.identities.row(profile);
    if (row !== null) row[PROFILE] = this.profiles.slot(profile) + 1;
    return true;
  }

  /** Regions of what all identities share, and the places of each group in the vector. */
  #configure(memory: EngineMemory, identities: number): void {
    const { kernels } = memory;
    if (kernels.profileBytes.value !== PROFILE_BYTES)
      throw new RangeError(`a profile of the kernels has ${kernels.profileBytes.value} bytes`);
    const { newIdentitiesPerPeer = 0, sketchSeed = 0 } = this.#options;
    kernels.configureFind(newIdentitiesPerPeer);
    kernels.configureObserve(sketchSeed);
    kernels.configureRowPlaces(X.IDENTITY_PLACE, X.ADDRESS_PLACE, X.LINK_PLACE, X.STATE_PLACE);
    kernels.configureProfiles(
      ...([X.SESSION_PLACE, X.SESSION_COUNT, X.OBJECT_PLACE, X.OBJECT_COUNT] as const),
      ...([X.ENCOUNTER_PLACE, X.ENCOUNTER_COUNT] as const),
    );
    kernels.configureTravel(X.GEO_PLACE);
    kernels.configureTraces(memory.take(TRACES_BYTES));
    configureSession(memory, {
      ...{ session: X.SESSION_PLACE, sequence: X.SEQUENCE_PLACE, encounters: X.ENCOUNTER_PLACE },
    });
    configureObjects(memory, X.OBJECT_PLACE, objectSizes(identities));
    configureCrossing(memory, X.CROSSING_PLACE);
    configureRouteProfiles(memory, X.ROUTE_PROFILE_PLACE);
  }

  /** What the host knows of the request, into the struct that the kernels read. */
  #fillCall(request: ObservedRequest): void {
    const { head, who } = request;
    const words = this.#words;
    const call = this.#call / 4;
    this.#doubles[(this.#call + CALL.nextMs) / 8] = request.nowMs;
    words[call + CALL.route / 4] = request.routeHash;
    words[call + CALL.login / 4] = request.login ?? 0;
    words[call + CALL.shown / 4] = who.kind === ADDRESS_KIND ? 0 : 1;
    const keys = call + CALL.keys / 4;
    for (let i = 0; i < 4; i++) {
      words[keys + i] = who.key[i]!;
      words[keys + 4 + i] = who.principalKey[i]!;
      words[keys + 8 + i] = who.addressKey[i]!;
    }
    this.#fillFormer(who);
    this.#head.take(head);
    this.#head.takeBody(request.bodyPrefix ?? null);
    const text = request.addressText;
    this.#fillFacts(text === undefined ? NO_FACTS : this.addressBook.look(who.addressKey, text));
  }

  /** Keys before a rotation, each where one is given. */
  #fillFormer({ formerKey, formerPrincipalKey, formerAddressKey }: RequestIdentity): void {
    const words = this.#words;
    const call = this.#call / 4;
    let given = 0;
    const keys = call + CALL.formerKeys / 4;
    if (formerKey !== null) {
      given |= 1;
      for (let i = 0; i < 4; i++) words[keys + i] = formerKey[i]!;
    }
    if (formerPrincipalKey !== null) {
      given |= 2;
      for (let i = 0; i < 4; i++) words[keys + 4 + i] = formerPrincipalKey[i]!;
    }
    if (formerAddressKey !== null) {
      given |= 4;
      for (let i = 0; i < 4; i++) words[keys + 8 + i] = formerAddressKey[i]!;
    }
    words[call + CALL.former / 4] = given;
  }

  #fillFacts(facts: AddressFacts): void {
    const words = this.#words;
    const call = this.#call / 4;
    this.#floats[call + CALL.latitude / 4] = facts.latitude;
    this.#floats[call + CALL.longitude / 4] = facts.longitude;
    words[call + CALL.country / 4] = facts.country;
    words[call + CALL.kind / 4] = facts.kind;
    words[call + CALL.asn / 4] = facts.asn;
    words[call + CALL.subnet / 4] = facts.subnet;
  }

  /** Closes the workload's bucket, since its 10 s are over. */
  #moveBuckets(nowMs: number): void {
    this.#bucketEndMs = (Math.floor(nowMs / BUCKET_MS) + 1) * BUCKET_MS;
    this.buckets.moveTo(nowMs);
  }
}
