// `picket import`: a model trained with another library becomes a bundle that scores with the same raw margins.
// Reads one file, writes one; the formats are training/import's. Prints what came in and what a sidecar lacks.
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { PicketError } from '../domain/errors.ts';
import {
  IMPORT_FORMATS,
  type ImportResult,
  importBundle,
  readModel,
} from '../training/import/import-bundle.ts';
import { type ImportedModel, MODEL_FILE_MAX_BYTES } from '../training/import/imported-model.ts';
import type { Command, CommandIo } from './command.ts';
import { kinds, optionsHelp, readOptions } from './options.ts';

const OPTIONS = {
  from: kinds.oneOf(IMPORT_FORMATS, { help: 'What wrote the file.', required: true }),
  out: kinds.file({ help: 'Bundle to write.', required: true, placeholder: 'FILE.bundle' }),
  map: kinds.file({
    help: 'JSON object: input of the model to feature, for those that are called otherwise.',
  }),
  createdMs: kinds.int(
    { min: 0, max: 9e14 },
    { help: 'Creation time to record; same file, map and time give the same bytes. Default: now.' },
  ),
  json: kinds.flag({ help: 'One line of JSON instead of text.' }),
} as const;

const USAGE = `Usage: picket import --from FORMAT FILE --out FILE.bundle [--map FILE] [options]

Brings a tree ensemble of another library into a bundle. Raw margins are the library's own, bit for bit.
  sklearn    JSON by training/python/picket_export.py: histogram gradient boosting, random forest,
             extra trees, isolation forest
  lightgbm   the text that save_model writes
  xgboost    JSON or UBJ that save_model writes (gbtree, dart)
  onnx       TreeEnsembleClassifier, TreeEnsembleRegressor, TreeEnsemble
Inputs are features by name; --map renames them. picket score takes any names as columns of its file; a
sidecar loads the bundle only if it offers every feature.

  python picket_export.py model.joblib model.json
  picket import --from sklearn model.json --out model.bundle
  picket score --bundle model.bundle --data rows.csv --margin
${optionsHelp(OPTIONS)}`;

const MAP_BYTES_MAX = 4 * 2 ** 20;
const FOREIGN_SHOWN = 10;

function readBytes(path: string, most: number): Uint8Array {
  let size: number;
  try {
    size = statSync(path).size;
    if (size <= most) return readFileSync(path);
  } catch (thrown) {
    throw new PicketError('DATA_INVALID', `${path} cannot be read: ${PicketError.from(thrown).message}`);
  }
  throw new PicketError('DATA_INVALID', `${path}: ${size} bytes, more than ${most}`);
}

function readMap(path: string | undefined): Map<string, string> {
  if (path === undefined) return new Map();
  const refuse = (what: string): never => {
    throw new PicketError('DATA_INVALID', `${path}: ${what}`, {
      hint: 'a map is a JSON object: {"input of the model": "feature"}',
    });
  };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(readBytes(path, MAP_BYTES_MAX)));
  } catch (thrown) {
    if (thrown instanceof PicketError) throw thrown;
    return refuse(`not JSON: ${PicketError.from(thrown).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('not an object');
  return new Map(
    Object.entries(value).map(([input, feature]) =>
      typeof feature === 'string' ? [input, feature] : refuse(`"${input}" is not mapped to a name`),
    ),
  );
}

/** The message of a refused file begins with its path. */
function inFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    const { code, message, hint, problems } = PicketError.from(thrown);
    if (code === 'INTERNAL') throw thrown;
    throw new PicketError(code, `${path}: ${message}`, {
      ...(hint === undefined ? {} : { hint }),
      problems,
      cause: thrown,
    });
  }
}

/** Written beside the target first, so that a reader never sees half a bundle. */
function writeBundle(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(`${path}.part`, bytes);
    renameSync(`${path}.part`, path);
  } catch (thrown) {
    throw new PicketError('DATA_INVALID', `${path} cannot be written: ${PicketError.from(thrown).message}`);
  }
}

function report(out: string, model: ImportedModel, result: ImportResult, asJson: boolean): string {
  const { bundle, foreign, notes } = result;
  const { trees, outputs, kind } = model.ensemble;
  const features = bundle.features.map(({ name }) => name);
  if (asJson) {
    const counts = { trees: trees.length, outputs, inputs: model.inputNames.length, features };
    const rest = { classes: model.classes, link: model.link, not_offered: foreign, notes };
    const written = { bundle: out, bundle_id: bundle.id, library: model.library, kind };
    return `${JSON.stringify({ ...written, ...counts, ...rest })}\n`;
  }
  const more = foreign.length > FOREIGN_SHOWN ? ` and ${foreign.length - FOREIGN_SHOWN} more` : '';
  const fits =
    foreign.length === 0
      ? 'All of its features are live: a sidecar can load it.'
      : `For picket score only: no sidecar offers ${foreign.slice(0, FOREIGN_SHOWN).join(', ')}${more}.`;
  const answers =
    outputs === 1 ? 'one output' : `${outputs} outputs (${model.classes.join(', ') || 'no classes'})`;
  const read = `${features.length} of ${model.inputNames.length}`;
  return [
    `${model.library}: ${trees.length} trees, ${answers}, ${read} inputs read`,
    ...notes,
    fits,
    `${out}: bundle ${bundle.id}; reference and core agree on its golden vectors`,
    '',
  ].join('\n');
}

async function run(args: string[], io: CommandIo): Promise<number> {
  const command = { command: 'picket import', options: OPTIONS, positionalsMax: 1 };
  const { values, positionals } = readOptions(command, args, io);
  const [path] = positionals;
  if (path === undefined) {
    throw new PicketError('CONFIG_INVALID', 'no model file named', {
      hint: 'picket import --from lightgbm FILE --out FILE.bundle',
    });
  }
  const map = readMap(values.map);
  const bytes = readBytes(path, MODEL_FILE_MAX_BYTES);
  const model = inFile(path, () => readModel(values.from, bytes));
  const name = basename(values.out).replace(/\.bundle$/, '');
  const data = { source: basename(path), library: model.library, trees: model.ensemble.trees.length };
  const createdMs = values.createdMs ?? Date.now();
  const result = inFile(path, () => importBundle({ model, map, manifest: { name, createdMs, data } }));
  writeBundle(values.out, result.bytes);
  io.stdout.write(report(values.out, model, result, values.json));
  return 0;
}

export const importCommand: Command = {
  name: 'import',
  summary: 'bring a model of scikit-learn, LightGBM, XGBoost or ONNX into a bundle',
  usage: USAGE,
  run,
};
