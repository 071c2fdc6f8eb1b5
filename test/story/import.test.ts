// `picket import` as it is called: a bundle whose score --margin prints the library's own margins, names by map, refusals
// that say where, nothing written when something is wrong, and a sidecar that takes what it offers and names what it lacks.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { runPicket } from '../../cli/main.ts';
import { FEATURES, OFFERED_IDS } from '../../domain/features.ts';
import { parseBundle } from '../../wasm-core/host/bundle.ts';
import { prepareBundle } from '../../wasm-core/host/prepare.ts';
import { IMPORT_FIXTURES, type ImportFixture } from '../parity/import-fixtures.ts';
import { Cleanup, spawnPicket } from '../support/sidecars.ts';

const cleanup = new Cleanup();
afterAll(() => cleanup.run());
const folder = cleanup.folder();
const LIVE = FEATURES.filter(({ id }) => OFFERED_IDS.includes(id)).map(({ name }) => name);

function fixtureOf(name: string): ImportFixture {
  return IMPORT_FIXTURES.find((one) => one.name === name)!;
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function picket(...args: string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  const texts = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') =>
    new Writable({
      write(chunk, _encoding, done) {
        texts[name] += String(chunk);
        done();
      },
    });
  const code = await runPicket(args, { stdout: sink('stdout'), stderr: sink('stderr'), env: {} });
  return { ...texts, code };
}

const TIME = ['--created-ms', '1700000000000'];

/** Imports a fixture; gives the path of the bundle and what was printed. */
async function imported(name: string, ...more: string[]) {
  const fixture = fixtureOf(name);
  const model = file(`${name}.model`, fixture.files[0]!.bytes);
  const out = join(folder, `${name}.bundle`);
  const said = await picket('import', '--from', fixture.from, model, '--out', out, ...TIME, ...more);
  return { fixture, model, out, ...said };
}

function csvOf(names: readonly string[], rows: readonly Float64Array[]): string {
  const lines = rows.map((row) => [...row].map((x) => (Number.isNaN(x) ? '' : String(x))).join(','));
  return `${names.join(',')}\n${lines.join('\n')}\n`;
}

function numbersIn(text: string): number[][] {
  return text
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number));
}

const SCORED: readonly [string, readonly string[]][] = [
  ['sklearn-hgb-categories', ['x0', 'x1', 'x2', 'x3', 'x4', 'x5']],
  ['sklearn-forest-three', ['x0', 'x1', 'x2', 'x3', 'x4', 'x5']],
  ['sklearn-isolation', ['x0', 'x1', 'x2', 'x3', 'x4', 'x5']],
  ['lightgbm-three', [0, 1, 2, 3, 4, 5].map((i) => `Column_${i}`)],
  ['xgboost-binary', [0, 1, 2, 3, 4, 5].map((i) => `in_${i}`)],
  ['onnx-columns', [0, 1, 2, 3, 4, 5].map((i) => `req_${i}`)],
];

describe('picket import, then score', () => {
  it.each(SCORED)('%s: the margins of the library, bit for bit, from a file', async (name, names) => {
    const { fixture, out, code } = await imported(name);
    expect(code).toBe(0);
    const rows = file(`${name}.csv`, csvOf(names, fixture.rows));
    const { stdout } = await picket('score', '--bundle', out, '--data', rows, '--margin');
    const expected = fixture.margins.map((row) => [...row].map((x) => x + 0));
    expect(numbersIn(stdout).map((row) => row.map((x) => x + 0))).toEqual(expected);
  });

  it('scores as the library predicts, and explains the model rather than its verdict', async () => {
    const { fixture, out } = await imported('sklearn-isolation');
    const rows = file('isolation.csv', csvOf(SCORED[2]![1], fixture.rows));
    const scores = numbersIn((await picket('score', '--bundle', out, '--data', rows)).stdout);
    scores.forEach(([score], i) => {
      expect(score).toBeCloseTo(fixture.scores![i]![0]!, 14);
    });
    const { stdout } = await picket('score', '--bundle', out, '--data', rows, '--margin', '--explain');
    expect(stdout.split('\n')[0]).toBe('margin,bias,x0,x1,x2,x3,x4,x5');
    for (const [margin, ...parts] of numbersIn(stdout).slice(1)) {
      expect(parts.reduce((a, b) => a + b, 0)).toBeCloseTo(margin!, 9);
    }
  });

  it('says what came in, and gives the same bytes twice', async () => {
    const first = await imported('lightgbm-categories');
    const bytes = readFileSync(first.out);
    const again = await imported('lightgbm-categories', '--json');
    expect(readFileSync(again.out).equals(bytes)).toBe(true);
    expect(first.stdout).toContain('LightGBM v4: 12 trees, one output, 6 of 6 inputs read');
    expect(first.stdout).toContain('For picket score only: no sidecar offers Column_0');
    const said = JSON.parse(again.stdout) as Record<string, unknown>;
    expect(said).toMatchObject({
      library: 'LightGBM v4',
      kind: 'gbdt_logit',
      trees: 12,
      outputs: 1,
      inputs: 6,
    });
  });
});

describe('names', () => {
  const inputs = [0, 1, 2, 3, 4, 5].map((i) => `Column_${i}`);
  const map = file('map.json', JSON.stringify(Object.fromEntries(inputs.map((name, i) => [name, LIVE[i]]))));

  it('mapped to live features make a bundle that a sidecar takes', async () => {
    const { out, stdout, fixture } = await imported('lightgbm-binary', '--map', map);
    expect(stdout).toContain('a sidecar can load it');
    expect((await picket('validate', out)).stdout).toContain('fits this sidecar; golden vectors hold');
    const options = { requireSigned: false, trustedKeys: [], offeredIds: OFFERED_IDS };
    expect(prepareBundle(parseBundle(readFileSync(out), options)).trees).toBe(12);
    const rows = file('live.csv', csvOf(LIVE.slice(0, 6), fixture.rows));
    const { stdout: margins } = await picket('score', '--bundle', out, '--data', rows, '--margin');
    expect(numbersIn(margins)).toEqual(fixture.margins.map((row) => [...row]));
  });

  it('of its own are refused by a sidecar, which names them', async () => {
    const { out } = await imported('lightgbm-regression');
    expect((await picket('validate', out)).stdout).toContain(
      'for `picket score` only: not all features are live',
    );
    const free = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--upstream', 'http://127.0.0.1:9'];
    const sidecar = spawnPicket(cleanup, ['sidecar', ...free, '--bundle', out]);
    expect(await sidecar.exit).not.toBe(0);
    expect(sidecar.errors()).toContain('features not offered: Column_0, Column_1, Column_2');
  });

  it.each([
    ['{"Column_9":"a"}', /Column_9: found no such input/],
    [
      '{"Column_0":"Column_1"}',
      /input 1 \(Column_1\): found Column_1, expected a feature that no other input has/,
    ],
    ['{"Column_0":""}', /a name of 1 to 256 bytes/],
    ['{"Column_0":7}', /"Column_0" is not mapped to a name/],
    ['["a"]', /not an object/],
    ['{', /not JSON/],
  ])('that cannot be: %s', async (text, message) => {
    const out = join(folder, 'unnamed.bundle');
    const model = file('unnamed.model', fixtureOf('lightgbm-binary').files[0]!.bytes);
    const path = file('bad-map.json', text);
    const said = await picket('import', '--from', 'lightgbm', model, '--out', out, '--map', path);
    expect(said.code).toBe(1);
    expect(said.stderr).toMatch(message);
    expect(existsSync(out)).toBe(false);
  });
});

describe('refusals', () => {
  it.each([
    ['sklearn', 'lightgbm-binary', /scikit-learn export: not JSON/],
    ['lightgbm', 'xgboost-binary', /line 1: found ".*expected "tree"/],
    ['xgboost', 'lightgbm-binary', /UBJSON, byte 1: unknown marker/],
    ['onnx', 'sklearn-hgb-binary', /ONNX model.*byte/],
  ])('a file of another format: %s from %s', async (from, name, message) => {
    const out = join(folder, 'wrong.bundle');
    const model = file('wrong.model', fixtureOf(name).files[0]!.bytes);
    const said = await picket('import', '--from', from, model, '--out', out);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain(`DATA_INVALID: ${model}: `);
    expect(said.stderr).toMatch(message);
    expect(existsSync(out)).toBe(false);
  });

  it('wrong calls: no file, no such file, unknown format', async () => {
    const out = join(folder, 'none.bundle');
    expect(await picket('import', '--from', 'onnx', '--out', out)).toMatchObject({ code: 2 });
    expect(await picket('import', '--from', 'pmml', 'x', '--out', out)).toMatchObject({ code: 2 });
    const missing = await picket('import', '--from', 'onnx', join(folder, 'none'), '--out', out);
    expect(missing.stderr).toMatch(/DATA_INVALID: .*none cannot be read/);
  });
});
