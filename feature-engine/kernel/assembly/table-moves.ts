// Rows that move: to another key at a rotation, out to a snapshot and back. None of it lies on a usual request's way.
// Called by find-rows.ts and by the host.

import {
  GOOD,
  GOOD_MAX,
  makeRoom,
  ROW_BYTES,
  RENAMED,
  rowAt,
  SEEN,
  SETS_AT,
  SET_BYTES,
  setOf,
  tagOf,
  take,
  TICK,
  USED,
  wayOf,
} from './table';

/**
 * The row of `former` becomes that of `key`, with all it holds and its rank; nothing if there is no such row or the key has one.
 * @returns the row, 0 if nothing was done.
 */
export function rename(table: usize, former: usize, key: usize): usize {
  const oldSet = setOf(table, former);
  const oldWay = wayOf(table, oldSet, former);
  if (oldWay < 0) return 0;
  const set = setOf(table, key);
  if (wayOf(table, set, key) >= 0) return 0;
  const oldRow = rowAt(table, oldSet, oldWay);
  const good = load<u16>(oldSet + (<usize>oldWay << 1), GOOD);
  // Free first: in the same set its own place will do. Its row stays as it is until it was copied.
  store<u16>(oldSet + (<usize>oldWay << 1), 0);
  store<u32>(table, load<u32>(table, USED) - 1, USED);
  const way = makeRoom(table, set, load<u32>(table, TICK));
  if (way < 0) {
    store<u16>(oldSet + (<usize>oldWay << 1), <u16>tagOf(former));
    store<u32>(table, load<u32>(table, USED) + 1, USED);
    return 0;
  }
  const row = rowAt(table, set, way);
  if (row != oldRow) memory.copy(row, oldRow, load<u32>(table, ROW_BYTES));
  v128.store(row, v128.load(key));
  store<u16>(set + (<usize>way << 1), <u16>tagOf(key));
  store<u16>(set + (<usize>way << 1), good, GOOD);
  store<u32>(set + (<usize>way << 2), load<u32>(table, TICK), SEEN);
  store<u32>(table, load<u32>(table, RENAMED) + 1, RENAMED);
  return row;
}

/**
 * Puts a row back that a snapshot kept: makes it under the key (no look-up is counted) and sets its rank.
 * @param age look-ups since it was seen. @returns the row, zeroed but for the key, or 0 if those at hand rank higher.
 */
export function restore(table: usize, key: usize, good: u32, age: u32): usize {
  const set = setOf(table, key);
  let way = wayOf(table, set, key);
  if (way < 0) way = makeRoom(table, set, load<u32>(table, TICK));
  if (way < 0) return 0;
  const row = take(table, set, way, key);
  store<u16>(set + (<usize>way << 1), <u16>min<u32>(good, GOOD_MAX), GOOD);
  store<u32>(set + (<usize>way << 2), load<u32>(table, TICK) - age, SEEN);
  return row;
}

/** Is the slot in use? Then its good answers plus 1, else 0. For snapshots. */
export function slotRank(table: usize, slot: u32): u32 {
  const set = load<usize>(table, SETS_AT) + <usize>(slot >> 3) * SET_BYTES;
  const half = set + ((slot & 7) << 1);
  return load<u16>(half) == 0 ? 0 : <u32>load<u16>(half, GOOD) + 1;
}

/** Look-ups since the slot's row was seen. For snapshots. */
export function slotAge(table: usize, slot: u32): u32 {
  const set = load<usize>(table, SETS_AT) + <usize>(slot >> 3) * SET_BYTES;
  return load<u32>(table, TICK) - load<u32>(set + ((slot & 7) << 2), SEEN);
}
