// Scores vectors offline as a sidecar would: the same core, the bundle's own thresholds, class and signals for what is flagged.
// Remembers nothing between requests; the feature engine does. Used by `picket replay` and `picket simulate` with --offline.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PicketError } from '../domain/errors.ts';
import { FEATURE_COUNT } from '../domain/features.ts';
import { marginOf } from '../domain/policy.ts';
import { signalBits } from '../domain/signal.ts';
import { parseBundle } from '../wasm-core/host/bundle.ts';
import { Core } from '../wasm-core/host/core.ts';
import { prepareBundle } from '../wasm-core/host/prepare.ts';
import { PACKAGE_ROOT } from './package-root.ts';

/** The bundle that this repository trained. */
export const DEFAULT_BUNDLE = join(PACKAGE_ROOT, 'models', 'default.bundle');
const CLASS_DETECTOR = 'attack_class';

export interface Judged {
  readonly flagged: boolean;
  /** At or above the block threshold: refused in block mode. */
  readonly blocked: boolean;
  /** Empty if not flagged, or if the bundle names no classes. */
  readonly attackClass: string;
  /** Bits of domain/signal.ts; 0 if not flagged. */
  readonly signals: number;
}

const ALLOWED: Judged = { flagged: false, blocked: false, attackClass: '', signals: 0 };

export class OfflineJudge {
  readonly bundleId: string;
  readonly #core: Core;
  readonly #flagMargin: number;
  readonly #blockMargin: number;
  readonly #classes: readonly string[];
  readonly #places: readonly number[];
  #margin = Number.NaN;

  /** @throws PicketError BUNDLE_* for a bundle that cannot be used, NOT_FOUND if there is no such file. */
  constructor(path: string) {
    const prepared = prepareBundle(parseBundle(readBundle(path), { requireSigned: false, trustedKeys: [] }));
    this.#core = new Core({ arenaBytes: Math.max(prepared.image.byteLength, 65_536) });
    this.#core.stage(prepared);
    this.#core.warmUp();
    this.#core.activate();
    this.bundleId = prepared.id;
    this.#places = prepared.places;
    this.#flagMargin = marginOf(prepared.thresholds.flagAt);
    this.#blockMargin = marginOf(prepared.thresholds.blockAt);
    const named = prepared.detectors.some((detector) => detector.name === CLASS_DETECTOR);
    this.#classes = named ? prepared.manifest.classes : [];
  }

  /** Where the feature engine writes: the core's own memory. */
  get vector(): Float64Array {
    return this.#core.vector;
  }

  /** Raw margin of the vector judged last. */
  get margin(): number {
    return this.#margin;
  }

  /** Vector places that the bundle reads. */
  get places(): readonly number[] {
    return this.#places;
  }

  /** Raw margin of a vector of features. Overwrites the one that stands in `vector`. */
  marginOf(features: Float64Array): number {
    this.#core.vector.set(features);
    return this.#core.score();
  }

  /** Judges the vector that was just written. */
  judge(): Judged {
    const margin = this.#core.score();
    this.#margin = margin;
    if (!(margin >= this.#flagMargin)) return ALLOWED;
    return {
      flagged: true,
      blocked: margin >= this.#blockMargin,
      attackClass: this.#classes[this.#likeliest()] ?? '',
      signals: signalBits(this.#core.vector.subarray(0, FEATURE_COUNT)),
    };
  }

  #likeliest(): number {
    if (this.#classes.length === 0) return -1;
    const margins = this.#core.scoreOnDemand(CLASS_DETECTOR);
    let best = 0;
    for (let i = 1; i < margins.length; i++) if (margins[i]! > margins[best]!) best = i;
    return best;
  }
}

function readBundle(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (thrown) {
    throw new PicketError('NOT_FOUND', `the bundle cannot be read: ${PicketError.from(thrown).message}`, {
      hint: 'name another with --bundle, or make the default one: npm run train:default',
    });
  }
}
