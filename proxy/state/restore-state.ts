// Puts a snapshot back into a feature engine before its first request: on the data thread, which owns the memory. A file that is
// refused, or cannot be read, leaves the engine empty and is reported. Called by data-plane.ts through data-thread.ts.

import { PicketError } from '../../domain/errors.ts';
import { isSoundRow, type RowFieldView } from '../../feature-engine/row-check.ts';
import { SnapshotRefused } from '../../feature-engine/snapshot-format.ts';
import {
  checkSnapshot,
  type RestoredRow,
  restoreSnapshot,
  type TableSink,
} from '../../feature-engine/snapshot-read.ts';
import type { StateView, TableName, TableView } from '../../feature-engine/state-view.ts';
import { type OpenSnapshot, openSnapshot } from './snapshot-file.ts';
import type { RestoreOrder } from './state-keeper.ts';
import { NOT_RESTORED, type RestoreReport } from './state-report.ts';

/** An engine that shows its memory and takes rows back. */
export interface StateHolder {
  readonly stateView: StateView;
  /** Since when it counts, ms since the epoch; a restored state is as old as it was. */
  stateStartedMs: number;
  /** Fields of the table's rows that must make sense; none for rows that are taken as they are. */
  rowFields(table: TableName): readonly RowFieldView[];
  /** False if those at hand rank higher. */
  restoreRow(table: TableName, row: RestoredRow): boolean;
}

/**
 * After a longer pause than this, counting begins anew for whatever is only known after a while: a first-seen flag must not say
 * "new" of what was seen while nobody looked. Rows and baselines stay. A quarter of the shortest window of such flags (1 h).
 */
export const PAUSE_MAX_MS = 15 * 60_000;
/** Clocks may differ by so much between what was written and what its rows say. */
const SLACK_MS = 10_000;

/** Never throws. */
export function restoreState(engine: StateHolder, order: RestoreOrder | null, nowMs: number): RestoreReport {
  if (order === null) return NOT_RESTORED;
  let file: OpenSnapshot | null = null;
  try {
    file = openSnapshot(order.path);
    if (file === null) return { ...NOT_RESTORED, outcome: 'absent' };
    return restoreFrom(engine, file, { order, nowMs });
  } catch (thrown) {
    const why = PicketError.from(thrown).message;
    if (thrown instanceof SnapshotRefused)
      return { ...NOT_RESTORED, outcome: 'refused', refusal: thrown.kind, why };
    return { ...NOT_RESTORED, outcome: 'failed', why };
  } finally {
    file?.close();
  }
}

function restoreFrom(
  engine: StateHolder,
  { read }: OpenSnapshot,
  { order, nowMs }: { order: RestoreOrder; nowMs: number },
): RestoreReport {
  const checked = checkSnapshot(read, { ...order, nowMs });
  const { takenMs, startedMs, replica } = checked.head;
  const { buffer, tables, regions } = engine.stateView;
  const tally = restoreSnapshot(read, checked, {
    tables: tables.map((table) => sinkOf(engine, table, takenMs + SLACK_MS)),
    regions: regions.map(({ name, layout, at, words }) => {
      return { name, layout, words: new Uint32Array(buffer, at * 4, words) };
    }),
  });
  const continues = nowMs - takenMs <= PAUSE_MAX_MS;
  if (continues) engine.stateStartedMs = Math.min(startedMs, nowMs);
  const notes = [
    ...(continues ? [] : ['it is too old for what is seen first to be told, so its age begins anew']),
    ...tally.otherLayout.map((name) => `"${name}" is laid out differently in this version`),
  ];
  return {
    ...{ outcome: 'restored', refusal: null, why: notes.join('; '), takenMs, startedMs, replica },
    ...{ rows: tally.rows, left: tally.left },
  };
}

function sinkOf(engine: StateHolder, { name, layout, rowWords }: TableView, latestMs: number): TableSink {
  const check = { fields: engine.rowFields(name), latestMs };
  return {
    ...{ name, layout, rowWords },
    restore: (row) => isSoundRow(row.words, check) && engine.restoreRow(name, row),
  };
}
