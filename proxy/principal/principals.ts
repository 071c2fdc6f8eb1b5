// Principals by verified tokens, as a whole: the shared memory, the key set, the verifier. Exists only with --jwks; without it a
// token is its own principal. Lives on the control thread. Made by parts.ts, started and closed by main.ts.

import type { CompiledPolicy } from '../../domain/policy.ts';
import type { IdentityKeys } from '../identity-key.ts';
import type { SidecarLog } from '../log.ts';
import { JwksKeeper, type JwksReport } from './jwks-keeper.ts';
import { type JwksPlace, readJwks } from './jwks-source.ts';
import { PrincipalTable, principalTableBytes } from './principal-table.ts';
import type { TokenBuffers } from './token-desk.ts';
import { TOKEN_QUEUE_BYTES, TokenQueue } from './token-queue.ts';
import { Verifier } from './verifier.ts';

/** Bytes of shared memory for `identities` verified tokens; 0 without --jwks. */
export function tokenMemoryBytes(identities: number, jwks: string | undefined): number {
  return jwks === undefined ? 0 : principalTableBytes(identities) + TOKEN_QUEUE_BYTES;
}

export interface PrincipalsOptions {
  readonly place: JwksPlace;
  readonly caFile: string | undefined;
  readonly refreshMs: number;
  /** Verified tokens that are remembered. */
  readonly identities: number;
  readonly policy: () => CompiledPolicy;
  readonly identityKeys: () => IdentityKeys;
  readonly log: SidecarLog;
  /** The sidecar's clock. */
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
}

export interface TokenReport {
  readonly jwks: JwksReport;
  readonly verified_total: number;
  /** By reason; those that happened. */
  readonly refused_total: Readonly<Record<string, number>>;
}

export class Principals {
  /** What data threads hold the other end of. */
  readonly buffers: TokenBuffers;
  readonly #options: PrincipalsOptions;
  readonly #table: PrincipalTable;
  readonly #keeper: JwksKeeper;
  readonly #verifier: Verifier;
  /** What the entries of the table were judged by, besides the key set. */
  #rules: string;
  #identityKeys: IdentityKeys;

  constructor(options: PrincipalsOptions) {
    const { place, caFile, refreshMs, log, monotonicMs } = options;
    this.#options = options;
    this.#table = new PrincipalTable(new SharedArrayBuffer(principalTableBytes(options.identities)));
    const queue = new TokenQueue();
    this.buffers = { table: this.#table.buffer, queue: queue.buffer };
    this.#keeper = new JwksKeeper({
      ...{ refreshMs, log, monotonicMs },
      read: () => readJwks(place, { caFile }),
      onChange: (removed) => (removed ? this.#table.clear() : this.#table.clearRefused()),
    });
    this.#verifier = new Verifier({
      ...options,
      // What older rules made is forgotten before anything is judged by newer ones.
      policy: () => {
        this.tick();
        return options.policy();
      },
      ...{ keeper: this.#keeper, table: this.#table, queue },
    });
    this.#rules = this.#rulesNow();
    this.#identityKeys = options.identityKeys();
  }

  /** Reads the key set and begins to judge. Does not wait for either: requests are served from the first moment. */
  start(): void {
    void this.#keeper.refresh();
    this.#verifier.run().catch((thrown: unknown) => {
      this.#options.log.error({ err: thrown }, 'tokens are not verified any more');
    });
  }

  /** Forgets judgements that other rules or identity keys were made by. Cheap when nothing changed; called on the tick. */
  tick(): void {
    const rules = this.#rulesNow();
    const keys = this.#options.identityKeys();
    if (rules === this.#rules && keys === this.#identityKeys) return;
    this.#rules = rules;
    this.#identityKeys = keys;
    this.#table.clear();
  }

  /** Reads the key set again, as SIGHUP asks. Never throws. */
  async reload(): Promise<string[]> {
    await this.#keeper.refresh();
    const { keys, last_error: error } = this.#keeper.report();
    return [`key set: ${error === '' ? `read, ${keys} keys` : `refused, ${error}`}`];
  }

  report(): TokenReport {
    const { refused, verified } = this.#verifier;
    const happened = [...refused].filter(([, count]) => count > 0);
    return {
      jwks: this.#keeper.report(),
      verified_total: verified,
      refused_total: Object.fromEntries(happened),
    };
  }

  close(): void {
    this.#keeper.close();
    this.#verifier.close();
  }

  #rulesNow(): string {
    const { identitySources, jwt } = this.#options.policy();
    return JSON.stringify([identitySources, jwt]);
  }
}
