// A tree of a forest as plain arrays, in the layout of tree.ts, and while it grows: nodes are added in pairs after their parent.
// Knows nothing of what its leaves mean. Used by forest-grower.ts and isolation-tree.ts.
import type { TreeSplits } from './tree.ts';

/** A tree whose leaves hold one value for each output of the forest. */
export interface ForestTree extends TreeSplits {
  /** values[output][node]; 0 in inner nodes. */
  readonly values: readonly Float64Array[];
  /** Training weight that passed each node. */
  readonly cover: Float64Array;
}

/** A node that is not finished: its place in the partition of the sample's rows. */
export interface OpenNode {
  readonly index: number;
  readonly depth: number;
  readonly start: number;
  readonly stop: number;
}

/** The split of a node, as it is stored. */
export interface StoredSplit {
  readonly feature: number;
  readonly threshold: number;
  readonly missingLeft: boolean;
}

/** Collects the nodes of one tree. */
export class ForestTreeBuilder {
  readonly #outputs: number;
  readonly #feature: number[] = [];
  readonly #threshold: number[] = [];
  readonly #left: number[] = [];
  readonly #missingLeft: number[] = [];
  readonly #cover: number[] = [];
  readonly #values: number[][];

  constructor(outputs: number) {
    this.#outputs = outputs;
    this.#values = Array.from({ length: outputs }, () => []);
  }

  /** The first node. */
  root(rowCount: number): OpenNode {
    return this.#add(0, 0, rowCount);
  }

  /** Makes a node a leaf. */
  leaf(node: OpenNode, cover: number, values: ArrayLike<number>): void {
    this.#cover[node.index] = cover;
    for (let output = 0; output < this.#outputs; output++)
      this.#values[output]![node.index] = values[output]!;
  }

  /** Splits a node at `middle` of its rows; gives left and right child. */
  split(node: OpenNode, cover: number, split: StoredSplit, middle: number): [OpenNode, OpenNode] {
    const left = this.#add(node.depth + 1, node.start, middle);
    const right = this.#add(node.depth + 1, middle, node.stop);
    this.#cover[node.index] = cover;
    this.#feature[node.index] = split.feature;
    this.#threshold[node.index] = split.threshold;
    this.#missingLeft[node.index] = split.missingLeft ? 1 : 0;
    this.#left[node.index] = left.index;
    return [left, right];
  }

  finish(): ForestTree {
    return {
      feature: Uint16Array.from(this.#feature),
      threshold: Float64Array.from(this.#threshold),
      left: Uint32Array.from(this.#left),
      missingLeft: Uint8Array.from(this.#missingLeft),
      cover: Float64Array.from(this.#cover),
      values: this.#values.map((values) => Float64Array.from(values)),
    };
  }

  #add(depth: number, start: number, stop: number): OpenNode {
    const index = this.#left.length;
    for (const list of [this.#feature, this.#threshold, this.#left, this.#missingLeft, this.#cover]) {
      list.push(0);
    }
    for (const values of this.#values) values.push(0);
    return { index, depth, start, stop };
  }
}

/** Adds the values of the leaf that each row falls into to the sums, output by output; columns are rounded to f32. */
export function addForestTree(
  tree: ForestTree,
  columns: readonly ArrayLike<number>[],
  sums: readonly Float64Array[],
): void {
  const { feature, threshold, left, missingLeft, values } = tree;
  const rowCount = sums[0]!.length;
  for (let row = 0; row < rowCount; row++) {
    let node = 0;
    for (let child = left[0]!; child !== 0; child = left[node]!) {
      const x = columns[feature[node]!]![row]!;
      const right = Number.isNaN(x) ? missingLeft[node] === 0 : x > threshold[node]!;
      node = right ? child + 1 : child;
    }
    for (let output = 0; output < sums.length; output++) sums[output]![row]! += values[output]![node]!;
  }
}
