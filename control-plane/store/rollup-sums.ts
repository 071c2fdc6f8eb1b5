// Counts per minute, workload, verdict and action, kept as events come in, so that a view never counts rows.
// Collected in memory for one batch and added to the table in the batch's own commit.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { PicketEvent } from '../../domain/event.ts';
import { actionWords, verdictWords } from '../../proto/words.ts';
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

  add(event: PicketEvent): void {
    const key = [
      Math.floor(event.atMs / MINUTE_MS),
      this.#words.ref(event.namespace),
      this.#words.ref(event.workload),
      verdictWords.code(event.verdict),
      actionWords.code(event.action),
    ] as const;
    const name = JSON.stringify(key);
    const sum = this.#sums.get(name);
    if (sum === undefined) this.#sums.set(name, { key, events: 1, weight: event.sampleWeight });
    else {
      sum.events += 1;
      sum.weight += event.sampleWeight;
    }
  }

  /** Inside the caller's transaction. After a rollback the object must be made anew. */
  save(): void {
    for (const { key, events, weight } of this.#sums.values()) this.#add.run(...key, events, weight);
    this.#sums.clear();
  }
}
