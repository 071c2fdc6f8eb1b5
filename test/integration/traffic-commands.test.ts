// `picket simulate` and `picket replay` as commands: offline and through a real sidecar, and what they say to wrong calls.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { runPicket } from '../../cli/main.ts';
import { startUpstream } from '../../simulator/upstream.ts';
import { captured } from '../support/captured.ts';
import { Cleanup, runSidecar } from '../support/sidecars.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

interface LabelCount {
  readonly requests: number;
  readonly flagged: number;
  readonly refused: number;
}
interface Result {
  readonly requests: number;
  readonly flagged: number;
  readonly malformed: number;
  readonly failed: number;
  readonly sent: number;
  readonly by_label: Readonly<Record<string, LabelCount>>;
  readonly by_identity: readonly ({ readonly identity: string } & LabelCount)[];
}

async function result(...args: string[]): Promise<Result> {
  const { io, out, err } = captured();
  const code = await runPicket([...args, '--json'], io);
  expect([code, err()]).toEqual([0, expect.any(String)]);
  return JSON.parse(out().trimEnd().split('\n').at(-1) as string) as Result;
}

/** A sidecar in block mode before the sample API, its clock as fast as the traffic. */
async function guarded(mode: 'monitor' | 'block', clockRate: number): Promise<string> {
  const upstream = await startUpstream({ latencyScale: 1 / clockRate });
  cleanup.add(() => upstream.close());
  const policy = join(cleanup.folder(), 'policy.yaml');
  writeFileSync(policy, `fleet:\n  mode: ${mode}\n`);
  const clients = ['--client-ip-source=xff', '--trusted-proxies=127.0.0.0/8', `--clock-rate=${clockRate}`];
  const files = ['--policy', policy, '--state-dir', cleanup.folder()];
  const { url } = await runSidecar(cleanup, [
    `--upstream=http://127.0.0.1:${upstream.port}`,
    ...clients,
    ...files,
  ]);
  return url;
}

const LOG = [0, 1, 2, 2, 3]
  .map(
    (second, i) =>
      `10.1.2.${1 + (i % 2)} - - [14/Oct/2019:10:50:1${second} +0000] "GET /p${i} HTTP/1.1" 200 9 "-" "A/1"`,
  )
  .join('\n');

describe('picket simulate', () => {
  it('counts by label offline, the same each time', async () => {
    const args = ['simulate', '--offline', '--seconds', '400', '--attacks', 'extreme_delete,dos', '--refuse'];
    const first = await result(...args);
    expect(await result(...args)).toEqual(first);
    expect(Object.keys(first.by_label).sort()).toEqual(['dos', 'extreme_delete', 'normal']);
    for (const name of ['dos', 'extreme_delete'])
      expect(first.by_label[name]!.refused).toBeGreaterThan(0.95 * first.by_label[name]!.requests);
    expect(first.by_label['normal']!.refused).toBeLessThan(0.005 * first.by_label['normal']!.requests);
  });

  it('sees attackers refused by a real sidecar in block mode, and users answered', async () => {
    const url = await guarded('block', 4);
    const people = ['--users', '150', '--visits', '0'];
    const attacks = ['--attacks', 'extreme_delete', '--attack-rate', '13'];
    const volume = ['--seconds', '8', '--speed', '4', '--attack-requests', '120'];
    const seen = await result('simulate', '--target', url, ...volume, ...people, ...attacks);
    expect(seen.failed).toBe(0);
    expect(seen.by_label['extreme_delete']!.requests).toBeGreaterThan(100);
    expect(seen.by_label['extreme_delete']!.refused).toBeGreaterThan(
      0.95 * seen.by_label['extreme_delete']!.requests,
    );
    const normal = seen.by_label['normal']!;
    expect(normal.requests).toBeGreaterThan(50);
    // A stalled test machine lets requests arrive in bunches; that refuses single ones, not users.
    expect(normal.refused).toBeLessThan(0.05 * normal.requests);
  });
});

describe('picket replay', () => {
  it('replays a log offline and counts by identity and what is malformed', async () => {
    const log = join(cleanup.folder(), 'a.log.gz');
    writeFileSync(log, gzipSync(`${LOG}\nnot a request\n`));
    const replayed = await result('replay', '--log', log, '--offline');
    expect(replayed).toMatchObject({ requests: 5, flagged: 0, malformed: 1 });
    expect(replayed.by_identity.map(({ identity, requests }) => [identity, requests])).toEqual([
      ['address:10.1.2.1', 3],
      ['address:10.1.2.2', 2],
    ]);
  });

  it('replays a log as real requests', async () => {
    const log = join(cleanup.folder(), 'a.log');
    writeFileSync(log, LOG);
    const url = await guarded('monitor', 100);
    expect(await result('replay', '--log', log, '--target', url, '--speed', '100')).toMatchObject({
      requests: 5,
      failed: 0,
    });
  });
});

describe('wrong calls', () => {
  it.each([
    [['simulate'], 2, '--target, --offline: found neither'],
    [['simulate', '--offline', '--target', 'http://127.0.0.1:1'], 2, 'found both'],
    [['simulate', '--offline', '--attacks', 'dos,tickling'], 2, 'tickling'],
    [['simulate', '--offline', '--bundle', 'no-such.bundle'], 1, 'no-such.bundle'],
    [['replay', '--offline'], 2, '--log'],
    [['replay', '--offline', '--log', 'no-such.log'], 1, 'no-such.log'],
    [['replay', '--offline', '--log', 'package.json'], 1, 'is a request'],
  ])('%j', async (args, code, words) => {
    const { io, err } = captured();
    expect(await runPicket(args, io)).toBe(code);
    expect(err()).toContain(words);
  });
});
