// What the control thread does about identities: keeps the identity keys (identity-key-ring.ts) and, with --jwks, has tokens
// verified (principals.ts). One object for main.ts to start, tick, reload and close. No request passes here.

import type { CompiledPolicy } from '../../domain/policy.ts';
import type { SidecarConfig } from '../config.ts';
import type { ThreadOrder } from '../data-thread-host.ts';
import type { IdentityKeys } from '../identity-key.ts';
import { IdentityKeyRing } from '../identity-key-ring.ts';
import type { HashKeys } from '../keyed-hash.ts';
import type { SidecarLog } from '../log.ts';
import { jwksPlace } from './jwks-source.ts';
import { Principals, type TokenReport } from './principals.ts';
import type { TokenBuffers } from './token-desk.ts';

export interface IdentityServiceOptions {
  readonly config: SidecarConfig;
  readonly keys: IdentityKeys;
  readonly policy: () => CompiledPolicy;
  readonly log: SidecarLog;
  /** The sidecar's clock. */
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  readonly send: (order: ThreadOrder) => Promise<void>;
}

export interface IdentityReport {
  /** Names the identity key, 8 hex digits. */
  readonly keyId: string;
  /** ISO 8601, while the key is being rotated. */
  readonly formerKeyUntil: string | null;
  /** Null without --jwks. */
  readonly tokens: TokenReport | null;
}

export class IdentityService {
  readonly #ring: IdentityKeyRing;
  readonly #principals: Principals | null;

  constructor(options: IdentityServiceOptions) {
    const { config, keys, policy, log, nowMs, monotonicMs, send } = options;
    const { identityKeyFile: file, namespace } = config;
    const ring = new IdentityKeyRing({
      ...{ keys, file, namespace, log },
      wallMs: () => Date.now(),
      send: (order) => {
        // Principals that other keys made are forgotten before a data thread could read them by these.
        this.#principals?.tick();
        return send(order);
      },
    });
    this.#ring = ring;
    const place = config.jwks === undefined ? null : jwksPlace(config.jwks);
    this.#principals =
      place === null
        ? null
        : new Principals({
            ...{ place, policy, log, nowMs, monotonicMs },
            caFile: config.jwksCa,
            refreshMs: config.jwksRefresh,
            identities: config.identities,
            identityKeys: () => ring.keys,
          });
  }

  /** As a data thread starts with them. */
  get hashKeys(): HashKeys {
    return this.#ring.hashKeys;
  }

  get tokens(): TokenBuffers | null {
    return this.#principals?.buffers ?? null;
  }

  start(): void {
    this.#principals?.start();
  }

  tick(): void {
    this.#ring.tick();
    this.#principals?.tick();
  }

  /** Reads --identity-key-file and --jwks again; says what became of each. Never throws. */
  async reload(): Promise<string[]> {
    const keys = await this.#ring.reload();
    return [...keys, ...((await this.#principals?.reload()) ?? [])];
  }

  report(): IdentityReport {
    const { keyId, former } = this.#ring.keys;
    return {
      keyId: keyId.toString(16).padStart(8, '0'),
      formerKeyUntil: former === null ? null : new Date(former.untilMs).toISOString(),
      tokens: this.#principals?.report() ?? null,
    };
  }

  close(): void {
    this.#principals?.close();
  }
}
