// Makes models/default.bundle: simulates many runs, trains the `verdict` and `attack_class` detectors, chooses thresholds on
// runs that were not learnt from, and writes the bundle. Learns from simulated traffic only; access logs are tests.
// Same code, same bytes: every seed and the creation time are fixed.
// Run: npm run train:default [-- --out FILE | --check]; --check compares with the file that is there.

import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { ModelManifest } from '../domain/model-manifest.ts';
import { scoreOf } from '../domain/policy.ts';
import { type BoostedModel, predictMargins, trainBooster } from '../training/booster.ts';
import { type Dataset, datasetFromVectors } from '../training/dataset.ts';
import { exportBundle } from '../training/export.ts';
import { averagePrecision, rocAuc } from '../training/metrics.ts';
import { adviseRecallAtFpr } from '../training/threshold.ts';
import { MODEL_INPUTS } from './default-model/inputs.ts';
import { judge } from './default-model/judge.ts';
import { LEARNED_ATTACKS, type Rows, simulateRows } from './default-model/rows.ts';

const SEED = 20_250_106;
const TRAIN_RUNS = 24;
const JUDGE_RUNS = 10;
/** Recorded, not read from the clock. */
const CREATED_MS = 1_736_157_600_000;
const FLAG_FPR_MAX = 0.0005;
const BLOCK_FPR_MAX = 0.0002;
/** Weight of all attack rows together, against all normal rows. */
const ATTACK_WEIGHT = 0.5;

const seedsFrom = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);
const say = (text: string) => process.stderr.write(`train:default: ${text}\n`);

/** Normal rows weigh 1; each attack weighs the same in sum, however many requests it has. */
function weightsOf(rows: Rows): Float64Array {
  const counts = new Map<string, number>();
  for (const label of rows.labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const normal = counts.get('normal') ?? 1;
  const perAttack = (ATTACK_WEIGHT * normal) / LEARNED_ATTACKS.length;
  return Float64Array.from(rows.labels, (label) =>
    label === 'normal' ? 1 : perAttack / (counts.get(label) as number),
  );
}

function verdictData(rows: Rows): Dataset {
  return datasetFromVectors(rows.vectors, {
    names: MODEL_INPUTS,
    labels: Uint8Array.from(rows.labels, (label) => (label === 'normal' ? 0 : 1)),
    classNames: ['normal', 'attack'],
    weights: weightsOf(rows),
  });
}

/** The attack rows only: which attack is it, given that it is one? */
function classData(rows: Rows): Dataset {
  const width = MODEL_INPUTS.length;
  const picked = rows.labels.flatMap((label, row) => (label === 'normal' ? [] : [row]));
  const vectors = new Float32Array(picked.length * width);
  picked.forEach((row, i) => {
    vectors.set(rows.vectors.subarray(row * width, (row + 1) * width), i * width);
  });
  const names: readonly string[] = LEARNED_ATTACKS;
  const labels = Uint8Array.from(picked, (row) => names.indexOf(rows.labels[row] as string));
  return datasetFromVectors(vectors, { names: MODEL_INPUTS, labels, classNames: LEARNED_ATTACKS });
}

function scores(model: BoostedModel, data: Dataset): Float64Array {
  return (predictMargins(model, data)[0] as Float64Array).map(scoreOf);
}

/** Share of rows whose largest output is the right class. */
function accuracy(model: BoostedModel, data: Dataset): number {
  const margins = predictMargins(model, data);
  let right = 0;
  for (let row = 0; row < data.rowCount; row++) {
    const values = margins.map((column) => column[row] as number);
    if (values.indexOf(Math.max(...values)) === data.labels[row]) right++;
  }
  return right / data.rowCount;
}

function round(value: number, digits = 5): number {
  return Number(value.toFixed(digits));
}

interface Trained {
  readonly verdict: BoostedModel;
  readonly attackClass: BoostedModel;
}

function train(rows: Rows): Trained {
  const verdict = trainBooster(verdictData(rows), {
    maxIter: 120,
    learningRate: 0.1,
    maxLeafNodes: 16,
    minSamplesLeaf: 60,
    l2: 1,
    seed: SEED,
  });
  say('verdict trained');
  const attackClass = trainBooster(classData(rows), {
    maxIter: 25,
    learningRate: 0.2,
    maxLeafNodes: 8,
    minSamplesLeaf: 40,
    l2: 1,
    classWeight: 'balanced',
    seed: SEED,
  });
  say('attack_class trained');
  return { verdict, attackClass };
}

function manifestOf(models: Trained, learned: Rows, held: Rows): ModelManifest {
  const data = verdictData(held);
  const heldScores = scores(models.verdict, data);
  const scored = { scores: heldScores, positives: data.labels };
  const flagAt = adviseRecallAtFpr(scored, FLAG_FPR_MAX).threshold;
  const blockAt = Math.max(flagAt, adviseRecallAtFpr(scored, BLOCK_FPR_MAX).threshold);
  const atBlock = judge(held, heldScores, blockAt);
  const recalls = Object.entries(atBlock.byAttack).map(([name, { recall }]) => [
    `block_recall_${name}`,
    round(recall),
  ]);
  return {
    name: 'default',
    description:
      'histogram gradient boosting on simulated API traffic: ' +
      'normal users, visitors and machines against six attacks',
    createdMs: CREATED_MS,
    seed: SEED,
    data: {
      source: 'simulated, no recorded traffic',
      train_runs: TRAIN_RUNS,
      judge_runs: JUDGE_RUNS,
      rows: learned.labels.length,
      positives: learned.labels.filter((label) => label !== 'normal').length,
      judge_rows: held.labels.length,
      attacks: LEARNED_ATTACKS.join(', '),
    },
    metrics: {
      roc_auc: round(rocAuc(scored)),
      pr_auc: round(averagePrecision(scored)),
      flag_false_positive_share: round(judge(held, heldScores, flagAt).falsePositiveShare),
      block_false_positive_share: round(atBlock.falsePositiveShare),
      block_normal_actors_share: round(atBlock.normalActorsFlagged),
      ...Object.fromEntries(recalls),
      attack_class_accuracy: round(accuracy(models.attackClass, classData(held))),
    },
    thresholds: { flagAt, blockAt, method: 'max_recall_at_fpr', fprMax: BLOCK_FPR_MAX },
    classes: LEARNED_ATTACKS,
  };
}

function main(): void {
  const { values } = parseArgs({
    options: { out: { type: 'string', default: 'models/default.bundle' }, check: { type: 'boolean' } },
  });
  const tell = (seed: number, rows: number) => say(`run ${seed}: ${rows} rows so far`);
  const learned = simulateRows(seedsFrom(SEED, TRAIN_RUNS), tell);
  const held = simulateRows(seedsFrom(SEED + 1000, JUDGE_RUNS), tell);
  const models = train(learned);
  const manifest = manifestOf(models, learned, held);
  const bytes = exportBundle({
    detectors: [
      { name: 'verdict', onDemand: false, model: models.verdict },
      { name: 'attack_class', onDemand: true, model: models.attackClass },
    ],
    manifest,
    rows: verdictData(held),
  });
  if (values.check === true) {
    const same = readFileSync(values.out).equals(bytes);
    say(`${values.out} ${same ? 'is what this code makes' : 'is NOT what this code makes'}`);
    process.exitCode = same ? 0 : 1;
  } else {
    writeFileSync(values.out, bytes);
    say(`${values.out}: ${bytes.length} bytes`);
  }
  const { data, metrics, thresholds } = manifest;
  process.stdout.write(`${JSON.stringify({ data, metrics, thresholds }, null, 2)}\n`);
}

main();
