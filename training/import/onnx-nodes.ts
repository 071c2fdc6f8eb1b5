// ONNX comparisons in canonical form, in the operator's own width. `<` becomes `<=` of the number below, `>` and `>=` swap
// the children. `==` and sets become two `<=` a value, exact for every input, at the price of copies of the other branch; a
// forest where that grows too large keeps them as category sets instead, if all its values are whole. Called by onnx.ts.
import { BUNDLE_CAPS } from '../../wasm-core/host/bundle-format.ts';
import { NODE_CATEGORY, NODE_MISSING_LEFT, NUMERIC_NODE } from '../../wasm-core/host/ensemble.ts';
import { nextDown, nextDownF32 } from '../../wasm-core/host/float.ts';
import type { CanonicalTrees, SourceNode, TreeSource } from './canonical-trees.ts';
import { malformed, unsupported } from './imported-model.ts';
import type { OnnxForest, OnnxSplit } from './onnx-forest.ts';

/** Most nodes that one tree may grow to by copies. */
const EXPANDED_MAX = 2048;

type Below = (x: number) => number;
type LeafValue = (node: number) => number;

function setOf({ mode, value, members }: OnnxSplit): readonly number[] {
  return mode === 'MEMBER' ? members : [value];
}

function isEquality(split: OnnxSplit): boolean {
  return split.mode === 'EQ' || split.mode === 'NEQ' || split.mode === 'MEMBER';
}

/**
 * Where values of the set go, where others go, and whether a NaN goes with the set. NaN differs from everything, so NEQ
 * holds for it.
 */
function sidesOf(split: OnnxSplit): { inside: number; outside: number; missingInside: boolean } {
  if (split.mode === 'NEQ') return { inside: split.no, outside: split.yes, missingInside: false };
  return { inside: split.yes, outside: split.no, missingInside: split.missingYes };
}

function ordered(split: OnnxSplit, below: Below, place: string): SourceNode {
  const { feature, mode, value, missingYes, yes, no } = split;
  const isUpper = mode === 'GT' || mode === 'GTE';
  if (Number.isNaN(value)) malformed(place, 'the threshold is not a number');
  const threshold = mode === 'LT' || mode === 'GTE' ? below(value) : value;
  if (!Number.isFinite(threshold) || !Number.isFinite(value)) unsupported(place, `a split at ${value}`);
  const missingLeft = isUpper !== missingYes;
  return {
    feature,
    threshold,
    flags: NUMERIC_NODE | (missingLeft ? NODE_MISSING_LEFT : 0),
    left: isUpper ? no : yes,
    right: isUpper ? yes : no,
  };
}

/** Trees in their own node numbers; equalities as category sets. */
export function plainSource(
  forest: OnnxForest,
  tree: { root: number; place: string; below: Below; leaf: LeafValue; canonical: CanonicalTrees },
): TreeSource {
  const { root, place, below, leaf, canonical } = tree;
  const { nodes, sharedLeaves } = forest;
  const read = (node: number): SourceNode => {
    const split = nodes[node];
    if (split === null || split === undefined) return { leaf: leaf(node) };
    const where = `${place}, node ${node}`;
    if (!isEquality(split)) return ordered(split, below, where);
    const { inside, outside, missingInside } = sidesOf(split);
    const set = setOf(split);
    return {
      feature: split.feature,
      threshold: canonical.setOf(where, set, set),
      flags: NUMERIC_NODE | NODE_CATEGORY | (missingInside ? NODE_MISSING_LEFT : 0),
      left: inside,
      right: outside,
    };
  };
  return { place, count: nodes.length, root, sharedLeaves, read };
}

/** A node of an expanded tree: a node of the forest and, inside an equality, how far its set has been compared. */
interface Virtual {
  readonly node: number;
  readonly step: number;
}

/** The nodes that expansion gives for one tree, or null when they are more than EXPANDED_MAX. */
export function expandedSource(
  forest: OnnxForest,
  tree: { root: number; place: string; below: Below; leaf: LeafValue },
): TreeSource | null {
  const virtual: Virtual[] = [{ node: tree.root, step: 0 }];
  const enter = (node: number, step = 0): number => virtual.push({ node, step }) - 1;
  const out: SourceNode[] = [];
  for (let i = 0; i < virtual.length; i++) {
    if (virtual.length > EXPANDED_MAX) return null;
    const { node, step } = virtual[i]!;
    const split = forest.nodes[node];
    if (split === null || split === undefined) out.push({ leaf: tree.leaf(node) });
    else if (isEquality(split)) out.push(compared(split, { node, step }, tree.below, enter));
    else {
      const plain = ordered(split, tree.below, `${tree.place}, node ${node}`);
      if ('leaf' in plain) continue;
      out.push({ ...plain, left: enter(plain.left), right: enter(plain.right) });
    }
  }
  return { place: tree.place, count: out.length, root: 0, read: (i) => out[i]! };
}

/**
 * Step 2k asks x <= v_k of the sorted set: if not, the next value has its turn. Step 2k + 1 asks x <= the number below
 * v_k: if not, x is v_k. A NaN goes right all the way to the outside, or left and then right to the inside.
 */
function compared(
  split: OnnxSplit,
  { node, step }: Virtual,
  below: Below,
  enter: (node: number, step?: number) => number,
): SourceNode {
  const values = [...setOf(split)].sort((a, b) => a - b);
  const { inside, outside, missingInside } = sidesOf(split);
  const value = values[step >>> 1]!;
  if (!Number.isFinite(value)) unsupported(`node ${node}`, `an equality with ${value}`);
  const { feature } = split;
  if (step % 2 === 1) {
    return {
      feature,
      threshold: below(value),
      flags: NUMERIC_NODE,
      left: enter(outside),
      right: enter(inside),
    };
  }
  const hasNext = step / 2 + 1 < values.length;
  return {
    feature,
    threshold: value,
    flags: NUMERIC_NODE | (missingInside ? NODE_MISSING_LEFT : 0),
    left: enter(node, step + 1),
    right: hasNext ? enter(node, step + 2) : enter(outside),
  };
}

/** Whether category sets can say what the equalities say, for inputs that hold whole numbers. */
export function hasWholeSets(forest: OnnxForest): boolean {
  const most = BUNDLE_CAPS.categoryWords * 32;
  const isCategory = (value: number) => Number.isInteger(value) && value >= 0 && value < most;
  return forest.nodes.every(
    (split) => split === null || !isEquality(split) || setOf(split).every(isCategory),
  );
}

export function hasEqualities(forest: OnnxForest): boolean {
  return forest.nodes.some((split) => split !== null && isEquality(split));
}

/** The number below in the width of the operator. */
export function belowIn(isWide: boolean): Below {
  return isWide ? nextDown : nextDownF32;
}
