// The route templates that the data thread learned, on disk: a sidecar that starts again resolves paths as before.
// One file in the state folder, written whole with a checksum; one that cannot be used is said and left out, never fatal.
// Lives on the control thread: the data thread hands over what it learned, start data hand it back. Made by parts.ts.

import { join } from 'node:path';
import { PicketError } from '../domain/errors.ts';
import { LearnedRoutes } from '../feature-engine/learned-routes.ts';
import { readStored, writeStored } from './control/stored-file.ts';
import type { SidecarLog } from './log.ts';

const FILE = 'routes.state';

export interface RouteMemoryOptions {
  readonly namespace: string;
  readonly workload: string;
  readonly log: SidecarLog;
}

export class RouteMemory {
  readonly #owner: string;
  readonly #log: SidecarLog;
  #saved: string | null = null;
  #path: string | null = null;
  #writing: Promise<void> | null = null;
  #written: string | null = null;
  #failed = false;

  constructor({ namespace, workload, log }: RouteMemoryOptions) {
    this.#owner = `${namespace}/${workload}`;
    this.#log = log;
  }

  /** What a data thread starts with; null if nothing was learned yet. */
  get saved(): string | null {
    return this.#saved;
  }

  /** Reads what was learned before, and writes to this folder from now on. Never throws. */
  async open(folder: string): Promise<void> {
    const path = join(folder, FILE);
    this.#path = path;
    const stored = await readStored(path);
    if (stored.state === 'absent') return;
    const found = stored.state === 'good' ? this.#read(stored.content) : { refused: stored.why };
    if ('refused' in found) {
      this.#log.warn(
        { file: path },
        `the learned routes are not used and will be learned anew: ${found.refused}`,
      );
      return;
    }
    this.#saved = found.learned;
    this.#written = found.learned;
  }

  /** Takes what the data thread learned. */
  keep(saved: string): void {
    this.#saved = saved;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
  }

  /** Resolves when all that was kept is on disk, or has failed to get there. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  #read(content: Buffer): { readonly learned: string } | { readonly refused: string } {
    try {
      const { owner, learned } = JSON.parse(content.toString('utf8')) as {
        owner?: unknown;
        learned?: unknown;
      };
      if (owner !== this.#owner) return { refused: `they belong to ${String(owner)}` };
      const refused = typeof learned === 'string' ? new LearnedRoutes().restore(learned) : 'nothing is there';
      return refused === null ? { learned: learned as string } : { refused };
    } catch (thrown) {
      return { refused: PicketError.from(thrown).message };
    }
  }

  /** One write at a time; what came meanwhile is written after it. */
  async #write(): Promise<void> {
    while (this.#path !== null && this.#saved !== this.#written) {
      const saved = this.#saved;
      this.#written = saved;
      try {
        await writeStored(this.#path, Buffer.from(JSON.stringify({ owner: this.#owner, learned: saved })));
        this.#failed = false;
      } catch (thrown) {
        const { message } = PicketError.from(thrown);
        if (!this.#failed) this.#log.warn(`the learned routes cannot be kept on disk: ${message}`);
        this.#failed = true;
      }
    }
  }
}
