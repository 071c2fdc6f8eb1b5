// What every store owes of policy versions and models, as cases: run by sqlite-store.test.ts today and by any later
// implementation. Only the public interface is used.

import { expect } from 'vitest';
import type { NewModel } from '../store/store.ts';
import type { ContractCase } from './contract-case.ts';
import { range, START_MS } from './sample-events.ts';

const policy = { document: '{}', atMs: START_MS, actor: 'ann', change: 'first', expectedVersion: null };
const model: NewModel = {
  digest: 'd1'.repeat(32),
  bundleId: 'e1'.repeat(32),
  sizeBytes: 10,
  manifest: '{}',
  signedBy: '',
  pushedMs: START_MS,
  pushedBy: 'ann',
};

export const RECORD_CONTRACT: readonly ContractCase[] = [
  {
    name: 'policy versions: compare and set, history newest first',
    run: async (store) => {
      expect(await store.policies.newest()).toBeNull();
      const first = await store.policies.append({ ...policy, expectedVersion: '' });
      expect(first.version).toMatch(/^v1-[0-9a-f]{8}$/);
      const conflict = store.policies.append({ ...policy, expectedVersion: '' });
      await expect(conflict).rejects.toMatchObject({ code: 'POLICY_VERSION_CONFLICT' });
      const second = await store.policies.append({
        ...policy,
        document: '{"fleet":{}}',
        expectedVersion: first.version,
      });
      expect(second.version).toMatch(/^v2-/);
      expect(await store.policies.newest()).toEqual(second);
      expect(await store.policies.get(first.version)).toEqual(first);
      expect((await store.policies.list(10, '')).map((p) => p.version)).toEqual([
        second.version,
        first.version,
      ]);
      expect((await store.policies.list(10, second.version)).map((p) => p.version)).toEqual([first.version]);
    },
  },
  {
    name: 'of two writers with the same expectation one wins',
    run: async (store) => {
      const base = await store.policies.append(policy);
      const attempts = range(1, 8).map((n) =>
        store.policies.append({ ...policy, document: `{"n":${n}}`, expectedVersion: base.version }),
      );
      const settled = await Promise.allSettled(attempts);
      expect(settled.filter((attempt) => attempt.status === 'fulfilled')).toHaveLength(1);
    },
  },
  {
    name: 'models: candidate, active, retired; the one before; prefixes',
    run: async (store) => {
      const other = { ...model, digest: 'd2'.repeat(32), bundleId: 'e2'.repeat(32) };
      expect(await store.models.add(model)).toBe(true);
      expect(await store.models.add(model)).toBe(false);
      await store.models.add(other);
      expect((await store.models.list(10)).map((m) => m.stage)).toEqual(['candidate', 'candidate']);
      expect(await store.models.active()).toBeNull();
      await store.models.activate(model.digest, 'ann', START_MS);
      expect(await store.models.previous()).toBeNull();
      const active = await store.models.activate(other.digest, 'bob', START_MS + 1);
      expect(active).toMatchObject({ stage: 'active', activatedBy: 'bob', activatedMs: START_MS + 1 });
      expect((await store.models.previous())?.digest).toBe(model.digest);
      expect((await store.models.list(10)).map((m) => m.stage)).toEqual(['active', 'retired']);
      expect(await store.models.find('d')).toHaveLength(2);
      expect((await store.models.find('e2'))[0]?.digest).toBe(other.digest);
      await expect(store.models.activate('nope', '', 0)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    },
  },
];
