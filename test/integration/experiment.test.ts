// `picket experiment` from the outside: files, their form, the same bytes for the same seeds, and refusals that write nothing.
// The behaviour data lie outside the repository; without them that part is skipped.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { runPicket } from '../../cli/main.ts';

const SHARED = fileURLToPath(new URL('../../../shared/data/kaggle_api_behaviour', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'picket-experiment-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

class Kept extends Writable {
  text = '';
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function experiment(...args: string[]) {
  const stdout = new Kept();
  const stderr = new Kept();
  const code = await runPicket(['experiment', ...args], { stdout, stderr, env: {} });
  return { code, out: stdout.text, err: stderr.text };
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

function expectForm(folder: string, name: string, seeds: number): void {
  const result = JSON.parse(read(folder, 'result.json')) as Record<string, unknown>;
  expect(Object.keys(result)).toEqual(['name', 'seeds', 'rows', 'published', 'ours', 'honest', 'notes']);
  expect(result).toMatchObject({ name, seeds });
  for (const part of ['ours', 'honest']) {
    for (const figure of Object.values(result[part] as Record<string, Record<string, number>>)) {
      expect(Object.keys(figure)).toEqual(['mean', 'sd']);
      for (const value of Object.values(figure)) expect(Number.isFinite(value)).toBe(true);
    }
  }
  const html = read(folder, 'report.html');
  const plots = readdirSync(folder).filter((file) => file.endsWith('.svg'));
  expect(plots.length).toBeGreaterThan(1);
  for (const plot of plots) expect(html).toContain(read(folder, plot));
  expect(html).not.toMatch(/<script|NaN|undefined/);
}

function expectSameFiles(one: string, other: string): void {
  expect(readdirSync(one).sort()).toEqual(readdirSync(other).sort());
  for (const file of readdirSync(one)) expect(read(one, file) === read(other, file), file).toBe(true);
}

describe('picket experiment volume', () => {
  it('writes the report, shows progress and the table, and repeats itself to the byte', async () => {
    const [first, second] = [join(FOLDER, 'volume-1'), join(FOLDER, 'volume-2')];
    const { code, out, err } = await experiment('volume', '--seeds', '2', '--seed', '5', '--out', first);
    expect({ code, err }).toMatchObject({ code: 0, err: expect.stringContaining('volume: 2 of 2') });
    expect(out).toMatch(/metric +published +ours +honest/);
    expect(out).toMatch(/^f1 +0\.9640 +0\.\d{4} ± 0\.\d{4}/m);
    expectForm(first, 'volume', 2);
    await experiment('volume', '--seeds', '2', '--seed', '5', '--out', second);
    expectSameFiles(first, second);
  });
});

describe('picket experiment, called wrongly', () => {
  const out = join(FOLDER, 'nothing');

  it.each([
    [['--out', out], /NAME: found nothing/],
    [['nonsense', '--out', out], /found nonsense, expected behaviour, volume/],
    [['behaviour', '--out', out], /--data/],
    [['volume', '--data', FOLDER, '--out', out], /makes its own data/],
    [['behaviour', '--data', FOLDER, '--out', out], /neither features\.csv nor/],
    [['volume'], /--out/],
  ])('%j says what is wrong and writes nothing', async (args, message) => {
    const { code, err } = await experiment(...args);
    expect(code).not.toBe(0);
    expect(err).toMatch(message);
    expect(existsSync(out)).toBe(false);
  });

  it('names file and row of a class that is neither normal nor outlier', async () => {
    const folder = mkdtempSync(join(FOLDER, 'bad-'));
    const header =
      '_id,ip_type,classification,n_connections,avg_global_source_degrees,std_global_source_degrees,' +
      'min_global_source_degrees,max_global_source_degrees,avg_global_dest_degrees,min_global_dest_degrees,' +
      'max_global_dest_degrees,std_local_source_degrees,sequence_length(count),api_access_uniqueness,' +
      'inter_api_access_duration(sec),num_users';
    writeFileSync(join(folder, 'features.csv'), `${header}\na,default,odd,1,2,3,4,5,6,7,8,9,10,11,12,13\n`);
    const { code, err } = await experiment('behaviour', '--data', folder, '--out', out);
    expect(code).toBe(1);
    expect(err).toMatch(/features\.csv, row 1, column classification: "odd"/);
    expect(existsSync(out)).toBe(false);
  });
});

describe.skipIf(!existsSync(SHARED))('picket experiment behaviour', () => {
  it('writes both protocols and the splits, and finds the leak', { timeout: 120_000 }, async () => {
    const folder = join(FOLDER, 'behaviour');
    const { code, out } = await experiment('behaviour', '--data', SHARED, '--seeds', '1', '--out', folder);
    expect(code).toBe(0);
    expectForm(folder, 'behaviour', 1);
    expect(out).toContain('made up');
    expect(out).toContain('"num_users is 1" in 1276 of 1276 rows');
    const result = JSON.parse(read(folder, 'result.json')) as { ours: Record<string, { mean: number }> };
    expect(result.ours['roc_auc']!.mean).toBeGreaterThan(0.96);
    const splits = JSON.parse(read(folder, 'splits.json')) as Record<
      string,
      { train: number[]; test: number[] }[]
    >;
    for (const protocol of ['published', 'honest']) {
      const { train, test } = splits[protocol]![0]!;
      expect(new Set([...train, ...test]).size).toBe(1146);
      expect(train.length + test.length).toBe(1146);
    }
  });
});
