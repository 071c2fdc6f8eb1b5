// K-means that learns batch by batch: each centre is the mean of all rows it was ever given, the start not counted (Sculley,
// "Web-scale k-means clustering", 2010). Equals scikit-learn's MiniBatchKMeans.partial_fit with reassignment_ratio 0, step by
// step. Does not start clusters or forget; the live profiles' decay is theirs. Called by experiments and tests.
import { nearestCentre } from './kmeans.ts';
import { type Matrix, refuseTraining, rowOf } from './matrix.ts';

/** Rows a batch has in Picket's profiles; any size is fine here. */
export const ONLINE_BATCH_ROWS = 16;

export interface OnlineKMeans {
  /** Changed in place by learning. */
  readonly centres: Matrix;
  /** Rows each centre has learnt from; fractions are fine for centres that start with a weight. */
  readonly counts: Float64Array;
}

/** Starts from centres; `counts` is how much each weighs against new rows, 0 (the default) as scikit-learn starts. */
export function startOnline(centres: Matrix, counts?: ArrayLike<number>): OnlineKMeans {
  if (counts !== undefined && counts.length !== centres.rowCount) {
    refuseTraining(`online k-means: ${counts.length} counts for ${centres.rowCount} centres`);
  }
  return {
    centres: { ...centres, values: centres.values.slice() },
    counts: counts === undefined ? new Float64Array(centres.rowCount) : Float64Array.from(counts),
  };
}

/**
 * Learns a batch in place: all rows are given to the nearest of the old centres, then the centres move.
 * @returns the batch's sum of squared distances to the old centres.
 * @throws PicketError TRAINING_INVALID: a batch with other columns, or a value that is not finite.
 */
export function learnBatch({ centres, counts }: OnlineKMeans, batch: Matrix): number {
  const { columnCount, rowCount, values } = centres;
  if (batch.columnCount !== columnCount) {
    refuseTraining(`online k-means: ${batch.columnCount} columns, not ${columnCount}`);
  }
  if (batch.values.some((value) => !Number.isFinite(value))) {
    refuseTraining('online k-means: a value is missing or infinite');
  }
  const labels = new Uint32Array(batch.rowCount);
  let inertia = 0;
  for (let row = 0; row < batch.rowCount; row++) {
    const { cluster, squared } = nearestCentre(centres, rowOf(batch, row));
    labels[row] = cluster;
    inertia += squared;
  }
  for (let k = 0; k < rowCount; k++) {
    let added = 0;
    for (const label of labels) if (label === k) added++;
    if (added === 0) continue;
    const centre = values.subarray(k * columnCount, (k + 1) * columnCount);
    for (let c = 0; c < columnCount; c++) centre[c]! *= counts[k]!;
    for (let row = 0; row < batch.rowCount; row++) {
      if (labels[row] !== k) continue;
      const learnt = rowOf(batch, row);
      for (let c = 0; c < columnCount; c++) centre[c]! += learnt[c]!;
    }
    counts[k]! += added;
    const scale = 1 / counts[k]!;
    for (let c = 0; c < columnCount; c++) centre[c]! *= scale;
  }
  return inertia;
}
