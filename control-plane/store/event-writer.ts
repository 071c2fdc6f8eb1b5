// Writes events: several batches a commit, high-water marks in the same commit, one file a day. Runs in the writer
// thread. A batch counts whole or not at all; after a failed commit the state is read anew from the file, so memory
// never runs ahead of the disk. Reading is in event-reader.ts.

import type { DatabaseSync } from 'node:sqlite';
import { PicketError } from '../../domain/errors.ts';
import { VERDICTS, type Verdict } from '../../domain/verdict.ts';
import { verdictWords } from '../../proto/words.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { type Batch, type BatchItem, readBatch } from './batch.ts';
import { EventFile } from './event-file.ts';
import { FOLDED, Ledger, type StreamKind } from './ledger.ts';
import { createPartition, dayOf, listDays, openPartition, removePartition } from './partition.ts';
import { settle } from './settle.ts';
import type { AppendResult, AssignedMarks, StoreTotals, StreamMark, StreamTotals } from './store.ts';

export interface EventWriterOptions {
  readonly dir: string;
  /** Days that are kept, the running one included; 0 = all. */
  readonly retentionDays: number;
}

export class EventWriter {
  readonly #options: EventWriterOptions;
  #current: EventFile;
  /** The day before, while it takes amendments. */
  #before: EventFile | null = null;
  #ledger: Ledger;
  #schemas: Set<string>;

  /** Opens the newest whole day, or begins one. */
  constructor(options: EventWriterOptions, nowMs: number) {
    this.#options = options;
    const days = listDays(options.dir);
    this.#current = this.#openNewest(days) ?? this.#begin(dayOf(nowMs), () => undefined);
    const earlier = days.findLast((day) => day < this.#current.day);
    this.#before = earlier === undefined ? null : this.#open(earlier);
    this.#ledger = new Ledger(this.#current.database);
    this.#schemas = readSchemas(this.#current.database);
    this.rollOver(nowMs);
  }

  /** Stores batches in one commit; if that fails, each in its own. One answer per batch: a result, or why not. */
  append(batches: readonly Uint8Array[], nowMs: number): (AppendResult | PicketError)[] {
    const read = batches.map((bytes) => attempt(() => readBatch(bytes), 'DATA_INVALID'));
    const rolled = attempt(() => this.rollOver(nowMs));
    if (rolled instanceof PicketError) return read.map(() => rolled);
    const good = read.filter((batch): batch is Batch => !(batch instanceof PicketError));
    const together = attempt(() => this.#commit(() => good.map((batch) => this.#apply(batch, nowMs))));
    const results = new Map<Batch, AppendResult | PicketError>();
    for (const [i, batch] of good.entries()) {
      if (!(together instanceof PicketError)) results.set(batch, together[i]!);
      else if (good.length === 1) results.set(batch, together);
      else
        results.set(
          batch,
          attempt(() => this.#commit(() => this.#apply(batch, nowMs))),
        );
    }
    return read.map((batch) => (batch instanceof PicketError ? batch : results.get(batch)!));
  }

  noteAssigned(producers: readonly AssignedMarks[], nowMs: number): void {
    this.rollOver(nowMs);
    this.#commit(() => {
      for (const { bootId, marks } of producers) {
        for (const { stream, sequence } of marks) {
          // A producer with too many streams must not hold back the marks of the others.
          const mark = attempt(() => this.#ledger.mark(bootId, stream, nowMs));
          if (mark instanceof PicketError) break;
          mark.assigned = Math.max(mark.assigned, Math.min(sequence, CONTROL_LIMITS.sequenceMax));
        }
      }
      this.#ledger.save();
    });
  }

  marks(bootId: string): StreamMark[] {
    return this.#ledger.highWater(bootId);
  }

  totals(): StoreTotals {
    const verdict = (name: Verdict) => [name, this.#ledger.total(`verdict.${name}`)] as const;
    return {
      ...this.#streamTotals('events'),
      buckets: this.#streamTotals('buckets'),
      verdicts: Object.fromEntries(VERDICTS.map(verdict)) as Record<Verdict, number>,
    };
  }

  #streamTotals(kind: StreamKind): StreamTotals {
    const { marks, unsettled } = this.#ledger.sums(kind);
    const folded = (name: string) => this.#ledger.total(`${FOLDED[kind]}.${name}`);
    return {
      stored: marks.stored + folded('stored'),
      dropped: marks.dropped + folded('dropped'),
      refused: marks.refused + folded('refused'),
      skipped: marks.skipped + folded('skipped'),
      unsettled,
      unsettledForgotten: folded('unsettled'),
    };
  }

  /** Begins a new day if it is one, and deletes days beyond the retention. A clock that went back changes nothing. */
  rollOver(nowMs: number): void {
    const day = dayOf(nowMs);
    if (day > this.#current.day) {
      const next = this.#begin(day, (database) => {
        this.#ledger.copyTo(database, nowMs - CONTROL_LIMITS.producerForgetMs);
        copySchemas(this.#current.database, database);
      });
      this.#before?.database.close();
      this.#before = this.#current;
      this.#current = next;
      this.#ledger = new Ledger(next.database);
    }
    if (this.#options.retentionDays === 0) return;
    for (const old of listDays(this.#options.dir)) {
      if (old > this.#current.day - this.#options.retentionDays) break;
      if (this.#before?.day === old) {
        this.#before.database.close();
        this.#before = null;
      }
      removePartition(this.#options.dir, old);
    }
  }

  close(): void {
    this.#before?.database.close();
    this.#current.database.close();
  }

  #openNewest(days: readonly number[]): EventFile | null {
    for (const day of days.toReversed()) {
      const file = this.#open(day);
      if (file !== null) return file;
    }
    return null;
  }

  #open(day: number): EventFile | null {
    const database = openPartition(this.#options.dir, day);
    return database === null ? null : new EventFile(database, day);
  }

  #begin(day: number, fill: (database: DatabaseSync) => void): EventFile {
    return new EventFile(createPartition(this.#options.dir, day, fill), day);
  }

  #commit<T>(work: () => T): T {
    const { database } = this.#current;
    database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      database.exec('COMMIT');
      return result;
    } catch (thrown) {
      if (database.isTransaction) database.exec('ROLLBACK');
      this.#current = new EventFile(database, this.#current.day);
      this.#ledger = new Ledger(this.#current.database);
      this.#schemas = readSchemas(this.#current.database);
      throw thrown;
    }
  }

  #apply(batch: Batch, nowMs: number): AppendResult {
    this.#keepSchemas(batch);
    const producer = this.#current.producer(batch);
    let stored = 0;
    let taken = 0;
    let given = 0;
    const highWater: StreamMark[] = [];
    for (const [stream, items] of batch.streams) {
      const mark = this.#ledger.mark(batch.bootId, stream, nowMs);
      given += items.length;
      for (const item of settle(mark, items)) {
        taken += 1;
        if (item.kind !== 'store') continue;
        stored += 1;
        this.#store(item, batch, producer);
      }
      highWater.push({ stream, sequence: mark.settled });
    }
    this.#current.rollups.save();
    this.#ledger.save();
    const { refused, firstRefusal } = batch;
    return { batch: batch.batch, highWater, stored, repeated: given - taken, refused, firstRefusal };
  }

  #store(item: BatchItem, batch: Batch, producer: number): void {
    if (item.event !== undefined) {
      this.#current.insert(item.event, producer);
      this.#current.rollups.add(item.event, batch);
      this.#ledger.addTotal(VERDICT_TOTALS[item.event.verdict] ?? '', 1);
    } else if (item.bucket !== undefined) {
      this.#current.buckets.add(item.bucket, batch);
    } else if (item.amendment !== undefined && !this.#current.amend(item.amendment, producer)) {
      const earlier = this.#before?.knownProducer(batch) ?? null;
      if (earlier !== null) this.#before?.amend(item.amendment, earlier);
    }
  }

  #keepSchemas(batch: Batch): void {
    for (const { schemaId, featureIds } of batch.schemas) {
      if (this.#schemas.has(schemaId) || this.#schemas.size >= CONTROL_LIMITS.schemasMax) continue;
      const insert = this.#current.database.prepare('INSERT OR IGNORE INTO schemas VALUES(?, ?)');
      insert.run(schemaId, JSON.stringify(featureIds));
      this.#schemas.add(schemaId);
    }
  }
}

/** Names of the totals, by the wire's number of a verdict. */
const VERDICT_TOTALS: string[] = [];
for (const verdict of VERDICTS) VERDICT_TOTALS[verdictWords.code(verdict)] = `verdict.${verdict}`;

function attempt<T>(work: () => T, code: 'DATA_INVALID' | 'STORE_FAILED' = 'STORE_FAILED'): T | PicketError {
  try {
    return work();
  } catch (thrown) {
    return PicketError.from(thrown, code);
  }
}

function readSchemas(database: DatabaseSync): Set<string> {
  return new Set(
    database
      .prepare('SELECT schema_id FROM schemas')
      .all()
      .map((row) => row['schema_id'] as string),
  );
}

function copySchemas(from: DatabaseSync, to: DatabaseSync): void {
  const insert = to.prepare('INSERT OR IGNORE INTO schemas VALUES(?, ?)');
  for (const row of from.prepare('SELECT * FROM schemas').iterate()) {
    insert.run(row['schema_id'] as string, row['feature_ids'] as string);
  }
}
