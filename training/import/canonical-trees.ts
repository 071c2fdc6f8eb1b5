// Brings trees of any numbering to the canonical one: breadth first, children adjacent and after their parent.
// Each node of the source may be reached once, so a cycle or a shared child is refused; counts are capped before memory is taken.
// Called by every importer; comparisons are already in canonical form when they come here (comparisons.ts).
import { BUNDLE_CAPS } from '../../wasm-core/host/bundle-format.ts';
import type { CategorySet, Tree } from '../../wasm-core/host/ensemble.ts';
import { malformed, unsupported } from './imported-model.ts';

/** A leaf, or a split in canonical form whose children are node numbers of the source. */
export type SourceNode =
  | { readonly leaf: number; readonly cover?: number }
  | {
      readonly feature: number;
      /** Right iff x > threshold; index of a category set on category nodes. */
      readonly threshold: number;
      readonly flags: number;
      readonly left: number;
      readonly right: number;
      readonly cover?: number;
    };

/** Most nodes of one tree. */
const TREE_NODES_MAX = 1_000_000;

export interface TreeSource {
  /** Where it stands in the file, for messages. */
  readonly place: string;
  /** Node numbers are 0 .. count-1; a leaf may be reached more than once when `sharedLeaves` is set. */
  readonly count: number;
  readonly root: number;
  readonly sharedLeaves?: boolean;
  read(node: number): SourceNode;
}

/** Collects the trees and category sets of one ensemble. */
export class CanonicalTrees {
  readonly trees: Tree[] = [];
  readonly categories: CategorySet[] = [];
  readonly #inputs: number;
  readonly #sets = new Map<string, number>();
  #nodes = 0;

  constructor(inputs: number) {
    this.#inputs = inputs;
  }

  /** Adds a tree to a sum. Throws DATA_INVALID naming the node that is wrong. */
  add(source: TreeSource, output: number): void {
    if (this.trees.length >= BUNDLE_CAPS.trees) {
      unsupported(source.place, `more than ${BUNDLE_CAPS.trees} trees (a tree of k classes counts k times)`);
    }
    const order = this.#visit(source);
    this.trees.push(treeOf(order, output));
  }

  /** Number of the set; equal sets are kept once. Categories are whole numbers from 0. */
  setOf(place: string, left: Iterable<number>, known: Iterable<number>): number {
    const words = [bitsOf(place, left), bitsOf(place, known)];
    const length = Math.max(1, words[0]!.length, words[1]!.length);
    const [l, k] = words.map((list) => Uint32Array.from({ length }, (_, i) => list[i] ?? 0));
    const key = `${l!.join()}/${k!.join()}`;
    const found = this.#sets.get(key);
    if (found !== undefined) return found;
    this.categories.push({ left: l!, known: k! });
    this.#sets.set(key, this.categories.length - 1);
    return this.categories.length - 1;
  }

  #visit(source: TreeSource): Visited[] {
    const { place, root } = source;
    const reached = new Set<number>();
    const order: Visited[] = [this.#enter(source, root, 0, reached)];
    for (let at = 0; at < order.length; at++) {
      const visited = order[at]!;
      const { node } = visited;
      if ('leaf' in node) continue;
      if (visited.depth >= BUNDLE_CAPS.depth) {
        unsupported(`${place}, node ${visited.id}`, `deeper than ${BUNDLE_CAPS.depth} levels`);
      }
      visited.left = order.length;
      order.push(this.#enter(source, node.left, visited.depth + 1, reached));
      order.push(this.#enter(source, node.right, visited.depth + 1, reached));
    }
    return order;
  }

  #enter(source: TreeSource, id: number, depth: number, reached: Set<number>): Visited {
    const { place } = source;
    if (!Number.isInteger(id) || id < 0 || id >= source.count) {
      malformed(place, `node ${id} is not one of its ${source.count} nodes`);
    }
    const node = source.read(id);
    if (reached.has(id) && !('leaf' in node && source.sharedLeaves === true)) {
      malformed(`${place}, node ${id}`, 'two ways lead to it, so this is no tree');
    }
    reached.add(id);
    if (reached.size > TREE_NODES_MAX) unsupported(place, `more than ${TREE_NODES_MAX} nodes`);
    if (++this.#nodes > BUNDLE_CAPS.nodes)
      unsupported(place, `more than ${BUNDLE_CAPS.nodes} nodes in all trees`);
    const wrong = wrongIn(node, this.#inputs);
    if (wrong !== null) malformed(`${place}, node ${id}`, wrong);
    return { id, node, depth, left: 0 };
  }
}

interface Visited {
  readonly id: number;
  readonly node: SourceNode;
  readonly depth: number;
  left: number;
}

function wrongIn(node: SourceNode, inputs: number): string | null {
  if ('leaf' in node) return Number.isFinite(node.leaf) ? null : `the leaf value ${node.leaf} is not finite`;
  if (!Number.isInteger(node.feature) || node.feature < 0 || node.feature >= inputs) {
    return `input ${node.feature} is not one of the ${inputs} inputs`;
  }
  return Number.isNaN(node.threshold) ? 'the threshold is not a number' : null;
}

function treeOf(order: readonly Visited[], output: number): Tree {
  const count = order.length;
  const tree = {
    feature: new Uint16Array(count),
    threshold: new Float64Array(count),
    left: new Uint32Array(count),
    flags: new Uint8Array(count),
    value: new Float64Array(count),
    output,
    cover: coversOf(order),
  };
  order.forEach(({ node, left }, i) => {
    if ('leaf' in node) {
      tree.value[i] = node.leaf;
      return;
    }
    tree.feature[i] = node.feature;
    tree.threshold[i] = node.threshold;
    tree.flags[i] = node.flags;
    tree.left[i] = left;
  });
  return tree;
}

/** Covers as they stand; where children do not add up (rounded sums), those of the leaves, added upwards. */
function coversOf(order: readonly Visited[]): Float64Array | null {
  const covers = Float64Array.from(order, ({ node }) => node.cover ?? Number.NaN);
  const adds = order.every(({ left }, i) => {
    if (left === 0) return true;
    return Math.abs(covers[left]! + covers[left + 1]! - covers[i]!) <= 1e-6 * covers[i]!;
  });
  if (!adds) {
    for (let i = order.length - 1; i >= 0; i--) {
      const { left } = order[i]!;
      if (left !== 0) covers[i] = covers[left]! + covers[left + 1]!;
    }
  }
  return covers.every((cover) => cover > 0 && cover < Infinity) ? covers : null;
}

/** Trees with covers if all have them, else all without: explanations need every tree. */
export function evenCovers(trees: readonly Tree[]): { trees: Tree[]; covered: boolean } {
  const covered = trees.every((tree) => tree.cover !== null);
  return { trees: covered ? [...trees] : trees.map((tree) => ({ ...tree, cover: null })), covered };
}

function bitsOf(place: string, categories: Iterable<number>): Uint32Array {
  const most = BUNDLE_CAPS.categoryWords * 32;
  const words = new Uint32Array(BUNDLE_CAPS.categoryWords);
  let used = 0;
  for (const category of categories) {
    if (!Number.isInteger(category) || category < 0 || category >= most) {
      unsupported(place, `category ${category} is not a whole number from 0 to ${most - 1}`);
    }
    words[category >>> 5]! |= 1 << (category & 31);
    used = Math.max(used, (category >>> 5) + 1);
  }
  return words.slice(0, used);
}
