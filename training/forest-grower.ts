// One classification tree of a random forest: splits node after node, depth first, until nodes are pure or limits are met.
// Draws no samples; random-forest.ts gives the rows and their weights.
import type { Random } from '../domain/random.ts';
import { type ForestTree, ForestTreeBuilder, type OpenNode } from './forest-tree.ts';
import { type GiniSplit, GiniSplitter, type SplitSearch, type WeightedRows } from './gini-splitter.ts';
import type { RankedTable } from './ranked-table.ts';

export interface GrowthRules extends SplitSearch {
  /** Edges from the root to the deepest leaf. */
  readonly maxDepth: number;
  /** Distinct rows a node must have to be split. */
  readonly minSamplesSplit: number;
}

interface StackedNode extends OpenNode {
  readonly impurity: number;
}

/** Rounded columns and their ranks: the same values twice, for partitioning and for searching. */
export interface GrowthTable {
  readonly columns: readonly Float64Array[];
  readonly ranked: RankedTable;
}

/** Grows a tree on the rows with a weight above 0. Leaves hold the shares of the classes: of the second, or of each. */
export function growGiniTree(
  table: GrowthTable,
  sample: WeightedRows,
  rules: GrowthRules,
  random: Random,
): ForestTree {
  const rows = Uint32Array.from(sample.weights.keys()).filter((row) => sample.weights[row]! > 0);
  const splitter = new GiniSplitter(table.ranked, sample, rules, random);
  const builder = new ForestTreeBuilder(sample.classCount === 2 ? 1 : sample.classCount);
  const partition = new Partition(rows);
  const totals = new Float64Array(sample.classCount);
  const root = builder.root(rows.length);
  sumClasses(rows, sample, totals);
  const stack: StackedNode[] = [{ ...root, impurity: giniOf(totals) }];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const inside = rows.subarray(node.start, node.stop);
    sumClasses(inside, sample, totals);
    const cover = sumOf(totals);
    const split = mayBeSplit(node, rules) ? splitter.find(inside, totals) : null;
    if (split === null) {
      builder.leaf(node, cover, sharesOf(totals, cover));
      continue;
    }
    const middle = partition.split(node, split, table.columns[split.feature]!);
    const [left, right] = builder.split(node, cover, split, middle);
    stack.push({ ...right, impurity: split.impurityRight }, { ...left, impurity: split.impurityLeft });
  }
  return builder.finish();
}

function mayBeSplit(node: StackedNode, { maxDepth, minSamplesSplit, minSamplesLeaf }: GrowthRules): boolean {
  const rows = node.stop - node.start;
  const enough = rows >= minSamplesSplit && rows >= 2 * minSamplesLeaf;
  return enough && node.depth < maxDepth && node.impurity > Number.EPSILON;
}

function sumClasses(rows: Uint32Array, { labels, weights }: WeightedRows, totals: Float64Array): void {
  totals.fill(0);
  for (let i = 0; i < rows.length; i++) totals[labels[rows[i]!]!]! += weights[rows[i]!]!;
}

function sumOf(totals: Float64Array): number {
  let sum = 0;
  for (const total of totals) sum += total;
  return sum;
}

function giniOf(totals: Float64Array): number {
  let squares = 0;
  for (const total of totals) squares += total * total;
  const sum = sumOf(totals);
  return 1 - squares / (sum * sum);
}

/** Of two classes the share of the second; of more, each one's. */
function sharesOf(totals: Float64Array, sum: number): Float64Array {
  return (totals.length === 2 ? totals.subarray(1) : totals).map((total) => total / sum);
}

/** The sample's rows, node after node; both sides of a split keep their order. */
class Partition {
  readonly #rows: Uint32Array;
  readonly #right: Uint32Array;

  constructor(rows: Uint32Array) {
    this.#rows = rows;
    this.#right = new Uint32Array(rows.length);
  }

  /** Moves the rows that go left to the front of the node; gives where the right ones begin. */
  split({ start, stop }: OpenNode, { threshold, missingLeft }: GiniSplit, column: Float64Array): number {
    let middle = start;
    let rightRows = 0;
    for (let i = start; i < stop; i++) {
      const row = this.#rows[i]!;
      const x = column[row]!;
      const left = Number.isNaN(x) ? missingLeft : x <= threshold;
      if (left) this.#rows[middle++] = row;
      else this.#right[rightRows++] = row;
    }
    this.#rows.set(this.#right.subarray(0, rightRows), middle);
    return middle;
  }
}
