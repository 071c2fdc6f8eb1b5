// What a model bundle is in memory, and the door to its file format: pack, sign, parse. docs/model-
// bundle.md has the byte order.
// Holds canonical trees only; kernel tables are built from it by prepare.ts and never read from a file.

import type { ModelManifest } from '../../domain/model-manifest.ts';
import type { Detector, FeatureRef } from './ensemble.ts';

export { packBundle } from './pack.ts';
export { parseBundle } from './parse.ts';
export { signBundle } from './sign.ts';

/** Golden vectors: rows of feature values and, for each, the exact raw margin of every slot. */
export interface GoldenVectors {
  readonly rows: number;
  /** rows x features, row by row, in the order of the bundle's features. */
  readonly features: Float64Array;
  /** rows x slots, row by row. */
  readonly slots: Float64Array;
}

/** What is packed. `createdMs` comes from the manifest; nothing is read from a clock: same spec, same bytes. */
export interface BundleSpec {
  readonly features: readonly FeatureRef[];
  /** In running order; a detector may read the slots of earlier ones. Exactly one is named `verdict`. */
  readonly detectors: readonly Omit<Detector, 'slot'>[];
  readonly manifest: ModelManifest;
  /** 1 to 256 rows of feature values (NaN = missing); their margins are computed by the reference scorer. */
  readonly golden: readonly ArrayLike<number>[];
}

export interface Bundle {
  /** Lower-case hex sha256 of everything between header and signature: the same before and after signing. */
  readonly id: string;
  /** Key id of the verified signature; null when the bundle is unsigned or no keys were given to check it. */
  readonly signedBy: string | null;
  readonly features: readonly FeatureRef[];
  readonly detectors: readonly Detector[];
  readonly manifest: ModelManifest;
  readonly golden: GoldenVectors;
}
