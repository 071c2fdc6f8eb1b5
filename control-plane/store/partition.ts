// One day of events: a SQLite file of its own, so that retention deletes a file and a commit spans one file.
// Marks, totals and schemas are copied forward when a day begins: the newest file alone knows them all.
// Ids carry their day (id = day x 2^36 + n), so an id leads to its file. Used by the event writer and reader.

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PicketError } from '../../domain/errors.ts';

export const DAY_MS = 86_400_000;
const IDS_PER_DAY = 2 ** 36;
const FORMAT = 1;
const FILE = /^events-(\d{4}-\d{2}-\d{2})\.db$/;

const SCHEMA = `
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE words(id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE producers(id INTEGER PRIMARY KEY, boot_id BLOB NOT NULL, namespace TEXT NOT NULL,
  workload TEXT NOT NULL);
CREATE TABLE marks(boot_id TEXT NOT NULL, stream INTEGER NOT NULL, settled INTEGER NOT NULL,
  stored INTEGER NOT NULL, dropped INTEGER NOT NULL, refused INTEGER NOT NULL, skipped INTEGER NOT NULL,
  assigned INTEGER NOT NULL, seen_ms INTEGER NOT NULL, PRIMARY KEY(boot_id, stream)) WITHOUT ROWID;
CREATE TABLE totals(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE schemas(schema_id TEXT PRIMARY KEY, feature_ids TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events(id INTEGER PRIMARY KEY, producer INTEGER NOT NULL, stream INTEGER NOT NULL,
  sequence INTEGER NOT NULL, request_id TEXT NOT NULL, at_ms INTEGER NOT NULL, identity_kind INTEGER NOT NULL,
  identity_key BLOB NOT NULL, method INTEGER NOT NULL, route NOT NULL, score REAL, unscored INTEGER NOT NULL,
  attack_class NOT NULL, verdict INTEGER NOT NULL, reason NOT NULL, signals INTEGER NOT NULL,
  action INTEGER NOT NULL, mode INTEGER NOT NULL, mode_source INTEGER NOT NULL, policy NOT NULL,
  bundle NOT NULL, weight REAL NOT NULL, status INTEGER, latency_ms INTEGER, bytes_in INTEGER,
  bytes_out INTEGER, refusal);
CREATE INDEX pending ON events(producer, stream, sequence) WHERE status IS NULL;
CREATE INDEX flagged ON events(id) WHERE verdict <> 1;
CREATE TABLE bodies(id INTEGER PRIMARY KEY, path TEXT NOT NULL, address_key BLOB NOT NULL, margin REAL,
  schema_id NOT NULL, vector BLOB NOT NULL);
CREATE TABLE rollups(minute INTEGER NOT NULL, namespace NOT NULL, workload NOT NULL, verdict INTEGER NOT NULL,
  action INTEGER NOT NULL, events INTEGER NOT NULL, weight REAL NOT NULL,
  PRIMARY KEY(minute, namespace, workload, verdict, action)) WITHOUT ROWID;
PRAGMA user_version = ${FORMAT};
`;

/** Days since the Unix epoch, of a time in milliseconds. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

export function dayOfId(id: number): number {
  return Math.floor(id / IDS_PER_DAY);
}

/** The id before the first one of a day. */
export function firstIdBase(day: number): number {
  return day * IDS_PER_DAY;
}

export function partitionPath(dir: string, day: number): string {
  return join(dir, `events-${new Date(day * DAY_MS).toISOString().slice(0, 10)}.db`);
}

/** Days that have a file, ascending. */
export function listDays(dir: string): number[] {
  return readdirSync(dir)
    .map((name) => FILE.exec(name)?.[1])
    .filter((date) => date !== undefined)
    .map((date) => dayOf(Date.parse(`${date}T00:00:00Z`)))
    .sort((a, b) => a - b);
}

/** A database as the store wants it: WAL, every commit on disk before it is answered. */
function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000;');
  database.exec('PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 2000; PRAGMA temp_store = MEMORY;');
  return database;
}

/** Opens a day's file for writing. Null if it was never finished; STORE_FAILED if it is of another format. */
export function openPartition(dir: string, day: number): DatabaseSync | null {
  const database = openDatabase(partitionPath(dir, day));
  const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
  if (version === FORMAT) return database;
  database.close();
  if (version === 0) return null;
  throw new PicketError('STORE_FAILED', `${partitionPath(dir, day)} has format ${version}, not ${FORMAT}`);
}

/** Makes a day's file and fills it in one commit: a file that lacks what `fill` copies is never taken for whole. */
export function createPartition(
  dir: string,
  day: number,
  fill: (database: DatabaseSync) => void,
): DatabaseSync {
  removePartition(dir, day);
  const database = openDatabase(partitionPath(dir, day));
  try {
    database.exec('BEGIN IMMEDIATE');
    database.exec(SCHEMA);
    fill(database);
    database.exec('COMMIT');
    return database;
  } catch (thrown) {
    database.close();
    removePartition(dir, day);
    throw thrown;
  }
}

/** Opens a day's file for reading; null if it is gone or still being made. */
export function openPartitionReadOnly(dir: string, day: number): DatabaseSync | null {
  const path = partitionPath(dir, day);
  if (!existsSync(path)) return null;
  const database = new DatabaseSync(path, { readOnly: true });
  database.exec('PRAGMA busy_timeout = 10000; PRAGMA cache_size = -4096;');
  if (database.prepare('PRAGMA user_version').get()?.['user_version'] === FORMAT) return database;
  database.close();
  return null;
}

/** Deletes a day. Its readers, if any, keep what they have open. */
export function removePartition(dir: string, day: number): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(partitionPath(dir, day) + suffix, { force: true });
}
