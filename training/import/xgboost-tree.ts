// One tree of an XGBoost document: parallel arrays to canonical nodes. `x < c` in f32 is `x <= the f32 below c`. A category
// set lists what goes RIGHT; everything else, negative and unknown categories too, goes left. A leaf's left child is -1.
// Called by xgboost.ts.
import { BUNDLE_CAPS } from '../../wasm-core/host/bundle-format.ts';
import {
  NODE_CATEGORY,
  NODE_MISSING_LEFT,
  NODE_UNKNOWN_LEFT,
  NUMERIC_NODE,
} from '../../wasm-core/host/ensemble.ts';
import { nextDownF32 } from '../../wasm-core/host/float.ts';
import type { CanonicalTrees, SourceNode } from './canonical-trees.ts';
import { malformed, unsupported } from './imported-model.ts';
import { child, countOf, type Node, type Numbers, numbersOf, optional } from './json-members.ts';

interface Arrays {
  readonly left: Numbers;
  readonly right: Numbers;
  readonly feature: Numbers;
  readonly condition: Numbers;
  readonly defaultLeft: Numbers;
  readonly cover: Numbers;
  readonly type: Numbers | null;
  /** Category set of each node that has one, as numbers. */
  readonly sets: ReadonlyMap<number, readonly number[]>;
}

function setsOf(tree: Node, nodes: number): Map<number, readonly number[]> {
  const sets = new Map<number, readonly number[]>();
  if (optional(tree, 'categories_nodes') === undefined) return sets;
  const owners = numbersOf(tree, 'categories_nodes');
  const starts = numbersOf(tree, 'categories_segments', owners.length);
  const sizes = numbersOf(tree, 'categories_sizes', owners.length);
  const all = numbersOf(tree, 'categories');
  let taken = 0;
  for (let i = 0; i < owners.length; i++) {
    const [node, start, size] = [owners[i]!, starts[i]!, sizes[i]!];
    const place = `${tree.place}.categories_nodes[${i}]`;
    if (!(node >= 0 && node < nodes) || sets.has(node))
      malformed(place, `node ${node} is unknown or stands twice`);
    const fits = Number.isInteger(start) && Number.isInteger(size) && start >= 0 && size >= 0;
    if (!fits || start + size > all.length || size > BUNDLE_CAPS.categoryWords * 32) {
      malformed(place, `its ${size} categories from ${start} on are not among ${all.length}`);
    }
    taken += size;
    if (taken > all.length) malformed(place, `the sets take more than the ${all.length} categories`);
    sets.set(node, Array.prototype.slice.call(all, start, start + size) as number[]);
  }
  return sets;
}

function arraysOf(tree: Node, nodes: number): Arrays {
  return {
    left: numbersOf(tree, 'left_children', nodes),
    right: numbersOf(tree, 'right_children', nodes),
    feature: numbersOf(tree, 'split_indices', nodes),
    condition: numbersOf(tree, 'split_conditions', nodes),
    defaultLeft: numbersOf(tree, 'default_left', nodes),
    cover: numbersOf(tree, 'sum_hessian', nodes),
    type: optional(tree, 'split_type') === undefined ? null : numbersOf(tree, 'split_type', nodes),
    sets: setsOf(tree, nodes),
  };
}

function f32Below(place: string, condition: number): number {
  if (condition === -Infinity) unsupported(place, 'a split at -Infinity');
  return nextDownF32(condition);
}

/** Adds a tree to a sum; dart weights are multiplied into its leaves in f32, as the library does at each prediction. */
export function addTree(
  canonical: CanonicalTrees,
  tree: Node,
  { output, weight }: { output: number; weight: number | null },
): void {
  const params = child(tree, 'tree_param');
  const nodes = countOf(params, 'num_nodes', 1, BUNDLE_CAPS.nodes);
  if (optional(params, 'size_leaf_vector') !== undefined && countOf(params, 'size_leaf_vector', 0, 1e6) > 1) {
    unsupported(`${params.place}.size_leaf_vector`, 'leaves of several values have no canonical form');
  }
  const arrays = arraysOf(tree, nodes);
  const read = (node: number): SourceNode => {
    const place = `${tree.place}.split_conditions[${node}]`;
    const cover = Math.fround(arrays.cover[node]!) || (nodes === 1 ? 1 : 0);
    const condition = Math.fround(arrays.condition[node]!);
    if (arrays.left[node] === -1) {
      return { leaf: weight === null ? condition : Math.fround(condition * Math.fround(weight)), cover };
    }
    const missing = arrays.defaultLeft[node] ? NODE_MISSING_LEFT : 0;
    const links = {
      feature: arrays.feature[node]!,
      left: arrays.left[node]!,
      right: arrays.right[node]!,
      cover,
    };
    const type = arrays.type?.[node] ?? 0;
    if (type === 0) return { ...links, threshold: f32Below(place, condition), flags: NUMERIC_NODE | missing };
    const set = type === 1 ? arrays.sets.get(node) : undefined;
    if (set === undefined || set.length === 0) return malformed(place, `split type ${type} without a set`);
    const threshold = canonical.setOf(place, [], set);
    return { ...links, threshold, flags: NODE_CATEGORY | NODE_UNKNOWN_LEFT | NUMERIC_NODE | missing };
  };
  canonical.add({ place: tree.place, count: nodes, root: 0, read }, output);
}
