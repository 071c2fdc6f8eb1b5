// For any ensemble shape that fast-check thinks of: pack, parse, prepare and score on both kernels gives
// the reference's bits, and the bytes are the same each time. A failure prints its seed and the shrunk
// shape.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../../domain/random.ts';
import { packBundle } from '../../wasm-core/host/bundle.ts';
import { Core } from '../../wasm-core/host/core.ts';
import { placeDetectors } from '../../wasm-core/host/ensemble.ts';
import { referenceSlots } from '../../wasm-core/host/reference.ts';
import { type EnsembleShape, hardRow, randomEnsemble } from '../../wasm-core/testing/random-ensemble.ts';
import { prepareSpec, verdictSpec } from '../../wasm-core/testing/test-bundle.ts';

const shapes: fc.Arbitrary<EnsembleShape> = fc
  .record({
    trees: fc.integer({ min: 0, max: 24 }),
    fewest: fc.integer({ min: 1, max: 70 }),
    more: fc.integer({ min: 0, max: 20 }),
    inputs: fc.integer({ min: 1, max: 8 }),
    accum: fc.constantFrom('f64' as const, 'f32' as const),
    kind: fc.constantFrom('gbdt_logit' as const, 'rf_mean' as const, 'iforest' as const),
    outputs: fc.integer({ min: 1, max: 4 }),
    f32Input: fc.boolean(),
    exotic: fc.boolean(),
  })
  .map(({ fewest, more, inputs, ...rest }) => ({
    ...rest,
    leaves: [fewest, fewest + more] as const,
    inputs: Array.from({ length: inputs }, (_, i) => i),
  }));

/** A spec around the drawn ensemble: it runs on demand, beside a verdict of one small tree over the same inputs. */
function specOf(shape: EnsembleShape, seed: number) {
  const random = seededRandom(seed);
  const drawn = randomEnsemble(random, shape);
  const verdict = randomEnsemble(random, { trees: 1, leaves: [2, 3], inputs: shape.inputs });
  const { features, manifest, golden } = verdictSpec(drawn, random, 4);
  const detectors = [
    { name: 'verdict', onDemand: false, ensemble: verdict },
    { name: 'drawn', onDemand: true, ensemble: drawn },
  ];
  return { random, drawn, spec: { features, manifest, golden, detectors } };
}

test('both kernels give the bits of the reference for any shape', () => {
  fc.assert(
    fc.property(shapes, fc.integer({ min: 0, max: 1e9 }), (shape, seed) => {
      const { random, drawn, spec } = specOf(shape, seed);
      for (const rowTableMaxBytes of [0, 4 * 1024 * 1024]) {
        const core = new Core({ arenaBytes: 2 * 1024 * 1024 });
        core.stage(prepareSpec(spec, { rowTableMaxBytes }));
        core.activate();
        for (let i = 0; i < 10; i++) {
          const row = hardRow(random, drawn);
          core.vector.set(row);
          const margin = core.score();
          const found = [margin, ...core.scoreOnDemand('drawn')];
          const expected = referenceSlots(placeDetectors(spec.detectors), row);
          expect(found.every((value, slot) => Object.is(value, expected[slot]))).toBe(true);
        }
      }
    }),
    { numRuns: 120, verbose: 1 },
  );
}, 60_000);

test('the same spec gives the same bytes', () => {
  fc.assert(
    fc.property(shapes, fc.integer({ min: 0, max: 1e9 }), (shape, seed) => {
      const bytes = packBundle(specOf(shape, seed).spec);
      expect(Buffer.compare(bytes, packBundle(specOf(shape, seed).spec))).toBe(0);
    }),
    { numRuns: 40, verbose: 1 },
  );
}, 60_000);
