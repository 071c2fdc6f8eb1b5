// Tables for the `novelty` experiment: the user's BETH files, and two public sets as available stand-ins (KDD'99 HTTP
// connections, CSIC 2010 requests). Only reads and splits; repeats of a row stay on one side. Called by the `experiment` command.
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { PicketError } from '../../domain/errors.ts';
import { type Dataset, type FeatureTable, takeRows } from '../dataset.ts';
import { groupedFolds, repeatGroups, rowsWhere } from '../split.ts';
import { readTable, refuseTexts } from '../table.ts';
import type { JudgedRows, NoveltyTables } from './novelty.ts';
import { REQUEST_SHAPE_NAMES, requestShape } from './request-shape.ts';

/**
 * The seven columns of the BETH paper (Highnam et al. 2021, "BETH Dataset: Real Cybersecurity Data for Anomaly Detection
 * Research") and what it makes of them: system processes, users and namespaces apart from others, the sign of what a call
 * returned.
 */
const BETH_COLUMNS: readonly (readonly [name: string, value: (given: number) => number])[] = [
  ['processId', (id) => (id <= 2 ? 0 : 1)],
  ['parentProcessId', (id) => (id <= 2 ? 0 : 1)],
  ['userId', (id) => (id < 1000 ? 0 : 1)],
  ['mountNamespace', (id) => (id === 4026531840 ? 0 : 1)],
  ['eventId', (id) => id],
  ['argsNum', (count) => count],
  ['returnValue', (value) => 1 + Math.sign(value)],
];
const BETH_LABEL = 'sus';
const BETH_PARTS = { train: 'training', validation: 'validation', test: 'testing' } as const;

async function fileIn(folder: string, pattern: RegExp): Promise<string> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new PicketError('DATA_INVALID', `${folder} cannot be read`, { cause });
  });
  const found = names.filter((name) => pattern.test(name)).sort()[0];
  if (found === undefined)
    throw new PicketError('DATA_INVALID', `${folder}: no file is named like ${pattern.source}`);
  return join(folder, found);
}

/**
 * The BETH tables: labelled_{training,validation,testing}_data*.csv, plain or gzipped.
 * @throws PicketError DATA_INVALID: a file or column is missing, text or nothing where a number is needed.
 */
export async function readBeth(folder: string): Promise<NoveltyTables> {
  const part = async (name: keyof typeof BETH_PARTS): Promise<JudgedRows> => {
    const path = await fileIn(folder, new RegExp(`^labelled_${BETH_PARTS[name]}_data.*\\.csv(\\.gz)?$`));
    const { columns, positives, rowCount } = await readColumns(
      path,
      BETH_COLUMNS.map(([column]) => column),
      BETH_LABEL,
    );
    return {
      names: BETH_COLUMNS.map(([column]) => column),
      columns: columns.map((values, c) => values.map(BETH_COLUMNS[c]![1])),
      rowCount,
      positives,
    };
  };
  return {
    name: 'beth',
    train: await part('train'),
    validation: await part('validation'),
    test: await part('test'),
  };
}

/**
 * KDD'99 HTTP connections (http_*.csv.gz), three columns. Source bytes alone nearly tell the attacks: a figure near 1 proves
 * little.
 * @throws PicketError DATA_INVALID as readBeth.
 */
export async function readKddHttp(folder: string, seed: number): Promise<NoveltyTables> {
  const names = ['duration_s', 'src_bytes', 'dst_bytes'];
  const path = await fileIn(folder, /^http_.*\.csv(\.gz)?$/);
  const { columns, positives, rowCount } = await readColumns(path, names, 'label');
  return splitTables('kdd99_http', { names, columns, rowCount, positives }, seed);
}

async function readColumns(
  path: string,
  names: readonly string[],
  label: string,
): Promise<{ columns: Float64Array[]; positives: Uint8Array; rowCount: number }> {
  const table = await readTable(path, { texts: [], numbers: [...names, label], where: [] });
  refuseTexts(table, `${path}: these columns hold numbers`);
  for (const { name, values } of table.numbers) {
    const row = values.findIndex(Number.isNaN);
    if (row >= 0) throw new PicketError('DATA_INVALID', `${path}: row ${row + 1}, column ${name} is empty`);
  }
  const byName = new Map(table.numbers.map(({ name, values }) => [name, values]));
  return {
    columns: names.map((name) => byName.get(name)!),
    positives: Uint8Array.from(byName.get(label)!, (value) => (value === 1 ? 1 : 0)),
    rowCount: table.rowCount,
  };
}

const TSV_HEADER = 'label\tmethod\tpath\tparams';

/**
 * CSIC 2010 requests (decoded.tsv.gz: label, method, path, parameters), by the shape of their text.
 * @throws PicketError DATA_INVALID: the file is missing, or a line is not of this form.
 */
export async function readCsic(folder: string, seed: number): Promise<NoveltyTables> {
  const path = await fileIn(folder, /^decoded\.tsv(\.gz)?$/);
  const bytes = readFileSync(path);
  const lines = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').split('\n');
  if (lines[0] !== TSV_HEADER)
    throw new PicketError('DATA_INVALID', `${path}: line 1 is not "${TSV_HEADER}"`);
  if (lines.at(-1) === '') lines.pop();
  const rowCount = lines.length - 1;
  const columns = REQUEST_SHAPE_NAMES.map(() => new Float64Array(rowCount));
  const positives = new Uint8Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const [label, method, target, parameters, ...more] = lines[row + 1]!.split('\t');
    if (parameters === undefined || more.length > 0 || (label !== '0' && label !== '1')) {
      throw new PicketError(
        'DATA_INVALID',
        `${path}: line ${row + 2} is not label (0 or 1), method, path, parameters`,
      );
    }
    positives[row] = Number(label);
    requestShape(method!, target!, parameters).forEach((value, c) => {
      columns[c]![row] = value;
    });
  }
  return splitTables('csic2010', { names: REQUEST_SHAPE_NAMES, columns, rowCount, positives }, seed);
}

/** Of five folds three to learn from, their normal rows only, one for validation, one for test; equal rows stay together. */
function splitTables(name: string, rows: JudgedRows, seed: number): NoveltyTables {
  const data: Dataset = { ...rows, labels: rows.positives, classNames: ['normal', 'outlier'] };
  const foldOf = groupedFolds(data, repeatGroups(data), { folds: 5, seed });
  const part = (wanted: (fold: number) => boolean): JudgedRows => judged(data, rowsWhere(foldOf, wanted));
  const learnt = rowsWhere(foldOf, (fold) => fold < 3).filter((row) => rows.positives[row] === 0);
  const train: FeatureTable = judged(data, learnt);
  return { name, train, validation: part((fold) => fold === 3), test: part((fold) => fold === 4) };
}

function judged(data: Dataset, rows: Uint32Array): JudgedRows {
  const { names, columns, rowCount, labels } = takeRows(data, rows);
  return { names, columns, rowCount, positives: labels };
}
