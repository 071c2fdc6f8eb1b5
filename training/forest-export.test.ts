// Forests to bundles and back: shares and path lengths to the last bit through reference and core, decisions as the model makes
// them, explanations that add up; and forests as detectors that a trained verdict reads.
import { describe, expect, it } from 'vitest';
import { parseBundle } from '../wasm-core/host/bundle.ts';
import { Core } from '../wasm-core/host/core.ts';
import { Explainer } from '../wasm-core/host/explainer.ts';
import { answerOf, linked, scoreOf } from '../wasm-core/host/link.ts';
import { OFFLINE_ARENA_BYTES, offeredByName, prepareBundle } from '../wasm-core/host/prepare.ts';
import { trainBooster } from './booster.ts';
import type { FeatureTable } from './dataset.ts';
import { exportBundle } from './export.ts';
import { exportForest } from './forest-export.ts';
import { outlierScore, pathSums, trainIsolationForest } from './isolation-forest.ts';
import { madeRows } from './made-rows.ts';
import { predictShares, trainRandomForest } from './random-forest.ts';
import { marginsOf, type TreeModel } from './tree-model.ts';

const DATA = madeRows({ seed: 6, rowCount: 400, classCount: 2, missingShare: 0.2 });
const CLASSES = madeRows({ seed: 7, rowCount: 400, classCount: 3, missingShare: 0.2 });
const MANIFEST = {
  name: 'made',
  description: 'made rows',
  createdMs: 1_700_000_000_000,
  seed: 6,
  data: { rows: 400 },
  metrics: {},
};
const OPEN = { requireSigned: false, trustedKeys: [] };

/** Scores rows in the core; gives the slots of each row. */
function coreSlots(bytes: Uint8Array, rows: FeatureTable): { verdicts: number[]; slots: number[][] } {
  const bundle = parseBundle(bytes, OPEN);
  const names = bundle.features.map(({ name }) => name);
  const prepared = prepareBundle(bundle, offeredByName(names), { arenaBytes: OFFLINE_ARENA_BYTES });
  const core = new Core({ arenaBytes: prepared.image.byteLength });
  core.stage(prepared);
  core.activate();
  const columns = names.map((name) => rows.columns[rows.names.indexOf(name)]!);
  const verdicts: number[] = [];
  const slots = Array.from({ length: rows.rowCount }, (_, row) => {
    core.vector.set(columns.map((column) => column[row]!));
    verdicts.push(core.score());
    return [...core.vector.subarray(prepared.slotsAt, prepared.slotsAt + prepared.slotCount)];
  });
  return { verdicts, slots };
}

/** Contributions of each row and output add up to the margin. */
function expectExplained(bytes: Uint8Array, name: string, model: TreeModel, rows: FeatureTable): void {
  const { detectors } = parseBundle(bytes, OPEN);
  const { ensemble } = detectors.find((detector) => detector.name === name)!;
  const explainer = new Explainer(ensemble);
  const margins = marginsOf(model, rows);
  for (let row = 0; row < 40; row++) {
    const { bias, contributions } = explainer.explain(rows.columns.map((column) => column[row]!));
    margins.forEach((column, output) => {
      const width = rows.columns.length;
      const parts = contributions.subarray(output * width, (output + 1) * width);
      const sum = parts.reduce((all, part) => all + part, bias[output]!);
      const margin = column[row]!;
      expect(Math.abs(sum - margin)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(margin)));
    });
  }
}

describe('exportForest', () => {
  it('keeps the shares of two classes, and flags what has more than half', () => {
    const model = trainRandomForest(DATA, { trees: 50 });
    const spec = { name: 'identity', model, manifest: MANIFEST, rows: DATA };
    const bytes = exportForest(spec);
    expect(exportForest(spec)).toEqual(bytes);
    const { manifest } = parseBundle(bytes, OPEN);
    const [shares] = predictShares(model, DATA);
    const { verdicts, slots } = coreSlots(bytes, DATA);
    for (let row = 0; row < DATA.rowCount; row++) {
      expect(slots[row]![0]).toBe(shares![row]);
      expect(scoreOf(verdicts[row]!) >= manifest.thresholds.flagAt).toBe(shares![row]! > 0.5);
    }
    expect(manifest.answer).toEqual({
      detector: 'identity',
      link: { kind: 'identity' },
      classes: ['class_0', 'class_1'],
    });
    expectExplained(bytes, 'identity', model, DATA);
  });

  it('keeps the shares of each of three classes; its verdict never flags', () => {
    const model = trainRandomForest(CLASSES, { trees: 30, classWeight: 'balanced_subsample' });
    const bytes = exportForest({ name: 'identity', model, manifest: MANIFEST, rows: CLASSES });
    const shares = predictShares(model, CLASSES);
    const { verdicts, slots } = coreSlots(bytes, CLASSES);
    slots.forEach((found, row) => {
      expect(found.slice(0, 3)).toEqual(shares.map((column) => column[row]));
    });
    expect(verdicts.every((verdict) => scoreOf(verdict) < 1e-9)).toBe(true);
    expectExplained(bytes, 'identity', model, CLASSES);
  });

  it.each(['auto', 0.05] as const)(
    'flags the outliers of an isolation forest, contamination %s',
    (contamination) => {
      const model = trainIsolationForest(DATA, { contamination });
      const bytes = exportForest({ name: 'novelty', model, manifest: MANIFEST, rows: DATA });
      const bundle = parseBundle(bytes, OPEN);
      const { link } = answerOf(bundle);
      const sums = pathSums(model, DATA);
      const { verdicts, slots } = coreSlots(bytes, DATA);
      let flagged = 0;
      sums.forEach((sum, row) => {
        expect(slots[row]![0]).toBe(sum);
        expect(linked(link, Float64Array.of(sum))[0]).toBe(outlierScore(model, sum));
        const isFlagged = scoreOf(verdicts[row]!) >= bundle.manifest.thresholds.flagAt;
        expect(isFlagged).toBe(sum < model.normalFrom);
        flagged += isFlagged ? 1 : 0;
      });
      if (contamination !== 'auto') expect(flagged).toBe(20);
      expectExplained(bytes, 'novelty', model, DATA);
    },
  );
});

describe('forests beside other detectors', () => {
  it('lets a trained verdict read features and the slots of forests', () => {
    const identity = trainRandomForest({ ...CLASSES, rowCount: 400 }, { trees: 10, maxDepth: 5 });
    const novelty = trainIsolationForest(DATA, { trees: 10 });
    const slots = [...predictShares(identity, DATA), pathSums(novelty, DATA)];
    const verdict = trainBooster(
      {
        ...DATA,
        names: ['identity_0', 'normal', 'identity_2', 'novelty'],
        columns: [slots[0]!, DATA.columns[0]!, slots[2]!, slots[3]!],
      },
      { maxIter: 10 },
    );
    const bytes = exportBundle({
      detectors: [
        { name: 'identity', onDemand: false, model: identity },
        { name: 'novelty', onDemand: false, model: novelty },
        { name: 'verdict', onDemand: false, model: verdict },
      ],
      manifest: { ...MANIFEST, thresholds: { flagAt: 0.5, blockAt: 0.9, method: 'given' }, classes: [] },
      rows: DATA,
    });
    expect(parseBundle(bytes, OPEN).features.map(({ name }) => name)).toEqual(DATA.names);
    const found = coreSlots(bytes, DATA);
    for (let row = 0; row < DATA.rowCount; row++) {
      expect(found.slots[row]!.slice(0, 4)).toEqual(slots.map((column) => column[row]));
    }
    const used = new Set(verdict.trees.flat().flatMap((tree) => [...tree.feature]));
    expect(used).toEqual(new Set([0, 1, 2, 3]));
  });

  it('refuses a verdict that reads the slot of a later detector', () => {
    const novelty = trainIsolationForest(DATA, { trees: 2 });
    const verdict = trainBooster({ ...DATA, names: ['novelty', ...DATA.names.slice(1)] }, { maxIter: 2 });
    const detectors = [
      { name: 'verdict', onDemand: false, model: verdict },
      { name: 'novelty', onDemand: false, model: novelty },
    ];
    const manifest = {
      ...MANIFEST,
      thresholds: { flagAt: 0.5, blockAt: 0.9, method: 'given' as const },
      classes: [],
    };
    expect(() => exportBundle({ detectors, manifest, rows: DATA })).toThrow('not there when it runs');
  });
});
