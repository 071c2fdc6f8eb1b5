// Reads events: pages by ascending id over the days' files, bounded work a call. Runs in the reader thread, so a long
// look never holds back the writer. Opens files as they appear and lets go of those that retention deleted.

import { existsSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { EventOutcome } from '../../domain/event.ts';
import { keyBytes, vectorOf } from '../../proto/wire.ts';
import {
  actionWords,
  identityWords,
  methodWords,
  modeSourceWords,
  modeWords,
  unscoredWords,
  verdictWords,
} from '../../proto/words.ts';
import { joinBuckets, listBuckets } from './bucket-table.ts';
import { WordReader } from './dictionary.ts';
import { dayOfId, firstIdBase, listDays, openPartitionReadOnly, partitionPath } from './partition.ts';
import { MINUTE_MS } from './rollup-sums.ts';
import type {
  BucketQuery,
  EventPage,
  EventQuery,
  Rollup,
  StoredBody,
  StoredBucket,
  StoredVerdict,
} from './store.ts';

/** Rows that one call looks at, at most: some tenths of a second. */
const SCAN_IDS = 200_000;

type Row = Record<string, unknown>;

interface ReadFile {
  readonly database: DatabaseSync;
  readonly words: WordReader;
  readonly producers: Map<number, { namespace: string; workload: string }>;
}

interface Where {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

export class EventReader {
  readonly #dir: string;
  readonly #files = new Map<number, ReadFile>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  page(query: EventQuery): EventPage {
    return query.newest ? this.#backward(query) : this.#forward(query);
  }

  event(id: number): { verdict: StoredVerdict; body: StoredBody } | null {
    const file = this.#file(dayOfId(id));
    const row = file?.database.prepare('SELECT * FROM events JOIN bodies USING(id) WHERE id = ?').get(id);
    if (file === null || row === undefined) return null;
    return { verdict: verdictOf(row, file), body: bodyOf(row, file) };
  }

  rollups(sinceMs: number): Rollup[] {
    const rows: Rollup[] = [];
    for (const day of listDays(this.#dir)) {
      const file = this.#file(day);
      const all = file?.database.prepare('SELECT * FROM rollups WHERE minute >= ?');
      for (const row of all?.iterate(Math.floor(sinceMs / MINUTE_MS)) ?? []) {
        if (file === null) break;
        rows.push({
          minuteMs: (row['minute'] as number) * MINUTE_MS,
          namespace: file.words.text(row['namespace']),
          workload: file.words.text(row['workload']),
          verdict: verdictWords.word(row['verdict'] as number) ?? 'allow',
          action: actionWords.word(row['action'] as number) ?? 'forward',
          events: row['events'] as number,
          weight: row['weight'] as number,
        });
      }
    }
    return rows;
  }

  /** A bucket lies in the file of the day on which it was stored, so the newest lie in the last files. */
  buckets(query: BucketQuery): StoredBucket[] {
    let found: StoredBucket[] = [];
    for (const day of listDays(this.#dir).toReversed()) {
      const file = this.#file(day);
      if (file !== null) found = [...found, ...listBuckets(file.database, query)];
      // One file more than is needed: its newest may be pieces of the oldest that were found.
      if (found.length > query.limit) break;
    }
    return joinBuckets(found, query.limit);
  }

  close(): void {
    for (const file of this.#files.values()) file.database.close();
    this.#files.clear();
  }

  #forward(query: EventQuery): EventPage {
    const where = whereOf(query);
    const events: StoredVerdict[] = [];
    let at = query.afterId;
    const days = listDays(this.#dir).filter((day) => day >= dayOfId(at));
    for (const day of days) {
      const file = this.#file(day);
      const last = file === null ? null : lastId(file);
      if (file === null || last === null || last <= at) continue;
      at = Math.max(at, firstIdBase(day));
      const to = Math.min(last, at + SCAN_IDS);
      const sql = `SELECT * FROM events WHERE id > ? AND id <= ? ${where.sql} ORDER BY id LIMIT ?`;
      const rows = file.database.prepare(sql).all(at, to, ...where.values, query.limit);
      events.push(...rows.map((row) => verdictOf(row, file)));
      const full = rows.length === query.limit;
      const nextId = full ? (rows.at(-1)?.['id'] as number) : to;
      return { events, nextId, done: nextId === last && day === days.at(-1) };
    }
    return { events, nextId: at, done: true };
  }

  #backward(query: EventQuery): EventPage {
    const where = whereOf(query);
    let before = query.beforeId === 0 ? Number.MAX_SAFE_INTEGER : query.beforeId;
    const days = listDays(this.#dir).filter((day) => firstIdBase(day) + 1 < before);
    for (const day of days.toReversed()) {
      const file = this.#file(day);
      const last = file === null ? null : lastId(file);
      if (file === null || last === null) continue;
      before = Math.min(before, last + 1);
      const from = Math.max(firstIdBase(day), before - SCAN_IDS - 1);
      const sql = `SELECT * FROM events WHERE id > ? AND id < ? ${where.sql} ORDER BY id DESC LIMIT ?`;
      const rows = file.database.prepare(sql).all(from, before, ...where.values, query.limit);
      const events = rows.map((row) => verdictOf(row, file)).reverse();
      const nextId = rows.length === query.limit ? (events[0]?.id ?? 0) : from + 1;
      return { events, nextId, done: nextId <= firstIdBase(day) + 1 && day === days[0] };
    }
    return { events: [], nextId: before, done: true };
  }

  #file(day: number): ReadFile | null {
    const known = this.#files.get(day);
    if (known !== undefined) {
      if (existsSync(partitionPath(this.#dir, day))) return known;
      known.database.close();
      this.#files.delete(day);
      return null;
    }
    const database = openPartitionReadOnly(this.#dir, day);
    if (database === null) return null;
    const file = { database, words: new WordReader(database), producers: new Map() };
    this.#files.set(day, file);
    return file;
  }
}

function lastId(file: ReadFile): number | null {
  return file.database.prepare('SELECT max(id) AS id FROM events').get()?.['id'] as number | null;
}

function whereOf(query: EventQuery): Where {
  const parts: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (sql: string, ...given: SQLInputValue[]) => {
    parts.push(`AND ${sql}`);
    values.push(...given);
  };
  if (query.verdicts.length > 0) {
    add(`verdict IN (${query.verdicts.map((verdict) => verdictWords.code(verdict)).join(',')})`);
    if (!query.verdicts.includes('allow')) add(`verdict <> ${verdictWords.code('allow')}`);
  }
  if (query.sinceMs > 0) add('at_ms >= ?', query.sinceMs);
  if (query.requestIds.length > 0) {
    add('request_id IN (SELECT value FROM json_each(?))', JSON.stringify(query.requestIds));
  }
  if (query.namespace !== '')
    add('producer IN (SELECT id FROM producers WHERE namespace = ?)', query.namespace);
  if (query.workload !== '') add('producer IN (SELECT id FROM producers WHERE workload = ?)', query.workload);
  if (query.identity !== '') {
    const [kind = '', key = ''] = query.identity.split(':');
    add('identity_key = ? AND identity_kind = ?', keyBytes(key), identityWords.code(kind as 'address') ?? 0);
  }
  return { sql: parts.join(' '), values };
}

function verdictOf(row: Row, file: ReadFile): StoredVerdict {
  const producer = producerOf(row['producer'] as number, file);
  const kind = identityWords.word(row['identity_kind'] as number) ?? 'address';
  const code = (column: string) => row[column] as number;
  return {
    id: code('id'),
    requestId: row['request_id'] as string,
    atMs: code('at_ms'),
    ...producer,
    identity: `${kind}:${Buffer.from(row['identity_key'] as Uint8Array).toString('hex')}`,
    method: methodWords.word(code('method')) ?? 'OTHER',
    route: file.words.text(row['route']),
    score: (row['score'] as number | null) ?? Number.NaN,
    unscored: unscoredWords.word(code('unscored')) ?? 'none',
    attackClass: file.words.text(row['attack_class']),
    verdict: verdictWords.word(code('verdict')) ?? 'allow',
    reason: file.words.text(row['reason']),
    signals: code('signals'),
    action: actionWords.word(code('action')) ?? 'forward',
    mode: modeWords.word(code('mode')) ?? 'monitor',
    modeSource: modeSourceWords.word(code('mode_source')) ?? 'default',
    policyVersion: file.words.text(row['policy']),
    bundleId: file.words.text(row['bundle']),
    sampleWeight: row['weight'] as number,
    outcome: outcomeOf(row, file),
  };
}

function outcomeOf(row: Row, file: ReadFile): EventOutcome | null {
  if (row['status'] === null) return null;
  return {
    status: row['status'] as number,
    latencyMs: row['latency_ms'] as number,
    bytesIn: row['bytes_in'] as number,
    bytesOut: row['bytes_out'] as number,
    refusal: file.words.text(row['refusal']),
  };
}

function bodyOf(row: Row, file: ReadFile): StoredBody {
  const schemaId = file.words.text(row['schema_id']);
  const schema = file.database.prepare('SELECT feature_ids FROM schemas WHERE schema_id = ?').get(schemaId);
  return {
    path: row['path'] as string,
    addressKey: Buffer.from(row['address_key'] as Uint8Array).toString('hex'),
    margin: (row['margin'] as number | null) ?? Number.NaN,
    schemaId,
    featureIds: JSON.parse((schema?.['feature_ids'] as string | undefined) ?? '[]') as number[],
    vector: vectorOf(row['vector'] as Uint8Array) ?? new Float32Array(),
  };
}

function producerOf(id: number, file: ReadFile): { namespace: string; workload: string } {
  const known = file.producers.get(id);
  if (known !== undefined) return known;
  const row = file.database.prepare('SELECT namespace, workload FROM producers WHERE id = ?').get(id);
  const producer = {
    namespace: (row?.['namespace'] ?? '') as string,
    workload: (row?.['workload'] ?? '') as string,
  };
  if (row !== undefined) file.producers.set(id, producer);
  return producer;
}
