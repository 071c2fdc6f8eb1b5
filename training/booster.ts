// Histogram gradient boosting for two classes or more, as scikit-learn's HistGradientBoostingClassifier does it (Ke et al.,
// "LightGBM", 2017): bins once, then a tree an iteration (a tree a class for more than two) fitted to the loss's derivatives.
// Gives a model of plain arrays; does not read files, choose thresholds or write bundles. Called by cross-validate.ts and cli/.
import { PicketError } from '../domain/errors.ts';
import { type BinnedTable, binTable } from './binning.ts';
import { type BoosterOptions, completeOptions, DEPTH_MAX, type EarlyStopping } from './booster-options.ts';
import { classWeighted } from './class-weights.ts';
import { checkedDataset, type Dataset, type FeatureTable, takeRows } from './dataset.ts';
import { TreeGrower } from './grower.ts';
import { type Derivatives, type Loss, lossFor } from './loss.ts';
import { stratifiedHoldOut } from './split.ts';
import { addTree, type BoostedTree, leafCount } from './tree.ts';

export interface BoostedModel {
  readonly featureNames: readonly string[];
  readonly classNames: readonly string[];
  /** Raw margin before the first tree, one an output (1 output for two classes). */
  readonly baseline: Float64Array;
  /** trees[iteration][output]. */
  readonly trees: readonly (readonly BoostedTree[])[];
  /** Mean loss on the held-out rows before the first and after each iteration; empty without early stopping. */
  readonly validationLosses: readonly number[];
}

/** Rows to learn from, and rows to judge by when stopping early. */
interface Parts {
  readonly train: Dataset;
  readonly validation: Dataset | null;
}

/**
 * Fits a model.
 * @throws PicketError TRAINING_INVALID for data or options that cannot give one.
 */
export function trainBooster(data: Dataset, given: Partial<BoosterOptions> = {}): BoostedModel {
  const options = completeOptions(given, checkedDataset(data));
  const { train, validation } = partsOf(classWeighted(data, options.classWeight), options);
  const table = binTable(train, {
    binsMax: options.binsMax,
    percentiles: options.percentiles,
    seed: options.seed,
    ...(train.weights === undefined ? {} : { weights: train.weights }),
  });
  return new Boosting(train, table, options).run(validation);
}

function partsOf(data: Dataset, options: BoosterOptions): Parts {
  const stopping = options.earlyStopping;
  if (stopping === null) return { train: data, validation: null };
  if (stopping.validation !== null) return { train: data, validation: checkedDataset(stopping.validation) };
  const { kept, heldOut } = stratifiedHoldOut(data, stopping.validationShare, options.seed);
  return { train: takeRows(data, kept), validation: takeRows(data, heldOut) };
}

/** The run of one fit: margins of the training rows, derivatives, and the trees so far. */
class Boosting {
  readonly #data: Dataset;
  readonly #options: BoosterOptions;
  readonly #loss: Loss;
  readonly #grower: TreeGrower;
  readonly #baseline: Float64Array;
  readonly #margins: Float64Array[];
  readonly #derivatives: Derivatives[];

  constructor(data: Dataset, table: BinnedTable, options: BoosterOptions) {
    this.#data = data;
    this.#options = options;
    this.#loss = lossFor(data.classNames.length);
    this.#grower = new TreeGrower(table, { ...options, maxDepth: options.maxDepth ?? DEPTH_MAX });
    this.#baseline = this.#loss.baseline(data);
    this.#margins = Array.from(this.#baseline, (base) => new Float64Array(data.rowCount).fill(base));
    this.#derivatives = Array.from(this.#baseline, () => ({
      gradients: new Float32Array(data.rowCount),
      hessians: new Float32Array(data.rowCount),
    }));
  }

  run(validation: Dataset | null): BoostedModel {
    const judge = validation === null ? null : new StoppingJudge(validation, this.#loss, this.#baseline);
    const trees: BoostedTree[][] = [];
    for (let iteration = 1; iteration <= this.#options.maxIter; iteration++) {
      const grown = this.#iterate();
      trees.push(grown);
      const validationLoss = judge?.add(grown);
      this.#options.onIteration?.({
        iteration,
        maxIter: this.#options.maxIter,
        leaves: grown.reduce((sum, tree) => sum + leafCount(tree), 0),
        ...(validationLoss === undefined ? {} : { validationLoss }),
      });
      if (judge?.shouldStop(this.#options.earlyStopping!)) break;
    }
    return {
      featureNames: this.#data.names,
      classNames: this.#data.classNames,
      baseline: this.#baseline,
      trees,
      validationLosses: judge?.losses ?? [],
    };
  }

  /** Derivatives of all outputs first, then a tree for each. */
  #iterate(): BoostedTree[] {
    this.#loss.derive(this.#data, this.#margins, this.#derivatives);
    return this.#derivatives.map((derivatives, k) => {
      const { tree, partition, leaves } = this.#grower.grow(derivatives);
      const margins = this.#margins[k]!;
      for (const leaf of leaves) {
        const value = tree.value[leaf.index]!;
        for (let i = leaf.start; i < leaf.stop; i++) margins[partition[i]!]! += value;
      }
      return tree;
    });
  }
}

/** Follows the loss on held-out rows. Judges as scikit-learn does: no recent loss beats the one before them. */
class StoppingJudge {
  readonly losses: number[] = [];
  readonly #data: Dataset;
  readonly #loss: Loss;
  readonly #margins: Float64Array[];

  constructor(data: Dataset, loss: Loss, baseline: Float64Array) {
    this.#data = data;
    this.#loss = loss;
    this.#margins = Array.from(baseline, (base) => new Float64Array(data.rowCount).fill(base));
    this.losses.push(loss.mean(data, this.#margins));
  }

  add(trees: readonly BoostedTree[]): number {
    trees.forEach((tree, k) => {
      addTree(tree, this.#data.columns, this.#margins[k]!);
    });
    const loss = this.#loss.mean(this.#data, this.#margins);
    this.losses.push(loss);
    return loss;
  }

  shouldStop({ patience, tolerance }: EarlyStopping): boolean {
    const before = this.losses.at(-patience - 1);
    if (before === undefined) return false;
    return !this.losses.slice(-patience).some((loss) => -loss > -before + tolerance);
  }
}

/**
 * Raw margins of every row, one array an output, trees added in order. The table must hold the model's features in order.
 * @throws PicketError TRAINING_INVALID when it does not.
 */
export function predictMargins(model: BoostedModel, table: FeatureTable): Float64Array[] {
  refuseOtherFeatures(model, table);
  const margins = Array.from(model.baseline, (base) => new Float64Array(table.rowCount).fill(base));
  for (const iteration of model.trees) {
    iteration.forEach((tree, k) => {
      addTree(tree, table.columns, margins[k]!);
    });
  }
  return margins;
}

function refuseOtherFeatures(model: BoostedModel, table: FeatureTable): void {
  model.featureNames.forEach((name, f) => {
    if (table.names[f] === name) return;
    const found = table.names[f] ?? 'nothing';
    throw new PicketError(
      'TRAINING_INVALID',
      `the model reads ${name} as feature ${f}, the table has ${found}`,
    );
  });
}
