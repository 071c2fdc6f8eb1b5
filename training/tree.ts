// A grown tree as plain arrays, and its prediction on raw feature values. The format of export.ts and the reference scorer:
// node 0 is the root, children are neighbours (right = left + 1) and stand after their parent. Used by grower.ts, booster.ts.

/** Where rows go: the part that trees of every kind share. */
export interface TreeSplits {
  /** Feature that an inner node compares; 0 in leaves. */
  readonly feature: Uint16Array;
  /** Go right if x > threshold. +Infinity: only missing values go right. 0 in leaves. */
  readonly threshold: Float64Array;
  /** Index of the left child; 0 in leaves. */
  readonly left: Uint32Array;
  /** 1 where a missing value goes left. */
  readonly missingLeft: Uint8Array;
}

export interface BoostedTree extends TreeSplits {
  /** What a leaf adds to the raw margin, learning rate included; 0 in inner nodes. */
  readonly value: Float64Array;
  /** Training rows that passed the node. */
  readonly cover: Uint32Array;
  /** Loss reduction of an inner node's split; 0 in leaves. */
  readonly gain: Float64Array;
}

/** Index of the leaf that `row` of the given columns falls into. */
export function leafOf(tree: BoostedTree, columns: readonly Float64Array[], row: number): number {
  const { feature, threshold, left, missingLeft } = tree;
  let node = 0;
  for (;;) {
    const child = left[node]!;
    if (child === 0) return node;
    const x = columns[feature[node]!]![row]!;
    const right = Number.isNaN(x) ? missingLeft[node] === 0 : x > threshold[node]!;
    node = right ? child + 1 : child;
  }
}

/** Adds the tree's value to the raw margin of every row. */
export function addTree(tree: BoostedTree, columns: readonly Float64Array[], margins: Float64Array): void {
  const { value } = tree;
  for (let row = 0; row < margins.length; row++) margins[row]! += value[leafOf(tree, columns, row)]!;
}

/** Leaves of the tree. */
export function leafCount(tree: BoostedTree): number {
  return (tree.left.length + 1) / 2;
}
