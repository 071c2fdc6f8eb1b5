// Repeated texts of one partition (routes, versions, codes) as small numbers. When the dictionary is full, further texts
// are stored as they are: the columns have no type, so a number is a reference and a string is itself. Nothing is lost.

import type { DatabaseSync, StatementSync } from 'node:sqlite';

const WORDS_MAX = 65_536;

export type WordRef = number | string;

/** The writer's side: knows every word of its partition. */
export class Dictionary {
  readonly #ids = new Map<string, number>();
  readonly #insert: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare('INSERT INTO words(id, text) VALUES(?, ?)');
    for (const row of database.prepare('SELECT id, text FROM words').iterate()) {
      this.#ids.set(row['text'] as string, row['id'] as number);
    }
  }

  /** Inside the caller's transaction; after a rollback the dictionary must be made anew. */
  ref(text: string): WordRef {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    if (this.#ids.size >= WORDS_MAX) return text;
    const id = this.#ids.size + 1;
    this.#insert.run(id, text);
    this.#ids.set(text, id);
    return id;
  }
}

/** The reader's side: looks words up once. Words are never changed or removed within a partition. */
export class WordReader {
  readonly #texts = new Map<number, string>();
  readonly #select: StatementSync;

  constructor(database: DatabaseSync) {
    this.#select = database.prepare('SELECT text FROM words WHERE id = ?');
  }

  text(ref: unknown): string {
    if (typeof ref === 'string') return ref;
    if (typeof ref !== 'number') return '';
    const known = this.#texts.get(ref);
    if (known !== undefined) return known;
    const text = (this.#select.get(ref)?.['text'] ?? '') as string;
    this.#texts.set(ref, text);
    return text;
  }
}
