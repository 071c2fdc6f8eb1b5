// What an engine's memory looks like from another thread, and how rows come back: table by table and region by region, each with
// the id of its layout. Rows mean the same wherever their field table does; what only the kernels can read, wherever their code
// is the same. Called by engine.ts; snapshots and shared windows work on the result.

import { BUCKET_FIELDS } from '../domain/features-bucket.ts';
import { BASELINE_LENGTH } from './bucket-baseline.ts';
import type { EngineTable } from './engine-tables.ts';
import type { EngineMemory } from './kernel/memory.ts';
import { kernelDigest } from './kernel/module.ts';
import { PROFILE_WORDS } from './profile-layout.ts';
import { IDENTITY_ROW_WORDS, ROW_FIELDS, type RowField, VIEW_UNTIL } from './row-layout.ts';
import { layoutId, type OverlayView, type StateView, type TableName } from './state-view.ts';

/** Changes when a field keeps its name and place but means something else. */
const ROW_MEANING = 1;

/** Fields of a table's rows; none for profiles, which only kernels can read. */
export function fieldsOf(table: TableName): readonly RowField[] {
  if (table === 'profiles') return [];
  const axis = table === 'identities' ? 'identity' : 'address';
  return ROW_FIELDS.filter((field) => field.axis === 'both' || field.axis === axis);
}

function rowLayout(table: TableName): string {
  return layoutId([ROW_MEANING, fieldsOf(table)]);
}

function localWords(table: TableName): number[] {
  return fieldsOf(table)
    .filter(({ kind }) => kind === 'local')
    .map(({ word }) => word);
}

/** The tables and the regions that snapshots keep. */
export function stateViewOf(
  memory: EngineMemory,
  tables: Readonly<Record<TableName, EngineTable>>,
  overlays: OverlayView | null,
): StateView {
  const kernels = kernelDigest();
  const rows = (name: TableName) =>
    tables[name].view({ name, layout: rowLayout(name), localWords: localWords(name) });
  const baseline = layoutId([BASELINE_LENGTH, BUCKET_FIELDS]);
  return {
    buffer: memory.buffer,
    tables: [
      rows('identities'),
      rows('addresses'),
      tables.profiles.view({
        ...{ name: 'profiles', localWords: [] },
        layout: layoutId([kernels, PROFILE_WORDS]),
      }),
    ],
    regions: memory.kept.map(({ name, at, bytes }) => ({
      ...{ name, at: at / 4, words: bytes / 4 },
      layout: name === 'baseline' ? baseline : layoutId([kernels, name, bytes]),
    })),
    overlays,
  };
}

/** Takes memory for so many views of what other replicas counted, and tells the kernels. Null for none. */
export function takeOverlays(memory: EngineMemory, identities: number, views: number): OverlayView | null {
  if (views === 0) return null;
  const rowsAt = memory.take(views * IDENTITY_ROW_WORDS * 4);
  const slotsAt = memory.take(identities * 2);
  memory.kernels.configureOverlays(slotsAt, rowsAt);
  return {
    ...{ rowsAt: rowsAt / 4, slotsAt: slotsAt / 4, count: views },
    ...{ rowWords: IDENTITY_ROW_WORDS, untilWord: VIEW_UNTIL },
  };
}
