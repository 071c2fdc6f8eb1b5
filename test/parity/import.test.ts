// Imported models give the raw margins of their own library, bit for bit, in the reference and on both kernels of the core;
// scores and predictions follow. Fixtures: scripts/fixtures/import_fit.py.
import { describe, expect, it } from 'vitest';
import { marginOf } from '../../domain/policy.ts';
import { MODEL_DETECTOR } from '../../training/import/import-bundle.ts';
import { Core } from '../../wasm-core/host/core.ts';
import { VERDICT } from '../../wasm-core/host/ensemble.ts';
import { linked } from '../../wasm-core/host/link.ts';
import { OFFLINE_ARENA_BYTES, offeredByName, prepareBundle } from '../../wasm-core/host/prepare.ts';
import { referenceMargins } from '../../wasm-core/host/reference.ts';
import { bundleOf, IMPORT_FIXTURES, type ImportFixture } from './import-fixtures.ts';

/** Sums that onnxruntime keeps in f64 leave its older operators as f32. */
const NARROWED = ['onnx-wide'];

function expectBits(fixture: ImportFixture, row: number, found: ArrayLike<number>): void {
  const given = NARROWED.includes(fixture.name)
    ? Float64Array.from(found, Math.fround)
    : Float64Array.from(found);
  const same = (a: number, b: number) => Object.is(a + 0, b + 0);
  const expected = fixture.margins[row]!;
  const right = given.length === expected.length && given.every((margin, i) => same(margin, expected[i]!));
  if (!right) expect({ row, margins: [...given] }).toEqual({ row, margins: [...expected] });
}

function coreFor(
  bundle: ReturnType<typeof bundleOf>['bundle'],
  names: readonly string[],
  rowTableMaxBytes?: number,
) {
  const limits = rowTableMaxBytes === undefined ? {} : { rowTableMaxBytes };
  const prepared = prepareBundle(bundle, offeredByName(names), {
    arenaBytes: OFFLINE_ARENA_BYTES,
    ...limits,
  });
  const core = new Core({ arenaBytes: prepared.image.byteLength });
  core.stage(prepared);
  core.activate();
  return { core, prepared };
}

const CASES = IMPORT_FIXTURES.flatMap((fixture) =>
  fixture.files.map(({ form, bytes }) => ({ name: `${fixture.name} (${form})`, fixture, bytes })),
);

describe.each(CASES)('$name', ({ fixture, bytes }) => {
  const { model, bundle } = bundleOf(fixture, bytes);
  const detector = bundle.detectors.find(({ name }) => name === bundle.manifest.answer!.detector)!;

  it('has rows of every kind', () => {
    expect(fixture.rows.length).toBeGreaterThanOrEqual(48);
    const margins = new Set(fixture.margins.map((row) => row.join()));
    expect(margins.size).toBeGreaterThan(1);
  });

  it('gives the margins of the library in the reference', () => {
    fixture.rows.forEach((row, i) => {
      expectBits(fixture, i, referenceMargins(model.ensemble, row));
    });
  });

  it.each([
    ['the kernel of choice', undefined],
    ['kernel B', 0],
  ])('gives them on %s', (_, rowTableMaxBytes) => {
    const { core, prepared } = coreFor(bundle, model.inputNames, rowTableMaxBytes);
    const at = prepared.slotsAt + detector.slot;
    fixture.rows.forEach((row, i) => {
      core.vector.set(row);
      core.score();
      expectBits(fixture, i, core.vector.slice(at, at + detector.ensemble.outputs));
    });
  });

  it('is packed the same twice', () => {
    expect(Buffer.from(bundleOf(fixture, bytes).bytes).equals(bundleOf(fixture, bytes).bytes)).toBe(true);
    expect(bundle.detectors.map(({ name }) => name)).toEqual(
      detector.name === VERDICT ? [VERDICT] : [MODEL_DETECTOR, VERDICT],
    );
  });
});

describe('after the link', () => {
  it.each(CASES.filter(({ fixture }) => fixture.scores !== null))('$name: scores', ({ fixture, bytes }) => {
    const { model } = bundleOf(fixture, bytes);
    const isWide = model.ensemble.accum === 'f64';
    fixture.margins.forEach((margins, i) => {
      const scores = linked(model.link, margins);
      const expected = fixture.scores![i]!;
      const given = fixture.scores![i]!.length === scores.length ? [...scores] : [scores[0]!];
      given.forEach((score, k) => {
        const near = Math.abs(expected[k]!) * (isWide ? 4e-16 : 4e-6) + (isWide ? 0 : 1e-7);
        expect(Math.abs(score - expected[k]!)).toBeLessThanOrEqual(near);
      });
    });
  });

  it.each(CASES.filter(({ fixture }) => fixture.flagged !== null))('$name: flags', ({ fixture, bytes }) => {
    const { model, bundle } = bundleOf(fixture, bytes);
    const { core } = coreFor(bundle, model.inputNames);
    const flagAt = marginOf(bundle.manifest.thresholds.flagAt);
    const flagged = fixture.rows.map((row) => {
      core.vector.set(row);
      return core.score() >= flagAt;
    });
    expect(flagged).toEqual(fixture.flagged);
    expect(new Set(flagged).size).toBe(2);
  });
});

describe('the same model in two forms', () => {
  const both = IMPORT_FIXTURES.filter(({ files }) => files.length === 2);

  it.each(both.map((fixture) => [fixture.name, fixture] as const))('%s gives one bundle', (_, fixture) => {
    const [one, other] = fixture.files.map(({ bytes }) => bundleOf(fixture, bytes).bundle.id);
    expect(one).toBe(other);
  });

  it('are there', () => {
    expect(both.length).toBeGreaterThan(2);
  });
});
