// Both kernels against the plain scorer, to the last bit, on seeded random ensembles and on rows drawn
// where it hurts; release and debug builds. Also which kernel is chosen, at the borders of what kernel A
// can hold.

import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../domain/random.ts';
import { type EnsembleShape, hardRow, randomEnsemble } from '../testing/random-ensemble.ts';
import { prepareSpec, smallSpec, verdictSpec } from '../testing/test-bundle.ts';
import { Core } from './core.ts';
import type { CoreVariant } from './core-module.ts';
import type { Ensemble } from './ensemble.ts';
import { placeDetectors } from './ensemble.ts';
import { referenceMargins, referenceSlots } from './reference.ts';

const FORCE_A = { rowTableMaxBytes: 4 * 1024 * 1024 };
const FORCE_B = { rowTableMaxBytes: 0 };

/** Calls that did not give the reference's bits, as text; empty when all did. */
function differences(ensemble: Ensemble, seed: number, variant: CoreVariant): string[] {
  const random = seededRandom(seed + 1000);
  const spec = verdictSpec(ensemble, random);
  const cores = [FORCE_A, FORCE_B].map((options) => {
    const prepared = prepareSpec(spec, { ...options, variant });
    const core = new Core({ variant, arenaBytes: prepared.image.byteLength });
    core.stage(prepared);
    core.activate();
    return core;
  });
  const found: string[] = [];
  for (let i = 0; i < 60; i++) {
    const row = hardRow(random, ensemble);
    const expected = referenceMargins(ensemble, row)[0]!;
    for (const core of cores) {
      core.vector.set(row);
      const margin = core.score();
      if (!Object.is(margin, expected)) {
        const kernel = core.active!.detectors[0]!.kernel;
        found.push(`seed ${seed}, ${kernel}: ${margin} is not ${expected} for [${row.join(', ')}]`);
      }
    }
  }
  return found;
}

function inputs(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

const SHAPES: readonly (readonly [string, EnsembleShape])[] = [
  ['u16 masks', { trees: 37, leaves: [1, 16], inputs: inputs(9) }],
  ['u32 masks', { trees: 21, leaves: [12, 32], inputs: inputs(7) }],
  ['u64 masks', { trees: 13, leaves: [30, 64], inputs: inputs(11) }],
  ['exotic nodes', { trees: 30, leaves: [2, 14], inputs: inputs(6), exotic: true }],
  ['exotic nodes, u64 masks', { trees: 12, leaves: [30, 64], inputs: inputs(12), exotic: true }],
  ['f32 inputs', { trees: 30, leaves: [2, 14], inputs: inputs(6), f32Input: true, exotic: true }],
  ['f32 sums', { trees: 50, leaves: [2, 14], inputs: inputs(6), accum: 'f32', f32Input: true }],
  ['16+16 ranks', { trees: 60, leaves: [10, 16], inputs: inputs(4) }],
  ['one input, few cuts', { trees: 40, leaves: [2, 9], inputs: inputs(1), cuts: 5 }],
  ['more than 64 leaves', { trees: 11, leaves: [50, 130], inputs: inputs(10), exotic: true }],
  ['deep chains', { trees: 9, leaves: [20, 40], inputs: inputs(3), maxDepth: 60 }],
  ['one-leaf trees only', { trees: 9, leaves: [1, 1], inputs: inputs(2) }],
  ['no trees', { trees: 0, leaves: [1, 1], inputs: inputs(2) }],
];

describe.each(['release', 'debug'] as const)('%s build', (variant) => {
  test.each(SHAPES)('both kernels give the bits of the reference: %s', (_, shape) => {
    for (let seed = 1; seed <= 6; seed++) {
      const ensemble = randomEnsemble(seededRandom(seed), shape);
      expect(differences(ensemble, seed, variant)).toEqual([]);
    }
  });

  test('the shapes above reach kernel A wherever it can hold them', () => {
    const chosen = SHAPES.map(([name, shape]) => {
      const ensemble = randomEnsemble(seededRandom(1), shape);
      const prepared = prepareSpec(verdictSpec(ensemble, seededRandom(1)), FORCE_A);
      return `${name}: ${prepared.detectors[0]!.kernel}`;
    });
    const onlyB = ['more than 64 leaves', 'one-leaf trees only', 'no trees'];
    expect(chosen).toEqual(SHAPES.map(([name]) => `${name}: ${onlyB.includes(name) ? 'tr8' : 'rank-row'}`));
  });
});

describe('several outputs, kinds and detectors', () => {
  test.each([FORCE_A, FORCE_B])('every slot of three chained detectors, kernel limit %o', (options) => {
    for (let seed = 1; seed <= 20; seed++) {
      const spec = smallSpec(seed);
      const core = new Core();
      core.stage(prepareSpec(spec, options));
      core.activate();
      const random = seededRandom(seed);
      const { slotsAt, slotCount } = core.active!;
      for (let i = 0; i < 20; i++) {
        const row = hardRow(random, spec.detectors[0]!.ensemble);
        core.vector.set(row);
        const margin = core.score();
        const classes = core.scoreOnDemand('attack_class');
        const expected = referenceSlots(placeDetectors(spec.detectors), row);
        expect([...core.vector.subarray(slotsAt, slotsAt + slotCount)]).toEqual([...expected]);
        expect(margin).toBe(expected[1]);
        expect([...classes]).toEqual([...expected.subarray(2)]);
      }
    }
  });

  test('score() leaves the slots of on-demand detectors alone', () => {
    const core = new Core();
    core.stage(prepareSpec(smallSpec(3)));
    core.activate();
    const place = core.active!.slotsAt + 2;
    core.vector.fill(-7, place, place + 3);
    core.score();
    expect([...core.vector.subarray(place, place + 3)]).toEqual([-7, -7, -7]);
  });
});

/** One stump a cut: a single input with exactly `count` distinct thresholds. */
function stumps(count: number): Ensemble {
  const ensemble = randomEnsemble(seededRandom(5), { trees: count, leaves: [2, 2], inputs: [0] });
  ensemble.trees.forEach((tree, i) => {
    tree.threshold[0] = i * 1.5;
  });
  return ensemble;
}

describe('kernel selection', () => {
  test.each([1, 7, 8, 9, 79, 80, 81, 287, 288])(
    '%i cuts of one input stay with kernel A, every rank right',
    (n) => {
      const ensemble = stumps(n);
      const prepared = prepareSpec(verdictSpec(ensemble, seededRandom(1)));
      expect(prepared.detectors[0]!.kernel).toBe('rank-row');
      const core = new Core();
      core.stage(prepared);
      core.activate();
      for (let cut = -1; cut <= n; cut++) {
        for (const x of [cut * 1.5 - 0.5, cut * 1.5, cut * 1.5 + 0.5]) {
          core.vector[0] = x;
          expect(core.score()).toBe(referenceMargins(ensemble, [x])[0]);
        }
      }
    },
  );

  test('289 cuts go to kernel B', () => {
    expect(prepareSpec(verdictSpec(stumps(289), seededRandom(1))).detectors[0]!.kernel).toBe('tr8');
  });

  test('64 leaves stay with kernel A, 65 go to kernel B', () => {
    for (const [leaves, kernel] of [
      [64, 'rank-row'],
      [65, 'tr8'],
    ] as const) {
      const ensemble = randomEnsemble(seededRandom(2), {
        trees: 3,
        leaves: [leaves, leaves],
        inputs: inputs(5),
      });
      expect(prepareSpec(verdictSpec(ensemble, seededRandom(1))).detectors[0]!.kernel).toBe(kernel);
    }
  });

  test('a row table over the limit goes to kernel B; the choice is per detector', () => {
    const spec = smallSpec(1);
    const kernels = prepareSpec(spec, { rowTableMaxBytes: 900 }).detectors.map((d) => d.kernel);
    expect(new Set(kernels).size).toBe(2);
    expect(new Set(prepareSpec(spec).detectors.map((d) => d.kernel))).toEqual(new Set(['rank-row']));
  });
});
