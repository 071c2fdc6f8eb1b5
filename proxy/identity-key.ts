// The keys that identities and addresses are hashed with: HKDF-SHA-256 of the installation's secret and the namespace, so that
// one namespace's hashes mean nothing in another. Without a secret: random, so hashes change at each start. A file may hold two
// secrets, the present and the former one with the time at which it ends: for that long both hashes are made and rows move over.
// Called by start-files.ts and identity-key-ring.ts.

import { hkdfSync, randomBytes } from 'node:crypto';
import { PicketError, type Problem } from '../domain/errors.ts';

const KEY_BYTES = 16;
const KEY_ID_BYTES = 4;
const SECRET_MIN_BYTES = 16;
const SECRET_MAX_BYTES = 64 * 1024;
/** A former key is kept for a day; an hour more for clocks that differ. */
export const FORMER_KEY_MS = 24 * 3_600_000;
const FORMER_KEY_MAX_MS = 25 * 3_600_000;

/** Key in force, and the one before it while it is being rotated. Keys are four little-endian 32-bit words. */
export interface IdentityKeys {
  readonly current: Uint32Array;
  /** Names the current key in events; says nothing of its bits. Never 0. */
  readonly keyId: number;
  readonly former: FormerIdentityKey | null;
}

export interface FormerIdentityKey {
  readonly key: Uint32Array;
  /** Wall time at which it is forgotten, milliseconds. */
  readonly untilMs: number;
}

/**
 * Keys from the content of --identity-key-file (white space around it does not count), or random ones for null. The content is
 * a bare secret, or a line `current SECRET` and a line `former SECRET until TIME` (ISO 8601). A former key that has ended at
 * `nowMs` is left out. Throws CONFIG_INVALID with every problem.
 */
export function identityKeys(content: Buffer | null, namespace: string, nowMs: number): IdentityKeys {
  if (content === null) return keysOf(randomBytes(32), null, namespace);
  const text = content.toString('latin1').trim();
  if (!/^(current|former)[ \t]/m.test(text)) return keysOf(checked(text, 'secret'), null, namespace);
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const current = lines.map((line) => /^current[ \t]+(\S+)[ \t]*$/.exec(line)).filter((m) => m !== null);
  const former = lines
    .map((line) => /^former[ \t]+(\S+)[ \t]+until[ \t]+(\S+)[ \t]*$/.exec(line))
    .filter((m) => m !== null);
  if (current.length !== 1 || former.length > 1 || current.length + former.length !== lines.length) {
    throw invalid(
      `${lines.length} lines`,
      '"current SECRET" and, while it is being rotated, "former SECRET until TIME"',
    );
  }
  const secret = checked(current[0]![1]!, 'current');
  const old = former[0];
  if (old === undefined) return keysOf(secret, null, namespace);
  const oldSecret = checked(old[1]!, 'former');
  const untilMs = endOf(old[2]!, nowMs);
  if (untilMs <= nowMs) return keysOf(secret, null, namespace);
  return keysOf(secret, { key: wordsOf(derive(oldSecret, namespace)), untilMs }, namespace);
}

/** The current key alone: four little-endian words. */
export function identityKey(secret: Buffer | null, namespace: string): Uint32Array {
  return identityKeys(secret, namespace, 0).current;
}

function keysOf(secret: Buffer, former: FormerIdentityKey | null, namespace: string): IdentityKeys {
  const id = Buffer.from(hkdfSync('sha256', secret, '', `picket identity key id ${namespace}`, KEY_ID_BYTES));
  return { current: wordsOf(derive(secret, namespace)), keyId: id.readUInt32LE(0) || 1, former };
}

function derive(secret: Buffer, namespace: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `picket identity ${namespace}`, KEY_BYTES));
}

function wordsOf(bytes: Buffer): Uint32Array {
  return Uint32Array.from({ length: KEY_BYTES / 4 }, (_, i) => bytes.readUInt32LE(4 * i));
}

function checked(text: string, what: string): Buffer {
  const secret = Buffer.from(text, 'latin1');
  if (secret.length >= SECRET_MIN_BYTES && secret.length <= SECRET_MAX_BYTES) return secret;
  const expected = `${SECRET_MIN_BYTES} to ${SECRET_MAX_BYTES} bytes`;
  throw invalid(`${what}: ${secret.length} bytes`, expected, 'make one with: openssl rand -hex 32');
}

function endOf(text: string, nowMs: number): number {
  const untilMs = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(untilMs)) throw invalid(text, 'a time such as 2026-11-23T18:00:00Z');
  if (untilMs - nowMs > FORMER_KEY_MAX_MS) throw invalid(text, 'a time at most 24 hours from now');
  return untilMs;
}

function invalid(value: string, expected: string, hint?: string): PicketError {
  const problem: Problem = { field: '--identity-key-file', value, expected };
  return new PicketError('CONFIG_INVALID', 'the identity key file is not good', {
    problems: [hint === undefined ? problem : { ...problem, hint }],
  });
}
