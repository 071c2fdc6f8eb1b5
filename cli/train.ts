// `picket train`: a model from a CSV file. Cross-validates first and prints what to expect on unseen rows, then fits on all
// rows and writes a bundle. The learning is training/'s; this file reads flags, file and label, and prints.
import { renameSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { PicketError } from '../domain/errors.ts';
import type { ModelManifest } from '../domain/model-manifest.ts';
import { trainBooster } from '../training/booster.ts';
import type { BoosterOptions } from '../training/booster-options.ts';
import { type CrossValidation, crossValidate, FIGURE_NAMES } from '../training/cross-validate.ts';
import type { Dataset } from '../training/dataset.ts';
import { exportBundle } from '../training/export.ts';
import { withoutRepeats } from '../training/split.ts';
import { readTable, refuseTexts } from '../training/table.ts';
import { advise, type ThresholdRule } from '../training/threshold.ts';
import { parseBundle } from '../wasm-core/host/bundle.ts';
import { VERDICT } from '../wasm-core/host/ensemble.ts';
import type { Command, CommandIo } from './command.ts';
import { kinds, optionsHelp, readOptions } from './options.ts';
import { labelsOf } from './train-label.ts';
import { logTraining } from './train-tracking.ts';

const OPTIONS = {
  data: kinds.file({
    group: 'Data',
    help: 'CSV file with a header line, .gz unpacked by name.',
    required: true,
  }),
  label: kinds.text({
    group: 'Data',
    help: 'Column that says the class.',
    placeholder: 'COLUMN',
    required: true,
  }),
  positive: kinds.text({
    group: 'Data',
    help: 'Value of the label that is to be found. Not needed for 0 and 1, or false and true.',
    placeholder: 'VALUE',
  }),
  features: kinds.textList({ group: 'Data', help: 'Columns to learn from; default: all numeric ones.' }),
  ignore: kinds.textList({ group: 'Data', help: 'Columns to leave aside when --features is not given.' }),
  where: kinds.textList({
    group: 'Data',
    help: 'Keep only rows with this value; repeat it for more.',
    placeholder: 'COLUMN=VALUE',
  }),
  dropRepeats: kinds.flag({ group: 'Data', help: 'Count rows that are equal in features and label once.' }),
  folds: kinds.int({ min: 3, max: 50 }, { group: 'Cross-validation', help: 'Folds.', fallback: '5' }),
  seeds: kinds.int(
    { min: 1, max: 1000 },
    { group: 'Cross-validation', help: 'Runs, each dealt anew.', fallback: '3' },
  ),
  seed: kinds.int(
    { min: 0, max: 1e9 },
    { group: 'Cross-validation', help: 'The first seed.', fallback: '0' },
  ),
  fprMax: kinds.number(
    { min: 0, max: 1 },
    {
      group: 'Cross-validation',
      help: 'Choose thresholds for the best recall at this share of false positives, not the best F1.',
      placeholder: 'SHARE',
    },
  ),
  learningRate: kinds.number(
    { min: 1e-6, max: 1 },
    { group: 'Booster', help: 'Factor on each tree.', fallback: '0.1' },
  ),
  maxIter: kinds.int({ min: 1, max: 2000 }, { group: 'Booster', help: 'Trees.', fallback: '100' }),
  maxLeafNodes: kinds.int(
    { min: 2, max: 1024 },
    { group: 'Booster', help: 'Leaves of a tree.', fallback: '31' },
  ),
  maxDepth: kinds.int({ min: 1, max: 64 }, { group: 'Booster', help: 'Depth of a tree; default: no limit.' }),
  minSamplesLeaf: kinds.int(
    { min: 1, max: 1e6 },
    { group: 'Booster', help: 'Rows of a leaf.', fallback: '20' },
  ),
  l2: kinds.number({ min: 0, max: 1e6 }, { group: 'Booster', help: 'L2 regularisation.', fallback: '0' }),
  classWeight: kinds.oneOf(['none', 'balanced'], {
    group: 'Booster',
    help: 'balanced: rare classes weigh more.',
    fallback: 'none',
  }),
  out: kinds.file({ group: 'Output', help: 'Bundle to write.', required: true, placeholder: 'FILE.bundle' }),
  createdMs: kinds.int(
    { min: 0, max: 9e14 },
    {
      group: 'Output',
      help: 'Creation time to record; same data, options and time give the same bytes. Default: now.',
    },
  ),
  json: kinds.flag({ group: 'Output', help: 'One line of JSON instead of the table.' }),
} as const;

const USAGE = `Usage: picket train --data FILE.csv[.gz] --label COLUMN --out FILE.bundle [options]

Trains a two-class histogram gradient booster. Prints roc_auc, pr_auc, f1 and threshold from
cross-validation (mean and standard deviation over seeds): rows with equal features stay in one fold, and
thresholds are chosen on the other folds. Then fits on all rows and writes a bundle. Empty cells, null and
NaN are missing values. Text columns are an error unless they are the label, a filter, ignored, or not
among --features.
With MLFLOW_TRACKING_URI set, parameters, figures and the bundle are logged to that MLflow server too.

  picket train --data rows.csv.gz --label is_attack --out attack.bundle
  picket train --data rows.csv --label kind --positive outlier --where region=eu --features a,b --out m.bundle
${optionsHelp(OPTIONS)}`;

type Values = ReturnType<typeof readFlags>;

function readFlags(args: readonly string[], io: CommandIo) {
  return readOptions({ command: 'picket train', options: OPTIONS }, args, io).values;
}

function filtersOf(where: readonly string[]): { column: string; value: string }[] {
  return where.map((text) => {
    const equals = text.indexOf('=');
    if (equals < 1) {
      const problems = [{ field: '--where', value: text, expected: 'COLUMN=VALUE' }];
      throw new PicketError('CONFIG_INVALID', 'a filter is not usable', { problems });
    }
    return { column: text.slice(0, equals), value: text.slice(equals + 1) };
  });
}

async function readDataset(values: Values): Promise<Dataset> {
  const { data, label, positive, features, ignore, where } = values;
  if (features?.includes(label)) {
    const problems = [{ field: '--features', value: label, expected: 'columns other than the label' }];
    throw new PicketError('CONFIG_INVALID', 'the label cannot be a feature', { problems });
  }
  const table = await readTable(data, {
    texts: [label],
    numbers: features ?? { allBut: ignore ?? [] },
    where: filtersOf(where ?? []),
  });
  const hint = 'choose columns with --features, or leave columns aside with --ignore';
  refuseTexts(table, hint);
  if (table.rowCount === 0) {
    throw new PicketError('DATA_INVALID', `${data}: no row is left to learn from`, {
      hint: `the filters left out ${table.rowsLeftOut} rows`,
    });
  }
  const dataset = {
    names: table.numbers.map(({ name }) => name),
    columns: table.numbers.map(({ values: column }) => column),
    rowCount: table.rowCount,
    ...labelsOf(table.texts[0]!, positive),
  };
  return values.dropRepeats ? withoutRepeats(dataset) : dataset;
}

function boosterOptions(values: Values): Partial<BoosterOptions> {
  const { learningRate, maxIter, maxLeafNodes, minSamplesLeaf, l2, classWeight } = values;
  const maxDepth = values.maxDepth ?? null;
  return { learningRate, maxIter, maxLeafNodes, maxDepth, minSamplesLeaf, l2, classWeight };
}

/** A line that is written over on a terminal, and now and then elsewhere. */
function progressTo(stderr: NodeJS.WritableStream): (done: number, all: number) => void {
  const isTerminal = 'isTTY' in stderr && stderr.isTTY === true;
  return (done, all) => {
    const text = `picket train: ${done} of ${all} fits of the cross-validation`;
    if (isTerminal) stderr.write(`\r${text}${done === all ? '\n' : ''}`);
    else if (done === all || done % Math.max(1, Math.ceil(all / 10)) === 0) stderr.write(`${text}\n`);
  };
}

function manifestOf(
  values: Values,
  data: Dataset,
  result: CrossValidation,
  rule: ThresholdRule,
): ModelManifest {
  const { threshold } = advise(result.outOfFold, rule);
  const flagAt = Math.min(1, threshold);
  const metrics = FIGURE_NAMES.flatMap((name) => [
    [name, result.mean[name]],
    [`${name}_sd`, result.sd[name]],
  ]);
  const positives = data.labels.reduce((sum, label) => sum + label, 0);
  return {
    name: basename(values.out).replace(/\.bundle$/, ''),
    description: `histogram gradient boosting on ${basename(values.data)}, label ${values.label}`,
    createdMs: values.createdMs ?? Date.now(),
    seed: values.seed,
    data: {
      source: basename(values.data),
      rows: data.rowCount,
      positives,
      repeated_rows: result.repeatedRows,
      label: values.label,
      positive: data.classNames[1]!,
      where: (values.where ?? []).join(', '),
      folds: values.folds,
      seeds: values.seeds,
    },
    metrics: Object.fromEntries(metrics) as Record<string, number>,
    thresholds: { flagAt, blockAt: flagAt, ...rule },
    classes: [],
  };
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

function report(values: Values, manifest: ModelManifest, data: Dataset, bundleId: string): string {
  const { rows, positives, repeated_rows: repeats } = manifest.data;
  const { flagAt } = manifest.thresholds;
  if (values.json) {
    const { folds, seeds, out } = values;
    const counts = { rows, positives, repeated_rows: repeats, features: data.names, folds, seeds };
    const written = { flag_at: flagAt, bundle: out, bundle_id: bundleId };
    return `${JSON.stringify({ ...manifest.metrics, ...counts, ...written })}\n`;
  }
  const figures = FIGURE_NAMES.map((name) => {
    const { [name]: mean, [`${name}_sd`]: sd } = manifest.metrics;
    return `${name.padEnd(20)} ${mean!.toFixed(4)} ± ${sd!.toFixed(4)}`;
  });
  return [
    `${rows} rows (${positives} ${manifest.data['positive']}; ${repeats} repeats kept with their twins), ` +
      `${data.names.length} features, ${values.folds} folds, ${values.seeds} seeds`,
    ...figures,
    `${values.out}: bundle ${bundleId}, fitted on all rows, flags at ${flagAt.toFixed(4)}`,
    '',
  ].join('\n');
}

async function run(args: string[], io: CommandIo): Promise<number> {
  const values = readFlags(args, io);
  const startedMs = Date.now();
  const data = await readDataset(values);
  io.stderr.write(`picket train: ${data.rowCount} rows, ${data.names.length} features\n`);
  const booster = boosterOptions(values);
  const rule: ThresholdRule =
    values.fprMax === undefined
      ? { method: 'max_f1' }
      : { method: 'max_recall_at_fpr', fprMax: values.fprMax };
  const result = crossValidate(data, {
    folds: values.folds,
    seeds: Array.from({ length: values.seeds }, (_, i) => values.seed + i),
    booster,
    rule,
    onFit: progressTo(io.stderr),
  });
  const model = trainBooster(data, { ...booster, seed: values.seed });
  const manifest = manifestOf(values, data, result, rule);
  const bytes = exportBundle({
    detectors: [{ name: VERDICT, onDemand: false, model }],
    manifest,
    rows: data,
  });
  writeBundle(values.out, bytes);
  const { id } = parseBundle(bytes, { requireSigned: false, trustedKeys: [] });
  io.stdout.write(report(values, manifest, data, id));
  await logTraining(io, manifest, { startedMs, bundleId: id, bytes, options: values });
  return 0;
}

export const trainCommand: Command = {
  name: 'train',
  summary: 'train a model on a CSV file, cross-validated, and write a bundle',
  usage: USAGE,
  run,
};
