// Whose snapshot a file is: the id of the identity key that its hashes were made with, the key of its keyed hash, the workload.
// Made from the identity key by HKDF, so that neither says anything of it. Called by state-keeper.ts.

import { createHash, hkdfSync } from 'node:crypto';
import type { SnapshotKey } from '../../feature-engine/snapshot-read.ts';

/** `key`: four words, as identities are hashed with. */
export function snapshotKey(key: Uint32Array): SnapshotKey {
  const secret = Buffer.from(key.slice().buffer);
  const made = (purpose: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, '', `picket snapshot ${purpose}`, bytes));
  return { keyId: made('key id', 8).toString('hex'), macKey: made('keyed hash', 32) };
}

/** 16 hex digits for a namespace and workload. */
export function ownerId(namespace: string, workload: string): string {
  return createHash('sha256')
    .update(JSON.stringify([namespace, workload]))
    .digest('hex')
    .slice(0, 16);
}
