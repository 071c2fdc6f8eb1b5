// The `novelty` experiment (seed 003, the BETH workflow): StandardScaler, four outlier detectors, AUROC on validation and test,
// with the notebook's hard predictions and with scores, over several seeds. Pure: tables in, figures out; it reads no files and
// draws no plots. novelty-data.ts reads tables; the `experiment` command reports.
import type { FeatureTable } from '../dataset.ts';
import type { FitProgress } from '../estimator.ts';
import { matrixFromTable, refuseTraining } from '../matrix.ts';
import { meanAndSd, rocAuc } from '../metrics.ts';
import { fitScaler, scaleMatrix } from '../standard-scaler.ts';
import { NOVELTY_DETECTORS, type NoveltyDetector, type NoveltyDetectorName } from './novelty-detectors.ts';

/** Rows with the truth about them: 1 is an outlier. */
export interface JudgedRows extends FeatureTable {
  readonly positives: Uint8Array;
}

export interface NoveltyTables {
  /** For messages and reports. */
  readonly name: string;
  /** The truth about these rows is not used. */
  readonly train: FeatureTable;
  readonly validation: JudgedRows;
  readonly test: JudgedRows;
}

export const NOVELTY_SPLITS = ['validation', 'test'] as const;
export type NoveltySplit = (typeof NOVELTY_SPLITS)[number];
/** `hard`: AUROC of yes and no, as the notebook has it. `scores`: AUROC of the ranking. */
export const NOVELTY_KINDS = ['hard', 'scores'] as const;
export type NoveltyKind = (typeof NOVELTY_KINDS)[number];
/** For example `dose_svm_test_hard`. */
export type NoveltyMetric = `${NoveltyDetectorName}_${NoveltySplit}_${NoveltyKind}`;

export interface NoveltyOptions {
  readonly seeds: readonly number[];
  readonly detectors?: readonly NoveltyDetector[];
  /** Called after every fit. */
  readonly onProgress?: (progress: FitProgress) => void;
}

export interface Spread {
  readonly mean: number;
  readonly sd: number;
  /** One a seed, in the order of the seeds. */
  readonly values: readonly number[];
}

export interface NoveltyResult {
  readonly name: string;
  readonly seeds: readonly number[];
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number };
  /** AUROC by metric; metrics of a split with a single class are left out, and a note says so. */
  readonly metrics: Readonly<Partial<Record<NoveltyMetric, Spread>>>;
  /** Detectors whose AUROC by scores spreads so much over the seeds that they ship switched off. */
  readonly tooSpread: readonly NoveltyDetectorName[];
  readonly notes: readonly string[];
}

/** A detector whose AUROC has a larger standard deviation over the seeds than this ships switched off. */
export const SPREAD_MAX = 0.02;

/** What the notebook prints. */
export const NOVELTY_PUBLISHED: Readonly<Partial<Record<NoveltyMetric, number>>> = {
  isolation_forest_validation_hard: 0.8345678115405457,
  isolation_forest_test_hard: 0.8613378831734406,
  sgd_one_class_validation_hard: 0.8841538727271303,
  sgd_one_class_test_hard: 0.6883634471993398,
  dose_svm_validation_hard: 0.6868809633538215,
  dose_svm_test_hard: 0.5,
  elliptic_envelope_validation_hard: 0.5830658772529015,
  elliptic_envelope_test_hard: 0.8689093154036897,
};

/** The notebook's second run of the envelope, without a fixed seed. */
export const NOVELTY_PUBLISHED_SECOND_ENVELOPE = {
  elliptic_envelope_validation_hard: 0.5762426591809388,
  elliptic_envelope_test_hard: 0.8555474704873424,
} as const;

/**
 * Runs the workflow on three tables.
 * @throws PicketError TRAINING_INVALID: no seeds, columns that differ between the tables, missing or infinite values, rows that
 *   a detector cannot learn from.
 */
export function runNovelty(tables: NoveltyTables, options: NoveltyOptions): NoveltyResult {
  const { seeds, detectors = NOVELTY_DETECTORS } = options;
  if (seeds.length === 0) refuseTraining('novelty: at least one seed is needed');
  checkTables(tables);
  const kept = varyingColumns(tables.train);
  const train = matrixFromTable(kept(tables.train));
  const validation = matrixFromTable(kept(tables.validation));
  const test = matrixFromTable(kept(tables.test));
  const scaler = fitScaler(train);
  const scaled = scaleMatrix(scaler, train);
  const judged = { validation: scaleMatrix(scaler, validation), test: scaleMatrix(scaler, test) };
  const values = new Map<NoveltyMetric, number[]>();
  const warnings = new Set<string>();
  let done = 0;
  for (const detector of detectors) {
    const { name } = detector;
    for (const seed of seeds) {
      const { judge, warning } = detector.fit(scaled, seed);
      if (warning !== undefined) warnings.add(warning);
      for (const split of NOVELTY_SPLITS) {
        const { scores, flags } = judge(judged[split]);
        const { positives } = tables[split];
        push(values, `${name}_${split}_hard`, rocAuc({ scores: Float64Array.from(flags), positives }));
        push(values, `${name}_${split}_scores`, rocAuc({ scores, positives }));
      }
      options.onProgress?.({ done: ++done, all: detectors.length * seeds.length });
    }
  }
  const metrics = spreads(values);
  const tooSpread = detectors.map(({ name }) => name).filter((name) => isTooSpread(name, metrics));
  return {
    name: tables.name,
    seeds,
    rows: { train: train.rowCount, validation: validation.rowCount, test: test.rowCount },
    metrics,
    tooSpread,
    notes: [...notesOn(tables, tooSpread, seeds.length), ...warnings],
  };
}

function push(values: Map<NoveltyMetric, number[]>, metric: NoveltyMetric, value: number): void {
  const kept = values.get(metric);
  if (kept === undefined) values.set(metric, [value]);
  else kept.push(value);
}

function spreads(
  values: ReadonlyMap<NoveltyMetric, readonly number[]>,
): Partial<Record<NoveltyMetric, Spread>> {
  const known = [...values].filter(([, ofSeeds]) => !ofSeeds.some(Number.isNaN));
  return Object.fromEntries(
    known.map(([metric, ofSeeds]) => [metric, { ...meanAndSd(ofSeeds), values: ofSeeds }]),
  );
}

function isTooSpread(name: NoveltyDetectorName, metrics: NoveltyResult['metrics']): boolean {
  return NOVELTY_SPLITS.some((split) => (metrics[`${name}_${split}_scores`]?.sd ?? 0) > SPREAD_MAX);
}

/** Refuses tables that differ in their columns, or lack a value. */
function checkTables(tables: NoveltyTables): void {
  for (const part of ['train', ...NOVELTY_SPLITS] as const) {
    const table = tables[part];
    const where = `novelty, ${tables.name}, ${part} rows`;
    if (table.names.join('\n') !== tables.train.names.join('\n')) {
      refuseTraining(`${where}: the columns differ from those of the training rows`);
    }
    if (table.rowCount === 0) refuseTraining(`${where}: there are none`);
    table.columns.forEach((column, c) => {
      const row = column.findIndex((value) => !Number.isFinite(value));
      if (row >= 0) refuseTraining(`${where}: row ${row}, column ${table.names[c]} has no finite value`);
    });
    if (part !== 'train' && tables[part].positives.length !== table.rowCount) {
      refuseTraining(`${where}: ${tables[part].positives.length} labels for ${table.rowCount} rows`);
    }
  }
}

/** Takes the columns that vary over the training rows: of the others nothing can be learnt. */
function varyingColumns(train: FeatureTable): (table: FeatureTable) => FeatureTable {
  const varies = train.columns.map((column) => column.some((value) => value !== column[0]));
  if (!varies.includes(true)) refuseTraining('novelty: every column is constant over the training rows');
  return ({ names, columns, rowCount }) => ({
    names: names.filter((_, c) => varies[c]),
    columns: columns.filter((_, c) => varies[c]),
    rowCount,
  });
}

function notesOn(tables: NoveltyTables, tooSpread: readonly string[], seedCount: number): string[] {
  const used = varyingColumns(tables.train)(tables.train).names;
  const constant = tables.train.names.filter((name) => !used.includes(name));
  const notes = NOVELTY_SPLITS.flatMap((split) => {
    const { positives, rowCount } = tables[split];
    const outliers = positives.reduce((sum, value) => sum + value, 0);
    return outliers > 0 && outliers < rowCount
      ? []
      : [`${tables.name}: all ${rowCount} ${split} rows have one class, so they have no AUROC`];
  });
  if (constant.length > 0) notes.push(`left out, constant over the training rows: ${constant.join(', ')}`);
  if (seedCount === 1) notes.push('one seed: nothing is known about the spread');
  if (tooSpread.length > 0) {
    notes.push(
      `AUROC spreads by more than ${SPREAD_MAX} over the seeds, ships switched off: ${tooSpread.join(', ')}`,
    );
  }
  notes.push(
    'DoSE-SVM drops directions without variance before whitening; the notebook divides by rounding errors',
  );
  return notes;
}
