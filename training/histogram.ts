// Histograms of gradients: for each feature and bin the sum of gradients, the sum of hessians and the count of rows.
// Built by scanning rows or, for the larger child, by subtraction from the parent. Called by grower.ts only.
//
//   one Float64Array a node:  [ feature 0: bin 0 .. missing bin | feature 1 ... ]
//   one bin = 4 values:       [ gradients | hessians | rows | unused ]   32 bytes, so a bin never straddles cache lines
import type { BinnedTable } from './binning.ts';
import type { Derivatives } from './loss.ts';
import { pairwiseSum } from './pairwise-sum.ts';

export const BIN_STRIDE = 4;
export const GRADIENT_AT = 0;
export const HESSIAN_AT = 1;
export const ROWS_AT = 2;

/** Sums of a node over all its rows. */
export interface NodeSums {
  readonly gradients: number;
  readonly hessians: number;
}

/** Builds histograms of one binned table. Buffers are reused: at most one live histogram a leaf is ever allocated. */
export class HistogramBuilder {
  /** Where the bins of each feature begin in a histogram. */
  readonly offsets: Uint32Array;
  readonly #table: BinnedTable;
  readonly #length: number;
  readonly #free: Float64Array[] = [];
  readonly #orderedGradients: Float32Array;
  readonly #orderedHessians: Float32Array;

  constructor(table: BinnedTable) {
    this.#table = table;
    this.offsets = new Uint32Array(table.bins.length);
    let length = 0;
    table.missingBins.forEach((missingBin, f) => {
      this.offsets[f] = length;
      length += (missingBin + 1) * BIN_STRIDE;
    });
    this.#length = length;
    this.#orderedGradients = new Float32Array(table.rowCount);
    this.#orderedHessians = new Float32Array(table.rowCount);
  }

  /** Gives a histogram back for reuse. */
  release(histogram: Float64Array): void {
    this.#free.push(histogram);
  }

  /** Scans the given rows (ascending within a node, as the partition keeps them) in order. */
  build(rows: Uint32Array, derivatives: Derivatives): Float64Array {
    const histogram = this.#free.pop()?.fill(0) ?? new Float64Array(this.#length);
    const gradients = this.#orderedGradients;
    const hessians = this.#orderedHessians;
    const { gradients: fromGradients, hessians: fromHessians } = derivatives;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      gradients[i] = fromGradients[row]!;
      hessians[i] = fromHessians[row]!;
    }
    const fours = this.offsets.length - (this.offsets.length % 4);
    for (let f = 0; f < fours; f += 4) this.#scanFour(f, rows, histogram);
    for (let f = fours; f < this.offsets.length; f++) this.#scan(f, rows, histogram);
    return histogram;
  }

  /**
   * The hot loop of training: no calls, no allocation, order of rows kept (sums depend on it). Four features at once: a row's
   * number and derivatives are read once, and an addition need not wait for the one before it to reach memory.
   */
  #scanFour(feature: number, rows: Uint32Array, histogram: Float64Array): void {
    const [bins0, bins1, bins2, bins3] = this.#table.bins.slice(feature, feature + 4) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const offset0 = this.offsets[feature]!;
    const offset1 = this.offsets[feature + 1]!;
    const offset2 = this.offsets[feature + 2]!;
    const offset3 = this.offsets[feature + 3]!;
    const gradients = this.#orderedGradients;
    const hessians = this.#orderedHessians;
    const count = rows.length;
    for (let i = 0; i < count; i++) {
      const row = rows[i]!;
      const gradient = gradients[i]!;
      const hessian = hessians[i]!;
      const at0 = offset0 + (bins0[row]! << 2);
      const at1 = offset1 + (bins1[row]! << 2);
      const at2 = offset2 + (bins2[row]! << 2);
      const at3 = offset3 + (bins3[row]! << 2);
      histogram[at0] = histogram[at0]! + gradient;
      histogram[at0 + 1] = histogram[at0 + 1]! + hessian;
      histogram[at0 + 2] = histogram[at0 + 2]! + 1;
      histogram[at1] = histogram[at1]! + gradient;
      histogram[at1 + 1] = histogram[at1 + 1]! + hessian;
      histogram[at1 + 2] = histogram[at1 + 2]! + 1;
      histogram[at2] = histogram[at2]! + gradient;
      histogram[at2 + 1] = histogram[at2 + 1]! + hessian;
      histogram[at2 + 2] = histogram[at2 + 2]! + 1;
      histogram[at3] = histogram[at3]! + gradient;
      histogram[at3 + 1] = histogram[at3 + 1]! + hessian;
      histogram[at3 + 2] = histogram[at3 + 2]! + 1;
    }
  }

  /** The same for the features that do not fill a four. */
  #scan(feature: number, rows: Uint32Array, histogram: Float64Array): void {
    const bins = this.#table.bins[feature]!;
    const offset = this.offsets[feature]!;
    const gradients = this.#orderedGradients;
    const hessians = this.#orderedHessians;
    const count = rows.length;
    for (let i = 0; i < count; i++) {
      const at = offset + (bins[rows[i]!]! << 2);
      histogram[at] = histogram[at]! + gradients[i]!;
      histogram[at + 1] = histogram[at + 1]! + hessians[i]!;
      histogram[at + 2] = histogram[at + 2]! + 1;
    }
  }

  /** parent - sibling, written over the parent, which is returned. */
  subtract(parent: Float64Array, sibling: Float64Array): Float64Array {
    for (let at = 0; at < parent.length; at += BIN_STRIDE) {
      parent[at] = parent[at]! - sibling[at]!;
      parent[at + 1] = parent[at + 1]! - sibling[at + 1]!;
      parent[at + 2] = parent[at + 2]! - sibling[at + 2]!;
    }
    return parent;
  }

  /**
   * Sums over all rows, read from the first feature's bins in numpy's order over `binsMax` + 1 bins
   * (missing values in the last), as scikit-learn does.
   */
  rootSums(histogram: Float64Array, binsMax: number): NodeSums {
    const missingBin = this.#table.missingBins[0]!;
    const spread = new Float64Array((binsMax + 1) * 2);
    for (let bin = 0; bin <= missingBin; bin++) {
      const to = (bin === missingBin ? binsMax : bin) * 2;
      spread[to] = histogram[bin * BIN_STRIDE + GRADIENT_AT]!;
      spread[to + 1] = histogram[bin * BIN_STRIDE + HESSIAN_AT]!;
    }
    return {
      gradients: pairwiseSum(spread, 0, binsMax + 1, 2),
      hessians: pairwiseSum(spread, 1, binsMax + 1, 2),
    };
  }
}
