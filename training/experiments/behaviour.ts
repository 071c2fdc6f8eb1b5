// The `behaviour` experiment's work (seed 000): a split a seed, options searched inside its training part, figures on its test
// part, by two protocols. `published` is the notebooks': 80/20 at random, threshold read off the test part. `honest` keeps
// repeated rows on one side, and in one fold. Both give the F1 at a threshold advised on training folds.
// Called by behaviour-report.ts.
import { type Random, seededRandom } from '../../domain/random.ts';
import { type Dataset, takeRows } from '../dataset.ts';
import type { FitProgress } from '../estimator.ts';
import { refuseTraining } from '../matrix.ts';
import { averagePrecision, confusionAt, f1Of, rocAuc, type ScoredRows } from '../metrics.ts';
import { groupedFolds, repeatGroups, rowsWhere } from '../split.ts';
import { adviseMaxF1 } from '../threshold.ts';
import { type SearchedOptions, scoredBy, searchBooster } from './booster-search.ts';

export const PROTOCOLS = ['published', 'honest'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export type BehaviourMetric = 'roc_auc' | 'pr_auc' | 'f1_best' | 'f1_at_advised' | 'rule_f1_best' | 'rule_f1';

export interface BehaviourSplit {
  readonly seed: number;
  /** Rows of the data set, ascending. */
  readonly train: Uint32Array;
  readonly test: Uint32Array;
  /** Fold of each training row. */
  readonly foldOf: Uint8Array;
  readonly options: SearchedOptions;
  readonly cvRocAuc: number;
  /** Best F1 on the scores of the training folds. */
  readonly advised: number;
  /** Where the notebooks' scan of the test part finds its best F1. */
  readonly bestOnTest: number;
  readonly scored: ScoredRows;
  readonly figures: Readonly<Record<BehaviourMetric, number>>;
}

export interface BehaviourOptions {
  readonly seeds: readonly number[];
  /** Tries of the search, the defaults among them. */
  readonly tries: number;
  readonly onProgress?: (progress: FitProgress) => void;
}

export const TRIES_DEFAULT = 20;
const FOLDS = 5;
/** The notebooks scan 0 to 1 in steps of 0.01. */
const SCAN_STEPS = 100;

/** Runs both protocols. Throws PicketError TRAINING_INVALID without seeds, or for data of too few rows of a class. */
export function runBehaviour(data: Dataset, options: BehaviourOptions): Record<Protocol, BehaviourSplit[]> {
  const { seeds, tries, onProgress } = options;
  if (seeds.length === 0) refuseTraining('behaviour: at least one seed is needed');
  const all = PROTOCOLS.length * seeds.length * tries;
  let done = 0;
  const onTry = () => onProgress?.({ done: ++done, all });
  const run = (protocol: Protocol) => seeds.map((seed) => runSplit(data, { protocol, seed, tries, onTry }));
  return { published: run('published'), honest: run('honest') };
}

interface SplitRequest {
  readonly protocol: Protocol;
  readonly seed: number;
  readonly tries: number;
  readonly onTry: () => void;
}

function runSplit(data: Dataset, { protocol, seed, tries, onTry }: SplitRequest): BehaviourSplit {
  const random = seededRandom(seed);
  const isTest = protocol === 'published' ? randomTest(data, random) : groupedTest(data, seed);
  const train = rowsWhere(isTest, (mark) => mark === 0);
  const test = rowsWhere(isTest, (mark) => mark === 1);
  const [known, unseen] = [takeRows(data, train), takeRows(data, test)];
  const groups = protocol === 'published' ? Uint32Array.from(train.keys()) : repeatGroups(known);
  const foldOf = groupedFolds(known, groups, { folds: FOLDS, seed });
  const best = searchBooster(known, { foldOf, folds: FOLDS, tries, random: random.fork(1), onTry });
  const advised = adviseMaxF1(best.outOfFold).threshold;
  const scored = scoredBy(known, unseen, best.options);
  const bestOnTest = scanForF1(scored);
  return {
    seed,
    train,
    test,
    foldOf,
    options: best.options,
    cvRocAuc: best.rocAuc,
    advised,
    bestOnTest,
    scored,
    figures: {
      roc_auc: rocAuc(scored),
      pr_auc: averagePrecision(scored),
      f1_best: f1At(scored, bestOnTest),
      f1_at_advised: f1At(scored, advised),
      ...ruleFigures(known, unseen),
    },
  };
}

/** A fifth of the rows, rounded up, without regard to class or repeats. */
function randomTest(data: Dataset, random: Random): Uint8Array {
  const isTest = new Uint8Array(data.rowCount);
  const order = random.shuffle(Uint32Array.from(isTest.keys()));
  for (const row of order.subarray(0, Math.ceil(data.rowCount / 5))) isTest[row] = 1;
  return isTest;
}

/** One fold of five whose rows have no twin in the others. */
function groupedTest(data: Dataset, seed: number): Uint8Array {
  const foldOf = groupedFolds(data, repeatGroups(data), { folds: 5, seed });
  return foldOf.map((fold) => (fold === 0 ? 1 : 0));
}

export function f1At(scored: ScoredRows, threshold: number): number {
  return f1Of(confusionAt(scored, threshold));
}

/** The first threshold of the scan with the best F1. */
function scanForF1(scored: ScoredRows): number {
  let best = 0;
  for (let step = 1; step <= SCAN_STEPS; step++) {
    if (f1At(scored, step / SCAN_STEPS) > f1At(scored, best)) best = step / SCAN_STEPS;
  }
  return best;
}

/** `n_connections <= t`: with the t that is best on the test part, as the notebooks report it, and with the best of training. */
function ruleFigures(train: Dataset, test: Dataset): { rule_f1_best: number; rule_f1: number } {
  const [known, unseen] = [fewConnections(train), fewConnections(test)];
  const limits = [...new Set(known.scores)];
  const bestOn = (rows: ScoredRows) =>
    limits.reduce((best, limit) => (f1At(rows, limit) > f1At(rows, best) ? limit : best), limits[0]!);
  return { rule_f1_best: f1At(unseen, bestOn(unseen)), rule_f1: f1At(unseen, bestOn(known)) };
}

/** Fewer connections, higher score. */
function fewConnections(data: Dataset): ScoredRows {
  const column = data.columns[data.names.indexOf('n_connections')]!;
  return { scores: column.map((value) => -value), positives: data.labels };
}
