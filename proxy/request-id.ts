// Request ids: a peer's own if it is trusted and well formed, else a new one that no other sidecar will make.
// Unique, not secret: a random prefix per start and a counter.

import { LIMITS } from '../domain/limits.ts';

const WELL_FORMED = /^[A-Za-z0-9._:-]+$/;

export function isRequestId(text: string): boolean {
  return text.length <= LIMITS.requestIdMaxBytes && WELL_FORMED.test(text);
}

export class RequestIds {
  readonly #prefix: string;
  #next = 0;

  /** `random`: uniform in [0, 1), as everywhere injected. */
  constructor(random: () => number) {
    let prefix = 'pk-';
    for (let i = 0; i < 12; i++) prefix += Math.floor(random() * 36).toString(36);
    this.#prefix = `${prefix}-`;
  }

  next(): string {
    this.#next++;
    return this.#prefix + this.#next.toString(36);
  }
}

/** The client's own id if it comes from a trusted peer and is well formed, else a new one. */
export function requestIdOf(trusted: boolean, given: string, ids: RequestIds): string {
  return trusted && isRequestId(given) ? given : ids.next();
}
