// TreeSHAP against Shapley's definition by brute force, on random trees of every kind of node; and additivity to the margin.
// The kernel is held to the plain explainer's bits in explainer.test.ts.

import { expect, it } from 'vitest';
import { seededRandom } from '../../domain/random.ts';
import { hardRow, randomEnsemble } from '../testing/random-ensemble.ts';
import type { Ensemble, Tree } from './ensemble.ts';
import { goesLeft, referenceMargins } from './reference.ts';
import { gaussLegendre, leafPaths, subsetTable } from './shap-paths.ts';
import { referenceExplanation } from './shap-reference.ts';

/** Expected value of a tree when only the inputs of `known` are known (path-dependent). */
function expectation(
  ensemble: Ensemble,
  tree: Tree,
  inputs: ArrayLike<number>,
  known: ReadonlySet<number>,
): number {
  const visit = (node: number): number => {
    const left = tree.left[node]!;
    if (left === 0) return tree.value[node]!;
    const feature = tree.feature[node]!;
    if (known.has(feature)) {
      const x = ensemble.f32Input ? Math.fround(inputs[feature]!) : inputs[feature]!;
      return visit(left + (goesLeft(ensemble, tree, node, x) ? 0 : 1));
    }
    const cover = tree.cover!;
    return (visit(left) * cover[left]! + visit(left + 1) * cover[left + 1]!) / cover[node]!;
  };
  return visit(0);
}

function bruteForce(ensemble: Ensemble, inputs: ArrayLike<number>): Float64Array {
  const width = ensemble.inputs.length;
  const out = new Float64Array(ensemble.outputs * width);
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  for (const tree of ensemble.trees) {
    for (let set = 0; set < 2 ** width; set++) {
      const known = new Set([...Array(width).keys()].filter((i) => (set >>> i) & 1));
      const without = expectation(ensemble, tree, inputs, known);
      for (let j = 0; j < width; j++) {
        if (known.has(j)) continue;
        const weight = (factorial(known.size) * factorial(width - known.size - 1)) / factorial(width);
        const gain = expectation(ensemble, tree, inputs, new Set([...known, j])) - without;
        out[tree.output * width + j] = out[tree.output * width + j]! + weight * gain;
      }
    }
  }
  return out;
}

it.each([1, 2, 3, 4, 5, 6])('equals the definition of Shapley values, seed %i', (seed) => {
  const random = seededRandom(seed);
  const inputs = Array.from({ length: 6 }, (_, i) => i);
  const ensemble = randomEnsemble(random, { trees: 3, leaves: [1, 12], inputs, exotic: seed % 2 === 0 });
  for (let row = 0; row < 8; row++) {
    const values = hardRow(random, ensemble);
    const { contributions, bias } = referenceExplanation(ensemble, values);
    const expected = bruteForce(ensemble, values);
    for (const [i, part] of contributions.entries()) expect(part).toBeCloseTo(expected[i]!, 10);
    const margin = referenceMargins(ensemble, values)[0]!;
    const sum = bias[0]! + contributions.reduce((all, part) => all + part, 0);
    expect(Math.abs(sum - margin)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(margin)));
  }
});

it('integrates deep paths to what their table would say', () => {
  const random = seededRandom(9);
  const inputs = Array.from({ length: 12 }, (_, i) => i);
  const ensemble = randomEnsemble(random, { trees: 1, leaves: [60, 60], inputs });
  const deep = leafPaths(ensemble).filter((path) => path.features.length > 4);
  expect(deep.length).toBeGreaterThan(0);
  for (const path of deep) {
    const d = path.features.length;
    const table = subsetTable(path);
    const { points, weights } = gaussLegendre(Math.ceil(d / 2));
    // T[empty] = value * product of shares / d, since each subset table row integrates the same polynomial.
    let product = path.value / d;
    for (const share of path.shares) product *= share;
    expect(table[0]).toBeCloseTo(product, 12);
    expect(weights.reduce((sum, w) => sum + w, 0)).toBeCloseTo(1, 14);
    expect(points.every((t) => t > 0 && t < 1)).toBe(true);
  }
});
