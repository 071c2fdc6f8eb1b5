// Where keys come from: files and servers that are away, slow, too large, redirecting or wrong; the last good set is kept; an
// unknown key asks once. Real HTTP on loopback.

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { newLog } from '../log.ts';
import { HAS_OPENSSL, makeClient } from '../testing/client-certificates.ts';
import { keySet, Signer } from '../testing/tokens.ts';
import { JWKS_MAX_BYTES } from './jwk.ts';
import { ASK_AGAIN_MS, JwksKeeper } from './jwks-keeper.ts';
import { type JwksPlace, jwksPlace, readJwks } from './jwks-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'picket-jwks-'));
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function serve(handler: RequestListener): Promise<JwksPlace> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return jwksPlace(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`) as JwksPlace;
}

const one = new Signer('ES256', 'one');
const two = new Signer('EdDSA', 'two');

function cutShort(res: ServerResponse): void {
  res.writeHead(200, { 'content-length': 10 });
  res.write('{', () => res.destroy());
}

describe('places', () => {
  it('a file, a URL, or nothing of the kind', () => {
    expect(jwksPlace('/etc/picket/jwks.json')).toEqual({ kind: 'file', path: '/etc/picket/jwks.json' });
    expect(jwksPlace('https://login.test/jwks')).toMatchObject({ kind: 'url' });
    for (const bad of ['ftp://login.test/jwks', 'https://user:pw@login.test/jwks', 'http://'])
      expect(jwksPlace(bad), bad).toBeNull();
  });

  it('a file is read; one that is away or too large is said', async () => {
    const path = join(folder, 'jwks.json');
    writeFileSync(path, keySet(one));
    expect(Buffer.from(await readJwks({ kind: 'file', path })).toString()).toBe(keySet(one));
    writeFileSync(path, Buffer.alloc(JWKS_MAX_BYTES + 1));
    await expect(readJwks({ kind: 'file', path })).rejects.toMatchObject({ code: 'DATA_INVALID' });
    await expect(readJwks({ kind: 'file', path: `${path}.away` })).rejects.toMatchObject({
      code: 'UNREACHABLE',
    });
  });

  it('a server is asked once, and believed only with a whole answer of status 200', async () => {
    const seen: string[] = [];
    const good = await serve((req, res) => {
      seen.push(`${req.method} ${req.url} ${req.headers['accept']}`);
      res.end(keySet(one));
    });
    expect(Buffer.from(await readJwks(good)).toString()).toBe(keySet(one));
    expect(seen).toEqual(['GET /jwks application/jwk-set+json, application/json']);
  });

  it.each<[string, RequestListener, RegExp]>([
    ['moved', (_, res) => res.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), /status 302/],
    ['failing', (_, res) => res.writeHead(500).end('{}'), /status 500/],
    ['endless', (_, res) => void res.write(Buffer.alloc(JWKS_MAX_BYTES + 1)), /larger than/],
    ['cut short', (_, res) => cutShort(res), /./],
    ['silent', () => {}, /no answer within 200 ms|aborted/],
    ['stalling', (_, res) => void res.write('{'), /./],
  ])('%s', async (_, handler, message) => {
    const place = await serve(handler);
    const reading = readJwks(place, { timeoutMs: 200 });
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toMatchObject({ name: 'PicketError' });
  });

  it.skipIf(!HAS_OPENSSL)('over TLS only with roots that it is told (needs openssl)', async () => {
    const files = makeClient(folder, 'jwks', 'IP:127.0.0.1');
    const server = createTlsServer(
      { cert: readFileSync(files.cert), key: readFileSync(files.key) },
      (_, res) => void res.end(keySet(one)),
    ).listen(0, '127.0.0.1');
    servers.push(server as unknown as Server);
    await once(server, 'listening');
    const place = jwksPlace(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`) as JwksPlace;
    await expect(readJwks(place)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect(Buffer.from(await readJwks(place, { caFile: files.cert })).toString()).toBe(keySet(one));
  });
});

describe('keeper', () => {
  function keeperOf(read: () => Promise<Uint8Array>) {
    const lines: string[] = [];
    const changes: boolean[] = [];
    let nowMs = 0;
    const stream = { write: (line: string) => void lines.push(line) };
    const keeper = new JwksKeeper({
      read,
      refreshMs: 3_600_000,
      log: newLog({ level: 'info', workload: 'w', bootId: 'b'.repeat(32), stream }),
      monotonicMs: () => nowMs,
      onChange: (removed) => void changes.push(removed),
    });
    const advance = (ms: number): void => {
      nowMs += ms;
    };
    return { keeper, lines, changes, advance };
  }

  it('takes good sets, keeps the last one through bad ones, and says each once', async () => {
    const answers: (string | Error)[] = [
      keySet(one),
      keySet(one),
      keySet(one, two),
      new Error('away'),
      'not json',
      keySet(two),
    ];
    const { keeper, lines, changes } = keeperOf(() => {
      const answer = answers.shift()!;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(Buffer.from(answer));
    });
    const kids = async (): Promise<string> => {
      await keeper.refresh();
      return keeper.keys.map((key) => key.kid).join();
    };
    expect([await kids(), await kids(), await kids()]).toEqual(['one', 'one', 'one,two']);
    expect([await kids(), keeper.report().last_error]).toEqual(['one,two', 'away']);
    expect([await kids(), keeper.report().last_error]).toEqual([
      'one,two',
      expect.stringContaining('no JSON object'),
    ]);
    expect(await kids()).toBe('two');
    expect(keeper.report()).toMatchObject({ keys: 1, readings: 6, failures: 2, last_error: '' });
    expect(changes).toEqual([false, false, true]);
    expect(lines.filter((line) => line.includes('the last good set stays'))).toHaveLength(1);
    keeper.close();
  });

  it('an unknown key asks for the set again, but seldom', async () => {
    const { keeper, advance } = keeperOf(() => Promise.resolve(Buffer.from(keySet(one))));
    await keeper.refresh();
    expect(keeper.askAgain()).toBe(true);
    expect(keeper.askAgain(), 'it is being read').toBe(true);
    await keeper.refresh();
    expect(keeper.report().readings).toBe(2);
    expect(keeper.askAgain()).toBe(false);
    advance(ASK_AGAIN_MS);
    expect(keeper.askAgain()).toBe(true);
    await keeper.refresh();
    expect(keeper.report().readings).toBe(3);
    keeper.close();
    expect(keeper.askAgain()).toBe(false);
  });
});
