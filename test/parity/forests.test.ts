// Our forests against scikit-learn's, by committed fixtures. Single trees without ties: every split and leaf to the last bit.
// Whole forests, whose random streams differ: over 10 seeds the rank correlation of mean scores is at least 0.98, and the mean
// AUC within 0.01. Path lengths, offset and decision of isolation forests from scikit-learn's own numbers.
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../training/dataset.ts';
import { exportForest } from '../../training/forest-export.ts';
import type { ForestTree } from '../../training/forest-tree.ts';
import {
  normalFrom,
  outlierScores,
  pathSums,
  scoreQuantile,
  trainIsolationForest,
} from '../../training/isolation-forest.ts';
import { meanPathLength } from '../../training/isolation-tree.ts';
import { meanAndSd, rocAuc } from '../../training/metrics.ts';
import { predictShares, trainRandomForest } from '../../training/random-forest.ts';
import { parseBundle } from '../../wasm-core/host/bundle.ts';
import { Explainer } from '../../wasm-core/host/explainer.ts';
import {
  FOREST_FITS,
  forestOptions,
  isolationHalves,
  isolationOptions,
  type StoredForestNode,
} from './forest-fixtures.ts';
import { datasetOf } from './hgb-fixtures.ts';

const SEEDS = Array.from({ length: 10 }, (_, seed) => seed);

/** Walks both trees from the root and lists where they differ. */
function treeDifferences(tree: ForestTree, stored: readonly StoredForestNode[]): string[] {
  const differences: string[] = [];
  const visit = (ours: number, theirs: number, place: string): void => {
    const node = stored[theirs]!;
    const left = tree.left[ours]!;
    if (node.length === 2) {
      const values = tree.values.map((column) => column[ours]);
      const shares = values.length === 1 ? node[1].slice(1) : node[1];
      const found = [left, tree.cover[ours], ...values];
      const expected = [0, node[0], ...shares];
      if (`${found}` !== `${expected}`) differences.push(`${place}: ${found}, scikit-learn ${expected}`);
      return;
    }
    const [cover, feature, threshold, missingLeft, storedLeft, storedRight] = node;
    const found = [tree.cover[ours], tree.feature[ours], tree.threshold[ours], tree.missingLeft[ours]];
    const expected = [cover, feature, threshold === 'inf' ? Infinity : threshold, missingLeft];
    if (left === 0 || !found.every((value, i) => Object.is(value, expected[i]))) {
      differences.push(`${place}: ${found}, scikit-learn ${expected}`);
      return;
    }
    visit(left, storedLeft, `${place}L`);
    visit(left + 1, storedRight, `${place}R`);
  };
  visit(0, 0, 'root ');
  return differences;
}

/** Rank correlation (Spearman 1904), equal values sharing their mean rank. */
function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const x = ranksOf(a);
  const y = ranksOf(b);
  const middle = (x.length - 1) / 2;
  let both = 0;
  let xx = 0;
  let yy = 0;
  for (let i = 0; i < x.length; i++) {
    both += (x[i]! - middle) * (y[i]! - middle);
    xx += (x[i]! - middle) ** 2;
    yy += (y[i]! - middle) ** 2;
  }
  return both / Math.sqrt(xx * yy);
}

function ranksOf(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let stop = start + 1;
    while (stop < order.length && values[order[stop]!] === values[order[start]!]) stop++;
    for (let i = start; i < stop; i++) ranks[order[i]!] = (start + stop - 1) / 2;
    start = stop;
  }
  return ranks;
}

function meanOf(runs: readonly Float64Array[]): Float64Array {
  return runs[0]!.map((_, row) => runs.reduce((sum, run) => sum + run[row]!, 0) / runs.length);
}

/** ROC AUC, one class against the rest and averaged when there are more than two. */
function aucOf(shares: readonly Float64Array[], { labels }: Dataset): number {
  const against = (scores: Float64Array, k: number) =>
    rocAuc({ scores, positives: labels.map((label) => (label === k ? 1 : 0)) });
  if (shares.length === 1) return against(shares[0]!, 1);
  return meanAndSd(shares.map(against)).mean;
}

it('ranks as Spearman does', () => {
  expect(rankCorrelation([1, 2, 3, 4], [10, 20, 30, 40])).toBeCloseTo(1, 12);
  expect(rankCorrelation([1, 2, 3, 4], [4, 3, 2, 1])).toBeCloseTo(-1, 12);
  // Of 1, 2, 2, 3 the ranks are 0, 1.5, 1.5, 3: correlation with 0, 1, 2, 3 is 4.5 / sqrt(4.5 * 5).
  expect(rankCorrelation([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(22.5), 12);
});

describe(`random forests against scikit-learn ${FOREST_FITS.sklearn}`, () => {
  it.each(FOREST_FITS.trees)(
    'grows the same tree on $set with $options',
    ({ set, options, weights, nodes }) => {
      const data = datasetOf(set);
      const weighted = weights === undefined ? data : { ...data, weights: Float64Array.from(weights) };
      const model = trainRandomForest(weighted, {
        ...forestOptions(options),
        trees: 3,
        bootstrap: false,
        maxFeatures: 'all',
      });
      for (const tree of model.trees) expect(treeDifferences(tree, nodes)).toEqual([]);
    },
  );

  it.each(FOREST_FITS.trees.filter(({ shap }) => shap !== undefined))(
    'explains its bundle of $set with $options as the shap package does',
    ({ set, options, weights, shap }) => {
      const data = datasetOf(set);
      const weighted = weights === undefined ? data : { ...data, weights: Float64Array.from(weights) };
      const settings = { ...forestOptions(options), trees: 2, bootstrap: false, maxFeatures: 'all' } as const;
      const model = trainRandomForest(weighted, settings);
      const manifest = { name: set, description: '', createdMs: 0, seed: 0, data: {}, metrics: {} };
      const bytes = exportForest({ name: 'forest', model, manifest, rows: data });
      const { detectors } = parseBundle(bytes, { requireSigned: false, trustedKeys: [] });
      const explainer = new Explainer(detectors[0]!.ensemble);
      const first = shap!.values.length - explainer.bias.length;
      shap!.values.slice(-explainer.bias.length).forEach((rows, output) => {
        expect(Math.abs(explainer.bias[output]! - shap!.bias[first > 0 ? 1 : output]!)).toBeLessThanOrEqual(
          1e-9,
        );
        rows.forEach((values, row) => {
          const { contributions } = explainer.explain(data.columns.map((column) => column[row]!));
          values.forEach((value, f) => {
            expect(Math.abs(contributions[output * values.length + f]! - value)).toBeLessThanOrEqual(1e-9);
          });
        });
      });
    },
  );

  it.each(FOREST_FITS.forests)('ranks the rows of $other alike after $set with $options', (stored) => {
    const data = datasetOf(stored.set);
    const other = datasetOf(stored.other);
    const runs = SEEDS.map((seed) =>
      predictShares(trainRandomForest(data, { ...forestOptions(stored.options), seed }), other),
    );
    const theirs = stored.mean.length === 2 ? stored.mean.slice(1) : stored.mean;
    theirs.forEach((column, k) => {
      const ours = meanOf(runs.map((run) => run[k]!));
      expect(rankCorrelation(ours, column), `class ${k}`).toBeGreaterThanOrEqual(0.98);
    });
    const auc = meanAndSd(runs.map((run) => aucOf(run, other))).mean;
    expect(Math.abs(auc - meanAndSd(stored.auc).mean)).toBeLessThanOrEqual(0.01);
  });
});

describe(`isolation forests against scikit-learn ${FOREST_FITS.sklearn}`, () => {
  it('gives the mean path lengths', () => {
    FOREST_FITS.mean_path_lengths.forEach((length, i) => {
      expect(Math.abs(meanPathLength(i + 1) - length)).toBeLessThanOrEqual(1e-15 * Math.max(1, length));
    });
  });

  it.each(FOREST_FITS.isolation)('ranks rows alike: $name', (stored) => {
    const [learned, scored] = isolationHalves(stored);
    const models = SEEDS.map((seed) => trainIsolationForest(learned, { ...isolationOptions(stored), seed }));
    const runs = models.map((model) => outlierScores(model, scored));
    expect(rankCorrelation(meanOf(runs), stored.mean)).toBeGreaterThanOrEqual(0.98);
    const auc = meanAndSd(runs.map((run) => aucOf([run], scored))).mean;
    expect(Math.abs(auc - meanAndSd(stored.auc).mean)).toBeLessThanOrEqual(0.01);
    const { mean, sd } = meanAndSd(stored.offsets.map((offset) => -offset));
    const threshold = meanAndSd(models.map((model) => model.scoreThreshold)).mean;
    expect(Math.abs(threshold - mean)).toBeLessThanOrEqual(1e-12 + 3 * sd);
    const flagged = models.map(
      (model) => pathSums(model, scored).filter((sum) => sum < model.normalFrom).length,
    );
    const spread = Math.max(...stored.flagged) - Math.min(...stored.flagged);
    expect(Math.abs(meanAndSd(flagged).mean - meanAndSd(stored.flagged).mean)).toBeLessThanOrEqual(
      1 + spread,
    );
  });

  it.each(FOREST_FITS.isolation)('gives offset and decision from its scores: $name', (stored) => {
    const scores = Float64Array.from(stored.first_scores);
    const contamination = stored.options.contamination;
    const threshold = contamination === undefined ? 0.5 : scoreQuantile(scores, contamination);
    expect(Math.abs(threshold + stored.offsets[0]!)).toBeLessThanOrEqual(2e-16);
    const from = normalFrom(threshold, stored.divisor);
    expect(2 ** (-from / stored.divisor)).toBeLessThanOrEqual(threshold);
    const sums = scores.map((score) => -Math.log2(score) * stored.divisor);
    sums.forEach((sum, row) => {
      // The interpolated threshold lies between two rows, or on one; logarithm and power may move that one by an ulp.
      if (Math.abs(scores[row]! - threshold) < 1e-12) return;
      expect(sum < from, `row ${row}`).toBe(scores[row]! > threshold);
    });
  });
});
