// Cross-validation on made rows: no leak through repeats, thresholds not chosen on the judged rows, figures that add up.
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../domain/random.ts';
import { type CrossValidationOptions, crossValidate, FIGURE_NAMES } from './cross-validate.ts';
import { type Dataset, takeRows } from './dataset.ts';
import { madeRows } from './made-rows.ts';
import { averagePrecision, rocAuc } from './metrics.ts';

const DATA = madeRows({ seed: 4, rowCount: 500, classCount: 2, missingShare: 0.1 });
const OPTIONS: CrossValidationOptions = {
  folds: 4,
  seeds: [1, 2],
  booster: { maxIter: 20, minSamplesLeaf: 10 },
  rule: { method: 'max_f1' },
};

/** Labels by coin: nothing can be learnt but the rows themselves. */
function coinLabels(data: Dataset, seed: number): Dataset {
  const random = seededRandom(seed);
  return { ...data, labels: data.labels.map(() => random.int(2)) };
}

describe('crossValidate', () => {
  it('reports every figure as mean and deviation over the seeds', () => {
    let fits = 0;
    const result = crossValidate(DATA, { ...OPTIONS, onFit: () => fits++ });
    expect(fits).toBe(2 * 10);
    for (const name of FIGURE_NAMES) {
      const [first, second] = result.bySeed.map((figures) => figures[name]);
      expect(result.mean[name]).toBeCloseTo((first! + second!) / 2, 12);
      expect(result.sd[name]).toBeCloseTo(Math.abs(first! - second!) / Math.SQRT2, 12);
    }
    expect(result.mean.roc_auc).toBeGreaterThan(0.9);
    expect(result.mean.f1).toBeGreaterThan(0.8);
    expect(result.repeatedRows).toBe(0);
  });

  it('scores every row once a seed, by models that had not seen it', () => {
    const { outOfFold, mean } = crossValidate(DATA, OPTIONS);
    expect(outOfFold.scores.length).toBe(1000);
    expect(outOfFold.scores.every((score) => score > 0 && score < 1)).toBe(true);
    expect(Math.abs(rocAuc(outOfFold) - mean.roc_auc)).toBeLessThan(0.03);
    expect(Math.abs(averagePrecision(outOfFold) - mean.pr_auc)).toBeLessThan(0.05);
  });

  it('finds nothing in coin labels, even when every row stands there three times', () => {
    const coins = coinLabels(
      takeRows(
        DATA,
        Array.from({ length: 300 }, (_, i) => i),
      ),
      5,
    );
    const thrice = takeRows(
      coins,
      Array.from({ length: 900 }, (_, i) => i % 300),
    );
    const booster = { maxIter: 30, minSamplesLeaf: 1 };
    const result = crossValidate(thrice, { ...OPTIONS, booster, seeds: [1] });
    expect(result.repeatedRows).toBe(600);
    expect(Math.abs(result.mean.roc_auc - 0.5)).toBeLessThan(0.1);
  });

  it('keeps to a bound on false positives, up to the noise of unseen rows', () => {
    const rule = { method: 'max_recall_at_fpr', fprMax: 0.05 } as const;
    const result = crossValidate(DATA, { ...OPTIONS, rule });
    expect(result.mean.false_positive_rate).toBeLessThan(0.12);
    expect(result.mean.recall).toBeGreaterThan(0.3);
  });

  it('is the same for the same seeds', () => {
    expect(crossValidate(DATA, OPTIONS)).toEqual(crossValidate(DATA, OPTIONS));
  });

  it('refuses what it cannot do', () => {
    const three = madeRows({ seed: 1, rowCount: 90, classCount: 3, missingShare: 0 });
    expect(() => crossValidate(three, OPTIONS)).toThrow('needs two classes, not 3');
    expect(() => crossValidate(DATA, { ...OPTIONS, folds: 2 })).toThrow('number of folds');
    expect(() => crossValidate(DATA, { ...OPTIONS, seeds: [] })).toThrow('at least one seed');
  });
});
