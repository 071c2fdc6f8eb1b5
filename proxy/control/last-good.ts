// The last good policy and bundle that a control plane gave, on disk: a sidecar that starts while the control plane is away
// goes on where it was. One policy file and one bundle file per namespace and workload. Never decides what is good.

import { join } from 'node:path';
import { PicketError } from '../../domain/errors.ts';
import type { PolicyDocument } from '../../domain/policy.ts';
import { checkPolicy } from '../../domain/policy-schema.ts';
import { readStored, writeStored } from './stored-file.ts';

export interface StoredPolicy {
  readonly version: string;
  readonly document: PolicyDocument;
}

/** Something on disk that cannot be used, for the log. */
export type Complaint = (what: string, why: string) => void;

export class LastGood {
  readonly #policyPath: string;
  readonly #bundlePath: string;
  readonly #owner: string;
  readonly #complain: Complaint;

  constructor(folder: string, owner: { namespace: string; workload: string }, complain: Complaint) {
    this.#policyPath = join(folder, 'policy.state');
    this.#bundlePath = join(folder, 'bundle.state');
    this.#owner = `${owner.namespace}/${owner.workload}`;
    this.#complain = complain;
  }

  /** A failure is said, not thrown: a full disk must not hold back a mode switch. */
  async savePolicy(policy: StoredPolicy): Promise<void> {
    await this.#save(
      'policy',
      this.#policyPath,
      Buffer.from(JSON.stringify({ owner: this.#owner, ...policy })),
    );
  }

  async saveBundle(bytes: Uint8Array): Promise<void> {
    await this.#save('bundle', this.#bundlePath, bytes);
  }

  /** Null if there is none, or none that can be used (which is said). */
  async loadPolicy(): Promise<StoredPolicy | null> {
    const content = await this.#load('policy', this.#policyPath);
    if (content === null) return null;
    try {
      const stored = JSON.parse(content.toString('utf8')) as {
        owner: unknown;
        version: unknown;
        document: unknown;
      };
      if (stored.owner !== this.#owner) throw new Error(`it belongs to ${String(stored.owner)}`);
      return { version: String(stored.version), document: checkPolicy(stored.document) };
    } catch (thrown) {
      this.#complain('the last good policy', PicketError.from(thrown).message);
      return null;
    }
  }

  /** The bytes as they were fetched; the caller parses them again before use. */
  loadBundle(): Promise<Buffer | null> {
    return this.#load('bundle', this.#bundlePath);
  }

  async #save(what: string, path: string, content: Uint8Array): Promise<void> {
    try {
      await writeStored(path, content);
    } catch (thrown) {
      this.#complain(`the last good ${what} cannot be kept`, PicketError.from(thrown).message);
    }
  }

  async #load(what: string, path: string): Promise<Buffer | null> {
    const stored = await readStored(path);
    if (stored.state === 'good') return stored.content;
    if (stored.state === 'damaged')
      this.#complain(`the last good ${what} is damaged and ignored`, stored.why);
    return null;
  }
}
