// Searches the options of a booster over the ranges of seed 000's notebooks: a seeded random search, the defaults first.
// Each try is judged by the mean ROC AUC over given folds; the scores of the best try's folds come with it, so that a
// threshold can be chosen on rows its models had not seen. Called by behaviour.ts.
import type { Random } from '../../domain/random.ts';
import { scoreOf } from '../../wasm-core/host/link.ts';
import { predictMargins, trainBooster } from '../booster.ts';
import { BOOSTER_DEFAULTS, type BoosterOptions } from '../booster-options.ts';
import { type Dataset, takeRows } from '../dataset.ts';
import { meanAndSd, rocAuc, type ScoredRows } from '../metrics.ts';
import { rowsWhere } from '../split.ts';

/** What the search moves; everything else stays at the booster's defaults. */
export type SearchedOptions = Pick<
  BoosterOptions,
  'maxIter' | 'maxLeafNodes' | 'maxDepth' | 'l2' | 'classWeight'
>;

export interface Tried {
  readonly options: SearchedOptions;
  /** Mean over the folds. */
  readonly rocAuc: number;
  /** Scores of every row by the model that had not seen it. */
  readonly outOfFold: ScoredRows;
}

export interface SearchRequest {
  /** Fold of each row, 0 to `folds` - 1. */
  readonly foldOf: Uint8Array;
  readonly folds: number;
  /** Tries, the defaults among them. */
  readonly tries: number;
  readonly random: Random;
  readonly onTry?: () => void;
}

/** The notebooks' ranges; their learning rate is fixed at 0.1. */
export function drawOptions(random: Random): SearchedOptions {
  return {
    maxIter: 10 + random.int(91),
    maxLeafNodes: 10 + random.int(22),
    maxDepth: 2 + random.int(9),
    l2: 10 * random.next(),
    classWeight: 'balanced',
  };
}

/** The best try by ROC AUC; of equals, the earlier one. */
export function searchBooster(data: Dataset, request: SearchRequest): Tried {
  const { maxIter, maxLeafNodes, maxDepth, l2 } = BOOSTER_DEFAULTS;
  let best = tryOptions(data, { maxIter, maxLeafNodes, maxDepth, l2, classWeight: 'balanced' }, request);
  for (let i = 1; i < request.tries; i++) {
    const tried = tryOptions(data, drawOptions(request.random), request);
    if (tried.rocAuc > best.rocAuc) best = tried;
  }
  return best;
}

function tryOptions(data: Dataset, options: SearchedOptions, request: SearchRequest): Tried {
  const { foldOf, folds, onTry } = request;
  const scores = new Float64Array(data.rowCount);
  const areas = Array.from({ length: folds }, (_, fold) => {
    const rest = rowsWhere(foldOf, (own) => own !== fold);
    const held = rowsWhere(foldOf, (own) => own === fold);
    const judged = scoredBy(takeRows(data, rest), takeRows(data, held), options);
    held.forEach((row, i) => {
      scores[row] = judged.scores[i]!;
    });
    return rocAuc(judged);
  });
  onTry?.();
  return { options, rocAuc: meanAndSd(areas).mean, outOfFold: { scores, positives: data.labels } };
}

/** Fits on one data set, scores another. */
export function scoredBy(train: Dataset, test: Dataset, options: SearchedOptions): ScoredRows {
  const margins = predictMargins(trainBooster(train, options), test)[0]!;
  return { scores: margins.map(scoreOf), positives: test.labels };
}
