// From tree models to a model bundle: canonical ensembles, features by permanent id, golden vectors. Before the bytes are
// handed out, the trainer's margins, the reference scorer's and the WASM core's are compared bit for bit on many rows.
// Writes no files. Called by cli/train.ts and scripts.
import { PicketError } from '../domain/errors.ts';
import { FEATURES } from '../domain/features.ts';
import type { ModelManifest } from '../domain/model-manifest.ts';
import { type Bundle, packBundle, parseBundle } from '../wasm-core/host/bundle.ts';
import { ARENA_BYTES_DEFAULT, Core } from '../wasm-core/host/core.ts';
import { type FeatureRef, slotInput } from '../wasm-core/host/ensemble.ts';
import { offeredByName, prepareBundle } from '../wasm-core/host/prepare.ts';
import { referenceSlots } from '../wasm-core/host/reference.ts';
import type { FeatureTable } from './dataset.ts';
import { canonicalEnsemble, marginsOf, outputsOf, splitsOf, type TreeModel } from './tree-model.ts';

export { ensembleOf } from './tree-model.ts';

/** A model as one detector of the bundle. */
export interface DetectorModel {
  /** Lower-case words joined by `_`; exactly one detector is named `verdict`, and it has two classes. */
  readonly name: string;
  /** Run only when asked for. */
  readonly onDemand: boolean;
  /**
   * Where a feature is named as a slot of an earlier detector, it reads that slot: the slot of a detector with one output has
   * its name, those of others are `name_0`, `name_1`, ...
   */
  readonly model: TreeModel;
}

export interface ExportSpec {
  readonly detectors: readonly DetectorModel[];
  readonly manifest: ModelManifest;
  /** Rows with every feature of every model, in any order of columns: parity is shown on them, golden vectors come of them. */
  readonly rows: FeatureTable;
  /** Most bytes of the tables that the core builds; default: what a sidecar has. */
  readonly arenaBytes?: number;
}

const GOLDEN_DRAWN = 48;
const EDGE_ROWS = 14;
const PARITY_ROWS = 2000;

/**
 * Packs the models.
 * @returns the bytes of an unsigned bundle; the same spec gives the same bytes.
 * @throws PicketError BUNDLE_SELF_TEST when the three scorers differ on any row; BUNDLE_MODEL or BUNDLE_TOO_LARGE when the
 * format has no place for the models; TRAINING_INVALID when `rows` lacks a feature.
 */
export function exportBundle(spec: ExportSpec): Uint8Array {
  const slots = slotsOf(spec.detectors);
  const read = spec.detectors.flatMap(({ model }) => model.featureNames);
  const names = [...new Set(read)].filter((name) => !slots.has(name));
  const parity = parityRows(columnsByName(spec.rows, names), names, spec.detectors);
  const golden = goldenRows(parity);
  const inputOf = (name: string) => {
    const slot = slots.get(name);
    return slot === undefined ? names.indexOf(name) : slotInput(slot);
  };
  const bytes = packBundle({
    features: names.map(featureRef),
    detectors: spec.detectors.map(({ name, onDemand, model }) => ({
      name,
      onDemand,
      ensemble: canonicalEnsemble(model, model.featureNames.map(inputOf)),
    })),
    manifest: spec.manifest,
    golden,
  });
  const bundle = parseBundle(bytes, { requireSigned: false, trustedKeys: [] });
  refuseDifferences(bundle, parity, spec);
  return bytes;
}

/** Number of each slot by its name. */
function slotsOf(detectors: readonly DetectorModel[]): Map<string, number> {
  const slots = new Map<string, number>();
  for (const name of detectors.flatMap(slotNames)) slots.set(name, slots.size);
  return slots;
}

function slotNames({ name, model }: DetectorModel): string[] {
  const outputs = outputsOf(model);
  return outputs === 1 ? [name] : Array.from({ length: outputs }, (_, output) => `${name}_${output}`);
}

/** The permanent id where the name is one of this build's features; else 0: known by name only. */
function featureRef(name: string): FeatureRef {
  return { id: FEATURES.find((feature) => feature.name === name)?.id ?? 0, name };
}

function columnsByName(table: FeatureTable, names: readonly string[]): Float64Array[] {
  return names.map((name) => {
    const column = table.columns[table.names.indexOf(name)];
    if (column === undefined) {
      throw new PicketError('TRAINING_INVALID', `the rows to export with lack the feature ${name}`);
    }
    return column;
  });
}

/** Given rows spread over the table, and after them made ones: all missing, all zero, and values at thresholds. */
function parityRows(
  columns: readonly Float64Array[],
  names: readonly string[],
  detectors: readonly DetectorModel[],
): FeatureTable {
  const given = columns[0]?.length ?? 0;
  const drawn = Math.min(PARITY_ROWS, given);
  const rowCount = drawn + EDGE_ROWS + 2;
  const thresholds = thresholdsByName(detectors);
  const out = columns.map((column, f) => {
    const values = new Float64Array(rowCount);
    for (let i = 0; i < drawn; i++) values[i] = column[Math.floor((i * given) / drawn)]!;
    values[drawn] = Number.NaN;
    values[drawn + 1] = 0;
    const cuts = thresholds.get(names[f]!) ?? [0];
    for (let i = 0; i < EDGE_ROWS; i++) {
      const cut = cuts[Math.floor((i * cuts.length) / EDGE_ROWS)]!;
      values[drawn + 2 + i] = i % 2 === 0 ? cut : nextUp(cut);
    }
    return values;
  });
  return { names, columns: out, rowCount };
}

/** Finite thresholds of each feature over all detectors, ascending. */
function thresholdsByName(detectors: readonly DetectorModel[]): Map<string, number[]> {
  const byName = new Map<string, number[]>();
  for (const { model } of detectors) {
    for (const tree of splitsOf(model)) {
      tree.left.forEach((left, node) => {
        const threshold = tree.threshold[node]!;
        if (left === 0 || threshold === Infinity) return;
        const name = model.featureNames[tree.feature[node]!]!;
        const cuts = byName.get(name);
        if (cuts === undefined) byName.set(name, [threshold]);
        else cuts.push(threshold);
      });
    }
  }
  for (const cuts of byName.values()) cuts.sort((a, b) => a - b);
  return byName;
}

/** The next larger double. */
function nextUp(value: number): number {
  const float = new Float64Array([value === 0 ? 0 : value]);
  const bits = new BigInt64Array(float.buffer);
  bits[0]! += value < 0 ? -1n : 1n;
  return float[0]!;
}

/** Drawn rows spread over the given ones, and all made rows. */
function goldenRows(parity: FeatureTable): Float64Array[] {
  const made = EDGE_ROWS + 2;
  const given = parity.rowCount - made;
  const drawn = Math.min(GOLDEN_DRAWN, given);
  const rows = Array.from({ length: drawn }, (_, i) => Math.floor((i * given) / drawn));
  for (let i = 0; i < made; i++) rows.push(given + i);
  return rows.map((row) => Float64Array.from(parity.columns, (column) => column[row]!));
}

/** Margins of all detectors by slot, as their trainers give them; later ones read the slots of earlier ones. */
function trainedSlots(detectors: readonly DetectorModel[], rows: FeatureTable): Float64Array[] {
  const columns = new Map(rows.names.map((name, f) => [name, rows.columns[f]!]));
  return detectors.flatMap((detector) => {
    const { model } = detector;
    const read = model.featureNames.map((name) => columns.get(name)!);
    const table = { names: model.featureNames, columns: read, rowCount: rows.rowCount };
    const margins = marginsOf(model, table);
    slotNames(detector).forEach((name, output) => {
      columns.set(name, margins[output]!);
    });
    return margins;
  });
}

/** Compares trainer, reference and core on every parity row. */
function refuseDifferences(bundle: Bundle, rows: FeatureTable, spec: ExportSpec): void {
  const trained = trainedSlots(spec.detectors, rows);
  const arenaBytes = spec.arenaBytes ?? ARENA_BYTES_DEFAULT;
  const prepared = prepareBundle(bundle, offeredByName(rows.names), { arenaBytes });
  const core = new Core({ arenaBytes: prepared.image.byteLength });
  core.stage(prepared);
  core.activate();
  const features = new Float64Array(rows.names.length);
  for (let row = 0; row < rows.rowCount; row++) {
    for (let f = 0; f < features.length; f++) features[f] = rows.columns[f]![row]!;
    const reference = referenceSlots(bundle.detectors, features);
    core.vector.set(features);
    core.score();
    for (const { name, onDemand } of bundle.detectors) if (onDemand) core.scoreOnDemand(name);
    for (let slot = 0; slot < trained.length; slot++) {
      const margins = [trained[slot]![row]!, reference[slot]!, core.vector[prepared.slotsAt + slot]!];
      if (margins.every((margin) => Object.is(margin, margins[0]))) continue;
      throw new PicketError(
        'BUNDLE_SELF_TEST',
        `row ${row}, slot ${slot}: trainer, reference and core give ${margins.join(', ')}`,
      );
    }
  }
}
