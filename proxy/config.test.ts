// The sidecar's config: what belongs together is checked together, loopback is told from the rest, files are checked whole.

import { describe, expect, test } from 'vitest';
import { PicketError } from '../domain/errors.ts';
import { parseOptions } from '../domain/options.ts';
import {
  checkSidecarConfig,
  checkSidecarConfigFile,
  hostOf,
  isLoopback,
  type SidecarConfig,
  stateDirOf,
} from './config.ts';
import { SIDECAR_OPTIONS } from './sidecar-options.ts';

function configOf(args: string): SidecarConfig {
  const parsed = parseOptions(SIDECAR_OPTIONS, {
    args: ['--upstream', 'http://127.0.0.1:8080', ...args.split(' ').filter((arg) => arg !== '')],
    env: {},
  });
  expect(parsed.problems).toEqual([]);
  return parsed.values;
}

function fieldsOf(args: string): string[] {
  return checkSidecarConfig(configOf(args)).map((problem) => problem.field);
}

describe('what belongs together', () => {
  const table: [string, string[]][] = [
    ['', []],
    ['--workers 1 --clock-rate 20 --listen [::1]:80 --admin localhost:81', []],
    ['--workers 2', ['--workers']],
    ['--clock-rate 20 --listen 0.0.0.0:80 --admin [::]:81', ['--clock-rate', '--clock-rate']],
    ['--require-signed', ['--require-signed']],
    ['--client-ip-source xff', ['--client-ip-source']],
    ['--client-ip-source xff --trusted-proxies 10.0.0.0/8', []],
    ['--tls-cert a', ['--tls-cert', '--tls-cert']],
    ['--tls-key a --tls-ca b', ['--tls-key']],
    ['--tls-cert a --tls-key b --tls', []],
    ['--control-plane 10.0.0.1:80', ['--control-plane']],
    ['--control-plane dns:///picket.svc:80', ['--control-plane']],
    ['--control-plane dns:///picket.svc:80 --tls-ca ca.pem', []],
    ['--control-plane [::1]:80', []],
    ['--listen 127.0.0.1:80 --admin 127.0.0.1:80', ['--admin']],
    ['--jwks /etc/jwks.json', []],
    ['--jwks https://login.test/jwks --jwks-ca ca.pem', []],
    ['--jwks http://127.0.0.1:80/jwks', []],
    ['--jwks http://login.test/jwks', ['--jwks']],
    ['--jwks /etc/jwks.json --jwks-ca ca.pem', ['--jwks-ca']],
    ['--jwks-ca ca.pem', ['--jwks-ca']],
  ];
  for (const [args, fields] of table) {
    test(args === '' ? 'the defaults' : args, () => expect(fieldsOf(args)).toEqual(fields));
  }

  test('all at once', () => {
    expect(
      fieldsOf('--workers 3 --require-signed --client-ip-source forwarded --control-plane a:1'),
    ).toHaveLength(4);
  });
});

test('loopback is what only this machine reaches', () => {
  const yes = ['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1'];
  const no = ['0.0.0.0', '::', '10.0.0.1', '::ffff:10.0.0.1', '::2', 'example.test', '', '128.0.0.1'];
  for (const host of yes) expect(isLoopback(host), host).toBe(true);
  for (const host of no) expect(isLoopback(host), host).toBe(false);
  expect(['a:1', '[::1]:2', 'dns:///b.c:3'].map(hostOf)).toEqual(['a', '::1', 'b.c']);
});

test('each listener has a state folder of its own, unless one is named', () => {
  const one = stateDirOf(configOf('--listen 127.0.0.1:81'));
  expect(stateDirOf(configOf('--listen 127.0.0.1:82'))).not.toBe(one);
  expect(stateDirOf(configOf('--listen 127.0.0.1:81 --workload other'))).toBe(one);
  expect(stateDirOf(configOf('--state-dir /s'))).toBe('/s');
});

test('a config file is checked whole', () => {
  const good = 'upstream: http://127.0.0.1:8080\nlisten: 127.0.0.1:9000\ntrustedProxies: [10.0.0.0/8]\n';
  expect(checkSidecarConfigFile(good)).toContain('127.0.0.1:9000 before http://127.0.0.1:8080');
  try {
    checkSidecarConfigFile('upstream: http://127.0.0.1:8080\nworkers: 9\nidentites: 5\nbodyMaxBytes: lots\n');
    expect.unreachable();
  } catch (thrown) {
    const { problems } = PicketError.from(thrown);
    expect(problems.map((problem) => problem.field)).toEqual([
      'identites (config file)',
      'bodyMaxBytes (config file)',
      '--workers',
    ]);
  }
});
