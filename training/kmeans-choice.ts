// Chooses k for k-means by the mean silhouette (Rousseeuw 1987): how much nearer a row is to its own cluster than to the next.
// The silhouette is exact over the rows used; above a limit a seeded sample of rows is used. Called by experiments.
import { seededRandom } from '../domain/random.ts';
import { assignClusters, fitKMeans, type KMeansModel, type KMeansOptions } from './kmeans.ts';
import { checkOptions, type Matrix, pickRows, rowOf, squaredDistance } from './matrix.ts';

export interface ChoiceOptions extends Partial<Omit<KMeansOptions, 'k'>> {
  readonly seed: number;
  /** 2 or more: one cluster has no silhouette. */
  readonly kMin: number;
  readonly kMax: number;
  /** Rows the silhouette is computed over at most; its cost grows with their square. */
  readonly sampleRows?: number;
}

export interface KMeansChoice {
  readonly model: KMeansModel;
  /** Mean silhouette for each k tried, in order; NaN where the rows fell into a single cluster. */
  readonly silhouettes: readonly { readonly k: number; readonly silhouette: number }[];
}

export const SILHOUETTE_ROWS_MAX = 2000;

/**
 * Fits k-means for each k and keeps the one with the highest mean silhouette (the smaller k of equals). When there is none
 * (all rows equal), the model of one centre.
 * @throws PicketError TRAINING_INVALID as fitKMeans, or kMin and kMax that make no range.
 */
export function chooseKMeans(matrix: Matrix, options: ChoiceOptions): KMeansChoice {
  const { kMin, kMax, sampleRows = SILHOUETTE_ROWS_MAX, seed, ...rest } = options;
  checkOptions('choice of k', [
    {
      field: 'kMin',
      value: kMin,
      ok: Number.isInteger(kMin) && kMin >= 2,
      expected: 'a whole number, 2 or more',
    },
    { field: 'kMax', value: kMax, ok: Number.isInteger(kMax) && kMax >= kMin, expected: 'kMin or more' },
    { field: 'sampleRows', value: sampleRows, ok: sampleRows >= 2, expected: '2 or more' },
  ]);
  const rows = Uint32Array.from({ length: matrix.rowCount }, (_, row) => row);
  const isSampled = matrix.rowCount > sampleRows;
  if (isSampled) seededRandom(seed).fork(kMax).shuffle(rows);
  const judged = isSampled ? pickRows(matrix, rows.subarray(0, sampleRows)) : matrix;
  const silhouettes: { k: number; silhouette: number }[] = [];
  let best: { model: KMeansModel; silhouette: number } | null = null;
  for (let k = kMin; k <= Math.min(kMax, matrix.rowCount); k++) {
    const model = fitKMeans(matrix, { ...rest, seed, k });
    const silhouette = meanSilhouette(judged, assignClusters(model, judged));
    silhouettes.push({ k, silhouette });
    if (silhouette > (best?.silhouette ?? -Infinity)) best = { model, silhouette };
  }
  return { model: best?.model ?? fitKMeans(matrix, { ...rest, seed, k: 1 }), silhouettes };
}

/**
 * Mean over the rows of (b - a) / max(a, b): a is the mean distance to the row's own cluster without itself, b the least mean
 * distance to another cluster; 0 for a row alone in its cluster. -1..1; NaN for fewer than two clusters.
 */
export function meanSilhouette(matrix: Matrix, labels: Uint32Array): number {
  const clusterCount = labels.reduce((most, label) => Math.max(most, label + 1), 0);
  const sizes = new Float64Array(clusterCount);
  for (const label of labels) sizes[label]!++;
  if (sizes.filter((size) => size > 0).length < 2) return Number.NaN;
  let total = 0;
  const sums = new Float64Array(clusterCount);
  for (let row = 0; row < matrix.rowCount; row++) {
    const own = labels[row]!;
    if (sizes[own]! < 2) continue;
    sums.fill(0);
    const values = rowOf(matrix, row);
    for (let other = 0; other < matrix.rowCount; other++) {
      sums[labels[other]!]! += Math.sqrt(squaredDistance(values, rowOf(matrix, other)));
    }
    const within = sums[own]! / (sizes[own]! - 1);
    let nearest = Infinity;
    for (let k = 0; k < clusterCount; k++) {
      if (k !== own && sizes[k]! > 0) nearest = Math.min(nearest, sums[k]! / sizes[k]!);
    }
    const scale = Math.max(within, nearest);
    if (scale > 0) total += (nearest - within) / scale;
  }
  return total / matrix.rowCount;
}
