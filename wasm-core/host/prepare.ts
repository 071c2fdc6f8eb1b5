// From a parsed bundle to what a data thread stages: places resolved, kernels chosen, tables built, golden
// vectors run on the
// chosen kernels AND on the reference. Runs on the control thread, never in a request. The result can be
// structured-cloned.

import { PicketError } from '../../domain/errors.ts';
import { OFFERED_IDS, PLACE_BY_ID } from '../../domain/features.ts';
import type { ModelManifest, ThresholdAdvice } from '../../domain/model-manifest.ts';
import * as at from '../layout.ts';
import type { Bundle, GoldenVectors } from './bundle.ts';
import { ARENA_BYTES_DEFAULT, Core } from './core.ts';
import type { CoreVariant } from './core-module.ts';
import { type FeatureRef, slotCount } from './ensemble.ts';
import { checkOffered } from './parse.ts';
import { referenceSlots } from './reference.ts';
import { buildImage, type PlacedDetector } from './tables.ts';

/** What a vector offers: how many feature places it has, and which feature stands where. */
export interface OfferedFeatures {
  readonly count: number;
  /** The place of a feature; undefined when it is not offered. */
  placeOf(feature: FeatureRef): number | undefined;
}

/** The features of this build, by permanent id: what a sidecar offers. */
export const OFFERED: OfferedFeatures = {
  count: OFFERED_IDS.length,
  placeOf: (feature) => (feature.id === 0 ? undefined : PLACE_BY_ID.get(feature.id)),
};

/** Features by name, in the order given: the columns of a table. For offline scoring. */
export function offeredByName(names: readonly string[]): OfferedFeatures {
  const places = new Map(names.map((name, place) => [name, place]));
  return { count: names.length, placeOf: (feature) => places.get(feature.name) };
}

export interface PrepareOptions {
  /** Kernel A is taken while its rows stay within this; default 1 MiB, 0 forces kernel B. */
  readonly rowTableMaxBytes?: number;
  /** Size of the arena it must fit into; default as in Core. */
  readonly arenaBytes?: number;
  /** Which build of the core runs the self-test. */
  readonly variant?: CoreVariant;
}

export interface PreparedBundle {
  readonly id: string;
  readonly image: ArrayBuffer;
  readonly relocations: Uint32Array;
  readonly detectors: readonly PlacedDetector[];
  /** Vector place of each of the bundle's features. */
  readonly places: readonly number[];
  /** Vector place of slot 0, right after the features; and the number of slots. */
  readonly slotsAt: number;
  readonly slotCount: number;
  /** Trees that run on every request. */
  readonly trees: number;
  readonly golden: GoldenVectors;
  readonly manifest: ModelManifest;
  readonly thresholds: ThresholdAdvice;
  readonly signedBy: string | null;
}

/** Arena for offline scoring, where there is room for larger tables than in a sidecar. */
export const OFFLINE_ARENA_BYTES = 256 * 2 ** 20;

const ROW_TABLE_MAX_BYTES = 1024 * 1024;

function checkReference(bundle: Bundle): void {
  const { golden, detectors, features } = bundle;
  const slots = slotCount(detectors);
  for (let row = 0; row < golden.rows; row++) {
    const given = golden.features.subarray(row * features.length, (row + 1) * features.length);
    const found = referenceSlots(detectors, given);
    for (let slot = 0; slot < slots; slot++) {
      const expected = golden.slots[row * slots + slot]!;
      if (Object.is(found[slot], expected)) continue;
      throw new PicketError(
        'BUNDLE_SELF_TEST',
        `bundle ${bundle.id}: golden row ${row}, slot ${slot} gives ${found[slot]}, expected ${expected}`,
      );
    }
  }
}

/**
 * Prepares a bundle for the core. Throws PicketError BUNDLE_FEATURES (naming what is not offered), BUNDLE_TOO_LARGE,
 * BUNDLE_SELF_TEST; CORE_TRAP would be a bug.
 */
export function prepareBundle(
  bundle: Bundle,
  offered: OfferedFeatures = OFFERED,
  options: PrepareOptions = {},
): PreparedBundle {
  checkOffered(bundle.features, (feature) => offered.placeOf(feature) !== undefined);
  const places = bundle.features.map((feature) => offered.placeOf(feature)!);
  const slots = slotCount(bundle.detectors);
  if (offered.count + slots > at.VECTOR_PLACES) {
    throw new PicketError('BUNDLE_TOO_LARGE', `bundle ${bundle.id}: over ${at.VECTOR_PLACES} vector places`);
  }
  checkReference(bundle);
  const { bytes, relocations, detectors } = buildImage(bundle.detectors, {
    places,
    slotsAt: offered.count,
    rowTableMaxBytes: options.rowTableMaxBytes ?? ROW_TABLE_MAX_BYTES,
    imageMaxBytes: options.arenaBytes ?? ARENA_BYTES_DEFAULT,
  });
  const prepared: PreparedBundle = {
    id: bundle.id,
    image: bytes,
    relocations,
    detectors,
    places,
    slotsAt: offered.count,
    slotCount: slots,
    trees: bundle.detectors.reduce((sum, d) => sum + (d.onDemand ? 0 : d.ensemble.trees.length), 0),
    golden: bundle.golden,
    manifest: bundle.manifest,
    thresholds: bundle.manifest.thresholds,
    signedBy: bundle.signedBy,
  };
  const core = new Core({ arenaBytes: bytes.byteLength, variant: options.variant ?? 'release' });
  core.stage(prepared);
  core.warmUp(0);
  return prepared;
}
