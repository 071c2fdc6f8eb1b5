// The secret that a sidecar without --identity-key-file keeps in its --state-dir, so that identities have the same hashes after a
// restart. Whoever reads the folder can try out addresses and short secrets against the rows beside it: --identity-key-file keeps
// both apart. Called by start-files.ts.

import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PicketError } from '../../domain/errors.ts';

const NAME = 'identity.key';
const SECRET_BYTES = 32;

/** The kept secret, made where there is none; null without a folder. Throws CONFIG_INVALID if the folder cannot be used. */
export function keptSecret(stateDir: string | undefined): Buffer | null {
  if (stateDir === undefined) return null;
  const path = join(stateDir, NAME);
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    return readIfThere(path) ?? makeSecret(path);
  } catch (thrown) {
    throw new PicketError(
      'CONFIG_INVALID',
      `the state folder cannot be used: ${PicketError.from(thrown).message}`,
      {
        hint: 'name one that only this user can write to: --state-dir DIR',
      },
    );
  }
}

function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw thrown;
  }
}

/** Whole or not at all: a secret that was cut would be another one. */
function makeSecret(path: string): Buffer {
  const secret = Buffer.from(randomBytes(SECRET_BYTES).toString('hex'));
  const beside = `${path}.new`;
  writeFileSync(beside, secret, { mode: 0o600, flush: true });
  renameSync(beside, path);
  return secret;
}
