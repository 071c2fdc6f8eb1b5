// The key that identities and addresses are hashed with: HKDF-SHA-256 of the installation's secret and the namespace, so that
// one namespace's hashes mean nothing in another. Without a secret: random, so hashes change at each start. Called by main.ts.

import { hkdfSync, randomBytes } from 'node:crypto';
import { PicketError } from '../domain/errors.ts';

const KEY_BYTES = 16;
const SECRET_MIN_BYTES = 16;
const SECRET_MAX_BYTES = 64 * 1024;

/**
 * Four little-endian 32-bit words. `secret`: the content of --identity-key-file (white space around it does not count),
 * or null for a random key. Throws CONFIG_INVALID if the secret is shorter than 16 bytes.
 */
export function identityKey(secret: Buffer | null, namespace: string): Uint32Array {
  const bytes = secret === null ? randomBytes(KEY_BYTES) : derive(trimmed(secret), namespace);
  return Uint32Array.from({ length: KEY_BYTES / 4 }, (_, i) => bytes.readUInt32LE(4 * i));
}

function derive(secret: Buffer, namespace: string): Buffer {
  if (secret.length < SECRET_MIN_BYTES || secret.length > SECRET_MAX_BYTES) {
    throw new PicketError('CONFIG_INVALID', 'the identity key file is not good', {
      problems: [
        {
          field: '--identity-key-file',
          value: `${secret.length} bytes`,
          expected: `${SECRET_MIN_BYTES} to ${SECRET_MAX_BYTES} bytes`,
          hint: 'make one with: openssl rand -hex 32',
        },
      ],
    });
  }
  return Buffer.from(hkdfSync('sha256', secret, '', `picket identity ${namespace}`, KEY_BYTES));
}

function trimmed(secret: Buffer): Buffer {
  const text = secret.toString('latin1').trim();
  return Buffer.from(text, 'latin1');
}
