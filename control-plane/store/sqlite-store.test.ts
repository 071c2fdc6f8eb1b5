// The SQLite store keeps the contract; and what is its own: a folder of day files, retention, damaged and half-made files.

import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../domain/clock.ts';
import { BUCKET_CONTRACT } from '../testing/bucket-contract.ts';
import { EVENT_CONTRACT } from '../testing/event-contract.ts';
import { RECORD_CONTRACT } from '../testing/record-contract.ts';
import { BOOT, encodeBatch, QUERY, START_MS, sampleEvent, sequencesOf } from '../testing/sample-events.ts';
import { openSqliteStore } from './sqlite-store.ts';

const DAY_MS = 86_400_000;

async function inFolder(run: (dir: string, clock: ManualClock) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'picket-store-'));
  try {
    await run(dir, new ManualClock(START_MS));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

describe('sqlite: the contract', () => {
  test.each([...EVENT_CONTRACT, ...BUCKET_CONTRACT, ...RECORD_CONTRACT])('$name', ({ run }) =>
    inFolder(async (dir, clock) => {
      const open = () => openSqliteStore({ dir, retentionDays: 0, clock });
      const store = await open();
      try {
        await run(store, { clock, open });
      } finally {
        await store.close();
      }
    }),
  );
});

describe('sqlite: files', () => {
  test('retention deletes whole days and keeps the marks', () =>
    inFolder(async (dir, clock) => {
      const store = await openSqliteStore({ dir, retentionDays: 2, clock });
      for (let day = 0; day < 4; day++) {
        clock.moveTo(START_MS + day * DAY_MS);
        await store.events.append(encodeBatch({ events: [sampleEvent(day + 1)] }));
      }
      expect(await sequencesOf(store)).toEqual(['request-3', 'request-4']);
      expect(readdirSync(dir).filter((name) => name.endsWith('.db') && name.startsWith('events'))).toEqual([
        'events-2026-11-24.db',
        'events-2026-11-25.db',
      ]);
      expect((await store.events.totals()).stored).toBe(4);
      expect(await store.events.marks(BOOT)).toEqual([{ stream: 1, sequence: 4 }]);
      await store.close();
    }));

  test("a day's file that was never finished is made anew; the marks of the day before hold", () =>
    inFolder(async (dir, clock) => {
      const first = await openSqliteStore({ dir, retentionDays: 0, clock });
      await first.events.append(encodeBatch({ events: [sampleEvent(1)] }));
      await first.close();
      new DatabaseSync(join(dir, 'events-2026-11-23.db')).close();
      clock.moveTo(START_MS + DAY_MS);
      const second = await openSqliteStore({ dir, retentionDays: 0, clock });
      const again = await second.events.append(encodeBatch({ events: [sampleEvent(1), sampleEvent(2)] }));
      expect(again).toMatchObject({ stored: 1, repeated: 1 });
      expect(await sequencesOf(second)).toEqual(['request-1', 'request-2']);
      await second.close();
    }));

  test('a file that is no database, or of another format, is refused in words', () =>
    inFolder(async (dir, clock) => {
      writeFileSync(
        join(dir, 'control.db'),
        'this is no database, it is a line of text, and long enough to be read',
      );
      await expect(openSqliteStore({ dir, retentionDays: 0, clock })).rejects.toMatchObject({
        code: 'STORE_FAILED',
      });
      rmSync(join(dir, 'control.db'));
      const newer = new DatabaseSync(join(dir, 'events-2026-11-22.db'));
      newer.exec('PRAGMA user_version = 99');
      newer.close();
      await expect(openSqliteStore({ dir, retentionDays: 0, clock })).rejects.toThrow(/format 99/);
    }));

  test('a second control plane on the same folder is refused; the first goes on', () =>
    inFolder(async (dir, clock) => {
      const first = await openSqliteStore({ dir, retentionDays: 0, clock });
      const second = openSqliteStore({ dir, retentionDays: 0, clock });
      await expect(second).rejects.toThrow(/another control plane/);
      expect(await first.events.append(encodeBatch({ events: [sampleEvent(1)] }))).toMatchObject({
        stored: 1,
      });
      await first.close();
      const third = await openSqliteStore({ dir, retentionDays: 0, clock });
      expect(await sequencesOf(third)).toEqual(['request-1']);
      await third.close();
    }));

  test('many batches at once: all are answered, each once', () =>
    inFolder(async (dir, clock) => {
      const store = await openSqliteStore({ dir, retentionDays: 0, clock });
      const batches = Array.from({ length: 300 }, (_, i) => encodeBatch({ events: [sampleEvent(i + 1)] }));
      const bad = encodeBatch({ bootId: '00' });
      const results = await Promise.allSettled([...batches, bad].map((batch) => store.events.append(batch)));
      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(300);
      expect(await sequencesOf(store)).toHaveLength(300);
      const newest = await store.events.page({ ...QUERY, newest: true, limit: 1 });
      expect(newest.events[0]?.requestId).toBe('request-300');
      expect(existsSync(join(dir, 'events-2026-11-22.db'))).toBe(true);
      await store.close();
      await expect(store.events.totals()).rejects.toMatchObject({ code: 'STORE_FAILED' });
    }));
});
