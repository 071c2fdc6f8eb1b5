// One tree, grown leaf by leaf: the leaf whose split lowers the loss most is split next (best-first), until no leaf may be.
// Knows nothing of losses or iterations; booster.ts gives the derivatives and takes the tree.
import type { BinnedTable } from './binning.ts';
import { HistogramBuilder } from './histogram.ts';
import type { Derivatives } from './loss.ts';
import { SplitQueue } from './split-queue.ts';
import { type NodeToSplit, type Split, type SplitLimits, Splitter } from './splitting.ts';
import type { BoostedTree } from './tree.ts';

export interface GrowthLimits extends SplitLimits {
  /** Leaves of a tree, 2 or more; null: no limit. */
  readonly maxLeafNodes: number | null;
  /** Edges from the root to the deepest leaf, 1 or more; null: no limit. */
  readonly maxDepth: number | null;
  readonly learningRate: number;
  readonly binsMax: number;
}

interface GrowingNode {
  readonly index: number;
  readonly depth: number;
  /** The node's place in the partition of all rows. */
  readonly start: number;
  readonly stop: number;
  readonly sums: NodeToSplit;
}

interface SplittableNode extends GrowingNode {
  readonly gain: number;
  readonly split: Split;
  readonly histogram: Float64Array;
}

/** A finished tree and the rows of each leaf, for updating the margins of the training rows without walking the tree. */
export interface GrownTree {
  readonly tree: BoostedTree;
  /** Row numbers, leaf after leaf. */
  readonly partition: Uint32Array;
  readonly leaves: readonly { readonly index: number; readonly start: number; readonly stop: number }[];
}

/** Grows trees over one binned table; buffers live as long as the grower. The partition is overwritten by the next tree. */
export class TreeGrower {
  readonly #table: BinnedTable;
  readonly #limits: GrowthLimits;
  readonly #histograms: HistogramBuilder;
  readonly #splitter: Splitter;
  readonly #partition: Uint32Array;

  constructor(table: BinnedTable, limits: GrowthLimits) {
    this.#table = table;
    this.#limits = limits;
    this.#histograms = new HistogramBuilder(table);
    this.#splitter = new Splitter(table, this.#histograms.offsets, limits);
    this.#partition = new Uint32Array(table.rowCount);
  }

  grow(derivatives: Derivatives): GrownTree {
    const growth = new Growth();
    const queue = new SplitQueue<SplittableNode>();
    this.#plantRoot(derivatives, growth, queue);
    for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
      this.#split(node, derivatives, growth, queue);
    }
    const tree = growth.toTree(this.#table, this.#limits.learningRate);
    return { tree, partition: this.#partition, leaves: growth.leaves };
  }

  #plantRoot(derivatives: Derivatives, growth: Growth, queue: SplitQueue<SplittableNode>): void {
    const rows = this.#partition;
    for (let i = 0; i < rows.length; i++) rows[i] = i;
    const histogram = this.#histograms.build(rows, derivatives);
    const sums = this.#histograms.rootSums(histogram, this.#limits.binsMax);
    const root = growth.add(0, { start: 0, stop: rows.length }, { ...sums, rowCount: rows.length, value: 0 });
    if (rows.length < 2 * this.#limits.minSamplesLeaf || sums.hessians < 1e-3) {
      growth.leaves.push(root);
      this.#histograms.release(histogram);
    } else {
      this.#offer(root, histogram, growth, queue);
    }
  }

  /** Puts the node in the queue if a split of it lowers the loss; otherwise it is a leaf. */
  #offer(
    node: GrowingNode,
    histogram: Float64Array,
    growth: Growth,
    queue: SplitQueue<SplittableNode>,
  ): void {
    const split = this.#splitter.find(histogram, node.sums);
    if (split === null) {
      growth.leaves.push(node);
      this.#histograms.release(histogram);
    } else {
      queue.push({ ...node, gain: split.gain, split, histogram });
    }
  }

  #split(
    node: SplittableNode,
    derivatives: Derivatives,
    growth: Growth,
    queue: SplitQueue<SplittableNode>,
  ): void {
    const { maxLeafNodes, maxDepth } = this.#limits;
    const leavesAfter = growth.leaves.length + queue.length + 2;
    const rows = this.#partition.subarray(node.start, node.stop);
    const middle = node.start + this.#splitter.partition(rows, node.split);
    const [left, right] = growth.split(node, middle);
    if (leavesAfter === maxLeafNodes) {
      const rest = queue.drain();
      growth.leaves.push(left, right, ...rest);
      for (const done of [node, ...rest]) this.#histograms.release(done.histogram);
      return;
    }
    if (left.depth === maxDepth) {
      growth.leaves.push(left, right);
      this.#histograms.release(node.histogram);
      return;
    }
    this.#offerChildren(node, [left, right], derivatives, { growth, queue });
  }

  /** Scans the smaller child; the larger one's histogram is what remains of the parent's. */
  #offerChildren(
    node: SplittableNode,
    children: readonly [GrowingNode, GrowingNode],
    derivatives: Derivatives,
    state: { readonly growth: Growth; readonly queue: SplitQueue<SplittableNode> },
  ): void {
    const [left, right] = children;
    const { growth, queue } = state;
    const rowsMin = 2 * this.#limits.minSamplesLeaf;
    const open = children.filter((child) => child.sums.rowCount >= rowsMin);
    growth.leaves.push(...children.filter((child) => child.sums.rowCount < rowsMin));
    if (open.length === 0) {
      this.#histograms.release(node.histogram);
      return;
    }
    const smaller = left.sums.rowCount < right.sums.rowCount ? left : right;
    const rows = this.#partition.subarray(smaller.start, smaller.stop);
    const smallerHistogram = this.#histograms.build(rows, derivatives);
    const largerHistogram = this.#histograms.subtract(node.histogram, smallerHistogram);
    for (const child of children) {
      const histogram = child === smaller ? smallerHistogram : largerHistogram;
      if (open.includes(child)) this.#offer(child, histogram, growth, queue);
      else this.#histograms.release(histogram);
    }
  }
}

/** The tree while it grows: nodes by index, children side by side and after their parent. */
class Growth {
  readonly leaves: GrowingNode[] = [];
  readonly #nodes: GrowingNode[] = [];
  readonly #splits: (Split | null)[] = [];
  readonly #lefts: number[] = [];

  add(depth: number, place: { start: number; stop: number }, sums: NodeToSplit): GrowingNode {
    const node = { index: this.#nodes.length, depth, ...place, sums };
    this.#nodes.push(node);
    this.#splits.push(null);
    this.#lefts.push(0);
    return node;
  }

  split(node: SplittableNode, middle: number): [GrowingNode, GrowingNode] {
    const { split } = node;
    const left = this.add(node.depth + 1, { start: node.start, stop: middle }, split.left);
    const right = this.add(node.depth + 1, { start: middle, stop: node.stop }, split.right);
    this.#splits[node.index] = split;
    this.#lefts[node.index] = left.index;
    return [left, right];
  }

  toTree(table: BinnedTable, learningRate: number): BoostedTree {
    const nodeCount = this.#nodes.length;
    const tree: BoostedTree = {
      feature: new Uint16Array(nodeCount),
      threshold: new Float64Array(nodeCount),
      left: Uint32Array.from(this.#lefts),
      missingLeft: new Uint8Array(nodeCount),
      value: new Float64Array(nodeCount),
      cover: new Uint32Array(nodeCount),
      gain: new Float64Array(nodeCount),
    };
    this.#nodes.forEach((node, i) => {
      const split = this.#splits[i]!;
      tree.cover[i] = node.sums.rowCount;
      if (split === null) {
        tree.value[i] = node.sums.value * learningRate;
        return;
      }
      const edges = table.edges[split.feature]!;
      tree.feature[i] = split.feature;
      tree.threshold[i] = split.bin < edges.length ? edges[split.bin]! : Infinity;
      tree.missingLeft[i] = split.missingLeft ? 1 : 0;
      tree.gain[i] = split.gain;
    });
    return tree;
  }
}
