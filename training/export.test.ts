// Models to bundles and back: same bytes for the same spec, ids of known features, margins equal in all three scorers.
import { describe, expect, it } from 'vitest';
import { FEATURES } from '../domain/features.ts';
import type { ModelManifest } from '../domain/model-manifest.ts';
import { parseBundle } from '../wasm-core/host/bundle.ts';
import { referenceSlots } from '../wasm-core/host/reference.ts';
import { predictMargins, trainBooster } from './booster.ts';
import { exportBundle } from './export.ts';
import { madeRows } from './made-rows.ts';

const DATA = madeRows({ seed: 6, rowCount: 400, classCount: 2, missingShare: 0.2 });
const CLASSES = madeRows({ seed: 7, rowCount: 400, classCount: 3, missingShare: 0.2 });
const MANIFEST: ModelManifest = {
  name: 'made',
  description: 'made rows',
  createdMs: 1_700_000_000_000,
  seed: 6,
  data: { rows: 400 },
  metrics: {},
  thresholds: { flagAt: 0.5, blockAt: 0.9, method: 'given' },
  classes: CLASSES.classNames,
};
const OPEN = { requireSigned: false, trustedKeys: [] };

describe('exportBundle', () => {
  const verdict = trainBooster(DATA, { maxIter: 15 });
  const attackClass = trainBooster(CLASSES, { maxIter: 5 });
  const spec = {
    detectors: [
      { name: 'verdict', onDemand: false, model: verdict },
      { name: 'attack_class', onDemand: true, model: attackClass },
    ],
    manifest: MANIFEST,
    rows: DATA,
  };

  it('writes the same bytes for the same spec', () => {
    expect(exportBundle(spec)).toEqual(exportBundle(spec));
  });

  it('gives back the margins of the trainer to the last bit', () => {
    const bundle = parseBundle(exportBundle(spec), OPEN);
    const margins = [...predictMargins(verdict, DATA), ...predictMargins(attackClass, DATA)];
    for (let row = 0; row < DATA.rowCount; row++) {
      const slots = referenceSlots(
        bundle.detectors,
        DATA.columns.map((column) => column[row]!),
      );
      expect([...slots]).toEqual(margins.map((column) => column[row]));
    }
    expect(bundle.manifest).toEqual(MANIFEST);
    expect(bundle.detectors.map(({ name, onDemand, slot }) => [name, onDemand, slot])).toEqual([
      ['verdict', false, 0],
      ['attack_class', true, 1],
    ]);
    expect(bundle.golden.rows).toBeGreaterThan(50);
  });

  it('names features by permanent id where this build has them, else by name only', () => {
    const known = FEATURES[3]!;
    const names = [known.name, 'skewed', 'whole', 'noise'];
    const data = { ...DATA, names };
    const model = trainBooster(data, { maxIter: 2 });
    const detectors = [{ name: 'verdict', onDemand: false, model }];
    const bundle = parseBundle(exportBundle({ detectors, manifest: MANIFEST, rows: data }), OPEN);
    expect(bundle.features).toEqual(names.map((name, f) => ({ id: f === 0 ? known.id : 0, name })));
  });

  it('lets detectors read different features, from rows in any order of columns', () => {
    const pick = (places: readonly number[]) => ({
      ...DATA,
      names: places.map((f) => DATA.names[f]!),
      columns: places.map((f) => DATA.columns[f]!),
    });
    const detectors = [
      { name: 'verdict', onDemand: false, model: trainBooster(pick([2, 0]), { maxIter: 4 }) },
      { name: 'other', onDemand: true, model: trainBooster(pick([3, 2, 1]), { maxIter: 4 }) },
    ];
    const bundle = parseBundle(exportBundle({ detectors, manifest: MANIFEST, rows: DATA }), OPEN);
    expect(bundle.features.map(({ name }) => name)).toEqual(['whole', 'normal', 'noise', 'skewed']);
    expect(bundle.detectors.map(({ ensemble }) => ensemble.inputs)).toEqual([
      [0, 1],
      [2, 0, 3],
    ]);
  });

  it('refuses rows that lack a feature, and bundles without a verdict', () => {
    const lacking = { ...DATA, names: DATA.names.slice(0, 3), columns: DATA.columns.slice(0, 3) };
    expect(() => exportBundle({ ...spec, rows: lacking })).toThrow('lack the feature noise');
    expect(() => exportBundle({ ...spec, detectors: spec.detectors.slice(1) })).toThrow('named verdict');
  });
});
