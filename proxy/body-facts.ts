// What a held body adds to what the engine sees of a request: its first bytes, and the keyed hash of the login name in them.
// The name itself goes nowhere. Called by hold-gate.ts, for held requests only.

import type { ObservedRequest } from '../feature-engine/engine.ts';
import type { HeldBody } from './body-hold.ts';
import { COUNTER, type Counters } from './counters.ts';
import type { RequestHead } from './head.ts';
import type { HoldRule } from './hold-gate.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { loginNameOf } from './login-name.ts';

/** Keeps the hash of a login name apart from the same text hashed as something else. */
const MARK = 'login:';

interface HeldRequest {
  readonly held: HeldBody;
  readonly head: RequestHead;
  /** The route's; undefined if the policy was changed meanwhile. */
  readonly rule: HoldRule | undefined;
}

export class BodyFacts {
  readonly #hash: KeyedHash;
  readonly #counters: Counters;
  readonly #out = new Uint32Array(4);

  constructor(hash: KeyedHash, counters: Counters) {
    this.#hash = hash;
    this.#counters = counters;
  }

  /** The request with its held body. A body that is compressed shows no login name. */
  of(bare: ObservedRequest, given: HeldRequest): ObservedRequest {
    const { held, head, rule } = given;
    const field = rule?.loginField ?? null;
    const login = field === null ? 0 : this.#login(held, field, head);
    return { ...bare, bodyPrefix: held.prefix, login };
  }

  #login({ prefix, whole }: HeldBody, field: string, head: RequestHead): number {
    const coding = fieldOf(head, 'content-encoding');
    if (coding !== '' && coding.toLowerCase() !== 'identity') return 0;
    const name = loginNameOf({ prefix, whole, contentType: fieldOf(head, 'content-type') }, field);
    if (name === '') return 0;
    this.#counters.add(COUNTER.loginsRead);
    const bytes = Buffer.from(MARK + name);
    this.#hash.ofBytes(bytes, bytes.length, this.#out, null);
    return this.#out[0] || 1;
  }
}

/** The first value of a field, '' if there is none. */
function fieldOf({ fields }: RequestHead, name: string): string {
  for (let i = 0; i < fields.length; i += 2) {
    if ((fields[i] as string).toLowerCase() === name) return fields[i + 1] as string;
  }
  return '';
}
