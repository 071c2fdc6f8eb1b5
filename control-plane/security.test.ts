// Who is let in: listeners beyond loopback, TLS, client certificates, tokens and roles, and a token file that changes.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChannelCredentials, Metadata, status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../domain/clock.ts';
import { unaryCall } from '../proto/client-call.ts';
import { HealthCheckRequest, HealthClient, HealthService } from '../proto/gen/grpc/health/v1/health.ts';
import { ControlServiceService, GetStatusRequest } from '../proto/gen/picket/v1/control.ts';
import { checkControlPlaneConfigFile, isLoopbackHost } from './config.ts';
import { startControlPlane } from './main.ts';
import { getStatus, operator, setMode } from './testing/calls.ts';
import { HAS_OPENSSL, makeCa, makeCertificate } from './testing/certificates.ts';
import { RawSidecar } from './testing/raw-sidecar.ts';
import { inFolder, SILENT, startIn, testConfig } from './testing/running.ts';
import { TokenKeeper } from './token-keeper.ts';

const OPERATOR = `op-${'1'.repeat(32)}`;
const SIDECAR = `sc-${'2'.repeat(32)}`;
const VIEWER = `vw-${'3'.repeat(32)}`;

function bearer(token: string): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

function tokenFile(dir: string): string {
  const path = join(dir, 'tokens');
  writeFileSync(path, `operator:${OPERATOR}\nsidecar:${SIDECAR}\nviewer:${VIEWER}\n`);
  return path;
}

describe('listeners', () => {
  test.each([
    ['127.0.0.1', true],
    ['127.8.8.8', true],
    ['::1', true],
    ['localhost', true],
    ['::ffff:127.0.0.1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0.1', false],
    ['control.example', false],
  ])('%s is loopback: %s', (host, expected) => {
    expect(isLoopbackHost(host)).toBe(expected);
  });

  test('beyond loopback nothing starts without TLS and tokens, and the words say what is missing', () =>
    inFolder(async (dir) => {
      const open = ['--listen', '0.0.0.0:0'];
      await expect(startIn(join(dir, 'a'), open)).rejects.toMatchObject({
        code: 'LISTEN_REFUSED',
        message: expect.stringMatching(/TLS .* and tokens .*switch the mode/) as string,
      });
      await expect(startIn(join(dir, 'b'), [...open, '--token-file', tokenFile(dir)])).rejects.toThrow(
        /lacks TLS/,
      );
      expect(() => checkControlPlaneConfigFile('dataDir: d\nlisten: "[::]:8443"')).toThrow(/can be reached/);
      expect(checkControlPlaneConfigFile('dataDir: d')).toContain('gRPC on 127.0.0.1:14443');
      expect(() => checkControlPlaneConfigFile('dataDir: d\ntlsCert: x\nrequireSigned: true')).toThrow(
        /2 settings/,
      );
    }));

  test('an address that is taken is refused, and nothing is left behind', () =>
    inFolder(async (dir) => {
      const first = await startIn(join(dir, 'a'));
      const taken = startIn(join(dir, 'b'), ['--listen', first.grpcAddress]);
      await expect(taken).rejects.toMatchObject({ code: 'LISTEN_REFUSED' });
      const http = startIn(join(dir, 'b'), ['--http', first.httpAddress]);
      await expect(http).rejects.toMatchObject({ code: 'LISTEN_REFUSED' });
      const second = await startIn(join(dir, 'b'));
      await second.close();
      await first.close();
    }));

  test('files that are missing or wrong are named', () =>
    inFolder(async (dir) => {
      const none = join(dir, 'none');
      await expect(startIn(dir, ['--token-file', none])).rejects.toThrow(/--token-file cannot be read/);
      await expect(startIn(dir, ['--tls-cert', none, '--tls-key', none])).rejects.toThrow(
        /--tls-cert cannot be read/,
      );
      const bad = tokenFile(dir);
      await expect(startIn(dir, ['--tls-cert', bad, '--tls-key', bad])).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      });
      writeFileSync(bad, 'fleet: {mode: on}');
      await expect(startIn(dir, ['--policy', bad])).rejects.toMatchObject({ code: 'POLICY_INVALID' });
      await expect(startIn(dir, ['--token-file', bad])).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
      const running = await startIn(dir);
      await running.close();
    }));
});

describe('tokens', () => {
  test('each role gets what it may, strangers get nothing, health is open', () =>
    inFolder(async (dir) => {
      const running = await startIn(join(dir, 'data'), ['--token-file', tokenFile(dir)]);
      const client = operator(running.grpcAddress);
      await expect(setMode(client, {})).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
      await expect(setMode(client, {}, bearer('x'.repeat(40)))).rejects.toMatchObject({
        code: 'AUTH_REQUIRED',
      });
      await expect(setMode(client, {}, bearer(VIEWER))).rejects.toThrow(/a viewer token may not call/);
      await expect(setMode(client, {}, bearer(SIDECAR))).rejects.toThrow(/a sidecar token may not call/);
      expect((await setMode(client, { actor: 'ann' }, bearer(OPERATOR))).policyVersion).toMatch(/^v2-/);
      const request = GetStatusRequest.fromPartial({});
      const read = { metadata: bearer(VIEWER) };
      expect(await unaryCall(client, ControlServiceService.getStatus, request, read)).toBeDefined();
      const health = new HealthClient(running.grpcAddress, ChannelCredentials.createInsecure());
      const check = HealthCheckRequest.fromPartial({ service: 'picket.v1.ControlService' });
      expect((await unaryCall(health, HealthService.check, check)).status).toBe(1);
      const history = await unaryCall(
        client,
        ControlServiceService.listPolicyVersions,
        { limit: 1, beforeVersion: '' },
        read,
      );
      expect(history.versions[0]?.actor).toMatch(/^ann \(token [0-9a-f]{8}\)$/);
      client.close();
      health.close();
      await running.close();
    }));

  test('a sidecar stream needs a sidecar token; a forged caller mark does not help', () =>
    inFolder(async (dir) => {
      const running = await startIn(join(dir, 'data'), ['--token-file', tokenFile(dir)]);
      const forged = new Metadata();
      forged.set('picket-caller', 'operator forged');
      const stranger = new RawSidecar(running.grpcAddress, { metadata: forged });
      expect((await stranger.ended).code).toBe(status.UNAUTHENTICATED);
      const viewer = new RawSidecar(running.grpcAddress, { metadata: bearer(VIEWER) });
      expect((await viewer.ended).code).toBe(status.PERMISSION_DENIED);
      const known = new RawSidecar(running.grpcAddress, { metadata: bearer(SIDECAR) });
      expect((await known.ackPolicy()).version).toMatch(/^v1-/);
      for (const sidecar of [stranger, viewer, known]) sidecar.close();
      await running.close();
    }));

  test('a changed token file counts; one that is wrong does not', () =>
    inFolder(async (dir) => {
      const path = tokenFile(dir);
      const keeper = new TokenKeeper(path, SILENT);
      expect(keeper.authenticate(`Bearer ${OPERATOR}`).role).toBe('operator');
      const fresh = `new-${'4'.repeat(32)}`;
      writeFileSync(path, `operator:${fresh}\n# rotated, and of another length\n`);
      keeper.reload();
      expect(keeper.authenticate(`Bearer ${fresh}`).role).toBe('operator');
      expect(() => keeper.authenticate(`Bearer ${OPERATOR}`)).toThrow(/not known/);
      writeFileSync(path, 'nonsense\n');
      keeper.reload();
      expect(keeper.authenticate(`Bearer ${fresh}`).role).toBe('operator');
      keeper.close();
    }));
});

describe.skipIf(!HAS_OPENSSL)('TLS (needs the openssl program)', () => {
  test('TLS and tokens together may listen everywhere; a client checks the certificate', () =>
    inFolder(async (dir) => {
      const ca = makeCa(dir, 'ca');
      const server = makeCertificate(dir, ca, 'server');
      const tls = ['--tls-cert', server.cert, '--tls-key', server.key, '--token-file', tokenFile(dir)];
      const config = testConfig(join(dir, 'data'), [...tls, '--listen', '0.0.0.0:0']);
      const deps = { clock: systemClock(), log: SILENT, version: '0.0.0-test' };
      const running = await startControlPlane(config, deps);
      const address = running.grpcAddress.replace('0.0.0.0', 'localhost');
      const roots = readFileSync(ca.cert);
      const client = operator(address, ChannelCredentials.createSsl(roots));
      expect((await setMode(client, {}, bearer(OPERATOR))).policyVersion).toMatch(/^v2-/);
      await expect(getStatus(client)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
      const stranger = makeCa(dir, 'other');
      const doubting = operator(address, ChannelCredentials.createSsl(readFileSync(stranger.cert)));
      await expect(setMode(doubting, {}, bearer(OPERATOR))).rejects.toMatchObject({ code: 'UNREACHABLE' });
      const plain = operator(address);
      await expect(setMode(plain, {}, bearer(OPERATOR))).rejects.toMatchObject({ code: 'UNREACHABLE' });
      for (const each of [client, doubting, plain]) each.close();
      await running.close();
    }));

  test('with --tls-ca a caller must show a certificate of that CA', () =>
    inFolder(async (dir) => {
      const ca = makeCa(dir, 'ca');
      const server = makeCertificate(dir, ca, 'server');
      const good = makeCertificate(dir, ca, 'client');
      const bad = makeCertificate(dir, makeCa(dir, 'other'), 'stranger');
      const args = ['--tls-cert', server.cert, '--tls-key', server.key, '--tls-ca', ca.cert];
      const running = await startIn(join(dir, 'data'), args);
      const address = running.grpcAddress.replace('127.0.0.1', 'localhost');
      const roots = readFileSync(ca.cert);
      const shown = ({ key, cert }: { key: string; cert: string }) =>
        operator(address, ChannelCredentials.createSsl(roots, readFileSync(key), readFileSync(cert)));
      const [known, foreign] = [shown(good), shown(bad)];
      const nameless = operator(address, ChannelCredentials.createSsl(roots));
      expect((await getStatus(known)).policyVersion).toMatch(/^v1-/);
      await expect(getStatus(foreign)).rejects.toMatchObject({ code: 'UNREACHABLE' });
      await expect(getStatus(nameless)).rejects.toMatchObject({ code: 'UNREACHABLE' });
      for (const each of [known, foreign, nameless]) each.close();
      await running.close();
    }));
});
