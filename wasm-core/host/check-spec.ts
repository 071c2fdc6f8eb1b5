// What a bundle spec must fulfil before it can be written at all: names, counts and array lengths that have
// a place in the file.
// The deep rules (trees, sums, digests) are the loader's; pack.ts reads back what it wrote. Called by
// pack.ts only.

import { PicketError } from '../../domain/errors.ts';
import type { BundleSpec } from './bundle.ts';
import { BUNDLE_CAPS, DETECTOR_NAME_BYTES } from './bundle-format.ts';
import type { Detector, Ensemble } from './ensemble.ts';
import { VERDICT } from './ensemble.ts';

function refuse(message: string): never {
  throw new PicketError('BUNDLE_MODEL', message);
}

function checkEnsemble(name: string, ensemble: Ensemble): void {
  if (ensemble.base.length !== ensemble.outputs) {
    refuse(`detector ${name} has ${ensemble.base.length} bases for ${ensemble.outputs} outputs`);
  }
  ensemble.trees.forEach((tree, t) => {
    const nodes = tree.left.length;
    const lengths = [tree.feature.length, tree.threshold.length, tree.flags.length, tree.value.length];
    if (tree.cover !== null) lengths.push(tree.cover.length);
    if (lengths.some((length) => length !== nodes)) {
      refuse(`detector ${name}, tree ${t}: the arrays differ in length`);
    }
    if (tree.output >= 256)
      refuse(`detector ${name}, tree ${t}: output ${tree.output} has no place in a node`);
  });
  for (const set of ensemble.categories) {
    if (set.left.length !== set.known.length) refuse(`detector ${name}: a category set has uneven halves`);
  }
  const covered = ensemble.trees.filter((tree) => tree.cover !== null).length;
  if (covered !== 0 && covered !== ensemble.trees.length) {
    refuse(`detector ${name}: ${covered} of ${ensemble.trees.length} trees have covers; give all or none`);
  }
}

function checkDetector(detector: Omit<Detector, 'slot'>): void {
  const { name, ensemble } = detector;
  if (!/^[a-z][a-z0-9_]*$/.test(name) || name.length > DETECTOR_NAME_BYTES) {
    refuse(`detector name "${name}" is not 1 to ${DETECTOR_NAME_BYTES} of a-z, 0-9 and _`);
  }
  if (ensemble.outputs < 1 || ensemble.outputs > BUNDLE_CAPS.outputs) {
    refuse(`detector ${name} has ${ensemble.outputs} outputs, not 1 to ${BUNDLE_CAPS.outputs}`);
  }
  checkEnsemble(name, ensemble);
}

/** Throws PicketError BUNDLE_MODEL naming the first thing that cannot be written. */
export function checkSpec(spec: BundleSpec): void {
  spec.detectors.forEach(checkDetector);
  if (spec.detectors.filter((d) => d.name === VERDICT).length !== 1) {
    refuse(`a bundle needs exactly one detector named ${VERDICT}`);
  }
  const createdMs = spec.manifest.createdMs;
  if (!Number.isSafeInteger(createdMs) || createdMs < 0) refuse(`createdMs ${createdMs} is no time in ms`);
  spec.features.forEach((feature, i) => {
    if (!Number.isInteger(feature.id) || feature.id < 0 || feature.id > 0xffffffff) {
      refuse(`feature ${i} has id ${feature.id}, not 0 to 4294967295`);
    }
    if (new TextEncoder().encode(feature.name).length > 256)
      refuse(`feature ${i}: its name is over 256 bytes`);
  });
  if (spec.golden.length < 1 || spec.golden.length > BUNDLE_CAPS.goldenRows) {
    refuse(`${spec.golden.length} golden rows, not 1 to ${BUNDLE_CAPS.goldenRows}`);
  }
  spec.golden.forEach((row, i) => {
    if (row.length !== spec.features.length) {
      refuse(`golden row ${i} has ${row.length} values for ${spec.features.length} features`);
    }
  });
}
