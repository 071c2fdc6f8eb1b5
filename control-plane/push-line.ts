// Pushes of one resource to one sidecar: nonces, acks, nacks, and those who wait for them. Only the newest push counts for
// the state; the answer to an older one reaches its own waiters and changes nothing else. Sends nothing itself.

import type { Clock } from '../domain/clock.ts';

export interface PushResult {
  readonly acked: boolean;
  /** From push to ack, milliseconds. */
  readonly appliedMs: number;
  /** Why there is no ack, else empty. */
  readonly error: string;
}

interface Push {
  readonly nonce: string;
  readonly version: string;
  readonly sentMs: number;
  readonly waiters: ((result: PushResult) => void)[];
}

/** Pushes that may be unanswered at the same time; older ones are given up. */
const UNANSWERED_MAX = 16;

export class PushLine {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #unanswered = new Map<string, Push>();
  #count = 0;
  #newest: Push | null = null;
  #acked = '';
  #lastResult: PushResult = { acked: true, appliedMs: 0, error: '' };
  #error = '';

  /** `name` begins every nonce. */
  constructor(name: string, clock: Clock) {
    this.#name = name;
    this.#clock = clock;
  }

  /** The version that the sidecar said it runs; empty if none. */
  get acked(): string {
    return this.#acked;
  }

  /** Why the newest push was refused, else empty. */
  get error(): string {
    return this.#error;
  }

  /** What the sidecar holds already when it connects. */
  hold(version: string): void {
    this.#acked = version;
  }

  /** Notes a push of `version` and gives its nonce; null if the sidecar runs or was just sent this version. */
  push(version: string): string | null {
    if (this.#newest === null ? this.#acked === version : this.#newest.version === version) return null;
    this.#count += 1;
    const push = { nonce: `${this.#name}${this.#count}`, version, sentMs: this.#clock.nowMs(), waiters: [] };
    this.#newest = push;
    this.#error = '';
    this.#unanswered.set(push.nonce, push);
    for (const [nonce, old] of this.#unanswered) {
      if (this.#unanswered.size <= UNANSWERED_MAX) break;
      this.#unanswered.delete(nonce);
      finish(old, { acked: false, appliedMs: 0, error: 'given up: too many newer versions came' });
    }
    return push.nonce;
  }

  /** Takes an answer. False if the nonce is unknown or not the newest one: then the state stays as it is. */
  answer(nonce: string, refusal: string | null): boolean {
    const push = this.#unanswered.get(nonce);
    if (push === undefined) return false;
    this.#unanswered.delete(nonce);
    const appliedMs = Math.max(0, this.#clock.nowMs() - push.sentMs);
    const result =
      refusal === null
        ? { acked: true, appliedMs, error: '' }
        : { acked: false, appliedMs: 0, error: refusal };
    finish(push, result);
    if (push !== this.#newest) return false;
    this.#lastResult = result;
    this.#error = refusal ?? '';
    if (refusal === null) this.#acked = push.version;
    for (const [old, unanswered] of this.#unanswered) {
      this.#unanswered.delete(old);
      finish(unanswered, { acked: false, appliedMs: 0, error: `superseded by ${push.version}` });
    }
    return true;
  }

  /** Resolves when `version` was acked, refused, superseded, or the line ended. */
  wait(version: string): Promise<PushResult> {
    const push = [...this.#unanswered.values()].findLast((candidate) => candidate.version === version);
    if (push !== undefined) return new Promise((resolve) => push.waiters.push(resolve));
    if (this.#newest?.version === version) return Promise.resolve(this.#lastResult);
    if (this.#newest === null && this.#acked === version) return Promise.resolve(this.#lastResult);
    return Promise.resolve({ acked: false, appliedMs: 0, error: 'superseded by a newer version' });
  }

  /** The connection is gone: nobody waits any longer. */
  end(reason: string): void {
    for (const push of this.#unanswered.values()) finish(push, { acked: false, appliedMs: 0, error: reason });
    this.#unanswered.clear();
  }
}

function finish(push: Push, result: PushResult): void {
  for (const waiter of push.waiters.splice(0)) waiter(result);
}
