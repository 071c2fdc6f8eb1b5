// The best split of one node, found by scanning its histogram; and the stable partition of its rows once it is split.
// Equations 5 to 7 of Chen and Guestrin, "XGBoost" (2016), in the form and the order of scikit-learn's splitting.pyx:
// left to right with missing values going right, then right to left with them going left; the first of equals wins.
import type { BinnedTable } from './binning.ts';
import { BIN_STRIDE, GRADIENT_AT, HESSIAN_AT, type NodeSums, ROWS_AT } from './histogram.ts';

export interface SplitLimits {
  readonly minSamplesLeaf: number;
  readonly l2: number;
}

/** A node as the scan sees it: its rows, sums and value before shrinkage (0 for the root). */
export interface NodeToSplit extends NodeSums {
  readonly rowCount: number;
  readonly value: number;
}

export interface Split {
  readonly gain: number;
  readonly feature: number;
  /** Bins up to this one go left. The last bin of values means: only missing values go right. */
  readonly bin: number;
  readonly missingLeft: boolean;
  readonly left: NodeToSplit;
  readonly right: NodeToSplit;
}

/** A child's hessian must reach this. */
const HESSIAN_MIN = 1e-3;

/** -G / (H + l2 + 1e-15): the value that lowers a node's loss most (equation 5). */
function nodeValue(gradients: number, hessians: number, l2: number): number {
  return -gradients / (hessians + l2 + 1e-15);
}

/** Scans the features of one table. The best split so far lies in fields, so that a scan allocates nothing. */
export class Splitter {
  readonly #table: BinnedTable;
  readonly #offsets: Uint32Array;
  readonly #limits: SplitLimits;
  readonly #rightRows: Uint32Array;
  #gain = -1;
  #bin = 0;
  #missingLeft = false;
  #leftGradients = 0;
  #leftHessians = 0;
  #leftRows = 0;

  constructor(table: BinnedTable, offsets: Uint32Array, limits: SplitLimits) {
    this.#table = table;
    this.#offsets = offsets;
    this.#limits = limits;
    this.#rightRows = new Uint32Array(table.rowCount);
  }

  /** The best split of a node, or null when none has a gain above 0 within the limits. */
  find(histogram: Float64Array, node: NodeToSplit): Split | null {
    let best: Split | null = null;
    for (let feature = 0; feature < this.#offsets.length; feature++) {
      this.#gain = -1;
      this.#scanFromLeft(feature, histogram, node);
      if (this.#table.hasMissing[feature] === 1) this.#scanFromRight(feature, histogram, node);
      if (this.#gain > (best?.gain ?? 0)) best = this.#splitOf(feature, node);
    }
    return best;
  }

  #splitOf(feature: number, node: NodeToSplit): Split {
    const l2 = this.#limits.l2;
    const child = (gradients: number, hessians: number, rowCount: number): NodeToSplit => {
      return { gradients, hessians, rowCount, value: nodeValue(gradients, hessians, l2) };
    };
    const left = child(this.#leftGradients, this.#leftHessians, this.#leftRows);
    const right = child(
      node.gradients - left.gradients,
      node.hessians - left.hessians,
      node.rowCount - left.rowCount,
    );
    const missingLeft =
      this.#table.hasMissing[feature] === 1 ? this.#missingLeft : left.rowCount > right.rowCount;
    return { gain: this.#gain, feature, bin: this.#bin, missingLeft, left, right };
  }

  /** Missing values go right; with some in the table, "all values left, missing right" is a split too. */
  #scanFromLeft(feature: number, histogram: Float64Array, node: NodeToSplit): void {
    const { minSamplesLeaf, l2 } = this.#limits;
    const start = this.#offsets[feature]!;
    const end = this.#table.missingBins[feature]! - 1 + this.#table.hasMissing[feature]!;
    const nodeLoss = node.gradients * node.value;
    let gradients = 0;
    let hessians = 0;
    let rows = 0;
    for (let bin = 0; bin < end; bin++) {
      const at = start + bin * BIN_STRIDE;
      rows += histogram[at + ROWS_AT]!;
      hessians += histogram[at + HESSIAN_AT]!;
      gradients += histogram[at + GRADIENT_AT]!;
      const otherHessians = node.hessians - hessians;
      const otherGradients = node.gradients - gradients;
      if (rows < minSamplesLeaf) continue;
      if (node.rowCount - rows < minSamplesLeaf) break;
      if (hessians < HESSIAN_MIN) continue;
      if (otherHessians < HESSIAN_MIN) break;
      const leftLoss = gradients * nodeValue(gradients, hessians, l2);
      const rightLoss = otherGradients * nodeValue(otherGradients, otherHessians, l2);
      const gain = nodeLoss - leftLoss - rightLoss;
      if (gain > this.#gain && gain > 0) {
        this.#gain = gain;
        this.#bin = bin;
        this.#missingLeft = false;
        this.#leftGradients = gradients;
        this.#leftHessians = hessians;
        this.#leftRows = rows;
      }
    }
  }

  /** Missing values go left; must beat what the scan from the left has found. */
  #scanFromRight(feature: number, histogram: Float64Array, node: NodeToSplit): void {
    const { minSamplesLeaf, l2 } = this.#limits;
    const start = this.#offsets[feature]!;
    const nodeLoss = node.gradients * node.value;
    let gradients = 0;
    let hessians = 0;
    let rows = 0;
    for (let bin = this.#table.missingBins[feature]! - 2; bin >= 0; bin--) {
      const at = start + (bin + 1) * BIN_STRIDE;
      rows += histogram[at + ROWS_AT]!;
      hessians += histogram[at + HESSIAN_AT]!;
      gradients += histogram[at + GRADIENT_AT]!;
      const otherHessians = node.hessians - hessians;
      const otherGradients = node.gradients - gradients;
      if (rows < minSamplesLeaf) continue;
      if (node.rowCount - rows < minSamplesLeaf) break;
      if (hessians < HESSIAN_MIN) continue;
      if (otherHessians < HESSIAN_MIN) break;
      const leftLoss = otherGradients * nodeValue(otherGradients, otherHessians, l2);
      const rightLoss = gradients * nodeValue(gradients, hessians, l2);
      const gain = nodeLoss - leftLoss - rightLoss;
      if (gain > this.#gain && gain > 0) {
        this.#gain = gain;
        this.#bin = bin;
        this.#missingLeft = true;
        this.#leftGradients = otherGradients;
        this.#leftHessians = otherHessians;
        this.#leftRows = node.rowCount - rows;
      }
    }
  }

  /** Moves the rows that go left to the front, both sides in their old order. Returns how many go left. */
  partition(rows: Uint32Array, split: Split): number {
    const bins = this.#table.bins[split.feature]!;
    const missingBin = this.#table.missingBins[split.feature]!;
    const right = this.#rightRows;
    let leftCount = 0;
    let rightCount = 0;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      const bin = bins[row]!;
      if (bin <= split.bin || (split.missingLeft && bin === missingBin)) rows[leftCount++] = row;
      else right[rightCount++] = row;
    }
    rows.set(right.subarray(0, rightCount), leftCount);
    return leftCount;
  }
}
