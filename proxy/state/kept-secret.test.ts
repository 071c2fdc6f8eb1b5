// The secret in the state folder: made once, for this user only, the same ever after. And the store's address, shown without its
// secrets.

import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PicketError } from '../../domain/errors.ts';
import { keptSecret } from './kept-secret.ts';
import { shownUrl, storeUrlProblem } from './store-url.ts';

it('a secret is made once and kept for this user only', () => {
  const root = mkdtempSync(join(tmpdir(), 'picket-secret-'));
  try {
    const folder = join(root, 'deep', 'state');
    const made = keptSecret(folder)!;
    expect(made.toString()).toMatch(/^[0-9a-f]{64}$/);
    expect(keptSecret(folder)).toEqual(made);
    expect(statSync(join(folder, 'identity.key')).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toEqual(['identity.key']);
    expect(keptSecret(undefined)).toBeNull();
    const file = join(root, 'file');
    writeFileSync(file, '');
    expect(() => keptSecret(join(file, 'below'))).toThrow(PicketError);
  } finally {
    rmSync(root, { recursive: true });
  }
});

it('an address of a store is shown without user and password', () => {
  expect(shownUrl('rediss://me:hush@store.test:6380/3')).toBe('rediss://store.test:6380/3');
  expect(shownUrl('redis://[::1]')).toBe('redis://[::1]');
  expect(storeUrlProblem('redis://store')).toBeNull();
  for (const bad of [
    '',
    'store:6379',
    'http://store',
    'redis://',
    'redis://h/x',
    'redis://h/1?a=b',
    'redis://h#f',
  ])
    expect(storeUrlProblem(bad), bad).not.toBeNull();
});
