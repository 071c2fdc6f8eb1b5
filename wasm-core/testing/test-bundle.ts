// Bundles for tests and benchmarks: a manifest, features by name, specs around random ensembles, and a
// small one with three detectors. Nothing in the product imports this.

import { FEATURES } from '../../domain/features.ts';
import type { ModelManifest } from '../../domain/model-manifest.ts';
import { type Random, seededRandom } from '../../domain/random.ts';
import { type Bundle, type BundleSpec, packBundle, parseBundle } from '../host/bundle.ts';
import type { Ensemble, FeatureRef } from '../host/ensemble.ts';
import { slotInput } from '../host/ensemble.ts';
import type { PreparedBundle, PrepareOptions } from '../host/prepare.ts';
import { offeredByName, prepareBundle } from '../host/prepare.ts';
import { hardRow, randomEnsemble } from './random-ensemble.ts';

export const TEST_MANIFEST: ModelManifest = {
  name: 'test',
  description: 'random trees for tests',
  createdMs: 1_767_225_600_000,
  seed: 1,
  data: { source: 'random' },
  metrics: {},
  thresholds: { flagAt: 0.5, blockAt: 0.9, method: 'given' },
  classes: [],
};

export const LAX = { requireSigned: false, trustedKeys: [] } as const;

/** Features f0, f1, ... known by name only. */
export function namedFeatures(count: number): FeatureRef[] {
  return Array.from({ length: count }, (_, i) => ({ id: 0, name: `f${i}` }));
}

/** A spec whose only detector is `verdict`, over as many named features as the ensemble has inputs. */
export function verdictSpec(ensemble: Ensemble, random: Random, goldenRows = 8): BundleSpec {
  return {
    features: namedFeatures(ensemble.inputs.length),
    detectors: [{ name: 'verdict', onDemand: false, ensemble }],
    manifest: TEST_MANIFEST,
    golden: Array.from({ length: goldenRows }, () => hardRow(random, ensemble)),
  };
}

/** Parses a spec that was packed, without asking for a signature. */
export function bundleOf(spec: BundleSpec): Bundle {
  return parseBundle(packBundle(spec), LAX);
}

/** Prepares a spec for a vector that holds its features in their own order. */
export function prepareSpec(spec: BundleSpec, options: PrepareOptions = {}): PreparedBundle {
  return prepareBundle(bundleOf(spec), offeredByName(spec.features.map((f) => f.name)), options);
}

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/**
 * Three detectors over real feature ids: `novelty` (isolation forest, exotic nodes), `verdict` (reads two features and novelty's
 * slot), `attack_class` (three outputs, on demand). Small enough to change every byte of.
 */
export function smallSpec(seed = 1): BundleSpec {
  const random = seededRandom(seed);
  const novelty = randomEnsemble(random, {
    trees: 3,
    leaves: [2, 6],
    inputs: indices(3),
    kind: 'iforest',
    exotic: true,
    f32Input: true,
  });
  const verdict = randomEnsemble(random, { trees: 4, leaves: [2, 5], inputs: [0, 2, slotInput(0)] });
  const attack = randomEnsemble(random, {
    trees: 3,
    leaves: [2, 4],
    inputs: [1, slotInput(1)],
    outputs: 3,
    accum: 'f32',
    kind: 'rf_mean',
  });
  return {
    features: FEATURES.slice(4, 7).map(({ id, name }) => ({ id, name })),
    detectors: [
      { name: 'novelty', onDemand: false, ensemble: novelty },
      { name: 'verdict', onDemand: false, ensemble: verdict },
      { name: 'attack_class', onDemand: true, ensemble: attack },
    ],
    manifest: { ...TEST_MANIFEST, classes: ['dos', 'bola', 'stolen_token'] },
    golden: indices(4).map(() => hardRow(random, novelty)),
  };
}
