// `picket features` and `picket replay --explain`: the list as the docs have it, vectors of a log as the offline run
// computes them, reasons for the highest scores, wrong calls; through the built command and in process.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { Explained } from '../../cli/explain.ts';
import { type LoggedRequest, offlineRequest } from '../../cli/logged-request.ts';
import { runPicket } from '../../cli/main.ts';
import { FEATURE_COUNT, FEATURES } from '../../domain/features.ts';
import { FeatureEngine } from '../../feature-engine/engine.ts';
import { readAccessLog } from '../../simulator/access-log.ts';
import { OfflineRun } from '../../simulator/offline.ts';
import { captured } from '../support/captured.ts';
import { Cleanup } from '../support/sidecars.ts';

const BIN = fileURLToPath(new URL('../../bin/picket.mjs', import.meta.url));
const LOGS = fileURLToPath(new URL('../../../shared/data/web_access_logs/', import.meta.url));
const ALMHUETTE = join(LOGS, 'almhuette_2019_tail10000.log.gz');

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

async function picket(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { io, out, err } = captured();
  return { code: await runPicket(args, io), out: out(), err: err() };
}

function line(second: number, address: string, target: string, status = 200): string {
  const [minutes, seconds] = [Math.floor(second / 60), second % 60].map((n) => String(n).padStart(2, '0'));
  const at = `14/Oct/2019:10:${minutes}:${seconds} +0000`;
  return `${address} - - [${at}] "GET ${target} HTTP/1.1" ${status} 9 "-" "A, \\"B\\"/1"`;
}

/** Calm visitors, some lines out of order, and one address that tries paths which are not there. */
function sampleLog(): string {
  const lines: string[] = [];
  for (let i = 0; i < 400; i++) {
    const second = i * 3 - (i % 7 === 0 ? 5 : 0);
    lines.push(line(Math.max(0, second), `10.1.0.${i % 40}`, `/p/${i % 11}?q=${i}`));
  }
  for (let i = 0; i < 300; i++)
    lines.push(line(600 + Math.floor(i / 30), '10.9.9.9', `/admin/try-${'x'.repeat(i % 30)}`, 404));
  lines.splice(17, 0, 'not a request');
  return `${lines.join('\n')}\n`;
}

describe('picket features', () => {
  it('prints the list that docs/features.md has, through the built command', () => {
    const docs = readFileSync(new URL('../../docs/features.md', import.meta.url), 'utf8');
    const documented = [...docs.matchAll(/^\| (\d+) \| `(\w+)` \|/gm)].map(([, id, name]) => [
      Number(id),
      name,
    ]);
    expect(documented).toEqual(FEATURES.map(({ id, name }) => [id, name]));
    const json = spawnSync(process.execPath, [BIN, 'features', '--json'], { encoding: 'utf8' });
    const listed = JSON.parse(json.stdout) as {
      id: number;
      name: string;
      range: (number | null)[];
      source: string;
    }[];
    expect(listed.map(({ id, name }) => [id, name])).toEqual(documented);
    for (const { range, source } of listed) expect([range.length, source === '']).toEqual([2, false]);
    const text = spawnSync(process.execPath, [BIN, 'features'], { encoding: 'utf8' });
    expect(text.stdout.trimEnd().split('\n')).toHaveLength(FEATURES.length + 1);
  });

  it('writes one vector a request, the same as an offline run over the sorted log', async () => {
    const log = join(cleanup.folder(), 'a.log.gz');
    const out = join(cleanup.folder(), 'a.csv');
    writeFileSync(log, gzipSync(sampleLog()));
    const ran = await picket('features', '--log', log, '--out', out, '--json');
    expect(JSON.parse(ran.out)).toEqual({ lines: 701, requests: 700, malformed: 1, late: 0, out });
    const { requests } = await readAccessLog(log);
    const expected: string[] = [];
    new OfflineRun<LoggedRequest>({
      engine: new FeatureEngine({ identities: 25_000, startedMs: requests[0]!.atMs }),
      onVector: ({ request, vector }) => {
        const { atMs, address, method, target, status } = request.line;
        const values = [...vector.subarray(0, FEATURE_COUNT)].map((value) =>
          Number.isNaN(value) ? '' : String(value),
        );
        const path = target.split('?')[0]!;
        expected.push([new Date(atMs).toISOString(), address, method, path, status, ...values].join(','));
        return true;
      },
    }).run(requests.map((request) => offlineRequest(request)));
    const [head, ...rows] = readFileSync(out, 'utf8').trimEnd().split('\n');
    expect(head).toBe(
      ['time', 'address', 'method', 'path', 'status', ...FEATURES.map(({ name }) => name)].join(','),
    );
    expect(rows).toEqual(expected);
  });

  it('knows data centres by a list, as a sidecar with the same option does', async () => {
    const folder = cleanup.folder();
    const [log, cidrs, out] = ['a.log', 'cidrs.txt', 'a.csv'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(log, [line(1, '203.0.113.9', '/a'), line(2, '198.51.100.1', '/a')].join('\n'));
    writeFileSync(cidrs, '203.0.113.0/24\n');
    expect((await picket('features', '--log', log, '--out', out, '--hosting-cidrs', cidrs)).code).toBe(0);
    const [head = [], ...rows] = readFileSync(out, 'utf8')
      .trimEnd()
      .split('\n')
      .map((row) => row.split(','));
    expect(rows.map((row) => row[head.indexOf('address_datacenter')])).toEqual(['1', '0']);
  });

  it('quotes paths that need it', async () => {
    const log = join(cleanup.folder(), 'a.log');
    const out = join(cleanup.folder(), 'a.csv');
    writeFileSync(log, `${line(1, '10.0.0.1', '/a,b"c')}\n`.replace('/a,b"c', '/a,b\\"c'));
    expect((await picket('features', '--log', log, '--out', out)).code).toBe(0);
    expect(readFileSync(out, 'utf8').split('\n')[1]).toMatch(/,GET,"\/a,b\\""c",200,1,/);
  });
});

async function explained(...args: string[]): Promise<Explained[]> {
  const ran = await picket('replay', '--offline', '--json', ...args);
  expect([ran.code, ran.err]).toEqual([0, expect.any(String)]);
  return (JSON.parse(ran.out.trimEnd().split('\n').at(-1)!) as { explained: Explained[] }).explained;
}

describe('picket replay --explain', () => {
  it('shows the identities with the highest scores and why', async () => {
    const log = join(cleanup.folder(), 'a.log');
    writeFileSync(log, sampleLog());
    const found = await explained('--log', log, '--explain', '3');
    expect(found).toHaveLength(3);
    const [first] = found;
    expect(first!.identity).toBe('address:10.9.9.9');
    expect(first!.score).toBeGreaterThan(found[1]!.score);
    expect(first!.reasons.map(({ feature }) => feature).join()).toMatch(
      /requests_|gap|error_share|status_404/,
    );
    for (const { margin, ordinary_margin, reasons, rest } of found) {
      const gained = reasons.reduce((sum, { gain }) => sum + gain, 0);
      expect(ordinary_margin + gained + rest).toBeCloseTo(margin, 9);
    }
    const text = (await picket('replay', '--offline', '--log', log, '--explain', '1')).out;
    expect(text).toContain('1. address:10.9.9.9');
    expect(text).not.toContain('2. address:');
  });

  it.skipIf(!existsSync(ALMHUETTE))('finds the address that tries passwords in a real log', async () => {
    const posts = new Map<string, number>();
    for (const { method, address } of (await readAccessLog(ALMHUETTE)).requests)
      if (method === 'POST') posts.set(address, (posts.get(address) ?? 0) + 1);
    const [[most] = ['']] = [...posts].toSorted(([, a], [, b]) => b - a);
    const found = await explained('--log', ALMHUETTE, '--explain', '5');
    const worst = found.find(({ identity }) => identity === `address:${most}`);
    expect(worst).toMatchObject({ request: { method: 'POST' }, score: expect.any(Number) });
    expect(worst!.score).toBeGreaterThan(0.99);
    expect(worst!.reasons.map(({ feature }) => feature).join()).toMatch(
      /identity_requests_10s|identity_requests_1m/,
    );
  });
});

describe('wrong calls', () => {
  it.each([
    [['features', '--log', 'a.log'], 2, '--out: found nothing, expected both'],
    [['features', '--out', 'a.csv'], 2, '--log: found nothing, expected both'],
    [['features', '--log', 'no-such.log', '--out', '/dev/null'], 1, 'no-such.log'],
    [['features', '--log', 'package.json', '--out', '/dev/null'], 1, 'is a request'],
    [['features', '--log', 'package.json', '--out', '/dev/null/x'], 1, 'DATA_INVALID'],
    [
      ['replay', '--log', 'a.log', '--target', 'http://127.0.0.1:1', '--explain', '2'],
      2,
      '--offline with it',
    ],
  ])('%j', async (args, code, words) => {
    const ran = await picket(...args);
    expect([ran.code, ran.err]).toEqual([code, expect.stringContaining(words)]);
  });
});
