// The plain explainer: contributions of each input to the raw margin of one row, and what every row starts from.
// The oracle for the kernel of assembly/shap.ts, which gives the same bits. Called by tests and by explainer.ts for the bias.

import type { Ensemble } from './ensemble.ts';
import { goesLeft } from './reference.ts';
import {
  gaussLegendre,
  type LeafPath,
  leafPaths,
  subsetTable,
  tableFeatures,
  treeMean,
} from './shap-paths.ts';

export interface Explanation {
  /** Margin before any input is known, one an output. */
  readonly bias: Float64Array;
  /** contributions[output * inputs + input]; bias and contributions of an output add up to its raw margin. */
  readonly contributions: Float64Array;
}

/** Trees of each output: the divisor of means, 1 for sums. */
export function divisors(ensemble: Ensemble): Float64Array {
  const counts = new Float64Array(ensemble.outputs);
  if (ensemble.kind !== 'rf_mean') return counts.fill(1);
  for (const tree of ensemble.trees) counts[tree.output] = counts[tree.output]! + 1;
  return counts.map((count) => count || 1);
}

/** What every row starts from, one an output: the mean margin over the training weight. */
export function explanationBias(ensemble: Ensemble): Float64Array {
  const bias = ensemble.base.slice();
  for (const tree of ensemble.trees) bias[tree.output] = bias[tree.output]! + treeMean(tree);
  const by = divisors(ensemble);
  return bias.map((sum, output) => sum / by[output]!);
}

/** Explains one row; `inputs` holds a value for each of the ensemble's inputs. Builds the tables anew at each call: slow. */
export function referenceExplanation(ensemble: Ensemble, inputs: ArrayLike<number>): Explanation {
  const width = ensemble.inputs.length;
  const contributions = new Float64Array(ensemble.outputs * width);
  const paths = leafPaths(ensemble);
  const most = tableFeatures(paths);
  for (const path of paths) {
    const met = metSet(ensemble, path, inputs);
    const out = contributions.subarray(path.output * width, (path.output + 1) * width);
    if (path.features.length <= most) addFromTable(path, met, out);
    else addIntegrated(path, met, out);
  }
  const by = divisors(ensemble);
  for (let i = 0; i < contributions.length; i++)
    contributions[i] = contributions[i]! / by[Math.floor(i / width)]!;
  return { bias: explanationBias(ensemble), contributions };
}

/** Bit j is set when the row meets all conditions of the path on its feature j. */
function metSet(ensemble: Ensemble, path: LeafPath, inputs: ArrayLike<number>): number {
  const { tree, ways, leaf, features } = path;
  let met = 2 ** features.length - 1;
  for (let child = leaf; child > 0; child = ways.parents[child]!) {
    const node = ways.parents[child]!;
    const given = inputs[tree.feature[node]!]!;
    const x = ensemble.f32Input ? Math.fround(given) : given;
    const isLeft = child === tree.left[node];
    if (goesLeft(ensemble, tree, node, x) !== isLeft) met &= ~(1 << ways.bits[node]!);
  }
  return met;
}

function addFromTable(path: LeafPath, met: number, out: Float64Array): void {
  const table = subsetTable(path);
  path.features.forEach((feature, j) => {
    const bit = 1 << j;
    const part = met & bit ? (1 / path.shares[j]! - 1) * table[met ^ bit]! : -table[met]!;
    out[feature] = out[feature]! + part;
  });
}

/**
 * value (o_j - z_j) times the integral over t in [0, 1] of the product over k other than j of t o_k + (1 - t) z_k. The product
 * over all k is divided by the one of j: no factor is 0, and those of one sign lose no digits.
 */
function addIntegrated(path: LeafPath, met: number, out: Float64Array): void {
  const { features, shares, value } = path;
  const { points, weights } = gaussLegendre(Math.ceil(features.length / 2));
  const factor = (t: number, k: number) =>
    (met >>> k) & 1 ? t + (1 - t) * shares[k]! : (1 - t) * shares[k]!;
  const products = weights.map((weight, i) =>
    shares.reduce((all, _, k) => all * factor(points[i]!, k), weight),
  );
  features.forEach((feature, j) => {
    const isMet = ((met >>> j) & 1) === 1;
    let integral = 0;
    for (let i = 0; i < points.length; i++) {
      // Not met: the share cancels against that of o_j - z_j, so that all such features get the same.
      integral += products[i]! / (isMet ? factor(points[i]!, j) : 1 - points[i]!);
    }
    out[feature] = out[feature]! + value * (isMet ? (1 - shares[j]!) * integral : -integral);
  });
}
