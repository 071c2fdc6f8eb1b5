// The plain scorer: what a tree ensemble means, in as few lines as possible. The oracle for both kernels
// and for the trainer.
// Knows nothing of WebAssembly, places or slots beyond the values it is given. Called by bundle self-tests,
// training and tests.

import { ZERO_MAX } from '../layout.ts';
import type { Detector, Ensemble, Tree } from './ensemble.ts';
import {
  MISSING_NONE,
  MISSING_ZERO,
  NODE_CATEGORY,
  NODE_MISSING_LEFT,
  NODE_MISSING_TYPE_SHIFT,
  NODE_NAN_SPLIT,
  NODE_UNKNOWN_LEFT,
  SLOT_INPUT,
} from './ensemble.ts';

function isBitSet(words: Uint32Array, bit: number): boolean {
  return ((words[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
}

/** Whether `x` (already rounded, if the ensemble rounds) goes left at an inner node. */
export function goesLeft(ensemble: Ensemble, tree: Tree, node: number, x: number): boolean {
  const flags = tree.flags[node]!;
  const missingLeft = (flags & NODE_MISSING_LEFT) !== 0;
  const missingType = (flags >>> NODE_MISSING_TYPE_SHIFT) & 3;
  const threshold = tree.threshold[node]!;
  if (flags & NODE_NAN_SPLIT) return !Number.isNaN(x);
  if (flags & NODE_CATEGORY) {
    if (Number.isNaN(x)) return missingLeft;
    const { left, known } = ensemble.categories[threshold]!;
    const category = missingType === MISSING_NONE ? Math.trunc(x) : x < 0 ? -1 : Math.trunc(x);
    if (category < 0 || category >= left.length * 32) return (flags & NODE_UNKNOWN_LEFT) !== 0;
    if (isBitSet(left, category)) return true;
    return !isBitSet(known, category) && (flags & NODE_UNKNOWN_LEFT) !== 0;
  }
  if (missingType === MISSING_ZERO && !(Math.abs(x) > ZERO_MAX)) return missingLeft;
  if (Number.isNaN(x)) return missingType === MISSING_NONE ? 0 <= threshold : missingLeft;
  return x <= threshold;
}

/** The leaf that `inputs` reach. */
export function exitLeaf(ensemble: Ensemble, tree: Tree, inputs: ArrayLike<number>): number {
  let node = 0;
  while (tree.left[node] !== 0) {
    const given = inputs[tree.feature[node]!]!;
    const x = ensemble.f32Input ? Math.fround(given) : given;
    node = tree.left[node]! + (goesLeft(ensemble, tree, node, x) ? 0 : 1);
  }
  return node;
}

/**
 * Raw margins, one an output, of one row. `inputs` holds a value for each of the ensemble's inputs, NaN = missing.
 * Leaves are added in tree order and in the ensemble's width, so the result is one exact number, not an approximation.
 */
export function referenceMargins(ensemble: Ensemble, inputs: ArrayLike<number>): Float64Array {
  const round = ensemble.accum === 'f32' ? Math.fround : (x: number): number => x;
  const sums = ensemble.base.slice();
  const counts = new Float64Array(ensemble.outputs);
  for (const tree of ensemble.trees) {
    sums[tree.output] = round(sums[tree.output]! + tree.value[exitLeaf(ensemble, tree, inputs)]!);
    counts[tree.output] = counts[tree.output]! + 1;
  }
  if (ensemble.kind !== 'rf_mean') return sums;
  return sums.map((sum, output) => round(sum / (counts[output]! || 1)));
}

/** All slots of a bundle, on-demand ones too: detectors in order, each reading `features` and the slots before it. */
export function referenceSlots(detectors: readonly Detector[], features: ArrayLike<number>): Float64Array {
  const slots: number[] = [];
  for (const { ensemble } of detectors) {
    const inputs = ensemble.inputs.map((input) =>
      input & SLOT_INPUT ? slots[input ^ SLOT_INPUT]! : features[input]!,
    );
    slots.push(...referenceMargins(ensemble, inputs));
  }
  return Float64Array.from(slots);
}
