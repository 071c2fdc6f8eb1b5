// One isolation tree (Liu, Ting and Zhou, "Isolation Forest", 2008): random features, random thresholds between the least and the
// greatest value of the node, down to a depth. Leaves hold the length of the path to them, so that a forest is a sum of leaves.
// Called by isolation-forest.ts, which draws the sample.
import type { Random } from '../domain/random.ts';
import { type ForestTree, ForestTreeBuilder, type OpenNode, type StoredSplit } from './forest-tree.ts';

const EULER_GAMMA = 0.5772156649015329;
/** Values closer than this count as one, as in scikit-learn (32-bit arithmetic). */
const TIE = Math.fround(1e-7);

/** c(n): mean path length of an unsuccessful search in a binary search tree of n rows, which a leaf of n rows stands for. */
export function meanPathLength(rows: number): number {
  if (rows <= 1) return 0;
  if (rows === 2) return 1;
  return 2 * (Math.log(rows - 1) + EULER_GAMMA) - (2 * (rows - 1)) / rows;
}

/** Depth at which isolation stops: ceil(log2(sample)). */
export function isolationDepth(sampleRows: number): number {
  return Math.ceil(Math.log2(Math.max(sampleRows, 2)));
}

/** Grows a tree on the given rows of the rounded columns; the rows are reordered. */
export function growIsolationTree(
  columns: readonly Float64Array[],
  rows: Uint32Array,
  random: Random,
): ForestTree {
  const maxDepth = isolationDepth(rows.length);
  const builder = new ForestTreeBuilder(1);
  const stack: OpenNode[] = [builder.root(rows.length)];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const inside = rows.subarray(node.start, node.stop);
    const split = node.depth < maxDepth && inside.length > 1 ? drawSplit(columns, inside, random) : null;
    const leftRows = split === null ? 0 : partition(columns[split.feature]!, inside, split);
    if (split === null || leftRows === 0 || leftRows === inside.length) {
      // nodes on the path + c(rows) - 1, added in scikit-learn's order.
      const length = node.depth + 1 + meanPathLength(inside.length) - 1;
      builder.leaf(node, inside.length, [length]);
      continue;
    }
    // Without missing values in training, they go where most rows went.
    const missingLeft = split.missingSeen ? split.missingLeft : 2 * leftRows > inside.length;
    const stored = { ...split, missingLeft };
    const [left, right] = builder.split(node, inside.length, stored, node.start + leftRows);
    stack.push(right, left);
  }
  return builder.finish();
}

interface DrawnSplit extends StoredSplit {
  readonly missingSeen: boolean;
}

/** A random threshold of a random feature that is not constant in the node; null when all are. */
function drawSplit(columns: readonly Float64Array[], rows: Uint32Array, random: Random): DrawnSplit | null {
  const features = Uint32Array.from(columns, (_, f) => f);
  for (let visited = 0; visited < features.length; visited++) {
    const drawn = visited + random.int(features.length - visited);
    const feature = features[drawn]!;
    features[drawn] = features[visited]!;
    const { least, greatest, missing } = rangeOf(columns[feature]!, rows);
    const constant = missing === rows.length || (missing === 0 && greatest <= Math.fround(least + TIE));
    if (constant) continue;
    const threshold = (greatest - least) * random.next() + least;
    return {
      feature,
      threshold: threshold === greatest ? least : threshold,
      missingLeft: missing > 0 && random.int(2) === 1,
      missingSeen: missing > 0,
    };
  }
  return null;
}

function rangeOf(column: Float64Array, rows: Uint32Array) {
  let least = Infinity;
  let greatest = -Infinity;
  let missing = 0;
  for (let i = 0; i < rows.length; i++) {
    const value = column[rows[i]!]!;
    if (Number.isNaN(value)) missing++;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return { least, greatest, missing };
}

/** Moves the rows that go left to the front; gives how many there are. None or all: the drawn split parts nothing. */
function partition(column: Float64Array, rows: Uint32Array, { threshold, missingLeft }: DrawnSplit): number {
  let left = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const value = column[row]!;
    if (!(Number.isNaN(value) ? missingLeft : value <= threshold)) continue;
    rows[i] = rows[left]!;
    rows[left++] = row;
  }
  return left;
}
