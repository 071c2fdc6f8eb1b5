// Reads a file of keys that bundles may be signed with: one `KEY_ID BASE64` a line, the base64 being that of a PEM public
// key (SubjectPublicKeyInfo, Ed25519) without its frame lines. "#" begins a comment. Called by sidecar and control plane.

import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Problem } from '../../domain/errors.ts';
import { PicketError } from '../../domain/errors.ts';
import { KEY_ID_BYTES } from './bundle-format.ts';
import type { TrustedKey } from './container.ts';

const HINT = 'make a line with: echo "my-key $(openssl pkey -in key.pem -pubout -outform DER | base64 -w0)"';

/** Parses the whole file. Throws CONFIG_INVALID naming every bad line; an empty list is an error too. */
export function parseTrustedKeys(content: string): TrustedKey[] {
  const problems: Problem[] = [];
  const keys: TrustedKey[] = [];
  for (const [index, line] of content.split('\n').entries()) {
    const words = line.replace(/#.*/, '').trim().split(/\s+/);
    if (words[0] === '') continue;
    const [keyId = '', base64 = ''] = words;
    const publicKey = words.length === 2 ? readKey(base64) : null;
    const named = /^[\x21-\x7e]+$/.test(keyId) && keyId.length <= KEY_ID_BYTES;
    if (publicKey === null || !named || keys.some((key) => key.keyId === keyId)) {
      problems.push({
        field: `line ${index + 1}`,
        value: line.slice(0, 60),
        expected: 'a new KEY_ID and the base64 of an Ed25519 public key',
      });
    } else {
      keys.push({ keyId, publicKey });
    }
  }
  if (keys.length === 0 && problems.length === 0) {
    problems.push({ field: 'trusted keys', value: 'nothing', expected: 'at least one key' });
  }
  if (problems.length === 0) return keys;
  throw new PicketError('CONFIG_INVALID', 'the file of trusted keys is not good', { problems, hint: HINT });
}

function readKey(base64: string): KeyObject | null {
  try {
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch {
    return null;
  }
}
