// What bundles can hold, seen alike: raw margins of many rows, and the canonical ensemble that must give the same bits.
// One place that knows all kinds of tree models. Called by export.ts and forest-export.ts.
import {
  type Ensemble,
  NODE_MISSING_LEFT,
  NODE_NAN_SPLIT,
  NUMERIC_NODE,
  type Tree,
} from '../wasm-core/host/ensemble.ts';
import { referenceMargins } from '../wasm-core/host/reference.ts';
import { type BoostedModel, predictMargins } from './booster.ts';
import type { FeatureTable } from './dataset.ts';
import type { ForestTree } from './forest-tree.ts';
import { type IsolationForestModel, pathSums } from './isolation-forest.ts';
import { predictShares, type RandomForestModel } from './random-forest.ts';
import type { BoostedTree, TreeSplits } from './tree.ts';

/** Trees that were made, not fitted: their inputs are 0, 1, ... in the order of the names. */
export interface MadeModel {
  readonly kind: 'made';
  readonly featureNames: readonly string[];
  readonly ensemble: Ensemble;
}

export type TreeModel = BoostedModel | RandomForestModel | IsolationForestModel | MadeModel;

/** How many margins a row gets. */
export function outputsOf(model: TreeModel): number {
  if (!('kind' in model)) return model.baseline.length;
  if (model.kind === 'made') return model.ensemble.outputs;
  return model.trees[0]!.values.length;
}

/** Raw margins of every row, one array an output. The table must hold the model's features in order. */
export function marginsOf(model: TreeModel, table: FeatureTable): Float64Array[] {
  if (!('kind' in model)) return predictMargins(model, table);
  if (model.kind === 'random_forest') return predictShares(model, table);
  if (model.kind === 'isolation_forest') return [pathSums(model, table)];
  const margins = Array.from({ length: model.ensemble.outputs }, () => new Float64Array(table.rowCount));
  for (let row = 0; row < table.rowCount; row++) {
    const inputs = table.columns.map((column) => column[row]!);
    referenceMargins(model.ensemble, inputs).forEach((margin, output) => {
      margins[output]![row] = margin;
    });
  }
  return margins;
}

/** Where the rows go in each tree, for finding thresholds. */
export function splitsOf(model: TreeModel): readonly TreeSplits[] {
  if (!('kind' in model)) return model.trees.flat();
  if (model.kind === 'made') return [];
  return model.trees;
}

/**
 * A model in canonical form.
 * @param inputs what each of its features is in the bundle: the number of a feature, or a slot.
 */
export function canonicalEnsemble(model: TreeModel, inputs: readonly number[]): Ensemble {
  if ('kind' in model && model.kind === 'made') return { ...model.ensemble, inputs };
  const outputs = outputsOf(model);
  const fixed = { outputs, inputs, accum: 'f64', categories: [] } as const;
  if (!('kind' in model)) {
    const trees = model.trees.flatMap((iteration) => iteration.map(boostedTree));
    return { ...fixed, kind: 'gbdt_logit', base: model.baseline.slice(), trees, f32Input: false };
  }
  const kind = model.kind === 'random_forest' ? 'rf_mean' : 'iforest';
  const trees = model.trees.flatMap((tree) => tree.values.map((_, output) => forestTree(tree, output)));
  return { ...fixed, kind, base: new Float64Array(outputs), trees, f32Input: true };
}

/** A model in canonical form. `names` is the bundle's feature list; the model's features must be among them. */
export function ensembleOf(model: TreeModel, names: readonly string[]): Ensemble {
  return canonicalEnsemble(
    model,
    model.featureNames.map((name) => names.indexOf(name)),
  );
}

function boostedTree(tree: BoostedTree, output: number): Tree {
  const { feature, threshold, left, value, cover } = tree;
  return { feature, threshold, left, flags: flagsOf(tree), value, output, cover: Float64Array.from(cover) };
}

/** One tree of the forest counts for each of its outputs. */
function forestTree(tree: ForestTree, output: number): Tree {
  const { feature, threshold, left, values, cover } = tree;
  return { feature, threshold, left, flags: flagsOf(tree), value: values[output]!, output, cover };
}

function flagsOf({ left, threshold, missingLeft }: TreeSplits): Uint8Array {
  return Uint8Array.from(left, (child, node) => {
    if (child === 0) return 0;
    const nanSplit = threshold[node] === Infinity ? NODE_NAN_SPLIT : 0;
    return NUMERIC_NODE | nanSplit | (missingLeft[node] === 1 ? NODE_MISSING_LEFT : 0);
  });
}
