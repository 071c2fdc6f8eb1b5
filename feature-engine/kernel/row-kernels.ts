// Exports of the kernels that carry a whole request and its answer: tables, rows, profiles, traces; and the places of the
// struct of the request at hand that the host writes or reads. Shapes and places only. The kernels are assembly/observe.ts,
// answer.ts and what these call. Used by the engine.

/** Tables and rows are addresses in bytes; 0 = no row. */
export interface RowKernels {
  readonly identities: { readonly value: number };
  readonly addresses: { readonly value: number };
  readonly profiles: { readonly value: number };
  readonly profileBytes: { readonly value: number };
  configureTable(
    table: number,
    setCount: number,
    sets: number,
    rows: number,
    rowBytes: number,
    patience: number,
  ): void;
  /** @param newPerAddress 0 = no cap. */
  configureFind(newPerAddress: number): void;
  configureObserve(seed: number): void;
  configureRowPlaces(identity: number, address: number, link: number, state: number): void;
  configureProfiles(
    session: number,
    sessionPlaces: number,
    objects: number,
    objectPlaces: number,
    encounters: number,
    encounterPlaces: number,
  ): void;
  configureTravel(place: number): void;
  configureTraces(at: number): void;
  /** @param slotsAt u16 for each slot of the identities; 0: windows are not shared. */
  configureOverlays(slotsAt: number, viewsAt: number): void;
  setMoment(ms: number): void;
  observe(out: number): void;
  answer(identity: number, client: number): void;
  staleAnswers(): number;
  lateAnswers(window: number): number;
  sharedRequests(): number;
  find(table: number, key: number): number;
  peek(table: number, key: number): number;
  addGood(table: number, row: number): void;
  handleOf(table: number, row: number): number;
  rowOfHandle(table: number, handle: number): number;
  rename(table: number, former: number, key: number): number;
  restore(table: number, key: number, good: number, age: number): number;
  /** Good answers of a used slot plus 1, 0 for an empty one. */
  slotRank(table: number, slot: number): number;
  /** Look-ups since the slot's row was seen. */
  slotAge(table: number, slot: number): number;
  travelObserve(block: number, out: number): void;
  addTrace(): number;
  /** 0 if the call's trace is unknown. */
  findTrace(): number;
}

/** Bytes that configureTraces takes: a line, then 4096 traces of 128 bytes. */
export const TRACES_BYTES = 64 + 4096 * 128;

/** Places in the struct, in bytes: the same as in assembly/call.ts. */
export const CALL = {
  ...{ nowMs: 0, slices: 48, route: 72, method: 76, path: 80, agent: 84, pair: 96, asn: 100, subnet: 104 },
  ...{ address: 108, credential: 112, login: 120, pathEnd: 220, targetStart: 216 },
  ...{ status: 328, shown: 332, keys: 336, formerKeys: 384, former: 432, trace: 436 },
  ...{ atMs: 440, bytesIn: 448, bytesOut: 456, latitude: 464, longitude: 468, country: 472, kind: 476 },
  ...{ identityHandle: 480, addressHandle: 488, stateStartedMs: 520, nextMs: 536 },
} as const;

/** Places in a table, in bytes: the same as in assembly/table.ts. */
export const TABLE = {
  ...{ setCount: 0, setsAt: 4, tick: 20 },
  ...{ rowsAt: 8, rowBytes: 12, used: 24, evictions: 28, evictedKnown: 32, refused: 36, renamed: 44 },
} as const;

/** Slots of a set, and bytes of what stands beside each row: tag, good answers, last look-up. */
export const WAYS = 8;
export const SLOT_BYTES = 8;
