// `npm run bench:training [-- --json] [--rows N] [--features N] [--rounds N]`: what boosting costs on a million rows of 40
// features, 100 iterations of 31 leaves: wall time and peak memory, in turn with scikit-learn on the same rows where a Python
// has it (PICKET_PYTHON, else python3). Each fit runs in a process of its own, so that its peak is its own.

import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { seededRandom } from '../domain/random.ts';
import { trainBooster } from '../training/booster.ts';

const ITERATIONS = 100;
const LEAVES = 31;
const MISSING_SHARE = 0.02;
const MIB = 2 ** 20;
const SELF = fileURLToPath(import.meta.url);
const PEER = fileURLToPath(new URL('./training_peer.py', import.meta.url));

interface Fit {
  readonly seconds: number;
  /** Peak of the whole process, bytes. */
  readonly peakBytes: number;
  /** Resident before the fit: the program and the data. */
  readonly beforeBytes: number;
}

interface Shape {
  readonly rows: number;
  readonly features: number;
}

/** Columns of normal values, some missing, then a label a row that depends on the first five: one file of f64. */
function writeRows(path: string, { rows, features }: Shape): void {
  const random = seededRandom(1);
  const file = openSync(path, 'w');
  const margin = Float64Array.from({ length: rows }, () => random.normal() - 1);
  const kept: Float64Array[] = [];
  for (let f = 0; f < features; f++) {
    const column = Float64Array.from({ length: rows }, () =>
      random.next() < MISSING_SHARE ? Number.NaN : random.normal(),
    );
    writeSync(file, column);
    if (f < 5) kept.push(column.map((value) => (Number.isNaN(value) ? 0 : value)));
  }
  const [a, b, c, d, e] = kept as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  const label = margin.map((noise, i) =>
    a[i]! * b[i]! + Math.sin(2 * c[i]!) + d[i]! ** 2 + e[i]! / 2 + noise > 0 ? 1 : 0,
  );
  writeSync(file, label);
  closeSync(file);
}

function readRows(path: string, { rows, features }: Shape) {
  const file = openSync(path, 'r');
  const read = () => {
    const column = new Float64Array(rows);
    readSync(file, column);
    return column;
  };
  const columns = Array.from({ length: features }, read);
  const labels = Uint8Array.from(read());
  closeSync(file);
  return {
    names: columns.map((_, f) => `x${f}`),
    columns,
    labels,
    rowCount: rows,
    classNames: ['no', 'yes'],
  };
}

/** In a process of its own: fits and prints what it took. */
function fitOnce(path: string, shape: Shape): void {
  const data = readRows(path, shape);
  const beforeBytes = process.memoryUsage.rss();
  const begin = performance.now();
  trainBooster(data, { maxIter: ITERATIONS, maxLeafNodes: LEAVES, earlyStopping: null });
  const seconds = (performance.now() - begin) / 1000;
  const fit: Fit = { seconds, peakBytes: process.resourceUsage().maxRSS * 1024, beforeBytes };
  console.log(JSON.stringify(fit));
}

function child(command: string, args: readonly string[]): Fit | null {
  const run = spawnSync(command, args, { encoding: 'utf8' });
  if (run.status !== 0) return null;
  return JSON.parse(run.stdout.trim().split('\n').at(-1)!) as Fit;
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const rounded = (value: number) => Number(value.toFixed(2));

function compare(path: string, shape: Shape, rounds: number) {
  const sizes = [String(shape.rows), String(shape.features)];
  const python = process.env['PICKET_PYTHON'] ?? 'python3';
  const ours: Fit[] = [];
  const theirs: Fit[] = [];
  for (let round = 0; round < rounds; round++) {
    const own = child(process.execPath, [SELF, '--fit', path, '--rows', sizes[0]!, '--features', sizes[1]!]);
    if (own === null) throw new Error('the fit failed; run it by itself with --fit FILE');
    ours.push(own);
    console.error(`round ${round + 1}: picket ${own.seconds.toFixed(1)} s`);
    const peer = child(python, [PEER, path, ...sizes, String(ITERATIONS), String(LEAVES)]);
    if (peer === null)
      console.error(`round ${round + 1}: ${python} has no scikit-learn: no ratio (set PICKET_PYTHON)`);
    else theirs.push(peer);
    if (peer !== null) console.error(`round ${round + 1}: scikit-learn ${peer.seconds.toFixed(1)} s`);
  }
  return { ours, theirs };
}

function main(): void {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean' },
      fit: { type: 'string' },
      rows: { type: 'string', default: '1000000' },
      features: { type: 'string', default: '40' },
      rounds: { type: 'string', default: '1' },
    },
  });
  const shape = { rows: Number(values.rows), features: Number(values.features) };
  if (values.fit !== undefined) {
    fitOnce(values.fit, shape);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'picket-bench-'));
  try {
    const path = join(folder, 'rows.f64');
    writeRows(path, shape);
    const dataBytes = statSync(path).size;
    const { ours, theirs } = compare(path, shape, Number(values.rounds));
    const seconds = median(ours.map((fit) => fit.seconds));
    const peerSeconds = theirs.length === 0 ? null : median(theirs.map((fit) => fit.seconds));
    const result = {
      ...shape,
      seconds: rounded(seconds),
      sklearn_seconds: peerSeconds === null ? null : rounded(peerSeconds),
      ratio: peerSeconds === null ? null : rounded(seconds / peerSeconds),
      peak_over_data: rounded(median(ours.map((fit) => fit.peakBytes)) / dataBytes),
      added_over_data: rounded(median(ours.map((fit) => fit.peakBytes - fit.beforeBytes)) / dataBytes),
    };
    const peer = result.sklearn_seconds ?? '-';
    const data = `${(dataBytes / MIB).toFixed(0)} MiB`;
    console.log(`${shape.rows} rows x ${shape.features}: ${result.seconds} s, scikit-learn ${peer} s`);
    console.log(`peak memory ${result.peak_over_data} x the data's ${data}, program included`);
    if (values.json === true) console.log(JSON.stringify(result));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

main();
