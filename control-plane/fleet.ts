// The connected sidecars: who is there, heartbeats to all, the last assigned sequences into the store, and watchers.
// Remembers those that left for a while, so that operators see them go. Knows nothing of gRPC.

import type { Logger } from 'pino';
import type { Attachment, SidecarView } from './attach.ts';
import { CONTROL_LIMITS } from './limits.ts';
import type { EventStore, StreamMark } from './store/store.ts';

const DEPARTED_MAX = 256;
/** Watchers are told at most so often. */
const NOTIFY_MS = 200;

export interface FleetOptions {
  readonly heartbeatMs: number;
  readonly events: EventStore;
  readonly log: Logger;
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #attached = new Map<string, Attachment>();
  readonly #departed = new Map<string, SidecarView>();
  readonly #changed = new Set<string>();
  readonly #watchers = new Set<(changed: readonly SidecarView[]) => void>();
  readonly #beat: NodeJS.Timeout;
  #notify: NodeJS.Timeout | null = null;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#beat = setInterval(() => this.#tick(), options.heartbeatMs);
    this.#beat.unref();
  }

  get heartbeatMs(): number {
    return this.#options.heartbeatMs;
  }

  get size(): number {
    return this.#attached.size;
  }

  get isFull(): boolean {
    return this.#attached.size >= CONTROL_LIMITS.sidecarsMax;
  }

  isConnected(bootId: string): boolean {
    return this.#attached.has(bootId);
  }

  attachments(): readonly Attachment[] {
    return [...this.#attached.values()];
  }

  /** Takes a sidecar in; an older stream of the same start is ended: it is half dead, or two programs claim one id. */
  add(attachment: Attachment): void {
    this.#attached.get(attachment.bootId)?.fail('the same sidecar connected again');
    this.#attached.set(attachment.bootId, attachment);
    this.#departed.delete(attachment.bootId);
    this.changed(attachment.bootId);
  }

  /** The stream of an attachment ended. */
  remove(attachment: Attachment): void {
    attachment.end();
    if (this.#attached.get(attachment.bootId) !== attachment) return;
    this.#attached.delete(attachment.bootId);
    this.#departed.set(attachment.bootId, attachment.view());
    for (const oldest of this.#departed.keys()) {
      if (this.#departed.size <= DEPARTED_MAX) break;
      this.#departed.delete(oldest);
    }
    this.#saveAssigned([attachment]);
    this.changed(attachment.bootId);
  }

  /** Something about a sidecar is new: watchers are told soon, several changes at once. */
  changed(bootId: string): void {
    if (this.#watchers.size === 0) return;
    this.#changed.add(bootId);
    this.#notify ??= setTimeout(() => this.#tell(), NOTIFY_MS).unref();
  }

  /** Connected ones; with `departed` also those that left lately. */
  views(departed = false): SidecarView[] {
    const here = this.attachments().map((attachment) => attachment.view());
    return departed ? [...here, ...this.#departed.values()] : here;
  }

  /** Calls `watcher` with each later change until the returned function is called. */
  watch(watcher: (changed: readonly SidecarView[]) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Ends every stream; called before the server stops. */
  async close(): Promise<void> {
    clearInterval(this.#beat);
    if (this.#notify !== null) clearTimeout(this.#notify);
    const attached = this.attachments();
    await this.#saveAssigned(attached);
    for (const attachment of attached) attachment.fail('the control plane is stopping');
  }

  #tick(): void {
    const attached = this.attachments();
    const replicas = new Map<string, number>();
    for (const { namespace, workload } of attached) {
      const name = `${namespace}/${workload}`;
      replicas.set(name, (replicas.get(name) ?? 0) + 1);
    }
    for (const attachment of attached) {
      const { namespace, workload } = attachment;
      attachment.beat(2.2 * this.#options.heartbeatMs, replicas.get(`${namespace}/${workload}`) ?? 1);
    }
    this.#saveAssigned(attached);
  }

  #saveAssigned(attached: readonly Attachment[]): Promise<void> {
    const producers: { bootId: string; marks: StreamMark[] }[] = attached
      .map((attachment) => ({ bootId: attachment.bootId, marks: attachment.assigned() }))
      .filter(({ marks }) => marks.length > 0);
    if (producers.length === 0) return Promise.resolve();
    return this.#options.events.noteAssigned(producers).catch((thrown: unknown) => {
      this.#options.log.warn(
        { err: thrown },
        'the assigned sequences were not stored; the next heartbeat brings them',
      );
    });
  }

  #tell(): void {
    this.#notify = null;
    const changed = [...this.#changed]
      .map((bootId) => this.#attached.get(bootId)?.view() ?? this.#departed.get(bootId))
      .filter((view) => view !== undefined);
    this.#changed.clear();
    for (const watcher of this.#watchers) watcher(changed);
  }
}
