// Whether trees are trees: children after their parent, each node reached once, finite sums, features and
// sets in range.
// After this every kernel loop is bounded by construction. One pass over the nodes. Called by parse.ts and
// pack.ts.

import { PicketError } from '../../domain/errors.ts';
import { BUNDLE_CAPS } from './bundle-format.ts';
import type { Detector, Ensemble, Tree } from './ensemble.ts';
import {
  MISSING_NAN,
  NODE_CATEGORY,
  NODE_FLAGS_KNOWN,
  NODE_MISSING_LEFT,
  NODE_MISSING_TYPE_SHIFT,
  NODE_NAN_SPLIT,
  SLOT_INPUT,
  treeShape,
  VERDICT,
} from './ensemble.ts';

const F32_MAX = 3.4028234663852886e38;

function refuse(message: string): never {
  throw new PicketError('BUNDLE_MODEL', `bundle: ${message}`);
}

function checkSplit(ensemble: Ensemble, tree: Tree, node: number): string | null {
  const flags = tree.flags[node]!;
  const threshold = tree.threshold[node]!;
  const missingType = (flags >>> NODE_MISSING_TYPE_SHIFT) & 3;
  if (flags & ~NODE_FLAGS_KNOWN) return `unknown flags ${flags}`;
  if (missingType > MISSING_NAN) return 'unknown missing type 3';
  if (tree.feature[node]! >= ensemble.inputs.length) return `input ${tree.feature[node]} does not exist`;
  if (flags & NODE_NAN_SPLIT) {
    if (threshold !== Infinity) return 'a NaN split whose threshold is not +Infinity';
    if (flags & (NODE_CATEGORY | NODE_MISSING_LEFT)) return 'a NaN split with other flags';
    return missingType === MISSING_NAN ? null : 'a NaN split of another missing type';
  }
  if (flags & NODE_CATEGORY) {
    const set = Number.isInteger(threshold) ? ensemble.categories[threshold] : undefined;
    if (set === undefined) return `category set ${threshold} does not exist`;
    return set.left.some((word) => word !== 0) || set.known.some((word) => word !== 0)
      ? null
      : `category set ${threshold} is empty`;
  }
  if (Number.isNaN(threshold)) return 'the threshold is not a number';
  return threshold === Infinity ? 'the threshold is +Infinity without a NaN split' : null;
}

function checkCover(tree: Tree, node: number): string | null {
  if (tree.cover === null) return null;
  const cover = tree.cover[node]!;
  if (!(cover > 0 && Number.isFinite(cover))) return `cover ${cover} is not above 0`;
  const left = tree.left[node]!;
  if (left === 0) return null;
  const sum = tree.cover[left]! + tree.cover[left + 1]!;
  return Math.abs(sum - cover) <= 1e-6 * cover
    ? null
    : `covers of the children add up to ${sum}, not ${cover}`;
}

function checkLeaf(ensemble: Ensemble, tree: Tree, node: number): string | null {
  const value = tree.value[node]!;
  if (tree.flags[node] !== 0 || tree.feature[node] !== 0) return 'a leaf with flags or a feature';
  if (!Number.isFinite(value)) return 'the leaf value is not finite';
  if (ensemble.accum === 'f32' && Math.fround(value) !== value) return 'the leaf value is no f32 number';
  return null;
}

function checkNode(ensemble: Ensemble, tree: Tree, node: number, reached: Uint8Array): string | null {
  const left = tree.left[node]!;
  if (node !== 0 && reached[node] !== 1) return 'no parent';
  if (left !== 0) {
    if (left <= node) return `left child ${left} is not after its parent`;
    if (left + 1 >= tree.left.length) return `right child ${left + 1} is outside the tree`;
    if (reached[left] !== 0 || reached[left + 1] !== 0) return `child ${left} has two parents`;
    reached[left] = 1;
    reached[left + 1] = 1;
  }
  const wrong = left === 0 ? checkLeaf(ensemble, tree, node) : checkSplit(ensemble, tree, node);
  return wrong ?? checkCover(tree, node);
}

/** Checks one tree; gives the largest absolute leaf value. */
function checkTree(ensemble: Ensemble, tree: Tree, place: string): number {
  const nodes = tree.left.length;
  if (nodes === 0) refuse(`${place} has no nodes`);
  if (tree.output >= ensemble.outputs) refuse(`${place} belongs to output ${tree.output}`);
  const reached = new Uint8Array(nodes);
  let largest = 0;
  for (let node = 0; node < nodes; node++) {
    const wrong = checkNode(ensemble, tree, node, reached);
    if (wrong !== null) refuse(`${place}, node ${node}: ${wrong}`);
    if (tree.left[node] === 0) largest = Math.max(largest, Math.abs(tree.value[node]!));
  }
  const { depth } = treeShape(tree);
  if (depth > BUNDLE_CAPS.depth) refuse(`${place} is ${depth} deep, more than ${BUNDLE_CAPS.depth}`);
  return largest;
}

function checkEnsemble(name: string, ensemble: Ensemble): void {
  const sums = ensemble.base.map(Math.abs);
  ensemble.trees.forEach((tree, t) => {
    const largest = checkTree(ensemble, tree, `detector ${name}, tree ${t}`);
    sums[tree.output] = sums[tree.output]! + largest;
  });
  const limit = ensemble.accum === 'f32' ? F32_MAX : Number.MAX_VALUE;
  if (!sums.every((sum) => sum < limit)) refuse(`detector ${name}: its sums can overflow`);
  if (ensemble.accum === 'f32' && !ensemble.base.every((base) => Math.fround(base) === base)) {
    refuse(`detector ${name}: the base is no f32 number`);
  }
}

/** Inputs must be features of the bundle, or slots of earlier detectors that run on every request. */
function checkInputs(detector: Detector, featureCount: number, readable: readonly boolean[]): void {
  for (const input of detector.ensemble.inputs) {
    const slot = input ^ SLOT_INPUT;
    const exists = input & SLOT_INPUT ? readable[slot] === true : input < featureCount;
    if (!exists) {
      const what = input & SLOT_INPUT ? `slot ${slot}` : `feature ${input}`;
      refuse(`detector ${detector.name} reads ${what}, which is not there when it runs`);
    }
  }
}

/** Throws PicketError BUNDLE_MODEL naming detector, tree and node of the first rule that is broken. */
export function checkModel(detectors: readonly Detector[], featureCount: number): void {
  const readable: boolean[] = [];
  const names = new Set<string>();
  for (const detector of detectors) {
    const { name, ensemble } = detector;
    if (names.has(name)) refuse(`two detectors are named ${name}`);
    names.add(name);
    if (ensemble.outputs < 1) refuse(`detector ${name} has no output`);
    checkInputs(detector, featureCount, readable);
    checkEnsemble(name, ensemble);
    for (let i = 0; i < ensemble.outputs; i++) readable.push(!detector.onDemand);
  }
  if (!names.has(VERDICT)) refuse(`no detector is named ${VERDICT}`);
  const { onDemand, ensemble } = detectors.find((detector) => detector.name === VERDICT)!;
  if (onDemand || ensemble.outputs !== 1 || ensemble.kind !== 'gbdt_logit') {
    refuse(`${VERDICT} must run on every request, have one output and be of kind gbdt_logit`);
  }
}
