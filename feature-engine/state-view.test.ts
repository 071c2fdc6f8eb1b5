// Rows read while another thread changes them: what is copied is a row as it was, give or take the one request that is being
// counted, and never half of one identity and half of another.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { TableReader } from './state-view.ts';
import { plainState } from './testing/plain-state.ts';

const ROW_WORDS = 152;
const COPIES = 20_000;

/** Counts into slot 0 as an engine does: first the look-up, then the row; at times the slot goes to the other identity. */
const CHANGES = `
  const { workerData } = require('node:worker_threads');
  const { buffer, rowsAt, setsAt, rowWords } = workerData;
  const words = new Uint32Array(buffer);
  const halves = new Uint16Array(buffer);
  let seen = 0;
  let count = 0;
  let key = 0;
  while (Atomics.load(words, workerData.stopAt) === 0) {
    if (seen % 50 === 0) {
      key = 3 - key === 3 ? 1 : 3 - key;
      count = 0;
      Atomics.store(halves, setsAt * 2, key);
      Atomics.store(halves, setsAt * 2 + 8, 0);
      Atomics.store(words, setsAt + 8, ++seen);
      words.fill(0, rowsAt, rowsAt + rowWords);
      for (let i = 0; i < 4; i++) words[rowsAt + i] = key;
    } else Atomics.store(words, setsAt + 8, ++seen);
    count++;
    for (let i = 4; i < rowWords; i++) words[rowsAt + i] = key * 1000 + count;
  }
`;

it('a row that changes all the time is copied as one identity, within one request', async () => {
  const { view, words, put } = plainState([{ name: 'identities', capacity: 8, rowWords: ROW_WORDS }], {
    regions: [{ name: 'stop', words: 2 }],
  });
  put('identities', new Uint32Array(ROW_WORDS).fill(1, 0, 4), { seen: 1, good: 0 });
  const [table] = view.tables;
  const stopAt = view.regions[0]!.at;
  const { rowsAt, setsAt } = table!;
  const workerData = { buffer: view.buffer, rowsAt, setsAt, rowWords: ROW_WORDS, stopAt };
  const worker = new Worker(CHANGES, { eval: true, workerData });
  await once(worker, 'online');
  const reader = new TableReader(view.buffer, table!);
  const row = new Uint32Array(ROW_WORDS);
  let copied = 0;
  let changed = 0;
  for (let n = 0; n < COPIES; n++) {
    const seen = reader.seen(0);
    if (!reader.copy(0, row)) continue;
    copied++;
    if (reader.seen(0) !== seen) changed++;
    const [key] = row;
    expect([row[1], row[2], row[3]]).toEqual([key, key, key]);
    // Zeros stand where a new row is not counted into yet.
    const counts = [...row.subarray(4)].filter((word) => word !== 0).map((word) => word - key! * 1000);
    if (counts.length === 0) continue;
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  }
  Atomics.store(words, stopAt, 1);
  await once(worker, 'exit');
  expect(copied).toBeGreaterThan(100);
  expect(changed).toBeGreaterThan(0);
});
