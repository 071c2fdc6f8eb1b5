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
  const { takenMs, startedMs, replica, keyId } = checked.head;
  const rotated = keyId !== order.keys[0]?.keyId;
  const tally = restoreSnapshot(read, checked, sinksOf(engine, { latestMs: takenMs + SLACK_MS, rotated }));
  const continues = nowMs - takenMs <= PAUSE_MAX_MS && !rotated;
  if (continues) engine.stateStartedMs = Math.min(startedMs, nowMs);
  const notes = [
    ...(rotated ? ['it was written with the former identity key: only rows and baseline came back'] : []),
    ...(continues ? [] : ['what is seen first cannot be told for a while, so its age begins anew']),
    ...tally.otherLayout.map((name) => `"${name}" is laid out differently in this version`),
  ];
  return {
    ...{ outcome: 'restored', refusal: null, why: notes.join('; '), takenMs, startedMs, replica },
    ...{ rows: tally.rows, left: tally.left },
  };
}

interface Putting {
  readonly latestMs: number;
  /**
   * Written with the former key. Marks of addresses, agents and routes were hashed with it too, and nothing that is looked up by
   * them would be found: profiles and regions are left out, rows begin their totals anew, so first-seen flags are missing.
   */
  readonly rotated: boolean;
}

function sinksOf(engine: StateHolder, putting: Putting): Parameters<typeof restoreSnapshot>[2] {
  const { buffer, tables, regions } = engine.stateView;
  const kept = regions.filter(({ name }) => !putting.rotated || name === 'baseline');
  return {
    tables: tables
      .filter(({ name }) => !putting.rotated || name !== 'profiles')
      .map((table) => tableSink(engine, table, putting)),
    regions: kept.map(({ name, layout, at, words }) => {
      return { name, layout, words: new Uint32Array(buffer, at * 4, words) };
    }),
    ignored: [...tables, ...regions].map(({ name }) => name),
  };
}

function tableSink(
  engine: StateHolder,
  { name, layout, rowWords }: TableView,
  { latestMs, rotated }: Putting,
): TableSink {
  const fields = engine.rowFields(name);
  const totals = rotated ? fields.filter(({ kind }) => kind === 'total').map(({ word }) => word) : [];
  return {
    ...{ name, layout, rowWords },
    restore: (row) => {
      if (!isSoundRow(row.words, { fields, latestMs })) return false;
      for (const word of totals) row.words[word] = 0;
      return engine.restoreRow(name, row);
    },
  };
}
