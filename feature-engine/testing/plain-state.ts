// A state view over memory that a test fills itself: tables of rows at plain places, without an engine and without eviction.
// For tests of what reads state: snapshots and shared windows.

import type { StateView, TableName, TableView } from '../state-view.ts';

export interface PlainTable {
  readonly name: TableName;
  readonly capacity: number;
  readonly rowWords: number;
  readonly localWords?: readonly number[];
}

export interface PlainState {
  readonly view: StateView;
  readonly words: Uint32Array;
  /** Puts a row into the first free slot; returns the slot. */
  put(table: TableName, row: Uint32Array, slot: { readonly seen: number; readonly good: number }): number;
}

export function plainState(
  tables: readonly PlainTable[],
  regions: readonly { name: string; words: number }[] = [],
): PlainState {
  // Eight slots take 16 words beside their rows; one more word counts look-ups.
  const tableWords = tables.reduce((sum, table) => sum + table.capacity * (table.rowWords + 2) + 1, 0);
  const buffer = new SharedArrayBuffer((tableWords + regions.reduce((sum, { words }) => sum + words, 0)) * 4);
  const words = new Uint32Array(buffer);
  const halves = new Uint16Array(buffer);
  let next = 0;
  const take = (count: number): number => {
    next += count;
    return next - count;
  };
  const views = tables.map(({ name, capacity, rowWords, localWords = [] }): TableView => {
    const [rowsAt, setsAt, tickAt] = [take(capacity * rowWords), take(capacity * 2), take(1)];
    return {
      ...{ name, capacity, rowWords, rowsAt, setsAt, tickAt, localWords },
      layout: '00000000000000a1',
    };
  });
  const view: StateView = {
    buffer,
    tables: views,
    regions: regions.map(({ name, words: count }) => ({
      ...{ name, layout: '00000000000000b2', at: take(count), words: count },
    })),
  };
  const put: PlainState['put'] = (name, row, { seen, good }) => {
    const table = views.find((candidate) => candidate.name === name)!;
    const setOf = (slot: number): number => table.setsAt + (slot >>> 3) * 16;
    let slot = 0;
    while (halves[setOf(slot) * 2 + (slot & 7)] !== 0) slot++;
    words.set(row, table.rowsAt + slot * table.rowWords);
    halves[setOf(slot) * 2 + (slot & 7)] = (row[1]! & 0xffff) === 0 ? 1 : row[1]! & 0xffff;
    halves[setOf(slot) * 2 + 8 + (slot & 7)] = good;
    words[setOf(slot) + 8 + (slot & 7)] = seen;
    words[table.tickAt] = Math.max(seen, words[table.tickAt]!);
    return slot;
  };
  return { view, words, put };
}
