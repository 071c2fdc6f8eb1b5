// The identity keys in force: reads the file again at SIGHUP, keeps the key before a change for a day even if the file does not
// name it, and forgets a former key when its time is over. Hands each change to the data thread. Called by main.ts.

import { PicketError } from '../domain/errors.ts';
import type { ThreadOrder } from './data-thread-host.ts';
import { FORMER_KEY_MS, type IdentityKeys, identityKeys } from './identity-key.ts';
import type { HashKeys } from './keyed-hash.ts';
import type { SidecarLog } from './log.ts';
import { readIdentityKeyFile } from './start-files.ts';

export interface IdentityKeyRingOptions {
  readonly keys: IdentityKeys;
  /** --identity-key-file; without it the key is random and stays. */
  readonly file: string | undefined;
  readonly namespace: string;
  readonly log: SidecarLog;
  /** Wall time, milliseconds: a rotation is an agreement between machines, whatever a simulated clock says. */
  readonly wallMs: () => number;
  readonly send: (order: ThreadOrder) => Promise<void>;
}

export class IdentityKeyRing {
  readonly #options: IdentityKeyRingOptions;
  #keys: IdentityKeys;

  constructor(options: IdentityKeyRingOptions) {
    this.#options = options;
    this.#keys = options.keys;
  }

  get keys(): IdentityKeys {
    return this.#keys;
  }

  /** As a data thread wants them. */
  get hashKeys(): HashKeys {
    const { current, keyId, former } = this.#keys;
    return { current, keyId, former: former?.key ?? null };
  }

  /** Forgets a former key whose time is over. */
  tick(): void {
    const { former } = this.#keys;
    if (former === null || this.#options.wallMs() < former.untilMs) return;
    this.#options.log.info('identity key: the former one has ended');
    void this.#use({ ...this.#keys, former: null });
  }

  /** Reads the file again; says what became of it. A bad file changes nothing. Never throws. */
  async reload(): Promise<string[]> {
    const { file, namespace, log, wallMs } = this.#options;
    if (file === undefined) return [];
    try {
      const read = identityKeys(readIdentityKeyFile(file), namespace, wallMs());
      const before = this.#keys;
      if (sameKeys(read, before)) return ['identity key: unchanged'];
      const replaced = read.keyId !== before.keyId && read.former === null;
      // Without the key before, every identity would be a stranger at once.
      const former = replaced ? { key: before.current, untilMs: wallMs() + FORMER_KEY_MS } : read.former;
      await this.#use({ ...read, former });
      const text =
        former === null ? 'read anew' : `read anew, the former one until ${isoTime(former.untilMs)}`;
      log.info(`reload of the identity key: ${text}`);
      return [`identity key: ${text}`];
    } catch (thrown) {
      const { code, message, problems } = PicketError.from(thrown);
      log.error({ code, problems }, `the new identity key is not good, the old one stays: ${message}`);
      return [`identity key: refused, ${code}`];
    }
  }

  async #use(keys: IdentityKeys): Promise<void> {
    this.#keys = keys;
    await this.#options.send({ kind: 'identity_keys', keys: this.hashKeys });
  }
}

/** A former key that this process added by itself is no difference to a file that names none. */
function sameKeys(read: IdentityKeys, now: IdentityKeys): boolean {
  if (read.keyId !== now.keyId) return false;
  if (read.former === null) return true;
  const { former } = now;
  if (former === null || former.untilMs !== read.former.untilMs) return false;
  return read.former.key.every((word, i) => word === former.key[i]);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
