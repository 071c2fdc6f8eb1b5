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

export interface PlainExtras {
  readonly regions?: readonly { readonly name: string; readonly words: number }[];
  /** Rows for what other replicas counted of the first table's rows; the words of a row end with the time they hold until. */
  readonly overlayRows?: number;
}

export function plainState(
  tables: readonly PlainTable[],
  { regions = [], overlayRows = 0 }: PlainExtras = {},
): PlainState {
  // Eight slots take 16 words beside their rows; two more words count look-ups, and keep doubles aligned.
  const tableWords = tables.reduce((sum, table) => sum + table.capacity * (table.rowWords + 2) + 2, 0);
  const regionWords = regions.reduce((sum, { words }) => sum + words, 0);
  const first = tables[0]!;
  const overlayWords = overlayRows * first.rowWords + first.capacity / 2;
  const buffer = new SharedArrayBuffer((tableWords + regionWords + overlayWords) * 4);
  const words = new Uint32Array(buffer);
  const halves = new Uint16Array(buffer);
  let next = 0;
  const take = (count: number): number => {
    next += count;
    return next - count;
  };
  const views = tables.map(({ name, capacity, rowWords, localWords = [] }): TableView => {
    const [rowsAt, setsAt, tickAt] = [take(capacity * rowWords), take(capacity * 2), take(2)];
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
    overlays:
      overlayRows === 0
        ? null
        : {
            ...{ rowsAt: take(overlayRows * first.rowWords), count: overlayRows, rowWords: first.rowWords },
            ...{ untilWord: first.rowWords - 2, slotsAt: take(first.capacity / 2) },
          },
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
