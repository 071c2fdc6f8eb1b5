// Our histogram gradient booster against scikit-learn's, by committed fixtures: (a) bin edges bit-equal in both percentile
// modes, (b) single trees with the same structure, thresholds bit-equal and leaves within 1e-12, (c) whole models with raw
// predictions within 1e-6 on 95 % of the cases and, on every case, AUC and log loss within 1e-3.
import { describe, expect, it } from 'vitest';
import { binTable } from '../../training/binning.ts';
import { type BoostedModel, predictMargins, trainBooster } from '../../training/booster.ts';
import { EARLY_STOPPING_DEFAULTS } from '../../training/booster-options.ts';
import type { Dataset } from '../../training/dataset.ts';
import { lossFor } from '../../training/loss.ts';
import { rocAuc } from '../../training/metrics.ts';
import type { BoostedTree } from '../../training/tree.ts';
import { softmax } from '../../wasm-core/host/link.ts';
import { columnOf, DATA, datasetOf, FITS, optionsOf, type StoredNode } from './hgb-fixtures.ts';

interface Difference {
  readonly place: string;
  readonly ours: string;
  readonly theirs: string;
}

/** Walks both trees from the root and lists where they differ in more than the last bits of a leaf or gain. */
function treeDifferences(tree: BoostedTree, stored: readonly StoredNode[]): Difference[] {
  const differences: Difference[] = [];
  const close = (a: number, b: number, relative: number) => Math.abs(a - b) <= relative * Math.abs(b);
  const visit = (ours: number, theirs: number, place: string): void => {
    const node = stored[theirs]!;
    const left = tree.left[ours]!;
    if (node.length === 2) {
      const same = left === 0 && tree.cover[ours] === node[0] && close(tree.value[ours]!, node[1], 1e-12);
      if (!same)
        differences.push({ place, ours: `${tree.cover[ours]} ${tree.value[ours]}`, theirs: `${node}` });
      return;
    }
    const [rows, feature, threshold, missingLeft, storedLeft, storedRight, gain] = node;
    const found = [tree.cover[ours], tree.feature[ours], tree.threshold[ours], tree.missingLeft[ours]];
    const expected = [rows, feature, threshold === 'inf' ? Infinity : threshold, missingLeft];
    const same = left !== 0 && found.every((value, i) => Object.is(value, expected[i]));
    if (!same || !close(tree.gain[ours]!, gain, 1e-9)) {
      differences.push({ place, ours: found.join(' '), theirs: `${node}` });
      return;
    }
    visit(left, storedLeft, `${place}L`);
    visit(left + 1, storedRight, `${place}R`);
  };
  visit(0, 0, 'root ');
  return differences;
}

/** Largest difference of raw predictions on the rows that the fixture shows. */
function rawDifference(margins: readonly Float64Array[], stored: readonly (readonly number[])[]): number {
  let largest = 0;
  stored.forEach((column, k) => {
    column.forEach((value, row) => {
      largest = Math.max(largest, Math.abs(margins[k]![row]! - value));
    });
  });
  return largest;
}

/** ROC AUC, one class against the rest and averaged when there are more than two, and the mean log loss. */
function quality(data: Dataset, margins: readonly Float64Array[]): { auc: number; logLoss: number } {
  const logLoss = lossFor(data.classNames.length).mean({ labels: data.labels }, margins);
  const against = (scores: Float64Array, k: number) =>
    rocAuc({ scores, positives: data.labels.map((label) => (label === k ? 1 : 0)) });
  if (margins.length === 1) return { auc: against(margins[0]!, 1), logLoss };
  const shares = margins.map(() => new Float64Array(data.rowCount));
  for (let row = 0; row < data.rowCount; row++) {
    softmax(margins.map((column) => column[row]!)).forEach((share, k) => {
      shares[k]![row] = share;
    });
  }
  const aucs = shares.map(against);
  return { auc: aucs.reduce((sum, auc) => sum + auc, 0) / aucs.length, logLoss };
}

describe.each(FITS)('booster against scikit-learn $sklearn', (fits) => {
  it.each(fits.edges)('finds the edges of $column in $max_bins bins to the last bit', (stored) => {
    const column = columnOf(DATA.bin_columns[stored.column]!);
    const { edges } = binTable(
      { names: ['x'], columns: [column], rowCount: column.length },
      {
        binsMax: stored.max_bins,
        percentiles: fits.percentiles,
        seed: 0,
        ...(stored.weights === undefined ? {} : { weights: Float64Array.from(stored.weights) }),
      },
    );
    expect([...edges[0]!]).toEqual(stored.edges);
  });

  it.each(fits.one_tree)('grows the same tree on $set with $options', ({ set, options, baseline, trees }) => {
    const data = datasetOf(set, options.weighted);
    const model = trainBooster(data, { ...optionsOf(options, fits.percentiles), maxIter: 1 });
    model.baseline.forEach((base, k) => {
      expect(Math.abs(base - baseline[k]!)).toBeLessThanOrEqual(1e-15 + 1e-12 * Math.abs(baseline[k]!));
    });
    expect(model.trees[0]!.flatMap((tree, k) => treeDifferences(tree, trees[k]!))).toEqual([]);
  });

  it('gives the raw predictions of whole models', () => {
    const rawDifferences: number[] = [];
    for (const stored of fits.whole) {
      const data = datasetOf(stored.set, stored.options.weighted);
      const model: BoostedModel = trainBooster(data, optionsOf(stored.options, fits.percentiles));
      const margins = predictMargins(model, data);
      const { auc, logLoss } = quality(data, margins);
      rawDifferences.push(rawDifference(margins, stored.raw));
      expect(Math.abs(auc - stored.auc), `AUC on ${stored.set}`).toBeLessThanOrEqual(1e-3);
      expect(Math.abs(logLoss - stored.log_loss), `log loss on ${stored.set}`).toBeLessThanOrEqual(1e-3);
    }
    const close = rawDifferences.filter((difference) => difference <= 1e-6).length;
    expect(close / rawDifferences.length, rawDifferences.join(' ')).toBeGreaterThanOrEqual(0.95);
  });

  it.each(fits.early_stopping)('stops early on $set as judged by $validation', (stored) => {
    const { patience, tolerance } = stored;
    const validation = datasetOf(stored.validation);
    const model = trainBooster(datasetOf(stored.set), {
      percentiles: fits.percentiles,
      earlyStopping: { ...EARLY_STOPPING_DEFAULTS, validation, patience, tolerance },
    });
    expect(model.trees.length).toBe(stored.iterations);
    model.validationLosses.forEach((loss, i) => {
      expect(Math.abs(loss - stored.losses[i]!)).toBeLessThanOrEqual(1e-9);
    });
  });
});
