// Workload buckets in a day's file: one row for each 10 s of a workload, into which every replica's bucket is merged as it comes.
// Writing runs inside the event writer's transaction; reading joins rows of two files where a day ended in between.
// Called by event-file.ts and event-reader.ts.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type BucketParts, mergeBucket } from '../../domain/workload-bucket.ts';
import { sumsOf } from '../../proto/bucket-wire.ts';
import type { WorkloadBucket } from '../../proto/gen/picket/v1/events.ts';
import type { BucketQuery, StoredBucket } from './store.ts';

const TABLE = `CREATE TABLE IF NOT EXISTS buckets(start_ms INTEGER NOT NULL, namespace TEXT NOT NULL,
  workload TEXT NOT NULL, pieces INTEGER NOT NULL, sums BLOB NOT NULL, sets BLOB NOT NULL,
  PRIMARY KEY(start_ms, namespace, workload)) WITHOUT ROWID`;
const FIND = 'SELECT pieces, sums, sets FROM buckets WHERE start_ms = ? AND namespace = ? AND workload = ?';
const SAVE = 'INSERT OR REPLACE INTO buckets VALUES(?, ?, ?, ?, ?, ?)';
const LIST = `SELECT * FROM buckets
  WHERE start_ms >= ? AND (? = '' OR namespace = ?) AND (? = '' OR workload = ?)
  ORDER BY start_ms DESC LIMIT ?`;

type Row = Record<string, unknown>;

export class BucketTable {
  readonly #find: StatementSync;
  readonly #save: StatementSync;

  /** Makes the table in a file that is older than it. */
  constructor(database: DatabaseSync) {
    database.exec(TABLE);
    this.#find = database.prepare(FIND);
    this.#save = database.prepare(SAVE);
  }

  /** Merges a checked bucket into its row. */
  add(bucket: WorkloadBucket, place: { readonly namespace: string; readonly workload: string }): void {
    const key = [bucket.startMs, place.namespace, place.workload] as const;
    const parts: BucketParts = { sums: sumsOf(bucket), sets: Uint8Array.from(bucket.sets) };
    const row = this.#find.get(...key);
    if (row !== undefined) mergeBucket(parts, partsOf(row));
    const pieces = ((row?.['pieces'] ?? 0) as number) + 1;
    this.#save.run(...key, pieces, new Uint8Array(parts.sums.buffer), parts.sets);
  }
}

/** The newest buckets of one file, newest first; none from a file that is older than the table. */
export function listBuckets(database: DatabaseSync, query: BucketQuery): StoredBucket[] {
  const known = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'buckets'").get();
  if (known === undefined) return [];
  const { sinceMs, namespace, workload, limit } = query;
  const rows = database.prepare(LIST).all(sinceMs, namespace, namespace, workload, workload, limit);
  return rows.map((row) => ({
    startMs: row['start_ms'] as number,
    namespace: row['namespace'] as string,
    workload: row['workload'] as string,
    pieces: row['pieces'] as number,
    ...partsOf(row),
  }));
}

/** Joins buckets of the same time and workload; the newest `limit` of them, oldest first. */
export function joinBuckets(buckets: readonly StoredBucket[], limit: number): StoredBucket[] {
  const joined = new Map<string, StoredBucket>();
  for (const bucket of buckets) {
    const key = JSON.stringify([bucket.startMs, bucket.namespace, bucket.workload]);
    const known = joined.get(key);
    if (known === undefined) {
      joined.set(key, bucket);
      continue;
    }
    mergeBucket(known, bucket);
    joined.set(key, { ...known, pieces: known.pieces + bucket.pieces });
  }
  const order = (a: StoredBucket, b: StoredBucket) =>
    a.startMs - b.startMs || compare(a.namespace, b.namespace) || compare(a.workload, b.workload);
  return [...joined.values()].sort(order).slice(-limit);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function partsOf(row: Row): BucketParts {
  const bytes = Uint8Array.from(row['sums'] as Uint8Array);
  return { sums: new Float64Array(bytes.buffer), sets: Uint8Array.from(row['sets'] as Uint8Array) };
}
