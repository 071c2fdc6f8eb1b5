// Feature values to bins: where the edges lie, and which bin a value falls into. NaN has a bin of its own, the last.
// Edges equal scikit-learn's to the last bit in both percentile modes (up to 1.8, and from 1.9). Used by booster.ts.
import { seededRandom } from '../domain/random.ts';
import type { FeatureTable } from './dataset.ts';

/** How percentiles are read when a feature has more values than bins: scikit-learn up to 1.8, or from 1.9. */
export type PercentileMode = 'midpoint' | 'averaged_inverted_cdf';

export interface BinningOptions {
  /** Bins for values that are not missing, 2..255. */
  readonly binsMax: number;
  readonly percentiles: PercentileMode;
  /** Row weights; only `averaged_inverted_cdf` reads them. */
  readonly weights?: Float64Array;
  /** Draws the rows when there are more than ROWS_SAMPLED_MAX. */
  readonly seed: number;
}

/** Rows as bins. Bin b of feature f holds edges[b-1] < x <= edges[b]; `missingBins[f]` holds NaN. */
export interface BinnedTable {
  readonly rowCount: number;
  readonly bins: readonly Uint8Array[];
  readonly edges: readonly Float64Array[];
  /** Bins of each feature that hold values: edges + 1. Also the number of the bin that holds NaN. */
  readonly missingBins: Uint16Array;
  /** 1 where the feature has missing values in these rows. */
  readonly hasMissing: Uint8Array;
}

/** More rows than this are sampled to find edges, as scikit-learn does. */
export const ROWS_SAMPLED_MAX = 200_000;
/** The largest edge (scikit-learn's ALMOST_INF): +Infinity is kept for "only missing values go right". */
const EDGE_MAX = 1e300;

/** Finds edges and bins every row. */
export function binTable(table: FeatureTable, options: BinningOptions): BinnedTable {
  const sample = sampledRows(table.rowCount, options);
  const edges = table.columns.map((column) => findEdges(column, sample, options));
  const missingBins = Uint16Array.from(edges, (e) => e.length + 1);
  const hasMissing = new Uint8Array(edges.length);
  const bins = table.columns.map((column, f) => {
    const out = new Uint8Array(column.length);
    hasMissing[f] = fillBins(column, edges[f]!, out) ? 1 : 0;
    return out;
  });
  return { rowCount: table.rowCount, bins, edges, missingBins, hasMissing };
}

interface Sample {
  /** Rows to look at; absent means all. */
  readonly rows?: Uint32Array;
  readonly weights?: Float64Array;
}

/** With too many rows: draws by weight, with replacement; the draw stands for the weights from then on. */
function sampledRows(rowCount: number, options: BinningOptions): Sample {
  const weights = options.percentiles === 'averaged_inverted_cdf' ? options.weights : undefined;
  if (rowCount <= ROWS_SAMPLED_MAX) return weights === undefined ? {} : { weights };
  const random = seededRandom(options.seed);
  const rows = new Uint32Array(ROWS_SAMPLED_MAX);
  if (weights === undefined) {
    for (let i = 0; i < rows.length; i++) rows[i] = random.int(rowCount);
    return { rows };
  }
  const cumulative = new Float64Array(rowCount);
  let total = 0;
  for (let row = 0; row < rowCount; row++) {
    total += weights[row]!;
    cumulative[row] = total;
  }
  for (let i = 0; i < rows.length; i++) {
    rows[i] = Math.min(rowCount - 1, firstAbove(cumulative, random.next() * total));
  }
  return { rows };
}

/** First index whose value is above `target`; the length if none is. */
function firstAbove(ascending: Float64Array, target: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! > target) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** First index whose value is `target` or above; the length if none is. */
function firstNotBelow(ascending: Float64Array, target: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (target <= ascending[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Values that count, ascending, and their weights' sums by distinct value where weights are given. */
function findEdges(column: Float64Array, sample: Sample, options: BinningOptions): Float64Array {
  const kept = new Float64Array(sample.rows?.length ?? column.length);
  let count = 0;
  for (let i = 0; i < kept.length; i++) {
    const row = sample.rows === undefined ? i : sample.rows[i]!;
    const value = column[row]!;
    if (Number.isNaN(value) || sample.weights?.[row] === 0) continue;
    kept[count++] = value;
  }
  const sorted = kept.subarray(0, count).sort();
  const distinct = distinctOf(sorted);
  if (distinct.length < 2) return new Float64Array(0);
  if (distinct.length <= options.binsMax) return clipped(midpointsOf(distinct));
  if (options.percentiles === 'midpoint') return clipped(midpointPercentiles(sorted, options.binsMax));
  const edges =
    sample.weights === undefined
      ? averagedPercentiles(sorted, options.binsMax)
      : weightedPercentiles(distinct, distinctWeights(column, sample.weights, distinct), options.binsMax);
  return clipped(distinctOf(edges));
}

function distinctOf(ascending: Float64Array): Float64Array {
  const out = new Float64Array(ascending.length);
  let count = 0;
  for (let i = 0; i < ascending.length; i++) {
    if (i === 0 || ascending[i] !== ascending[i - 1]) out[count++] = ascending[i]!;
  }
  return out.slice(0, count);
}

function midpointsOf(distinct: Float64Array): Float64Array {
  const out = new Float64Array(distinct.length - 1);
  for (let i = 0; i < out.length; i++) out[i] = (distinct[i]! + distinct[i + 1]!) * 0.5;
  return out;
}

/** No edge is infinite: the sum of two large values may be. */
function clipped(edges: Float64Array): Float64Array {
  for (let i = 0; i < edges.length; i++)
    edges[i] = Math.min(EDGE_MAX, Math.max(-Number.MAX_VALUE, edges[i]!));
  return edges;
}

/** Rank p of percentile i as numpy computes it: (i * (100 / bins)) / 100. */
function percentileShare(i: number, binsMax: number): number {
  return (i * (100 / binsMax)) / 100;
}

/** numpy's interpolation between neighbours for shares of a half and above. */
function between(low: number, high: number, share: number): number {
  return share >= 0.5 ? high - (high - low) * (1 - share) : low + (high - low) * share;
}

/** numpy.percentile(method="midpoint") at the binsMax - 1 inner percentiles. */
function midpointPercentiles(sorted: Float64Array, binsMax: number): Float64Array {
  const out = new Float64Array(binsMax - 1);
  const last = sorted.length - 1;
  for (let i = 1; i < binsMax; i++) {
    const place = last * percentileShare(i, binsMax);
    const index = 0.5 * (Math.floor(place) + Math.ceil(place));
    const low = Math.floor(index);
    const share = index % 1 === 0 ? 0 : 0.5;
    out[i - 1] = index >= last ? sorted[last]! : between(sorted[low]!, sorted[low + 1]!, share);
  }
  return out;
}

/** numpy.percentile(method="averaged_inverted_cdf") at the inner percentiles (Hyndman and Fan 1996, type 2). */
function averagedPercentiles(sorted: Float64Array, binsMax: number): Float64Array {
  const out = new Float64Array(binsMax - 1);
  const last = sorted.length - 1;
  for (let i = 1; i < binsMax; i++) {
    const index = sorted.length * percentileShare(i, binsMax) - 1;
    if (index < 0) out[i - 1] = sorted[0]!;
    else if (index >= last) out[i - 1] = sorted[last]!;
    else {
      const low = Math.floor(index);
      out[i - 1] = between(sorted[low]!, sorted[low + 1]!, index - low === 0 ? 0.5 : 1);
    }
  }
  return out;
}

/** Sum of the weights of each distinct value, added in row order. */
function distinctWeights(column: Float64Array, weights: Float64Array, distinct: Float64Array): Float64Array {
  const sums = new Float64Array(distinct.length);
  for (let row = 0; row < column.length; row++) {
    const value = column[row]!;
    if (Number.isNaN(value) || weights[row] === 0) continue;
    sums[firstNotBelow(distinct, value)]! += weights[row]!;
  }
  return sums;
}

/** scikit-learn's weighted percentile with `average=True`, on distinct values and the sums of their weights. */
function weightedPercentiles(distinct: Float64Array, sums: Float64Array, binsMax: number): Float64Array {
  const cumulative = new Float64Array(sums.length);
  let total = 0;
  for (let i = 0; i < sums.length; i++) {
    total += sums[i]!;
    cumulative[i] = total;
  }
  const last = distinct.length - 1;
  const out = new Float64Array(binsMax - 1);
  for (let i = 1; i < binsMax; i++) {
    const target = percentileShare(i, binsMax) * total;
    const at = Math.min(last, firstNotBelow(cumulative, target));
    const next = Math.min(last, at + 1);
    const above = cumulative[at]! - target > Number.EPSILON;
    out[i - 1] = above ? distinct[at]! : (distinct[at]! + distinct[next]!) / 2;
  }
  return out;
}

/** Writes the bin of each value; true if any value is missing. */
function fillBins(column: Float64Array, edges: Float64Array, out: Uint8Array): boolean {
  const missingBin = edges.length + 1;
  let missing = false;
  for (let row = 0; row < column.length; row++) {
    const value = column[row]!;
    if (Number.isNaN(value)) {
      out[row] = missingBin;
      missing = true;
    } else {
      out[row] = firstNotBelow(edges, value);
    }
  }
  return missing;
}
