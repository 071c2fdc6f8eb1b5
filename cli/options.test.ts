// Options: order of the sources, every kind, and all problems of all sources in one error.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { PicketError } from '../domain/errors.ts';
import { envName, flagName, parseOptions } from '../domain/options.ts';
import { kinds, optionsHelp, readOptions } from './options.ts';

const folder = mkdtempSync(join(tmpdir(), 'picket-options-'));
afterAll(() => rmSync(folder, { recursive: true }));

const OPTIONS = {
  listen: kinds.hostPort({ help: 'Where to listen.', fallback: '127.0.0.1:1', group: 'Network' }),
  upstream: kinds.httpOrigin({ help: 'The application.', required: true, group: 'Network' }),
  stateDir: kinds.file({ help: 'State.' }),
  identities: kinds.int({ min: 1, max: 100 }, { help: 'Rows.', fallback: '25' }),
  clockRate: kinds.number({ min: 1, max: 1e6 }, { help: 'Speed.', fallback: '1' }),
  requireSigned: kinds.flag({ help: 'Only signed.' }),
  trusted: kinds.cidrList({ help: 'Proxies.', fallback: '' }),
  idle: kinds.duration({ min: 1, max: 60_000 }, { help: 'Idle.', fallback: '2s' }),
  body: kinds.size({ min: 0, max: 2 ** 30 }, { help: 'Body.' }),
  source: kinds.oneOf(['peer', 'xff'], { help: 'Source.', fallback: 'peer' }),
};

function read(args: string[], env: Record<string, string> = {}) {
  return readOptions({ command: 'picket x', options: OPTIONS }, args, { env });
}

function problemsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof PicketError && thrown.code === 'CONFIG_INVALID') {
      return thrown.problems.map((problem) => `${problem.field}=${problem.value}`);
    }
    throw thrown;
  }
  return [];
}

function configFile(content: string): string {
  const path = join(folder, `${Math.abs(hash(content))}.yaml`);
  writeFileSync(path, content);
  return path;
}

function hash(content: string): number {
  let value = 7;
  for (const char of content) value = (value * 31 + char.charCodeAt(0)) | 0;
  return value;
}

describe('sources', () => {
  test('a flag wins over the environment, that over the file, that over the default', () => {
    const config = configFile('identities: 4\nclockRate: 3\nidle: 3s\nupstream: http://10.0.0.1:80\n');
    const { values, given } = read(['--config', config, '--identities=5'], {
      PICKET_IDENTITIES: '6',
      PICKET_CLOCK_RATE: '7',
    });
    expect(values).toMatchObject({
      identities: 5,
      clockRate: 7,
      idle: 3000,
      source: 'peer',
      stateDir: undefined,
    });
    expect(values.upstream.host).toBe('10.0.0.1');
    expect([...given].sort()).toEqual(['clockRate', 'config', 'identities', 'idle', 'upstream']);
  });

  test('lists add up; switches need no value and can be turned off', () => {
    const args = [
      '--upstream',
      'http://a:1',
      '--trusted',
      '10.0.0.0/8',
      '--trusted',
      '::1',
      '--require-signed',
    ];
    const { values } = read(args, { PICKET_REQUIRE_SIGNED: 'false' });
    expect(values.trusted.map((cidr) => cidr.text)).toEqual(['10.0.0.0/8', '::1']);
    expect(values.requireSigned).toBe(true);
    expect(
      read([...args.slice(0, 2), '--no-require-signed'], { PICKET_REQUIRE_SIGNED: '1' }).values.requireSigned,
    ).toBe(false);
    const config = configFile(
      'upstream: http://a:1\ntrusted: [10.0.0.0/8, 192.168.0.1]\nrequireSigned: true\n',
    );
    expect(read(['--config', config]).values.trusted).toHaveLength(2);
  });

  test('names in flags and environment follow from the key', () => {
    expect([flagName('trustedProxies'), envName('trustedProxies')]).toEqual([
      '--trusted-proxies',
      'PICKET_TRUSTED_PROXIES',
    ]);
  });
});

describe('problems', () => {
  test('all at once, from every source', () => {
    const config = configFile('idle: fast\nidentites: 3\nlisten: {a: 1}\nsource: xff\n');
    const args = [
      '--config',
      config,
      '--identities',
      '0',
      '--clock-rat',
      '2',
      '--state-dir',
      '--body',
      '1TB',
      'stray',
    ];
    expect(problemsOf(() => read(args, { PICKET_TRUSTED: '10.0.0.1/8' }))).toEqual([
      '--clock-rat=--clock-rat',
      '--state-dir=nothing',
      'stray=stray',
      'identites (config file)=3',
      'listen (config file)={"a":1}',
      '--upstream=nothing',
      '--identities=0',
      'PICKET_TRUSTED=10.0.0.1/8',
      'idle (config file)=fast',
      '--body=1TB',
    ]);
  });

  test('checks across options come with the rest', () => {
    const check = (values: { identities: number }) =>
      values.identities > 50 ? [{ field: '--identities', value: '60', expected: 'fewer' }] : [];
    const run = () =>
      readOptions(
        { command: 'picket x', options: OPTIONS, check },
        ['--upstream', 'http://a:1', '--identities=60', '--source=x'],
        {
          env: {},
        },
      );
    expect(problemsOf(run)).toEqual(['--source=x', '--identities=60']);
  });

  test('a flag given twice, a file that is missing, no map, or no YAML', () => {
    expect(problemsOf(() => read(['--upstream', 'http://a:1', '--idle', '1s', '--idle', '2s']))).toEqual([
      '--idle=2s',
    ]);
    expect(problemsOf(() => read(['--config', join(folder, 'none')]))).toEqual([
      `--config=${join(folder, 'none')}`,
    ]);
    expect(() => read(['--config', configFile('[1, 2]')])).toThrow(/no map/);
    expect(() => read(['--config', configFile('a: [')])).toThrow(/neither YAML nor JSON/);
    expect(problemsOf(() => read(['--config', configFile('config: x')]))).toEqual(['config (config file)=x']);
  });

  test('a near miss is named', () => {
    const { problems } = parseOptions(OPTIONS, { args: ['--upstrem', 'http://a:1'], env: {} });
    expect(problems[0]?.hint).toBe('did you mean --upstream?');
  });
});

describe('kinds', () => {
  const table: [keyof typeof OPTIONS, string[], string[]][] = [
    [
      'listen',
      ['127.0.0.1:0', '[::1]:65535', 'name.svc:80'],
      ['80', ':80', '::1:80', 'a:65536', '[x]:1', '[:::]:1', ''],
    ],
    [
      'upstream',
      ['http://127.0.0.1:8080', 'http://[::1]:80/', 'http://app'],
      ['https://a', 'http://a/b', 'http://u:p@a', 'http://a?x', 'http://a#', 'a:80', ''],
    ],
    ['identities', ['1', '100'], ['0', '101', '1.5', '1e1', ' 1', 'x', '']],
    ['clockRate', ['1', '2.5', '1e3'], ['0.5', 'NaN', 'Infinity', '0x10', '']],
    ['idle', ['1ms', '60s', '1m'], ['0ms', '61s', '5', '5 s', '']],
    ['body', ['0', '1024', '64KiB', '1GiB'], ['2GiB', '1kb', '-1', '']],
    ['trusted', ['', '10.0.0.0/8', '10.0.0.1,fd00::/8'], ['10.0.0.1/8', 'x', '10.0.0.0/33']],
    ['requireSigned', ['true', 'false', '1', '0'], ['yes', '']],
    ['stateDir', ['/a', 'b c'], ['', '\0']],
  ];
  for (const [key, good, bad] of table) {
    test(`${OPTIONS[key].kind}: takes what it should and nothing else`, () => {
      for (const value of good) {
        expect(
          parseOptions({ [key]: OPTIONS[key] }, { args: [`${flagName(key)}=${value}`], env: {} }).problems,
        ).toEqual([]);
      }
      for (const value of bad) {
        const { problems } = parseOptions(
          { [key]: OPTIONS[key] },
          { args: [`${flagName(key)}=${value}`], env: {} },
        );
        expect(
          problems.map((problem) => problem.field),
          value,
        ).toEqual([flagName(key)]);
      }
    });
  }

  test('a default that its own reader refuses is a bug found at load', () => {
    expect(() => kinds.int({ min: 1, max: 2 }, { help: '', fallback: '3' })).toThrow(RangeError);
  });

  test('no arguments end in an exception', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(fc.string(), fc.constantFrom(...Object.keys(OPTIONS).map(flagName), '--', '--no-', '=')),
        ),
        (args) => {
          const { problems } = parseOptions(OPTIONS, { args, env: {} });
          expect(problems.length).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});

test('help names every option, its default and its group', () => {
  const help = optionsHelp(OPTIONS);
  for (const key of Object.keys(OPTIONS)) expect(help).toContain(`  ${flagName(key)}`);
  expect(help).toContain('Network:');
  expect(help).toContain('Default: 127.0.0.1:1.');
  expect(help).toContain('PICKET_STATE_DIR');
  for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(115);
});
