// From a model file of another library to a bundle: reads, names the inputs after features, adds a verdict where the model's
// margin is no logit, makes golden vectors and shows that reference and core agree on them before bytes are handed out.
// Reads no files. Called by cli/import.ts.
import { PicketError, type Problem } from '../../domain/errors.ts';
import { FEATURES } from '../../domain/features.ts';
import type { ModelManifest } from '../../domain/model-manifest.ts';
import { type Bundle, packBundle, parseBundle } from '../../wasm-core/host/bundle.ts';
import { type Ensemble, type FeatureRef, VERDICT } from '../../wasm-core/host/ensemble.ts';
import { OFFLINE_ARENA_BYTES, offeredByName, prepareBundle } from '../../wasm-core/host/prepare.ts';
import { type ImportedModel, MODEL_FILE_MAX_BYTES, malformed, shown, unsupported } from './imported-model.ts';
import { importLightGbm } from './lightgbm.ts';
import { importOnnx } from './onnx.ts';
import { probeRows } from './probe-rows.ts';
import { importSklearn } from './sklearn.ts';
import { stepVerdict } from './step-verdict.ts';
import { importXgboost } from './xgboost.ts';

export const IMPORT_FORMATS = ['sklearn', 'lightgbm', 'xgboost', 'onnx'] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

/** The detector that holds a model which is not itself the verdict. */
export const MODEL_DETECTOR = 'model';

const READERS: Readonly<Record<ImportFormat, (bytes: Uint8Array) => ImportedModel>> = {
  sklearn: importSklearn,
  lightgbm: importLightGbm,
  xgboost: importXgboost,
  onnx: importOnnx,
};

const GOLDEN_ROWS = 64;
const GOLDEN_SEED = 1;
const NAME_BYTES_MAX = 256;

/** Reads a model file. Throws DATA_INVALID with place and reason for whatever is wrong with it. */
export function readModel(format: ImportFormat, bytes: Uint8Array): ImportedModel {
  if (bytes.length > MODEL_FILE_MAX_BYTES) {
    unsupported('model file', `${bytes.length} bytes, more than ${MODEL_FILE_MAX_BYTES}`);
  }
  if (bytes.length === 0) malformed('model file', 'it is empty');
  return READERS[format](bytes);
}

export interface ImportSpec {
  readonly model: ImportedModel;
  /** Name of the feature for each input that is called otherwise in the model. */
  readonly map: ReadonlyMap<string, string>;
  readonly manifest: Pick<ModelManifest, 'name' | 'createdMs' | 'data'>;
}

export interface ImportResult {
  readonly bytes: Uint8Array;
  readonly bundle: Bundle;
  /** Features that a sidecar of this build does not offer. */
  readonly foreign: readonly string[];
  readonly notes: readonly string[];
}

/** The names of the inputs as features; refuses unknown keys of the map, empty, overlong and double names. */
function mappedNames(names: readonly string[], map: ReadonlyMap<string, string>): string[] {
  const problems: Problem[] = [];
  for (const key of map.keys()) {
    if (!names.includes(key))
      problems.push({ field: shown(key), value: 'no such input', expected: 'an input of the model' });
  }
  const mapped = names.map((name) => map.get(name) ?? name);
  const seen = new Set<string>();
  mapped.forEach((name, i) => {
    const field = `input ${i} (${shown(names[i])})`;
    const bytes = new TextEncoder().encode(name).length;
    if (bytes < 1 || bytes > NAME_BYTES_MAX) {
      problems.push({ field, value: shown(name), expected: `a name of 1 to ${NAME_BYTES_MAX} bytes` });
    }
    if (seen.has(name))
      problems.push({ field, value: shown(name), expected: 'a feature that no other input has' });
    seen.add(name);
  });
  if (problems.length === 0) return mapped;
  const hint = 'the map is a JSON object: {"input of the model": "feature"}';
  throw new PicketError('DATA_INVALID', 'the inputs cannot be named', {
    problems: problems.slice(0, 20),
    hint,
  });
}

/** Leaves out inputs that no tree reads, so that nobody has to offer them; one stays if none is read. */
function withoutUnread(ensemble: Ensemble): { ensemble: Ensemble; kept: number[] } {
  const isRead = new Uint8Array(ensemble.inputs.length);
  for (const { feature, left } of ensemble.trees) {
    for (let node = 0; node < left.length; node++) if (left[node] !== 0) isRead[feature[node]!] = 1;
  }
  if (isRead.every((read) => read === 0)) isRead[0] = 1;
  const kept = ensemble.inputs.filter((_, i) => isRead[i] === 1);
  const places = new Map(kept.map((input, i) => [input, i]));
  const trees = ensemble.trees.map((tree) => ({
    ...tree,
    feature: tree.feature.map((f) => places.get(f) ?? 0),
  }));
  return { ensemble: { ...ensemble, trees, inputs: kept.map((_, i) => i) }, kept };
}

function featureRef(name: string): FeatureRef {
  return { id: FEATURES.find((feature) => feature.name === name)?.id ?? 0, name };
}

function isPlainLogit({ ensemble, link }: ImportedModel): boolean {
  return (
    ensemble.kind === 'gbdt_logit' && ensemble.outputs === 1 && link.kind === 'logistic' && link.scale === 1
  );
}

function notesOf(model: ImportedModel, flags: boolean): string[] {
  const { ensemble, classes, link } = model;
  if (!flags) return [...model.notes, 'It has no single score from 0 to 1, so its verdict never flags.'];
  if (classes.length > 0 || link.kind !== 'identity') return [...model.notes];
  const what = ensemble.kind === 'rf_mean' ? 'mean' : 'sum';
  return [...model.notes, `A regression: its ${what} counts as the score where it lies between 0 and 1.`];
}

/** Packs a model. Throws PicketError: DATA_INVALID for the map, BUNDLE_* for what the format or the core has no room for. */
export function importBundle(spec: ImportSpec): ImportResult {
  const { model, map } = spec;
  const names = mappedNames(model.inputNames, map);
  const { ensemble, kept } = withoutUnread(model.ensemble);
  const features = kept.map((input) => featureRef(names[input]!));
  const plain = isPlainLogit(model);
  const verdict = plain ? { ensemble, flagAt: 0.5, flags: true } : stepVerdict(model);
  const detectors = [
    ...(plain ? [] : [{ name: MODEL_DETECTOR, onDemand: false, ensemble }]),
    { name: VERDICT, onDemand: false, ensemble: verdict.ensemble },
  ];
  const answer = { detector: plain ? VERDICT : MODEL_DETECTOR, link: model.link, classes: model.classes };
  const bytes = packBundle({
    features,
    detectors,
    golden: probeRows(ensemble, GOLDEN_ROWS, GOLDEN_SEED),
    manifest: {
      ...spec.manifest,
      description: `imported from ${model.library}`,
      seed: GOLDEN_SEED,
      metrics: {},
      thresholds: { flagAt: verdict.flagAt, blockAt: verdict.flagAt, method: 'given' },
      classes: [],
      answer,
    },
  });
  const bundle = parseBundle(bytes, { requireSigned: false, trustedKeys: [] });
  const offered = offeredByName(features.map(({ name }) => name));
  prepareBundle(bundle, offered, { arenaBytes: OFFLINE_ARENA_BYTES });
  const foreign = features.filter(({ id }) => id === 0).map(({ name }) => name);
  return { bytes, bundle, foreign, notes: notesOf(model, verdict.flags) };
}
