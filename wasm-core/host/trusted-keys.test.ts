// The file of trusted keys: what openssl makes is read, and everything else is named by its line.

import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { PicketError } from '../../domain/errors.ts';
import { parseTrustedKeys } from './trusted-keys.ts';

function line(keyId: string, type: 'ed25519' | 'ed448' = 'ed25519'): string {
  const pair = type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ed448');
  return `${keyId} ${pair.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')}`;
}

test('keys, comments and empty lines', () => {
  const keys = parseTrustedKeys(`# ours\n${line('a-1')}   # old\n\n${line('b')}\n`);
  expect(keys.map((key) => [key.keyId, key.publicKey.asymmetricKeyType])).toEqual([
    ['a-1', 'ed25519'],
    ['b', 'ed25519'],
  ]);
});

test('every bad line is named', () => {
  const good = line('a');
  const content = [
    good,
    'b',
    'c AAAA',
    line('d', 'ed448'),
    good,
    `${'x'.repeat(33)} ${good.split(' ')[1]}`,
  ].join('\n');
  try {
    parseTrustedKeys(content);
    expect.unreachable();
  } catch (thrown) {
    expect(PicketError.from(thrown).problems.map((problem) => problem.field)).toEqual(
      [2, 3, 4, 5, 6].map((n) => `line ${n}`),
    );
  }
  expect(() => parseTrustedKeys('# none')).toThrow(PicketError);
});
