// Reads and validates a bundle in time linear in its size: container, signature, model, in that order, then
// the offered features.
// Gives canonical trees; builds no tables and runs nothing. Called on the control thread, in the control
// plane and in training.

import { PicketError } from '../../domain/errors.ts';
import type { Bundle } from './bundle.ts';
import { HEADER, KIND_NUMBERS } from './bundle-format.ts';
import { checkModel } from './check-model.ts';
import { checkSignature, openContainer, type TrustedKey } from './container.ts';
import { decodeGolden, decodeManifest, decodeSchema } from './decode-sections.ts';
import { decodeDetectors } from './decode-trees.ts';
import { type FeatureRef, slotCount, treeShape, VERDICT } from './ensemble.ts';

export interface ParseOptions {
  /** Refuse a bundle without a signature by a trusted key. */
  readonly requireSigned: boolean;
  readonly trustedKeys: readonly TrustedKey[];
  /** Permanent ids that the reader offers; when given, a bundle that uses others is refused and they are named. */
  readonly offeredIds?: readonly number[];
}

function checkHeader(header: DataView, bundle: Bundle): void {
  const trees = bundle.detectors.flatMap((d) => d.ensemble.trees);
  const shapes = trees.map(treeShape);
  const verdict = bundle.detectors.find((d) => d.name === VERDICT)!.ensemble;
  const claims: readonly [string, number, number][] = [
    ['trees', header.getUint32(HEADER.treeCount, true), trees.length],
    ['nodes', header.getUint32(HEADER.nodeCount, true), trees.reduce((sum, t) => sum + t.left.length, 0)],
    ['features', header.getUint32(HEADER.featureCount, true), bundle.features.length],
    ['outputs', header.getUint32(HEADER.slotCount, true), slotCount(bundle.detectors)],
    ['depth', header.getUint32(HEADER.maxDepth, true), shapes.reduce((max, s) => Math.max(max, s.depth), 0)],
    [
      'leaves',
      header.getUint32(HEADER.maxLeaves, true),
      shapes.reduce((max, s) => Math.max(max, s.leaves), 0),
    ],
    ['kind', header.getUint8(HEADER.kind), KIND_NUMBERS[verdict.kind]],
    ['objective', header.getUint8(HEADER.objective), 1],
    ['accumulation', header.getUint8(HEADER.accum), verdict.accum === 'f32' ? 1 : 0],
    ['base', header.getFloat64(HEADER.base, true), verdict.base[0]!],
    ['createdMs', Number(header.getBigUint64(HEADER.createdMs, true)), bundle.manifest.createdMs],
  ];
  for (const [what, said, found] of claims) {
    if (said !== found) {
      throw new PicketError('BUNDLE_CORRUPT', `bundle: the header says ${what} ${said}, found ${found}`);
    }
  }
}

/** Names the features whose id is not offered; those known by name only are never offered to a sidecar. */
export function checkOffered(
  features: readonly FeatureRef[],
  offered: (feature: FeatureRef) => boolean,
): void {
  const missing = features.filter((feature) => !offered(feature));
  if (missing.length === 0) return;
  const named = missing.slice(0, 20).map((f) => (f.id === 0 ? f.name : `${f.name} (id ${f.id})`));
  const more = missing.length > named.length ? ` and ${missing.length - named.length} more` : '';
  throw new PicketError('BUNDLE_FEATURES', `bundle: features not offered: ${named.join(', ')}${more}`, {
    hint: 'train on features that this build offers, or run a build that offers these',
  });
}

/**
 * Parses a bundle. Throws PicketError: BUNDLE_CORRUPT (length, magic, checksum, table, digest, encoding), BUNDLE_UNSUPPORTED,
 * BUNDLE_TOO_LARGE, BUNDLE_UNSIGNED, BUNDLE_SIGNATURE, BUNDLE_MODEL (trees), BUNDLE_FEATURES. Never anything else.
 */
export function parseBundle(bytes: Uint8Array, options: ParseOptions): Bundle {
  const container = openContainer(bytes);
  const signedBy = checkSignature(container, options.trustedKeys, options.requireSigned);
  const { sections } = container;
  const features = decodeSchema(sections.get('SCHM')!);
  const detectors = decodeDetectors(sections);
  checkModel(detectors, features.length);
  const bundle: Bundle = {
    id: container.id,
    signedBy,
    features,
    detectors,
    manifest: decodeManifest(sections.get('META')!),
    golden: decodeGolden(sections.get('TVEC')!, features.length, slotCount(detectors)),
  };
  checkHeader(container.header, bundle);
  const { offeredIds } = options;
  if (offeredIds !== undefined) {
    const ids = new Set(offeredIds);
    checkOffered(features, (feature) => feature.id !== 0 && ids.has(feature.id));
  }
  return bundle;
}
