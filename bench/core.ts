// `npm run bench:core [-- --json]`: what one score call costs for 100 trees of 14 leaves over 20 features,
// in process, by kernel, by the plain scorer, with cold caches, and by onnxruntime-node on the same trees
// in the same run when `npm run tools` fetched it. Checks first that all of them give the same values.
// Absolute figures move with the machine; the ratio is the promise.

import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../domain/random.ts';
import { findTool } from '../scripts/tools.ts';
import { Core } from '../wasm-core/host/core.ts';
import type { Ensemble } from '../wasm-core/host/ensemble.ts';
import { referenceMargins } from '../wasm-core/host/reference.ts';
import { randomEnsemble } from '../wasm-core/testing/random-ensemble.ts';
import { prepareSpec, verdictSpec } from '../wasm-core/testing/test-bundle.ts';
import { onnxModel } from './onnx-model.ts';

const TREES = 100;
const LEAVES = 14;
const FEATURES = 20;
const ROWS = 512;
const ROUNDS = 400;
const COLD_CALLS = 400;
const COLD_WALK_BYTES = 4 * 1024 * 1024;
const ONNX_ROUNDS = 60;
const ONNX_BATCH = 50;
const PROMISED_NS = 350;
const PROMISED_RATIO = 30;

type Row = Float64Array;

/** Trees whose numbers are all f32, so that onnxruntime's f32 sees the same ones. */
function model(): Ensemble {
  const inputs = Array.from({ length: FEATURES }, (_, i) => i);
  const ensemble = randomEnsemble(seededRandom(7), { trees: TREES, leaves: [LEAVES, LEAVES], inputs });
  for (const tree of ensemble.trees) {
    tree.threshold.forEach((threshold, node) => {
      tree.threshold[node] = Math.fround(threshold);
      tree.value[node] = Math.fround(tree.value[node]!);
    });
  }
  return { ...ensemble, base: Float64Array.of(Math.fround(ensemble.base[0]!)) };
}

function randomRows(): Row[] {
  const random = seededRandom(8);
  return Array.from({ length: ROWS }, () =>
    Float64Array.from({ length: FEATURES }, () => Math.fround(random.normal() * 10)),
  );
}

function coreFor(ensemble: Ensemble, rowTableMaxBytes: number): Core {
  const core = new Core();
  core.stage(prepareSpec(verdictSpec(ensemble, seededRandom(9)), { rowTableMaxBytes }));
  core.warmUp(20_000);
  core.activate();
  return core;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >>> 1]!;
}

/** Nanoseconds a call, mean over all rows. */
function timeRows(rows: readonly Row[], call: (row: Row) => number): number {
  let sink = 0;
  const start = process.hrtime.bigint();
  for (let i = 0; i < ROWS; i++) sink += call(rows[i]!);
  const ns = Number(process.hrtime.bigint() - start) / ROWS;
  if (Number.isNaN(sink)) throw new Error('a score is not a number');
  return ns;
}

function writeRow(vector: Float64Array, row: Row): void {
  for (let i = 0; i < FEATURES; i++) vector[i] = row[i]!;
}

/** Each contender as a function of a row; a function of its own keeps every call site monomorphic. */
function scorer(core: Core): (row: Row) => number {
  const { vector } = core;
  return (row) => {
    writeRow(vector, row);
    return core.score();
  };
}

/** Median ns of single calls, each after walking through more memory than the second-level cache holds. */
function timeCold(rows: readonly Row[], call: (row: Row) => number): number {
  const walk = new Float64Array(COLD_WALK_BYTES / 8);
  const timed = (action: () => number): number => {
    const start = process.hrtime.bigint();
    const value = action();
    const ns = Number(process.hrtime.bigint() - start);
    if (Number.isNaN(value)) throw new Error('a score is not a number');
    return ns;
  };
  const samples: number[] = [];
  const clock: number[] = [];
  for (let i = 0; i < COLD_CALLS; i++) {
    for (let k = 0; k < walk.length; k += 8) walk[k] = walk[k]! + 1;
    samples.push(timed(() => call(rows[i % ROWS]!)));
    clock.push(timed(() => i));
  }
  return Math.max(0, median(samples) - median(clock));
}

interface OrtTensor {
  readonly data: Float32Array;
}
interface OrtSession {
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>;
}
interface Ort {
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OrtSession> };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OrtTensor;
}

/** onnxruntime-node with one thread and one reused input tensor: its best case. Undefined when it is not installed. */
async function openOnnx(ensemble: Ensemble): Promise<((row: Row) => Promise<number>) | undefined> {
  const folder = findTool('onnxruntime-node');
  if (folder === undefined) return undefined;
  const ort = createRequire(join(folder, 'package.json'))(folder) as Ort;
  const session = await ort.InferenceSession.create(onnxModel(ensemble), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
  });
  const data = new Float32Array(FEATURES);
  const feeds = { x: new ort.Tensor('float32', data, [1, FEATURES]) };
  return async (row) => {
    data.set(row);
    return (await session.run(feeds))['y']!.data[0]!;
  };
}

async function timeOnnx(rows: readonly Row[], call: (row: Row) => Promise<number>): Promise<number> {
  for (let i = 0; i < 500; i++) await call(rows[i % ROWS]!);
  const batches: number[] = [];
  for (let round = 0; round < ONNX_ROUNDS; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < ONNX_BATCH; i++) await call(rows[(round * ONNX_BATCH + i) % ROWS]!);
    batches.push(Number(process.hrtime.bigint() - start) / ONNX_BATCH);
  }
  return median(batches);
}

interface Contender {
  readonly name: string;
  readonly call: (row: Row) => number;
}

/** Stops the run when a contender disagrees: bits among ours, f32 rounding against onnxruntime. */
async function checkValues(
  rows: readonly Row[],
  expected: (row: Row) => number,
  contenders: readonly Contender[],
  onnx: ((row: Row) => Promise<number>) | undefined,
): Promise<void> {
  for (const row of rows) {
    const margin = expected(row);
    for (const { name, call } of contenders) {
      const found = call(row);
      if (!Object.is(found, margin)) throw new Error(`${name} gives ${found}, the plain scorer ${margin}`);
    }
    const theirs = await onnx?.(row);
    if (theirs !== undefined && Math.abs(theirs - margin) > 1e-5 * Math.max(1, Math.abs(margin))) {
      throw new Error(`onnxruntime-node gives ${theirs}, the plain scorer ${margin}`);
    }
  }
}

async function measure(): Promise<Record<string, number | null>> {
  const ensemble = model();
  const rows = randomRows();
  const rank = coreFor(ensemble, 1024 * 1024);
  const walk = coreFor(ensemble, 0);
  const rankCall = scorer(rank);
  const walkCall = scorer(walk);
  const plain = (row: Row) => referenceMargins(ensemble, row)[0]!;
  const writeOnly = (row: Row) => {
    writeRow(rank.vector, row);
    return row[0]!;
  };
  const contenders = [
    { name: 'rank-row', call: rankCall },
    { name: 'tr8', call: walkCall },
  ];
  const onnx = await openOnnx(ensemble);
  await checkValues(rows, plain, contenders, onnx);
  const samples = {
    rank: [] as number[],
    walk: [] as number[],
    plain: [] as number[],
    write: [] as number[],
  };
  for (let round = 0; round < ROUNDS; round++) {
    samples.rank.push(timeRows(rows, rankCall));
    samples.walk.push(timeRows(rows, walkCall));
    samples.write.push(timeRows(rows, writeOnly));
    if (round % 10 === 0) samples.plain.push(timeRows(rows, plain));
  }
  const write = median(samples.write);
  const score = median(samples.rank) - write;
  const onnxNs = onnx === undefined ? null : await timeOnnx(rows, onnx);
  return {
    score_ns: score,
    score_with_write_ns: median(samples.rank),
    tr8_ns: median(samples.walk) - write,
    plain_ns: median(samples.plain),
    score_cold_ns: timeCold(rows, rankCall),
    tr8_cold_ns: timeCold(rows, walkCall),
    onnxruntime_ns: onnxNs,
    onnxruntime_ratio: onnxNs === null ? null : onnxNs / median(samples.rank),
  };
}

const LABELS: Readonly<Record<string, string>> = {
  score_ns: 'score call, kernel A (rank-row)',
  score_with_write_ns: '  with writing the 20 features',
  tr8_ns: 'score call, kernel B (tr8)',
  plain_ns: 'plain TypeScript scorer',
  score_cold_ns: 'kernel A after a 4 MB cache walk, with writes',
  tr8_cold_ns: 'kernel B after a 4 MB cache walk, with writes',
  onnxruntime_ns: 'onnxruntime-node, one thread, reused tensor',
};

function print(result: Readonly<Record<string, number | null>>): void {
  console.log(`${TREES} trees x ${LEAVES} leaves x ${FEATURES} features, random rows, medians, ns per call`);
  for (const [key, label] of Object.entries(LABELS)) {
    const value = result[key];
    const text = value === null || value === undefined ? 'not installed (npm run tools)' : value.toFixed(0);
    console.log(`  ${label.padEnd(48)} ${text.padStart(8)}`);
  }
  const ratio = result['onnxruntime_ratio'];
  console.log(
    `  promised: at most ${PROMISED_NS} ns, and ${PROMISED_RATIO} times faster than onnxruntime-node`,
  );
  if (typeof ratio === 'number')
    console.log(`  onnxruntime-node / kernel A with writes: ${ratio.toFixed(1)}`);
}

const result = await measure();
print(result);
if (process.argv.includes('--json')) {
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', node: process.version };
  const rounded = Object.entries(result).map(([key, value]) => [
    key,
    value === null ? null : Math.round(value * 10) / 10,
  ]);
  console.log(JSON.stringify({ bench: 'core', ...machine, ...Object.fromEntries(rounded) }));
}
