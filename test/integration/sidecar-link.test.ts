// The sidecar's connection to its control plane when things are not well: wrong tokens, TLS, a peer that says nothing or
// nonsense, one that stands still. It goes on deciding through all of it, and comes back by itself.

import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { HAS_OPENSSL, makeCa, makeCertificate } from '../../control-plane/testing/certificates.ts';
import { startIn } from '../../control-plane/testing/running.ts';
import type { Sidecar } from '../../proxy/main.ts';
import { ask, Cleanup, runSidecar, spawnPicket, startOrigin, until } from '../support/sidecars.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

function reaches(sidecar: Sidecar, wanted: (report: { state: string; last_error: string }) => boolean) {
  return until(() => sidecar.status().control_plane, wanted);
}

test.skipIf(!HAS_OPENSSL)(
  'TLS and a token: a wrong token does not get in, the right one does when the file changes',
  async () => {
    const origin = await startOrigin(cleanup);
    const folder = cleanup.folder();
    const authority = makeCa(folder, 'ca');
    const server = makeCertificate(folder, authority, 'server');
    const tokens = join(folder, 'tokens');
    const token = join(folder, 'token');
    writeFileSync(tokens, `sidecar:${'a'.repeat(40)}\n`);
    writeFileSync(token, `${'b'.repeat(40)}\n`);
    const running = await startIn(cleanup.folder(), [
      '--tls-cert',
      server.cert,
      '--tls-key',
      server.key,
      '--token-file',
      tokens,
    ]);
    cleanup.add(() => running.close());
    const address = running.grpcAddress;
    const args = ['--upstream', origin.url, '--control-plane', address, '--token-file', token];
    const trusting = await runSidecar(cleanup, [...args, '--tls-ca', authority.cert]);
    const refused = await reaches(trusting.sidecar, (now) => now.last_error !== '');
    expect(refused.state).not.toBe('connected');
    expect((await ask(trusting.url)).status).toBe(200);
    writeFileSync(token, `# rotated\nsidecar:${'a'.repeat(40)}\n`);
    await reaches(trusting.sidecar, (now) => now.state === 'connected');
    const doubting = await runSidecar(cleanup, [...args, '--tls']);
    await reaches(doubting.sidecar, (now) => now.last_error !== '');
    expect(doubting.sidecar.status().control_plane.connects).toBe(0);
    expect([...trusting.log, ...doubting.log].map((line) => JSON.stringify(line)).join()).not.toMatch(
      /a{40}|b{40}/,
    );
  },
);

test.skipIf(!HAS_OPENSSL)('a certificate for another address is not accepted', async () => {
  const origin = await startOrigin(cleanup);
  const folder = cleanup.folder();
  const authority = makeCa(folder, 'ca');
  const server = makeCertificate(folder, authority, 'server');
  const tokens = join(folder, 'tokens');
  writeFileSync(tokens, `sidecar:${'a'.repeat(40)}\n`);
  const tls = ['--tls-cert', server.cert, '--tls-key', server.key, '--token-file', tokens];
  const running = await startIn(cleanup.folder(), ['--listen', '127.0.0.2:0', ...tls]);
  cleanup.add(() => running.close());
  const args = ['--upstream', origin.url, '--control-plane', running.grpcAddress, '--tls-ca', authority.cert];
  const { sidecar } = await runSidecar(cleanup, [...args, '--token-file', tokens]);
  const refused = await reaches(sidecar, (now) => now.last_error !== '');
  expect(refused.last_error).toMatch(/127\.0\.0\.2/);
  expect(sidecar.status().control_plane.connects).toBe(0);
});

test('credential files that cannot be read stop the start, and are named', async () => {
  const common = ['--upstream', 'http://127.0.0.1:1', '--control-plane', '127.0.0.1:1'];
  const absent = join(cleanup.folder(), 'absent');
  for (const flag of ['--token-file', '--tls-ca']) {
    await expect(runSidecar(cleanup, [...common, flag, absent])).rejects.toThrow(flag);
  }
  const empty = join(cleanup.folder(), 'empty');
  writeFileSync(empty, '\n');
  await expect(runSidecar(cleanup, [...common, '--token-file', empty])).rejects.toThrow(/no token/);
});

test('a peer that answers nonsense, or closes at once, is tried again and harms nothing', async () => {
  const origin = await startOrigin(cleanup);
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    if (connections++ % 2 === 0) socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    else socket.destroy();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  cleanup.add(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  // Without waiting between attempts.
  const { sidecar, url } = await runSidecar(cleanup, ['--upstream', origin.url, '--control-plane', address], {
    random: () => 0,
  });
  await until(
    () => connections,
    (count) => count >= 6,
  );
  expect(sidecar.status().control_plane.state).not.toBe('connected');
  expect((await ask(url)).status).toBe(200);
  expect(sidecar.status()).toMatchObject({ ready: true, mode: 'monitor' });
});

test('a control plane that stands still is noticed by its silence, and met again', async () => {
  const origin = await startOrigin(cleanup);
  const args = ['control-plane', '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--heartbeat', '300ms'];
  const control = spawnPicket(cleanup, [...args, '--data-dir', cleanup.folder()]);
  const line = await control.said('control plane started');
  const { sidecar, url } = await runSidecar(cleanup, [
    '--upstream',
    origin.url,
    '--control-plane',
    String(line['grpc']),
  ]);
  await reaches(sidecar, (now) => now.state === 'connected');
  control.child.kill('SIGSTOP');
  const lost = await reaches(sidecar, (now) => now.state !== 'connected');
  expect(lost.last_error).toContain('silent');
  expect((await ask(url)).status).toBe(200);
  control.child.kill('SIGCONT');
  await reaches(sidecar, (now) => now.state === 'connected');
  await until(
    () => sidecar.status().events,
    (events) => events.assigned === 1 && events.delivered === 1,
  );
});

test('each sidecar is told how many serve its workload', async () => {
  const origin = await startOrigin(cleanup);
  const running = await startIn(cleanup.folder(), ['--heartbeat', '100ms']);
  cleanup.add(() => running.close());
  const args = ['--upstream', origin.url, '--control-plane', running.grpcAddress];
  const first = await runSidecar(cleanup, [...args, '--workload', 'orders']);
  const replicas = (sidecar: Sidecar, wanted: number) =>
    until(
      () => sidecar.status().replicas,
      (count) => count === wanted,
    );
  await replicas(first.sidecar, 1);
  const other = await runSidecar(cleanup, [...args, '--workload', 'users']);
  const second = await runSidecar(cleanup, [...args, '--workload', 'orders']);
  await replicas(first.sidecar, 2);
  await replicas(second.sidecar, 2);
  await replicas(other.sidecar, 1);
  await second.sidecar.close();
  await replicas(first.sidecar, 1);
});
