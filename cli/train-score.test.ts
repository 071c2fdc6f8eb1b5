// `picket train` and `picket score` as they are called: figures and bundle from a file, the same bytes again, scores that
// equal the trainer's own, and plain words for every wrong call.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { PicketError } from '../domain/errors.ts';
import { predictMargins, trainBooster } from '../training/booster.ts';
import type { Dataset } from '../training/dataset.ts';
import { madeRows } from '../training/made-rows.ts';
import { parseBundle } from '../wasm-core/host/bundle.ts';
import type { Command } from './command.ts';
import { scoreCommand } from './score.ts';
import { trainCommand } from './train.ts';

const folder = mkdtempSync(join(tmpdir(), 'picket-train-'));
afterAll(() => rmSync(folder, { recursive: true }));
const DATA = madeRows({ seed: 8, rowCount: 400, classCount: 2, missingShare: 0.1 });
const QUICK = ['--folds', '3', '--seeds', '2', '--max-iter', '10', '--created-ms', '1700000000000'];

function csvOf({ names, columns, labels }: Dataset): string {
  const rows = Array.from(labels, (label, row) => {
    const cells = columns.map((column) => (Number.isNaN(column[row]!) ? '' : String(column[row])));
    return [
      `id-${row}`,
      ...cells,
      label,
      label === 1 ? 'attack' : 'normal',
      row % 4 === 0 ? 'eu' : 'us',
    ].join(',');
  });
  return `id,${names.join(',')},bad,kind,region\n${rows.join('\n')}\n`;
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const ROWS = file('rows.csv', csvOf(DATA));
const NAMES = DATA.names.join(',');
const out = (name: string) => join(folder, name);

async function call(
  command: Command,
  args: string[],
): Promise<{ stdout: string; stderr: string; code: number }> {
  const texts: Record<'stdout' | 'stderr', string> = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') =>
    new Writable({
      write(chunk, _encoding, done) {
        texts[name] += String(chunk);
        done();
      },
    });
  const code = await command.run(args, { stdout: sink('stdout'), stderr: sink('stderr'), env: {} });
  return { ...texts, code };
}

/** What a wrong call is told: code, message, fields and hint in one text. */
async function refusal(command: Command, args: string[]): Promise<string> {
  try {
    await call(command, args);
  } catch (thrown) {
    const { code, message, problems, hint } = PicketError.from(thrown);
    return [code, message, ...problems.map((p) => `${p.field}: ${p.value}`), hint ?? ''].join(' | ');
  }
  return 'nothing';
}

describe('picket train', () => {
  it('prints the figures with their deviations, progress beside them, and writes a bundle', async () => {
    const args = ['--data', ROWS, '--label', 'bad', '--features', NAMES, '--out', out('a.bundle'), ...QUICK];
    const { stdout, stderr, code } = await call(trainCommand, args);
    expect(code).toBe(0);
    for (const name of ['roc_auc', 'pr_auc', 'f1', 'threshold']) {
      expect(stdout).toMatch(new RegExp(`^${name} +0\\.\\d{4} ± 0\\.\\d{4}$`, 'm'));
    }
    expect(stderr).toContain('12 of 12 fits');
    const bundle = parseBundle(readFileSync(out('a.bundle')), { requireSigned: false, trustedKeys: [] });
    expect(bundle.manifest).toMatchObject({ name: 'a', createdMs: 1_700_000_000_000, data: { rows: 400 } });
    expect(bundle.features.map(({ name }) => name)).toEqual(DATA.names);
    expect(bundle.manifest.data['source']).toBe('rows.csv');
  });

  it('gives one line of JSON, and the same bytes for the same call, gzipped or not', async () => {
    const packed = file('packed.csv.gz', gzipSync(csvOf(DATA)));
    const args = (data: string, name: string) => [
      '--data',
      data,
      '--label',
      'bad',
      '--features',
      NAMES,
      '--json',
      '--out',
      out(name),
      ...QUICK,
    ];
    const first = await call(trainCommand, args(ROWS, 'b.bundle'));
    const [bytes, report] = [
      readFileSync(out('b.bundle')),
      JSON.parse(first.stdout) as Record<string, unknown>,
    ];
    expect(Object.keys(report)).toEqual(
      expect.arrayContaining(['roc_auc', 'pr_auc', 'f1', 'threshold', 'roc_auc_sd']),
    );
    expect(report['roc_auc']).toBeGreaterThan(0.85);
    await call(trainCommand, args(ROWS, 'b.bundle'));
    expect(readFileSync(out('b.bundle')).equals(bytes)).toBe(true);
    const fromPacked = JSON.parse(
      (await call(trainCommand, args(packed, 'c.bundle'))).stdout,
    ) as typeof report;
    expect(fromPacked['roc_auc']).toBe(report['roc_auc']);
  });

  it('takes all numeric columns when texts are the label, filters or ignored', async () => {
    const args = ['--data', ROWS, '--label', 'kind', '--positive', 'attack', '--ignore', 'id,bad'];
    const { stdout } = await call(trainCommand, [
      ...args,
      '--where',
      'region=us',
      '--json',
      '--out',
      out('d.bundle'),
      ...QUICK,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ rows: 300, features: DATA.names });
  });

  it('counts repeats, and drops them when asked', async () => {
    const [header, ...rows] = csvOf(DATA).trimEnd().split('\n');
    const twice = file('twice.csv', [header, ...rows, ...rows.slice(0, 50)].join('\n'));
    const args = [
      '--data',
      twice,
      '--label',
      'bad',
      '--features',
      NAMES,
      '--json',
      '--out',
      out('e.bundle'),
      ...QUICK,
    ];
    expect(JSON.parse((await call(trainCommand, args)).stdout)).toMatchObject({
      rows: 450,
      repeated_rows: 50,
    });
    const dropped = await call(trainCommand, [...args, '--drop-repeats']);
    expect(JSON.parse(dropped.stdout)).toMatchObject({ rows: 400, repeated_rows: 0 });
  });

  it.each([
    [
      'a text column that is not named',
      ['--label', 'bad'],
      /DATA_INVALID.*3 columns hold text.*id: "id-0" in line 2.*--ignore/,
    ],
    [
      'a text column among the features',
      ['--label', 'bad', '--features', 'noise,kind'],
      /one column holds text.*kind: "attack"/,
    ],
    [
      'a column that is not there',
      ['--label', 'bad', '--features', 'nois'],
      /no column nois.*the columns are: id, normal/,
    ],
    [
      'the label as a feature',
      ['--label', 'bad', '--features', 'bad,noise'],
      /CONFIG_INVALID.*the label cannot be a feature/,
    ],
    [
      'a label that needs a positive value',
      ['--label', 'kind', '--features', NAMES],
      /values attack, normal.*--positive/,
    ],
    [
      'a positive value that never occurs',
      ['--label', 'kind', '--positive', 'x', '--features', NAMES],
      /never x/,
    ],
    [
      'a label of one value',
      ['--label', 'kind', '--positive', 'attack', '--where', 'kind=attack', '--features', NAMES],
      /in every row/,
    ],
    [
      'filters that leave nothing',
      ['--label', 'bad', '--where', 'region=mars', '--features', NAMES],
      /no row is left/,
    ],
    [
      'a filter without a value',
      ['--label', 'bad', '--where', 'region', '--features', NAMES],
      /--where: region/,
    ],
    [
      'numbers out of range',
      ['--label', 'bad', '--folds', '2', '--l2', '-1'],
      /CONFIG_INVALID.*--folds: 2.*--l2: -1/,
    ],
    ['unknown flags', ['--label', 'bad', '--sedes', '3'], /--sedes/],
  ])('refuses %s', async (_what, args, message) => {
    expect(await refusal(trainCommand, ['--data', ROWS, '--out', out('no.bundle'), ...args])).toMatch(
      message,
    );
  });

  it('names every flag that is required', async () => {
    expect(await refusal(trainCommand, [])).toMatch(
      /CONFIG_INVALID.*--data: nothing.*--label: nothing.*--out: nothing/,
    );
  });

  it('says when the label is missing in rows', async () => {
    const path = file('gaps.csv', 'x,y\n1,0\n2,\n3,1\n');
    expect(await refusal(trainCommand, ['--data', path, '--label', 'y', '--out', out('no.bundle')])).toMatch(
      /label y is missing in 1 rows/,
    );
  });
});

describe('picket score', () => {
  const options = ['--data', ROWS, '--label', 'bad', '--features', NAMES, '--out', out('s.bundle'), ...QUICK];

  it('explains each row: bias and contributions add up to the raw margin', async () => {
    await call(trainCommand, [
      ...['--data', ROWS, '--label', 'bad', '--features', NAMES, '--out', out('e.bundle'), ...QUICK],
    ]);
    const args = ['--bundle', out('e.bundle'), '--data', ROWS, '--margin', '--explain'];
    const { stdout } = await call(scoreCommand, args);
    const [header, ...rows] = stdout.trimEnd().split('\n');
    expect(header).toBe(`margin,bias,${DATA.names.join(',')}`);
    expect(rows).toHaveLength(DATA.rowCount);
    for (const row of rows) {
      const [margin, ...parts] = row.split(',').map(Number);
      expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(margin!, 9);
    }
  });

  it('writes one score a row, equal to the trainer’s margins to the last bit', async () => {
    await call(trainCommand, options);
    const model = trainBooster(DATA, { maxIter: 10 });
    const shuffled = csvOf(DATA)
      .split('\n')
      .map((line) => line.split(',').reverse().join(','))
      .join('\n');
    const data = file('reversed.csv', shuffled);
    const { stdout } = await call(scoreCommand, ['--bundle', out('s.bundle'), '--data', data, '--margin']);
    expect(stdout.trimEnd().split('\n').map(Number)).toEqual([...predictMargins(model, DATA)[0]!]);
    const scores = (await call(scoreCommand, ['--bundle', out('s.bundle'), '--data', ROWS])).stdout
      .trimEnd()
      .split('\n');
    expect(scores.length).toBe(400);
    expect(scores.map(Number).every((score) => score > 0 && score < 1)).toBe(true);
  });

  it('names missing columns, texts, and files that are no bundles', async () => {
    await call(trainCommand, options);
    const lacking = file('lacking.csv', 'normal,whole\n1,2\n');
    const bundle = ['--bundle', out('s.bundle'), '--data'];
    expect(await refusal(scoreCommand, [...bundle, lacking])).toMatch(/no column skewed, noise/);
    const text = file('text.csv', 'normal,skewed,whole,noise\n1,2,3,4\n1,2,x,4\n');
    expect(await refusal(scoreCommand, [...bundle, text])).toMatch(/whole: "x" in line 3/);
    expect(await refusal(scoreCommand, ['--bundle', lacking, '--data', lacking])).toMatch(/^BUNDLE_CORRUPT/);
    expect(await refusal(scoreCommand, ['--bundle', out('none'), '--data', lacking])).toMatch(
      /cannot be read: ENOENT/,
    );
  });

  it('writes nothing for a file without rows', async () => {
    await call(trainCommand, options);
    const empty = file('empty.csv', `${NAMES}\n`);
    expect(await call(scoreCommand, ['--bundle', out('s.bundle'), '--data', empty])).toMatchObject({
      stdout: '',
      code: 0,
    });
  });
});
