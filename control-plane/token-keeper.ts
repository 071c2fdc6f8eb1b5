// Keeps the bearer tokens of a file, and reads the file anew when it changes: tokens are rotated without a restart.
// A changed file that is wrong is refused whole and the tokens before it stay. Called by main.ts.

import { readFileSync, statSync } from 'node:fs';
import type { Logger } from 'pino';
import { PicketError } from '../domain/errors.ts';
import { authenticate, type Caller, parseTokens } from './auth.ts';

const RECHECK_MS = 2_000;

/** Reads a start-up file. CONFIG_INVALID names it if it cannot be read. */
export function readSetting(path: string, flag: string): Buffer {
  try {
    return readFileSync(path);
  } catch (thrown) {
    const { message } = PicketError.from(thrown);
    throw new PicketError('CONFIG_INVALID', `${flag} cannot be read: ${message}`, {
      problems: [{ field: flag, value: path, expected: 'a readable file' }],
    });
  }
}

export class TokenKeeper {
  readonly #path: string;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  #tokens: ReturnType<typeof parseTokens>;
  #seen: string;

  /** Throws CONFIG_INVALID if the file is missing or wrong at start. */
  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
    this.#seen = stampOf(path);
    this.#tokens = parseTokens(readSetting(path, '--token-file').toString('utf8'));
    this.#timer = setInterval(() => this.reload(), RECHECK_MS);
    this.#timer.unref();
  }

  /** The caller of an `authorization` value, or AUTH_REQUIRED. */
  authenticate(authorization: string | undefined): Caller {
    return authenticate(this.#tokens, authorization);
  }

  /** Reads the file if it is another one than before. Secrets in Kubernetes change by a swapped link: inode and time. */
  reload(): void {
    const stamp = stampOf(this.#path);
    if (stamp === this.#seen) return;
    this.#seen = stamp;
    try {
      this.#tokens = parseTokens(readFileSync(this.#path, 'utf8'));
      this.#log.info({ tokens: this.#tokens.length }, 'tokens read anew');
    } catch (thrown) {
      const { message, problems } = PicketError.from(thrown);
      this.#log.error({ message, problems }, 'the changed token file was refused; the tokens before it stay');
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 'missing' : `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
}
