// The control thread's end of token verification: takes tokens off the queue, judges them one after the other, and puts what came
// of it where the data threads look. A bounded number a second, a few in one go, so that neither a burst of logins nor a flood of
// forged tokens keeps this thread from its other work. Made by principals.ts.

import type { CompiledPolicy } from '../../domain/policy.ts';
import { sipHash128 } from '../../domain/siphash.ts';
import { saltVerifiedClaim } from '../identify.ts';
import type { IdentityKeys } from '../identity-key.ts';
import type { JwksKeeper } from './jwks-keeper.ts';
import type { PrincipalTable } from './principal-table.ts';
import type { QueuedToken, TokenQueue } from './token-queue.ts';
import { TOKEN_REFUSALS, type TokenRefusal, type VerifiedToken, verifyToken } from './verify-token.ts';

/** Tokens that are judged before others have their turn on this thread. */
const AT_ONCE = 8;
/** Tokens judged in a second, at most; more wait in the queue, or are dropped and come again with a later request. */
const PER_SECOND = 1_000;
/** How long a refusal holds before the same token is judged again, seconds. */
const REFUSED_SEC = 600;
const REFUSED_SOON_SEC = 30;
/** What may be otherwise soon: the set of keys, the time. */
const SOON: ReadonlySet<TokenRefusal> = new Set(['no_keys', 'unknown_key', 'not_yet_valid']);

export interface VerifierOptions {
  readonly keeper: JwksKeeper;
  readonly table: PrincipalTable;
  readonly queue: TokenQueue;
  /** The policy in force. */
  readonly policy: () => CompiledPolicy;
  readonly identityKeys: () => IdentityKeys;
  /** The sidecar's clock. */
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
}

export class Verifier {
  readonly #options: VerifierOptions;
  readonly refused = new Map<TokenRefusal, number>(TOKEN_REFUSALS.map((reason) => [reason, 0]));
  verified = 0;
  #allowance = PER_SECOND;
  #refilledMs: number;
  #closed = false;

  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#refilledMs = options.monotonicMs();
  }

  /** Judges what comes until `close`. Never throws. */
  async run(): Promise<void> {
    const { queue } = this.#options;
    while (!this.#closed) {
      await queue.waiting();
      for (let i = 0; i < AT_ONCE && !this.#closed && this.#mayJudge(); i++) {
        const token = queue.take();
        if (token === null) break;
        this.#allowance--;
        this.judge(token);
      }
      await this.#pause();
    }
  }

  close(): void {
    this.#closed = true;
    this.#options.queue.wake();
  }

  /** Judges one token and keeps what came of it. */
  judge(token: QueuedToken): void {
    const { keeper, table, policy } = this.#options;
    const { identitySources, jwt } = policy();
    const source = identitySources[token.source];
    // Handed over under a policy that has gone: it will come again under the new one.
    if (source?.kind !== 'bearer' && source?.kind !== 'jwt_claim') return;
    const claim = source.kind === 'bearer' ? 'sub' : source.claim;
    const nowSec = Math.floor(this.#options.nowMs() / 1000);
    const outcome = verifyToken(token.bytes, { keys: keeper.keys, rules: jwt, claim, nowSec });
    token.bytes.fill(0);
    if (typeof outcome === 'string') {
      this.refused.set(outcome, this.refused.get(outcome)! + 1);
      // Without any key the keeper is trying already.
      if (outcome === 'unknown_key') keeper.askAgain();
      table.putRefused(token.key, nowSec + (SOON.has(outcome) ? REFUSED_SOON_SEC : REFUSED_SEC));
      return;
    }
    this.verified++;
    const { current, former } = this.#options.identityKeys();
    const oldKey = former === null ? null : principalKeyOf(outcome, claim, former.key);
    table.putVerified(token.key, principalKeyOf(outcome, claim, current), oldKey, outcome.endsSec);
  }

  #mayJudge(): boolean {
    const nowMs = this.#options.monotonicMs();
    const refill = ((nowMs - this.#refilledMs) / 1000) * PER_SECOND;
    this.#allowance = Math.min(PER_SECOND, this.#allowance + refill);
    this.#refilledMs = nowMs;
    return this.#allowance >= 1;
  }

  /** Gives way to the thread's other work; a while longer once the second's tokens are used up. */
  #pause(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      if (this.#allowance >= 1) setImmediate(resolve);
      else setTimeout(resolve, 20).unref();
    });
  }
}

const encoder = new TextEncoder();

/** The principal's key: issuer, claim and value under one identity key. The lengths keep the parts apart. */
export function principalKeyOf(token: VerifiedToken, claim: string, key: Uint32Array): Uint32Array {
  const { issuer, subject } = token;
  const bytes = encoder.encode(`${issuer.length} ${issuer} ${claim.length} ${claim} ${subject}`);
  const out = new Uint32Array(4);
  sipHash128(bytes, 0, bytes.length, key, out);
  saltVerifiedClaim(out);
  return out;
}
