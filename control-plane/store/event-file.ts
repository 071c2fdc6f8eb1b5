// One day's file as the writer sees it: prepared statements, dictionary, producers and the next id. Knows no marks and
// begins no transaction: event-writer.ts does. After a rollback it must be made anew.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { EventAmendment, EventOutcome } from '../../domain/event.ts';
import type { Event } from '../../proto/gen/picket/v1/events.ts';
import { keyBytes } from '../../proto/wire.ts';
import type { Batch } from './batch.ts';
import { BucketTable } from './bucket-table.ts';
import { Dictionary } from './dictionary.ts';
import { firstIdBase } from './partition.ts';
import { RollupSums } from './rollup-sums.ts';

const EVENT_COLUMNS = 27;
const AMEND = `UPDATE events SET status = ?, latency_ms = ?, bytes_in = ?, bytes_out = ?, refusal = ?
  WHERE producer = ? AND stream = ? AND sequence = ? AND status IS NULL`;

/** Everything that belongs to one day's file. */
export class EventFile {
  readonly day: number;
  readonly database: DatabaseSync;
  readonly words: Dictionary;
  readonly #producers = new Map<string, number>();
  readonly #insertEvent: StatementSync;
  readonly #insertBody: StatementSync;
  readonly #insertProducer: StatementSync;
  readonly #amend: StatementSync;
  readonly rollups: RollupSums;
  readonly buckets: BucketTable;
  #lastId: number;

  /** Takes over an open database of `day`. */
  constructor(database: DatabaseSync, day: number) {
    this.day = day;
    this.database = database;
    this.words = new Dictionary(this.database);
    this.rollups = new RollupSums(this.database, this.words);
    this.buckets = new BucketTable(this.database);
    this.#insertEvent = this.database.prepare(
      `INSERT INTO events VALUES(${new Array<string>(EVENT_COLUMNS).fill('?').join(',')})`,
    );
    this.#insertBody = this.database.prepare('INSERT INTO bodies VALUES(?,?,?,?,?,?)');
    this.#insertProducer = this.database.prepare('INSERT INTO producers VALUES(?,?,?,?)');
    this.#amend = this.database.prepare(AMEND);
    const last = this.database.prepare('SELECT max(id) AS id FROM events').get()?.['id'];
    this.#lastId = typeof last === 'number' ? last : firstIdBase(day);
    for (const row of this.database.prepare('SELECT * FROM producers').iterate()) {
      const bootId = Buffer.from(row['boot_id'] as Uint8Array).toString('hex');
      const key = producerKey(bootId, row['namespace'] as string, row['workload'] as string);
      this.#producers.set(key, row['id'] as number);
    }
  }

  producer(batch: Pick<Batch, 'bootId' | 'namespace' | 'workload'>): number {
    const key = producerKey(batch.bootId, batch.namespace, batch.workload);
    const known = this.#producers.get(key);
    if (known !== undefined) return known;
    const id = this.#producers.size + 1;
    this.#insertProducer.run(id, keyBytes(batch.bootId), batch.namespace, batch.workload);
    this.#producers.set(key, id);
    return id;
  }

  /** The id of a producer that has written here, or null. */
  knownProducer(batch: Pick<Batch, 'bootId' | 'namespace' | 'workload'>): number | null {
    return this.#producers.get(producerKey(batch.bootId, batch.namespace, batch.workload)) ?? null;
  }

  /** Adds a checked event. The tables keep the wire's numbers for words. */
  insert(event: Event, producer: number): void {
    this.#lastId += 1;
    const { words } = this;
    this.#insertEvent.run(
      this.#lastId,
      producer,
      event.stream,
      event.sequence,
      event.requestId,
      event.atMs,
      event.identityKind,
      event.identityKey,
      event.method,
      words.ref(event.route),
      event.score,
      event.unscored,
      words.ref(event.attackClass),
      event.verdict,
      words.ref(event.reason),
      event.signals,
      event.action,
      event.mode,
      event.modeSource,
      words.ref(event.policyVersion),
      words.ref(event.bundleId),
      event.sampleWeight,
      ...this.#outcome(event.outcome),
    );
    const { path, addressKey, margin, schemaId, vectorF32le } = event;
    this.#insertBody.run(this.#lastId, path, addressKey, margin, words.ref(schemaId), vectorF32le);
  }

  /** True if the event was here and pending. */
  amend(amendment: EventAmendment, producer: number): boolean {
    const outcome = this.#outcome(amendment.outcome);
    return this.#amend.run(...outcome, producer, amendment.stream, amendment.amends).changes === 1;
  }

  #outcome(
    outcome: EventOutcome | undefined,
  ): [number | null, number | null, number | null, number | null, number | string] {
    if (outcome === undefined) return [null, null, null, null, this.words.ref('')];
    const { status, latencyMs, bytesIn, bytesOut, refusal } = outcome;
    return [status, latencyMs, bytesIn, bytesOut, this.words.ref(refusal)];
  }
}

function producerKey(bootId: string, namespace: string, workload: string): string {
  return JSON.stringify([bootId, namespace, workload]);
}
