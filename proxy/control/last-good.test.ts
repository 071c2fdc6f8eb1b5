// What is kept on disk comes back whole or not at all: every flipped byte and every cut is noticed and said.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LastGood } from './last-good.ts';
import { readStored, writeStored } from './stored-file.ts';

let folder = '';
let complaints: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-state-'));
  complaints = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

function store(workload = 'orders'): LastGood {
  return new LastGood(folder, { namespace: 'shop', workload }, (what, why) =>
    complaints.push(`${what}: ${why}`),
  );
}

const DOCUMENT = { fleet: { mode: 'block', blockAt: 0.9 } } as const;

test('a policy and a bundle come back as they were', async () => {
  await store().savePolicy({ version: 'v3-aa', document: DOCUMENT });
  await store().saveBundle(Buffer.from([1, 2, 3]));
  expect(await store().loadPolicy()).toEqual({ version: 'v3-aa', document: DOCUMENT });
  expect(await store().loadBundle()).toEqual(Buffer.from([1, 2, 3]));
  expect(complaints).toEqual([]);
  expect(readdirSync(folder).sort()).toEqual(['bundle.state', 'policy.state']);
});

test('nothing kept is no complaint; an unwritable folder is one, not an exception', async () => {
  expect(await store().loadPolicy()).toBeNull();
  expect(await store().loadBundle()).toBeNull();
  expect(complaints).toEqual([]);
  const nowhere = new LastGood(join(folder, 'none'), { namespace: 'a', workload: 'b' }, (what) =>
    complaints.push(what),
  );
  await nowhere.savePolicy({ version: 'v1', document: {} });
  expect(complaints).toEqual(['the last good policy cannot be kept']);
});

test("another workload's policy, or one that no longer fits the schema, is not taken", async () => {
  await store().savePolicy({ version: 'v1', document: DOCUMENT });
  expect(await store('payments').loadPolicy()).toBeNull();
  await writeStored(
    join(folder, 'policy.state'),
    Buffer.from('{"owner":"shop/orders","version":"v1","document":{"flee":{}}}'),
  );
  expect(await store().loadPolicy()).toBeNull();
  expect(complaints).toHaveLength(2);
});

test('any change of any byte is noticed', async () => {
  const path = join(folder, 'bundle.state');
  await writeStored(path, Buffer.from('some content that matters'));
  const good = readFileSync(path);
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (place, change) => {
      const bad = Buffer.from(good);
      bad[place] = bad[place]! ^ change;
      writeFileSync(path, bad);
      expect((await readStored(path)).state).toBe('damaged');
      writeFileSync(path, good.subarray(0, place));
      expect((await readStored(path)).state).toBe('damaged');
    }),
    { numRuns: 60 },
  );
});
