// The explaining kernel gives the bits of the plain explainer, on every kind of node, sum and depth; and refuses what it cannot
// explain.

import { expect, it } from 'vitest';
import { seededRandom } from '../../domain/random.ts';
import { hardRow, randomEnsemble } from '../testing/random-ensemble.ts';
import { Explainer } from './explainer.ts';
import { leafPaths, tableFeatures } from './shap-paths.ts';
import { referenceExplanation } from './shap-reference.ts';

const inputs = (count: number) => Array.from({ length: count }, (_, i) => i);

it.each([
  { name: 'plain', shape: { trees: 20, leaves: [2, 16] as const, inputs: inputs(8) } },
  { name: 'exotic', shape: { trees: 12, leaves: [1, 20] as const, inputs: inputs(6), exotic: true } },
  {
    name: 'means of several outputs',
    shape: {
      trees: 9,
      leaves: [2, 12] as const,
      inputs: inputs(5),
      outputs: 3,
      kind: 'rf_mean' as const,
      f32Input: true,
    },
  },
  { name: 'deep', shape: { trees: 2, leaves: [200, 200] as const, inputs: inputs(24) } },
])('$name ensembles: same bits as the plain explainer', ({ shape }) => {
  const random = seededRandom(4);
  const ensemble = randomEnsemble(random, shape);
  for (const variant of ['release', 'debug'] as const) {
    const explainer = new Explainer(ensemble, variant);
    for (let row = 0; row < 20; row++) {
      const values = hardRow(random, ensemble);
      expect(explainer.explain(values)).toEqual(referenceExplanation(ensemble, values));
    }
  }
});

it('meets paths with and without a table', () => {
  const random = seededRandom(4);
  const ensemble = randomEnsemble(random, { trees: 2, leaves: [200, 200], inputs: inputs(24) });
  const depths = leafPaths(ensemble).map((path) => path.features.length);
  expect(Math.max(...depths)).toBeGreaterThan(8);
  expect(Math.min(...depths)).toBeLessThan(8);
});

it('gives large forests tables for short paths only, and the same bits', () => {
  const random = seededRandom(4);
  const ensemble = randomEnsemble(random, { trees: 100, leaves: [200, 200], inputs: inputs(14) });
  const few = { ...ensemble, trees: ensemble.trees.slice(0, 4) };
  expect(tableFeatures(leafPaths(few))).toBe(8);
  expect(tableFeatures(leafPaths(ensemble))).toBeLessThan(8);
  const values = hardRow(random, ensemble);
  expect(new Explainer(ensemble).explain(values)).toEqual(referenceExplanation(ensemble, values));
});

it('refuses an ensemble without covers', () => {
  const ensemble = randomEnsemble(seededRandom(1), { trees: 1, leaves: [4, 4], inputs: inputs(2) });
  const bare = { ...ensemble, trees: ensemble.trees.map((tree) => ({ ...tree, cover: null })) };
  expect(() => new Explainer(bare)).toThrow('no covers');
});
