// The SQLite store as the rest of the control plane sees it: two threads behind promises. No SQL and no file handling here.
// Made by main.ts; the threads live in sqlite-worker.ts.

import { mkdirSync } from 'node:fs';
import type { Clock } from '../../domain/clock.ts';
import type {
  AppendResult,
  EventPage,
  EventStore,
  ModelRecord,
  ModelStore,
  PolicyRecord,
  PolicyStore,
  Rollup,
  Store,
  StoredBody,
  StoredBucket,
  StoredVerdict,
  StoreTotals,
  StreamMark,
} from './store.ts';
import { WorkerLink, workerFile } from './worker-link.ts';

export interface SqliteStoreOptions {
  /** Folder of its own; made if it is not there. */
  readonly dir: string;
  /** Days of events that are kept, today included; 0 = all. */
  readonly retentionDays: number;
  readonly clock: Clock;
}

/** Opens the store, or rejects with STORE_FAILED (no access, another format, a damaged file). */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { dir, retentionDays, clock } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = workerFile('sqlite-worker');
  const data = { dir, retentionDays, nowMs: clock.nowMs() };
  const writer = await WorkerLink.start(file, { role: 'writer', ...data });
  const reader = await WorkerLink.start(file, { role: 'reader', ...data });
  return {
    events: eventStore(writer, reader, clock),
    policies: policyStore(writer),
    models: modelStore(writer),
    close: async () => {
      await reader.close();
      await writer.close();
    },
  };
}

function eventStore(writer: WorkerLink, reader: WorkerLink, clock: Clock): EventStore {
  return {
    append: (batch) => {
      const own = new Uint8Array(batch);
      return writer.call<AppendResult>('append', [own, clock.nowMs()], [own.buffer]);
    },
    noteAssigned: (producers) => writer.call<void>('noteAssigned', [producers, clock.nowMs()]),
    marks: (bootId) => writer.call<StreamMark[]>('marks', [bootId]),
    page: (query) => reader.call<EventPage>('page', [query]),
    event: (id) => reader.call<{ verdict: StoredVerdict; body: StoredBody } | null>('event', [id]),
    totals: () => writer.call<StoreTotals>('totals', []),
    rollups: (sinceMs) => reader.call<Rollup[]>('rollups', [sinceMs]),
    buckets: (query) => reader.call<StoredBucket[]>('buckets', [query]),
  };
}

function policyStore(writer: WorkerLink): PolicyStore {
  return {
    newest: () => writer.call<PolicyRecord | null>('newestPolicy', []),
    get: (version) => writer.call<PolicyRecord | null>('policy', [version]),
    append: (policy) => writer.call<PolicyRecord>('appendPolicy', [policy]),
    list: (limit, before) => writer.call<PolicyRecord[]>('policies', [limit, before]),
  };
}

function modelStore(writer: WorkerLink): ModelStore {
  return {
    add: (model) => writer.call<boolean>('addModel', [model]),
    list: (limit) => writer.call<ModelRecord[]>('models', [limit]),
    find: (prefix) => writer.call<ModelRecord[]>('findModels', [prefix]),
    activate: (digest, actor, atMs) => writer.call<ModelRecord>('activate', [digest, actor, atMs]),
    active: () => writer.call<ModelRecord | null>('activeModel', []),
    previous: () => writer.call<ModelRecord | null>('previousModel', []),
  };
}
