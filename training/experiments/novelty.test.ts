// The novelty experiment on made-up tables: figures for every detector and split, the same for the same seeds, spread told;
// tables that do not fit are refused with the place. The public sets, beside scikit-learn, are in test/parity/novelty.test.ts.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../domain/random.ts';
import { type JudgedRows, NOVELTY_PUBLISHED, type NoveltyTables, runNovelty } from './novelty.ts';
import { readBeth, readCsic, readKddHttp } from './novelty-data.ts';
import { NOVELTY_DETECTORS } from './novelty-detectors.ts';
import { entropyBits, REQUEST_SHAPE_NAMES, requestShape } from './request-shape.ts';

/** A cloud; every tenth row far outside of it when `outliers`. */
function rows(seed: number, rowCount: number, outliers: boolean): JudgedRows {
  const random = seededRandom(seed);
  const positives = Uint8Array.from({ length: rowCount }, (_, row) => (outliers && row % 10 === 0 ? 1 : 0));
  const columns = Array.from({ length: 3 }, (_, c) =>
    Float64Array.from(positives, (outlier) => 5 * c + random.normal() * (outlier ? 8 : 1)),
  );
  return { names: ['a', 'b', 'c'], columns, rowCount, positives };
}

const TABLES: NoveltyTables = {
  name: 'made',
  train: rows(1, 600, false),
  validation: rows(2, 300, true),
  test: rows(3, 300, true),
};

describe('runNovelty', () => {
  it('gives mean and spread of every metric; the same seeds give the same figures', () => {
    const seen: number[] = [];
    const result = runNovelty(TABLES, { seeds: [1, 2, 3], onProgress: ({ done }) => seen.push(done) });
    expect(Object.keys(result.metrics)).toHaveLength(16);
    expect(Object.keys(result.metrics)).toEqual(expect.arrayContaining(Object.keys(NOVELTY_PUBLISHED)));
    expect(result.rows).toEqual({ train: 600, validation: 300, test: 300 });
    expect(seen).toHaveLength(12);
    expect(result.metrics.isolation_forest_test_scores?.mean).toBeGreaterThan(0.9);
    expect(result.metrics.elliptic_envelope_test_scores?.mean).toBeGreaterThan(0.9);
    for (const { values, mean } of Object.values(result.metrics)) {
      expect(values).toHaveLength(3);
      expect(mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / 3, 12);
    }
    expect(runNovelty(TABLES, { seeds: [1, 2, 3] })).toEqual(result);
  });

  it('switches off a detector whose figures hang on the seed', () => {
    const detectors = [
      {
        name: 'dose_svm' as const,
        fit: (_: unknown, seed: number) => ({
          judge: ({ rowCount }: { rowCount: number }) => ({
            scores: Float64Array.from({ length: rowCount }, (__, row) => (seed === 1 ? -row : row)),
            flags: new Uint8Array(rowCount),
          }),
        }),
      },
    ];
    const test = { ...TABLES.test, positives: TABLES.test.positives.map((_, row) => (row < 100 ? 1 : 0)) };
    const result = runNovelty({ ...TABLES, test }, { seeds: [1, 2], detectors });
    expect(result.metrics.dose_svm_test_scores?.values).toEqual([1, 0]);
    expect(result.metrics.dose_svm_test_hard?.mean).toBe(0.5);
    expect(result.tooSpread).toEqual(['dose_svm']);
    expect(result.notes.join()).toContain('ships switched off: dose_svm');
  });

  it('leaves out a split with one class, and says so', () => {
    const result = runNovelty(
      { ...TABLES, validation: rows(4, 50, false) },
      { seeds: [1], detectors: NOVELTY_DETECTORS.slice(0, 1) },
    );
    expect(Object.keys(result.metrics)).toEqual([
      'isolation_forest_test_hard',
      'isolation_forest_test_scores',
    ]);
    expect(result.notes[0]).toContain('all 50 validation rows have one class');
  });

  it('leaves out columns that are constant over the training rows, and says so', () => {
    const columns = [...TABLES.train.columns.slice(0, 2), new Float64Array(600).fill(3)];
    const options = {
      seeds: [1],
      detectors: NOVELTY_DETECTORS.filter(({ name }) => name === 'elliptic_envelope'),
    };
    const result = runNovelty({ ...TABLES, train: { ...TABLES.train, columns } }, options);
    expect(result.notes).toContain('left out, constant over the training rows: c');
    const flat = columns.map(() => new Float64Array(600));
    expect(() => runNovelty({ ...TABLES, train: { ...TABLES.train, columns: flat } }, options)).toThrow(
      /every column is constant/,
    );
  });

  it('warns when most training rows lie in a plane', () => {
    const mostly = TABLES.train.columns[2]!.map((value, row) => (row % 3 === 0 ? value : 10));
    const columns = [...TABLES.train.columns.slice(0, 2), mostly];
    const options = {
      seeds: [1],
      detectors: NOVELTY_DETECTORS.filter(({ name }) => name === 'elliptic_envelope'),
    };
    const result = runNovelty({ ...TABLES, train: { ...TABLES.train, columns } }, options);
    expect(result.notes.join()).toContain('lie in a plane');
  });

  it('refuses tables that do not fit, with the place', () => {
    const seeds = [1];
    const other = { ...TABLES.test, names: ['a', 'b', 'd'] };
    expect(() => runNovelty({ ...TABLES, test: other }, { seeds })).toThrow(/test rows: the columns differ/);
    const columns = TABLES.test.columns.map((column) => column.slice());
    columns[1]![7] = Number.NaN;
    expect(() => runNovelty({ ...TABLES, test: { ...TABLES.test, columns } }, { seeds })).toThrow(
      /test rows: row 7, column b has no finite value/,
    );
    expect(() => runNovelty(TABLES, { seeds: [] })).toThrow(/at least one seed/);
    const positives = new Uint8Array(3);
    expect(() => runNovelty({ ...TABLES, test: { ...TABLES.test, positives } }, { seeds })).toThrow(
      /3 labels for 300 rows/,
    );
  });
});

describe('reading tables', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'picket-novelty-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const header = 'processId,parentProcessId,userId,mountNamespace,eventId,argsNum,returnValue,sus';
  const writeBeth = (part: string, lines: readonly string[]) =>
    writeFile(join(folder, `labelled_${part}_data.csv`), [header, ...lines].join('\n'));

  it('BETH: seven columns as its paper makes them; errors name file, row and column', async () => {
    for (const part of ['training', 'validation', 'testing']) {
      await writeBeth(part, [
        '1,0,0,4026531840,41,3,-2,0',
        '377,2,1001,4026532232,3,1,0,1',
        '3,377,0,1,157,5,9,1',
      ]);
    }
    const { train, test } = await readBeth(folder);
    expect(train.columns.map((column) => [...column])).toEqual([
      [0, 1, 1],
      [0, 0, 1],
      [0, 1, 0],
      [0, 1, 1],
      [41, 3, 157],
      [3, 1, 5],
      [0, 1, 2],
    ]);
    expect([...test.positives]).toEqual([0, 1, 1]);
    await writeBeth('testing', ['1,0,0,4026531840,41,3,-2,0', '1,0,,4026531840,41,3,-2,0']);
    await expect(readBeth(folder)).rejects.toThrow(
      /labelled_testing_data.csv: row 2, column userId is empty/,
    );
    await writeBeth('testing', ['1,0,root,4026531840,41,3,-2,0']);
    await expect(readBeth(folder)).rejects.toThrow(/text where numbers are needed/);
    await rm(join(folder, 'labelled_testing_data.csv'));
    await expect(readBeth(folder)).rejects.toThrow(/no file is named like/);
  });

  it('CSIC: a line of another form is refused with its number', async () => {
    const write = (lines: readonly string[]) => writeFile(join(folder, 'decoded.tsv'), lines.join('\n'));
    await write(['label\tmethod\tpath\tparams', '0\tGET\t/a\t', '2\tGET\t/a\tb=1']);
    await expect(readCsic(folder, 1)).rejects.toThrow(/line 3 is not label/);
    await write(['a\tb']);
    await expect(readCsic(folder, 1)).rejects.toThrow(/line 1 is not/);
    await expect(readKddHttp(folder, 1)).rejects.toThrow(/no file is named like/);
    await expect(readKddHttp(join(folder, 'absent'), 1)).rejects.toThrow(/cannot be read/);
  });

  it('KDD: equal rows never stand on both sides, and only normal rows are learnt', async () => {
    const lines = Array.from({ length: 300 }, (_, i) => `${i % 3},${i % 60},${i % 5},${i % 60 < 12 ? 1 : 0}`);
    await writeFile(
      join(folder, 'http_300.csv'),
      ['duration_s,src_bytes,dst_bytes,label', ...lines].join('\n'),
    );
    const { train, validation, test } = await readKddHttp(folder, 1);
    const keysOf = ({ columns, rowCount }: NoveltyTables['train']) =>
      new Set(Array.from({ length: rowCount }, (_, row) => columns.map((column) => column[row]).join()));
    const parts = [keysOf(train), keysOf(validation), keysOf(test)];
    expect(parts.reduce((sum, keys) => sum + keys.size, 0)).toBe(
      new Set(parts.flatMap((keys) => [...keys])).size,
    );
    expect(train.columns[1]!.every((bytes) => bytes >= 12)).toBe(true);
    expect(validation.positives.includes(1) && test.positives.includes(1)).toBe(true);
  });
});

it('the shape of a request: a number for each name', () => {
  const shape = requestShape('GET', '/a/b.jsp', 'id=3&name=x\\r\\ny<');
  expect(Object.fromEntries(REQUEST_SHAPE_NAMES.map((name, i) => [name, shape[i]]))).toMatchObject({
    is_get: 1,
    path_length: 8,
    path_depth: 2,
    path_dots: 1,
    parameter_count: 2,
    value_length_max: 7,
    special_count: 3,
    control_count: 2,
  });
  expect(requestShape('POST', '/', '').every(Number.isFinite)).toBe(true);
  expect(entropyBits('abab')).toBe(1);
  expect(entropyBits('')).toBe(0);
});
