// What the sidecar runs now: one policy document and one prepared bundle, compiled for this workload and bound to each other,
// handed to the data thread as a pair. A policy or bundle that is not good throws and changes nothing.
// Called by main.ts (start, SIGHUP), by the uplink (pushes) and by the tick (a `modeUntil` that ends).

import { createHash } from 'node:crypto';
import type { Clock } from '../domain/clock.ts';
import { OFFERED_IDS } from '../domain/features.ts';
import type { OpenApiRoutes } from '../domain/openapi.ts';
import {
  bindThresholds,
  type CompiledPolicy,
  compilePolicy,
  DEFAULT_POLICY,
  type PolicyDocument,
  type PolicyOrigin,
} from '../domain/policy.ts';
import { parseBundle } from '../wasm-core/host/bundle.ts';
import type { TrustedKey } from '../wasm-core/host/container.ts';
import { type PreparedBundle, prepareBundle } from '../wasm-core/host/prepare.ts';
import type { ThreadOrder } from './data-thread-host.ts';

export interface CurrentOptions {
  readonly namespace: string;
  readonly workload: string;
  readonly clock: Clock;
  readonly requireSigned: boolean;
  readonly trustedKeys: readonly TrustedKey[];
}

export interface PolicyInForce {
  readonly document: PolicyDocument;
  readonly version: string;
  readonly origin: PolicyOrigin;
}

export interface BundleInForce {
  readonly prepared: PreparedBundle;
  /** sha256 of the file, lower-case hex. */
  readonly digest: string;
  readonly origin: PolicyOrigin;
}

export interface OpenApiInForce {
  readonly routes: OpenApiRoutes;
  readonly version: string;
}

type Send = (order: ThreadOrder) => Promise<void>;

export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export class Current {
  readonly #options: CurrentOptions;
  #policy: PolicyInForce = { document: DEFAULT_POLICY, version: 'default', origin: 'default' };
  #bundle: BundleInForce | null = null;
  #openApi: OpenApiInForce | null = null;
  #compiled: CompiledPolicy;
  #send: Send = () => Promise.resolve();
  /** When the policy in force was taken, on the sidecar's clock. */
  policySinceMs: number;

  constructor(options: CurrentOptions) {
    this.#options = options;
    this.policySinceMs = options.clock.nowMs();
    this.#compiled = this.#compile(this.#policy, null);
  }

  get policy(): PolicyInForce {
    return this.#policy;
  }

  get bundle(): BundleInForce | null {
    return this.#bundle;
  }

  get openApi(): OpenApiInForce | null {
    return this.#openApi;
  }

  /** Compiled and bound: what the data thread runs. */
  get compiled(): CompiledPolicy {
    return this.#compiled;
  }

  /** From now on changes are handed to the data thread. */
  attach(send: Send): void {
    this.#send = send;
  }

  /** Puts a checked document in force. Resolves when the data thread runs it. */
  async setPolicy(policy: PolicyInForce): Promise<void> {
    this.#compiled = this.#compile(policy, this.#bundle);
    this.#policy = policy;
    this.policySinceMs = this.#options.clock.nowMs();
    await this.#send({ kind: 'policy', policy: this.#compiled });
  }

  /** Puts the paths of a checked document in force. Resolves when the data thread resolves by them. */
  async setOpenApi(openApi: OpenApiInForce): Promise<void> {
    this.#openApi = openApi;
    await this.#send({ kind: 'routes', paths: openApi.routes.paths });
  }

  /** Checks the bytes of a bundle and builds its tables. Throws BUNDLE_*; changes nothing. */
  prepare(bytes: Uint8Array): PreparedBundle {
    const { requireSigned, trustedKeys } = this.#options;
    return prepareBundle(parseBundle(bytes, { requireSigned, trustedKeys, offeredIds: OFFERED_IDS }));
  }

  /** Puts a prepared bundle in force. Resolves when the data thread runs it; throws if it was refused there. */
  async setBundle(bundle: BundleInForce): Promise<void> {
    const before = { bundle: this.#bundle, compiled: this.#compiled };
    this.#compiled = this.#compile(this.#policy, bundle);
    this.#bundle = bundle;
    try {
      await this.#send({ kind: 'bundle', bundle: bundle.prepared, policy: this.#compiled });
    } catch (thrown) {
      if (this.#bundle === bundle) {
        this.#bundle = before.bundle;
        this.#compiled = this.#compile(this.#policy, before.bundle);
        await this.#send({ kind: 'policy', policy: this.#compiled });
      }
      throw thrown;
    }
  }

  /** A `modeUntil` may have ended: compiles again if so. True if it did. */
  async tick(): Promise<boolean> {
    if (this.#options.clock.nowMs() < this.#compiled.nextChangeMs) return false;
    this.#compiled = this.#compile(this.#policy, this.#bundle);
    await this.#send({ kind: 'policy', policy: this.#compiled });
    return true;
  }

  #compile(policy: PolicyInForce, bundle: BundleInForce | null): CompiledPolicy {
    const { namespace, workload, clock } = this.#options;
    const { version, origin } = policy;
    const compiled = compilePolicy(policy.document, {
      version,
      origin,
      namespace,
      workload,
      nowMs: clock.nowMs(),
    });
    return bundle === null ? compiled : bindThresholds(compiled, bundle.prepared.thresholds);
  }
}
