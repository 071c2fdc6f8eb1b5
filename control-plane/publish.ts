// Who gets which snapshot, and who has it: keeps the current one, pushes changes to every sidecar, collects acks.
// A sidecar that refuses a bundle still gets every policy: the two resources never wait for one another.

import type { Clock } from '../domain/clock.ts';
import type { Mode, ModeSource } from '../domain/verdict.ts';
import type { Attachment } from './attach.ts';
import type { Fleet } from './fleet.ts';
import { modeOf } from './set-mode.ts';
import { inScope, type Scope, type Snapshot } from './snapshot.ts';

/** What one sidecar did with a push that somebody waits for. */
export interface AckView {
  readonly bootId: string;
  readonly namespace: string;
  readonly workload: string;
  readonly acked: boolean;
  readonly appliedMs: number;
  readonly error: string;
  readonly mode: Mode;
  readonly modeSource: ModeSource;
}

export type PushedResource = 'policy' | 'bundle';

export class Publisher {
  readonly #fleet: Fleet;
  readonly #clock: Clock;
  #snapshot: Snapshot;

  constructor(fleet: Fleet, clock: Clock, snapshot: Snapshot) {
    this.#fleet = fleet;
    this.#clock = clock;
    this.#snapshot = snapshot;
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Makes a new snapshot of the parts that changed and pushes it to everyone. */
  publish(parts: Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...parts };
    for (const attachment of this.#fleet.attachments()) attachment.want(this.#snapshot);
  }

  /** Waits until every sidecar in the scope answered the current version of a resource, or `waitMs` passed. */
  async acks(resource: PushedResource, scope: Scope, waitMs: number): Promise<AckView[]> {
    const { policy, bundle } = this.#snapshot;
    const version = resource === 'policy' ? policy.version : (bundle?.digest ?? '');
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), waitMs);
    const late = new Promise<null>((resolve) => {
      timeout.signal.addEventListener('abort', () => resolve(null));
    });
    const concerned = this.#fleet.attachments().filter((attachment) => inScope(scope, attachment));
    const acks = await Promise.all(
      concerned.map(async (attachment) => {
        const result = await Promise.race([attachment[resource].wait(version), late]);
        return this.#ackOf(attachment, scope, result);
      }),
    );
    clearTimeout(timer);
    return acks;
  }

  #ackOf(
    attachment: Attachment,
    scope: Scope,
    result: { acked: boolean; appliedMs: number; error: string } | null,
  ): AckView {
    const { bootId, namespace, workload } = attachment;
    const answer = result ?? { acked: false, appliedMs: 0, error: 'no answer in time' };
    const { mode, modeSource } = this.#modeFor({ namespace, workload, route: scope.route });
    return { bootId, namespace, workload, ...answer, mode, modeSource };
  }

  #modeFor(scope: Scope): { mode: Mode; modeSource: ModeSource } {
    const nowMs = this.#clock.nowMs();
    const { document } = this.#snapshot;
    try {
      return modeOf(document, scope, nowMs);
    } catch {
      return modeOf(document, { ...scope, route: '' }, nowMs);
    }
  }
}
