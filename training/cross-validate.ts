// How good a two-class model is on rows it has not seen: k-fold cross-validation over several seeds. Rows with equal features
// stay in one fold, and each fold's threshold is chosen on the other folds only, from scores of models that had not seen them.
// Costs folds * (folds + 1) / 2 fits a seed. Called by cli/train.ts and scripts; gives figures and out-of-fold scores.
import { PicketError } from '../domain/errors.ts';
import { scoreOf } from '../wasm-core/host/link.ts';
import { predictMargins, trainBooster } from './booster.ts';
import type { BoosterOptions } from './booster-options.ts';
import { type Dataset, takeRows } from './dataset.ts';
import {
  averagePrecision,
  confusionAt,
  f1Of,
  falsePositiveRateOf,
  logLoss,
  meanAndSd,
  precisionOf,
  recallOf,
  rocAuc,
  type ScoredRows,
} from './metrics.ts';
import { groupedFolds, repeatGroups, rowsWhere } from './split.ts';
import { advise, type ThresholdRule } from './threshold.ts';

export interface CrossValidationOptions {
  /** 3..50: with two, nothing would be left to choose a threshold on. */
  readonly folds: number;
  /** One run a seed; the seed deals the folds and goes to the booster. */
  readonly seeds: readonly number[];
  readonly booster: Partial<BoosterOptions>;
  readonly rule: ThresholdRule;
  /** Called after every fit. */
  readonly onFit?: (done: number, all: number) => void;
}

/** Names of the figures, in the order of printing. All but `threshold` are on rows of the fold, none of which was learnt. */
export const FIGURE_NAMES = [
  'roc_auc',
  'pr_auc',
  'f1',
  'threshold',
  'precision',
  'recall',
  'false_positive_rate',
  'log_loss',
] as const;
export type FigureName = (typeof FIGURE_NAMES)[number];
export type Figures = Readonly<Record<FigureName, number>>;

export interface CrossValidation {
  /** Means over the folds, a record a seed. */
  readonly bySeed: readonly Figures[];
  /** Mean and standard deviation over the seeds. */
  readonly mean: Figures;
  readonly sd: Figures;
  /** Each row's score by the model that had not seen it, seed after seed. */
  readonly outOfFold: ScoredRows;
  /** Rows whose features equal an earlier row's. */
  readonly repeatedRows: number;
}

/**
 * Cross-validates a booster on a two-class data set.
 * @throws PicketError TRAINING_INVALID: more than two classes, no seeds, too few rows of a class, bad options.
 */
export function crossValidate(data: Dataset, options: CrossValidationOptions): CrossValidation {
  if (data.classNames.length !== 2) {
    throw new PicketError(
      'TRAINING_INVALID',
      `cross-validation needs two classes, not ${data.classNames.length}`,
    );
  }
  if (options.folds < 3) {
    const problems = [
      { field: 'folds', value: String(options.folds), expected: 'a whole number from 3 to 50' },
    ];
    throw new PicketError('TRAINING_INVALID', 'the number of folds is not usable', { problems });
  }
  const seedCount = options.seeds.length;
  if (seedCount === 0) throw new PicketError('TRAINING_INVALID', 'cross-validation needs at least one seed');
  const groups = repeatGroups(data);
  const fitsPerSeed = (options.folds * (options.folds + 1)) / 2;
  let done = 0;
  const onFit = () => options.onFit?.(++done, fitsPerSeed * seedCount);
  const outOfFold = {
    scores: new Float64Array(data.rowCount * seedCount),
    positives: new Uint8Array(data.rowCount * seedCount),
  };
  const bySeed = options.seeds.map((seed, i) => {
    const foldOf = groupedFolds(data, groups, { folds: options.folds, seed });
    const run = new SeedRun(data, foldOf, { ...options, booster: { ...options.booster, seed } }, onFit);
    const figures = run.figures();
    outOfFold.scores.set(run.scores, i * data.rowCount);
    outOfFold.positives.set(data.labels, i * data.rowCount);
    return figures;
  });
  const over = (pick: 'mean' | 'sd') =>
    figuresBy((name) => meanAndSd(bySeed.map((figures) => figures[name]))[pick]);
  const groupCount = groups.reduce((largest, group) => Math.max(largest, group), 0) + 1;
  return { bySeed, mean: over('mean'), sd: over('sd'), outOfFold, repeatedRows: data.rowCount - groupCount };
}

function figuresBy(value: (name: FigureName) => number): Figures {
  return Object.fromEntries(FIGURE_NAMES.map((name) => [name, value(name)])) as Record<FigureName, number>;
}

/** One seed: a model for each fold, and one for each pair of folds to choose the thresholds with. */
class SeedRun {
  /** Score of each row by the model that was trained without its fold. */
  readonly scores: Float64Array;
  readonly #data: Dataset;
  readonly #foldOf: Uint8Array;
  readonly #options: CrossValidationOptions;
  readonly #onFit: () => void;

  constructor(data: Dataset, foldOf: Uint8Array, options: CrossValidationOptions, onFit: () => void) {
    this.#data = data;
    this.#foldOf = foldOf;
    this.#options = options;
    this.#onFit = onFit;
    this.scores = new Float64Array(data.rowCount);
  }

  figures(): Figures {
    const { folds } = this.#options;
    const inner = this.#innerScores();
    const byFold = Array.from({ length: folds }, (_, fold) => this.#foldFigures(fold, inner[fold]!));
    return figuresBy((name) => meanAndSd(byFold.map((figures) => figures[name])).mean);
  }

  /**
   * inner[k][row]: score of a row outside fold k by a model that saw neither fold k nor the row's own fold. The model
   * without folds j and k serves both.
   */
  #innerScores(): Float64Array[] {
    const { folds } = this.#options;
    const inner = Array.from({ length: folds }, () => new Float64Array(this.#data.rowCount));
    for (let j = 0; j < folds; j++) {
      for (let k = j + 1; k < folds; k++) {
        this.#scoreOutside(
          [j, k],
          [
            [j, inner[k]!],
            [k, inner[j]!],
          ],
        );
      }
    }
    return inner;
  }

  /** Trains without the folds in `without`, then writes the scores of each given fold. */
  #scoreOutside(
    without: readonly number[],
    targets: readonly (readonly [fold: number, scores: Float64Array])[],
  ): void {
    const train = takeRows(
      this.#data,
      rowsWhere(this.#foldOf, (fold) => !without.includes(fold)),
    );
    const model = trainBooster(train, this.#options.booster);
    this.#onFit();
    for (const [target, scores] of targets) {
      const rows = rowsWhere(this.#foldOf, (fold) => fold === target);
      const margins = predictMargins(model, takeRows(this.#data, rows))[0]!;
      rows.forEach((row, i) => {
        scores[row] = scoreOf(margins[i]!);
      });
    }
  }

  #foldFigures(fold: number, inner: Float64Array): Figures {
    this.#scoreOutside([fold], [[fold, this.scores]]);
    const others = this.#scored(inner, (other) => other !== fold);
    const { threshold } = advise(others, this.#options.rule);
    const rows = this.#scored(this.scores, (own) => own === fold);
    const confusion = confusionAt(rows, threshold);
    return {
      roc_auc: rocAuc(rows),
      pr_auc: averagePrecision(rows),
      f1: f1Of(confusion),
      threshold,
      precision: precisionOf(confusion),
      recall: recallOf(confusion),
      false_positive_rate: falsePositiveRateOf(confusion),
      log_loss: logLoss(rows),
    };
  }

  #scored(scores: Float64Array, passes: (fold: number) => boolean): ScoredRows {
    const rows = rowsWhere(this.#foldOf, passes);
    return {
      scores: Float64Array.from(rows, (row) => scores[row]!),
      positives: Uint8Array.from(rows, (row) => this.#data.labels[row]!),
    };
  }
}
