// Counts per minute, workload, verdict and action, kept as events come in, so that a view never counts rows.
// Collected in memory for one batch and added to the table in the batch's own commit.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Event } from '../../proto/gen/picket/v1/events.ts';
import type { Batch } from './batch.ts';
import type { Dictionary, WordRef } from './dictionary.ts';

export const MINUTE_MS = 60_000;

interface Sum {
  readonly key: readonly [number, WordRef, WordRef, number, number];
  events: number;
  weight: number;
}

const ADD = `INSERT INTO rollups VALUES(?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET events = events + excluded.events, weight = weight + excluded.weight`;

export class RollupSums {
  readonly #words: Dictionary;
  readonly #add: StatementSync;
  readonly #sums = new Map<string, Sum>();

  constructor(database: DatabaseSync, words: Dictionary) {
    this.#words = words;
    this.#add = database.prepare(ADD);
  }

  add(event: Event, batch: Batch): void {
    const minute = Math.floor(event.atMs / MINUTE_MS);
    const { verdict, action, sampleWeight } = event;
    const name = `${minute} ${verdict} ${action} ${batch.namespace}\n${batch.workload}`;
    const sum = this.#sums.get(name);
    if (sum !== undefined) {
      sum.events += 1;
      sum.weight += sampleWeight;
      return;
    }
    const place = [this.#words.ref(batch.namespace), this.#words.ref(batch.workload)] as const;
    this.#sums.set(name, { key: [minute, ...place, verdict, action], events: 1, weight: sampleWeight });
  }

  /** Inside the caller's transaction. After a rollback the object must be made anew. */
  save(): void {
    for (const { key, events, weight } of this.#sums.values()) this.#add.run(...key, events, weight);
    this.#sums.clear();
  }
}
