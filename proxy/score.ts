// The scoring stage: features into the core's vector, one call into it, and what stands in when it cannot answer.
// Owns the core of a data thread: its bundle, its views, its replacement after a trap. Decides nothing.
// Called by pipeline.ts and, between requests, by data-plane.ts.

import { PicketError } from '../domain/errors.ts';
import { FEATURE_COUNT } from '../domain/features.ts';
import type { UnscoredCause } from '../domain/verdict.ts';
import type { Core } from '../wasm-core/host/core.ts';
import type { PreparedBundle } from '../wasm-core/host/prepare.ts';

/** Detector that names the kind of attack; on demand, so only for what is flagged. */
const CLASS_DETECTOR = 'attack_class';

/** Test hooks; each may throw what the stage it stands in could throw. */
export interface Faults {
  beforeScore?: () => void;
}

export interface ScorerOptions {
  readonly core: Core;
  readonly faults?: Faults | undefined;
}

export class Scorer {
  readonly core: Core;
  readonly #faults: Faults;
  /** Why the last `score` gave none. */
  cause: UnscoredCause = 'no_bundle';
  #active = false;
  #classes: readonly string[] = [];
  #trapped = false;

  constructor(options: ScorerOptions) {
    this.core = options.core;
    this.#faults = options.faults ?? {};
  }

  get bundleId(): string {
    return this.#active ? (this.core.activeId ?? '') : '';
  }

  /** Raw margin of what stands in the vector; NaN if there is none, see `cause`. */
  score(): number {
    if (!this.#active) {
      this.cause = 'no_bundle';
      return Number.NaN;
    }
    try {
      this.#faults.beforeScore?.();
      this.cause = 'none';
      return this.core.score();
    } catch {
      this.cause = 'trap';
      this.#trapped = true;
      return Number.NaN;
    }
  }

  /** Name of the likeliest attack class, empty if the bundle has none. After `score`, for flagged requests. */
  attackClass(): string {
    if (this.#classes.length === 0) return '';
    try {
      const outputs = this.core.scoreOnDemand(CLASS_DETECTOR);
      let best = 0;
      for (let i = 1; i < outputs.length; i++) {
        if ((outputs[i] as number) > (outputs[best] as number)) best = i;
      }
      return this.#classes[best] ?? '';
    } catch {
      this.#trapped = true;
      return '';
    }
  }

  /**
   * After a request: replaces the instance if it trapped. True if the core's views are new ones.
   * @throws PicketError if the bundle cannot be staged again.
   */
  recover(): boolean {
    if (!this.#trapped) return false;
    this.#trapped = false;
    this.core.reset();
    this.#learnClasses();
    return true;
  }

  /** Stages, warms and activates a bundle. The active one stays on any error. */
  activate(prepared: PreparedBundle): void {
    if (prepared.slotsAt !== FEATURE_COUNT) {
      throw new PicketError('BUNDLE_FEATURES', `bundle ${prepared.id} was prepared for another feature list`);
    }
    this.core.stage(prepared);
    this.core.warmUp();
    this.core.activate();
    this.#active = true;
    this.#learnClasses();
  }

  /** Scores nothing until a bundle is activated again. */
  deactivate(): void {
    this.#active = false;
    this.#classes = [];
  }

  rollback(): void {
    this.core.rollback();
    this.#active = true;
    this.#learnClasses();
  }

  #learnClasses(): void {
    const active = this.core.active;
    const has = active?.detectors.some((detector) => detector.name === CLASS_DETECTOR) ?? false;
    this.#classes = has ? (active?.manifest.classes ?? []) : [];
  }
}
