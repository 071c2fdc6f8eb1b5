// What the store knows of every producer's streams, and the running totals: in memory, written with each commit,
// copied into the next day's file. Bounded: the producer unseen for longest is folded into the totals first.
// Used by the event writer only, always inside its transaction.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { PicketError } from '../../domain/errors.ts';
import { BUCKET_STREAM_FIRST } from '../../domain/workload-bucket.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { type Mark, newMark } from './settle.ts';
import type { StreamMark } from './store.ts';

interface ProducerMarks {
  seenMs: number;
  readonly streams: Map<number, Mark>;
}

export type StreamKind = 'events' | 'buckets';
/** First part of the names of the totals that forgotten producers were folded into. */
export const FOLDED: Readonly<Record<StreamKind, string>> = { events: 'folded', buckets: 'folded.buckets' };

function kindOf(stream: number): StreamKind {
  return stream < BUCKET_STREAM_FIRST ? 'events' : 'buckets';
}

export class Ledger {
  readonly #producers = new Map<string, ProducerMarks>();
  readonly #totals = new Map<string, number>();
  readonly #touched = new Set<string>();
  readonly #touchedTotals = new Set<string>();
  readonly #saveMark: StatementSync;
  readonly #saveTotal: StatementSync;
  readonly #forget: StatementSync;

  /** Reads the state of a partition. */
  constructor(database: DatabaseSync) {
    for (const row of database.prepare('SELECT * FROM marks ORDER BY seen_ms').iterate()) {
      const boot = this.#producer(row['boot_id'] as string, row['seen_ms'] as number);
      boot.streams.set(row['stream'] as number, {
        settled: row['settled'] as number,
        stored: row['stored'] as number,
        dropped: row['dropped'] as number,
        refused: row['refused'] as number,
        skipped: row['skipped'] as number,
        assigned: row['assigned'] as number,
      });
    }
    for (const row of database.prepare('SELECT name, value FROM totals').iterate()) {
      this.#totals.set(row['name'] as string, row['value'] as number);
    }
    this.#saveMark = database.prepare('INSERT OR REPLACE INTO marks VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#saveTotal = database.prepare('INSERT OR REPLACE INTO totals VALUES(?, ?)');
    this.#forget = database.prepare('DELETE FROM marks WHERE boot_id = ?');
  }

  /** The marks of one stream, for the caller to move. Makes room for a new producer if need be. */
  mark(bootId: string, stream: number, nowMs: number): Mark {
    const { streams } = this.#touch(bootId, nowMs);
    const known = streams.get(stream);
    if (known !== undefined) return known;
    if (streams.size >= CONTROL_LIMITS.streamsPerProducerMax) {
      throw new PicketError('DATA_INVALID', `more than ${streams.size} event streams from one sidecar`);
    }
    const mark = newMark();
    streams.set(stream, mark);
    return mark;
  }

  highWater(bootId: string): StreamMark[] {
    const streams = this.#producers.get(bootId)?.streams ?? new Map<number, Mark>();
    return [...streams].map(([stream, mark]) => ({ stream, sequence: mark.settled }));
  }

  addTotal(name: string, count: number): void {
    this.#totals.set(name, (this.#totals.get(name) ?? 0) + count);
    this.#touchedTotals.add(name);
  }

  total(name: string): number {
    return this.#totals.get(name) ?? 0;
  }

  /** Sums over the remembered producers' streams of one kind; what was folded is in the totals of FOLDED. */
  sums(kind: StreamKind): { readonly marks: Mark; readonly unsettled: Record<string, number> } {
    const marks = newMark();
    const unsettled: Record<string, number> = {};
    for (const [bootId, producer] of this.#producers) {
      let open = 0;
      for (const [stream, mark] of producer.streams) {
        if (kindOf(stream) !== kind) continue;
        for (const key of Object.keys(marks) as (keyof Mark)[]) marks[key] += mark[key];
        open += mark.assigned - mark.settled;
      }
      if (open > 0) unsettled[bootId] = open;
    }
    return { marks, unsettled };
  }

  /** Writes what changed since the last save. */
  save(): void {
    for (const bootId of this.#touched) {
      const producer = this.#producers.get(bootId);
      if (producer === undefined) continue;
      for (const [stream, m] of producer.streams) {
        const counts = [m.settled, m.stored, m.dropped, m.refused, m.skipped, m.assigned];
        this.#saveMark.run(bootId, stream, ...counts, producer.seenMs);
      }
    }
    for (const name of this.#touchedTotals) this.#saveTotal.run(name, this.total(name));
    this.#touched.clear();
    this.#touchedTotals.clear();
  }

  /** Writes everything into a new day's file; producers not seen since `sinceMs` go into the totals. */
  copyTo(database: DatabaseSync, sinceMs: number): void {
    const copy = new Ledger(database);
    for (const [name, value] of this.#totals) copy.addTotal(name, value);
    for (const [bootId, producer] of this.#producers) {
      copy.#producers.set(bootId, producer);
      if (producer.seenMs < sinceMs) copy.#fold(bootId);
      else copy.#touched.add(bootId);
    }
    copy.save();
  }

  #touch(bootId: string, nowMs: number): ProducerMarks {
    const known = this.#producers.get(bootId);
    if (known === undefined && this.#producers.size >= CONTROL_LIMITS.producersMax) {
      for (const oldest of this.#producers.keys()) {
        this.#fold(oldest);
        break;
      }
    }
    this.#producers.delete(bootId);
    const producer = known ?? { seenMs: nowMs, streams: new Map<number, Mark>() };
    producer.seenMs = nowMs;
    this.#producers.set(bootId, producer);
    this.#touched.add(bootId);
    return producer;
  }

  #producer(bootId: string, seenMs: number): ProducerMarks {
    const known = this.#producers.get(bootId);
    if (known !== undefined) return known;
    const producer = { seenMs, streams: new Map<number, Mark>() };
    this.#producers.set(bootId, producer);
    return producer;
  }

  /** Adds a producer's counts to the totals and forgets it. */
  #fold(bootId: string): void {
    for (const [stream, mark] of this.#producers.get(bootId)?.streams ?? []) {
      const folded = FOLDED[kindOf(stream)];
      this.addTotal(`${folded}.stored`, mark.stored);
      this.addTotal(`${folded}.dropped`, mark.dropped);
      this.addTotal(`${folded}.refused`, mark.refused);
      this.addTotal(`${folded}.skipped`, mark.skipped);
      this.addTotal(`${folded}.unsettled`, mark.assigned - mark.settled);
    }
    this.#producers.delete(bootId);
    this.#touched.delete(bootId);
    this.#forget.run(bootId);
  }
}
