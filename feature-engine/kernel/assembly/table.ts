// Tables of rows with a capacity that is fixed at start: sets of eight slots; in a full set a row on probation makes room first.
// Every look-up touches one line of 64 bytes and the row, so a flood of new keys costs evictions and never memory or long
// probes. A row leaves probation by good answers of the origin and then ages the slower the more it had
// (docs/adr/0010-who-makes-room.md). Does not know what a row holds beyond its key, which is its first 128 bits.

/*
 * A set, one line: 8 tags u16 (0 = empty slot, else the low bits of the key's second word, 0 read as 1) | 8 good answers u16
 * (0 = on probation) | 8 u32: look-up at which each was seen last. Look-ups are counted; differences are taken modulo 2^32.
 * A handle is an exact integer of 48 bits: the key's fourth word (24 bits) * 2^24 + slot. So it outlives nobody: a row that
 * made room for another key has other bits.
 */
export const SET_BYTES: usize = 64;
export const GOOD: usize = 16;
export const SEEN: usize = 32;
const WAYS: u32 = 8;
/** Good answers are counted up to here; 2^15 of them make a row age 32,768 times slower. */
export const GOOD_MAX: u32 = 0xffff;

/** A table: u32 each. The host reads the counts from here. */
const SET_COUNT: usize = 0;
export const SETS_AT: usize = 4;
const ROWS_AT: usize = 8;
export const ROW_BYTES: usize = 12;
const PATIENCE: usize = 16;
export const TICK: usize = 20;
export const USED: usize = 24;
const EVICTIONS: usize = 28;
const EVICTED_KNOWN: usize = 32;
const REFUSED: usize = 36;
const MADE_NEW: usize = 40;
export const RENAMED: usize = 44;
const TABLE_BYTES: usize = 64;

/** Three of them, TABLE_BYTES each: identities, client addresses, profiles. */
export const tables: usize = memory.data(192, 64);
export const identities: usize = tables;
export const addresses: usize = tables + TABLE_BYTES;
export const profiles: usize = tables + 2 * TABLE_BYTES;

/**
 * @param sets address of setCount * 64 zeroed bytes. @param rows address of setCount * 8 * rowBytes zeroed bytes.
 * @param patience look-ups for which a known row is safe after it was seen, so that a table that is too small for all serves
 * some of them well and not all badly; a new key then gets no row. 0: a new key always gets one.
 */
export function configureTable(
  table: usize,
  setCount: u32,
  sets: usize,
  rows: usize,
  rowBytes: u32,
  patience: u32,
): void {
  memory.fill(table, 0, TABLE_BYTES);
  store<u32>(table, setCount, SET_COUNT);
  store<usize>(table, sets, SETS_AT);
  store<usize>(table, rows, ROWS_AT);
  store<u32>(table, rowBytes, ROW_BYTES);
  store<u32>(table, patience, PATIENCE);
}

/** Where the key's set lies. */
// @ts-ignore: decorator
@inline
export function setOf(table: usize, key: usize): usize {
  const index = <usize>((<u64>load<u32>(key) * <u64>load<u32>(table, SET_COUNT)) >> 32);
  return load<usize>(table, SETS_AT) + index * SET_BYTES;
}

// @ts-ignore: decorator
@inline
export function tagOf(key: usize): u32 {
  const low = load<u32>(key, 4) & 0xffff;
  return low == 0 ? 1 : low;
}

// @ts-ignore: decorator
@inline
export function sameKey(a: usize, b: usize): bool {
  return ((load<u64>(a) ^ load<u64>(b)) | (load<u64>(a, 8) ^ load<u64>(b, 8))) == 0;
}

/** Row of a slot's number. */
// @ts-ignore: decorator
@inline
export function rowOf(table: usize, slot: u32): usize {
  return load<usize>(table, ROWS_AT) + slot * load<u32>(table, ROW_BYTES);
}

/** Number of the slot whose row this is. */
// @ts-ignore: decorator
@inline
export function slotOf(table: usize, row: usize): u32 {
  return <u32>(row - load<usize>(table, ROWS_AT)) / load<u32>(table, ROW_BYTES);
}

/** Slot (0..7) of the key in its set, -1 if it has none. */
export function wayOf(table: usize, set: usize, key: usize): i32 {
  let mask = i16x8.bitmask(i16x8.eq(v128.load(set), i16x8.splat(<i16>tagOf(key))));
  const first = <u32>(set - load<usize>(table, SETS_AT)) / <u32>SET_BYTES * WAYS;
  while (mask != 0) {
    const way = ctz(mask);
    if (sameKey(rowOf(table, first + way), key)) return way;
    mask &= mask - 1;
  }
  return -1;
}

// @ts-ignore: decorator
@inline
export function rowAt(table: usize, set: usize, way: i32): usize {
  return rowOf(table, (<u32>(set - load<usize>(table, SETS_AT)) / <u32>SET_BYTES) * WAYS + way);
}

/** Row of the key, 0 if it has none; changes nothing. */
export function peek(table: usize, key: usize): usize {
  const set = setOf(table, key);
  const way = wayOf(table, set, key);
  return way < 0 ? 0 : rowAt(table, set, way);
}

/** Was the row that `find` gave made anew? */
// @ts-ignore: decorator
@inline
export function madeNew(table: usize): bool {
  return load<u32>(table, MADE_NEW) != 0;
}

/** Row of the key; makes one (zeroed but for the key, see madeNew) where there is none. 0: see `patience`. */
export function find(table: usize, key: usize): usize {
  const tick = load<u32>(table, TICK) + 1;
  store<u32>(table, tick, TICK);
  const set = setOf(table, key);
  let way = wayOf(table, set, key);
  if (way >= 0) {
    store<u32>(set + (<usize>way << 2), tick, SEEN);
    store<u32>(table, 0, MADE_NEW);
    return rowAt(table, set, way);
  }
  way = makeRoom(table, set, tick);
  if (way < 0) return 0;
  return take(table, set, way, key);
}

/** Gives the slot to the key: seen now, on probation, its row zeroed but for the key. */
export function take(table: usize, set: usize, way: i32, key: usize): usize {
  store<u16>(set + (<usize>way << 1), <u16>tagOf(key));
  store<u16>(set + (<usize>way << 1), 0, GOOD);
  store<u32>(set + (<usize>way << 2), load<u32>(table, TICK), SEEN);
  store<u32>(table, 1, MADE_NEW);
  const row = rowAt(table, set, way);
  memory.fill(row, 0, load<u32>(table, ROW_BYTES));
  v128.store(row, v128.load(key));
  return row;
}

/**
 * An empty slot of the set; else the row on probation that was seen longest ago; else, where all are known, the one with the
 * largest age / 2^floor(log2(good answers)), ages in look-ups. So newcomers drive out each other, one way in eight is always
 * theirs, and a row that was answered well a thousand times stays about a thousand times longer.
 * -1 where that one was seen within the table's patience.
 */
export function makeRoom(table: usize, set: usize, tick: u32): i32 {
  let probation = -1;
  let probationAge: i64 = -1;
  let known = 0;
  let knownAge: f64 = -1;
  for (let way = 0; way < <i32>WAYS; way++) {
    const half = set + (<usize>way << 1);
    if (load<u16>(half) == 0) {
      store<u32>(table, load<u32>(table, USED) + 1, USED);
      return way;
    }
    const age = tick - load<u32>(set + (<usize>way << 2), SEEN);
    const good = <u32>load<u16>(half, GOOD);
    if (good == 0) {
      if (<i64>age > probationAge) {
        probationAge = <i64>age;
        probation = way;
      }
    } else {
      const weighted = <f64>age / <f64>(<u32>1 << (31 - clz(good)));
      if (weighted > knownAge) {
        knownAge = weighted;
        known = way;
      }
    }
  }
  if (probation < 0) {
    if (tick - load<u32>(set + (<usize>known << 2), SEEN) < load<u32>(table, PATIENCE)) {
      store<u32>(table, load<u32>(table, REFUSED) + 1, REFUSED);
      return -1;
    }
    store<u32>(table, load<u32>(table, EVICTED_KNOWN) + 1, EVICTED_KNOWN);
  }
  store<u32>(table, load<u32>(table, EVICTIONS) + 1, EVICTIONS);
  return probation < 0 ? known : probation;
}

/** A look-up that needed no search, since the row was at hand: seen now, and counted as a look-up. */
export function touchRow(table: usize, row: usize): void {
  const tick = load<u32>(table, TICK) + 1;
  store<u32>(table, tick, TICK);
  const slot = slotOf(table, row);
  store<u32>(load<usize>(table, SETS_AT) + <usize>(slot >> 3) * SET_BYTES + ((slot & 7) << 2), tick, SEEN);
}

/** A look-up that was not made at all, since it was refused lately: time passes. */
// @ts-ignore: decorator
@inline
export function countLookup(table: usize): void {
  store<u32>(table, load<u32>(table, TICK) + 1, TICK);
}

// @ts-ignore: decorator
@inline
function goodAt(table: usize, row: usize): usize {
  const slot = slotOf(table, row);
  return load<usize>(table, SETS_AT) + <usize>(slot >> 3) * SET_BYTES + GOOD + ((slot & 7) << 1);
}

/** Counts an answer 2xx or 3xx of the origin: the first one ends the probation of the row. */
export function addGood(table: usize, row: usize): void {
  const at = goodAt(table, row);
  const good = <u32>load<u16>(at);
  if (good < GOOD_MAX) store<u16>(at, <u16>(good + 1));
}

/** Names this row as it is now; no longer valid once it has made room for another key. */
// @ts-ignore: decorator
@inline
export function handleOf(table: usize, row: usize): f64 {
  return <f64>((<u64>(load<u32>(row, 12) & 0xffffff) << 24) | <u64>slotOf(table, row));
}

/** Row of a handle, 0 if it is gone. */
export function rowOfHandle(table: usize, handle: f64): usize {
  if (!(handle >= 0 && handle < 281474976710656)) return 0;
  const bits = <u64>handle;
  const slot = <u32>(bits & 0xffffff);
  if (slot >= load<u32>(table, SET_COUNT) * WAYS) return 0;
  const row = rowOf(table, slot);
  const half = load<usize>(table, SETS_AT) + <usize>(slot >> 3) * SET_BYTES + ((slot & 7) << 1);
  if (load<u16>(half) == 0) return 0;
  return (load<u32>(row, 12) & 0xffffff) == <u32>(bits >> 24) ? row : 0;
}

/** First look at a row whose lines are needed soon: one word of each line, so that the misses overlap. */
// @ts-ignore: decorator
@inline
export function touchLines(at: usize, bytes: usize): u32 {
  let sum: u32 = 0;
  for (let i: usize = 0; i < bytes; i += 64) sum ^= load<u32>(at + i);
  return sum;
}
