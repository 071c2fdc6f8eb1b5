// The known defects of forwarding libraries, by number, for ordinary requests (upgrades: http-upgrade.test.ts), and the
// forwarding quirks of our own libraries that Picket works around.

import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startTestPlane, type TestPlane } from '../support/data-planes.ts';
import { valuesOf } from '../support/http-message.ts';
import { RawClient } from '../support/raw-client.ts';
import { RecordingOrigin } from '../support/recording-origin.ts';

let origin: RecordingOrigin;
let plane: TestPlane;
let client: RawClient;

beforeEach(async () => {
  origin = await new RecordingOrigin().listen();
  plane = await startTestPlane({ upstream: origin.url });
  client = await RawClient.open(plane.port);
});

afterEach(async () => {
  client.destroy();
  await plane.close();
  await origin.close();
  expect([plane.balance, plane.notes, origin.violations]).toEqual([0, [], []]);
});

it.each(['', 'Connection: keep-alive, upgrade\r\n'])(
  '1: a chunked body on DELETE or OPTIONS hides no second request (%j)',
  async (fields) => {
    const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n';
    for (const method of ['DELETE', 'OPTIONS']) {
      client.send(`${method} /a HTTP/1.1\r\nHost: a\r\n${fields}Transfer-Encoding: chunked\r\n\r\n`);
      client.send(`${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`);
      expect((await client.response())?.status).toBe(200);
    }
    expect(origin.requests.map((r) => [r.method, r.framing, r.body.toString()])).toEqual([
      ['DELETE', 'chunked', hidden],
      ['OPTIONS', 'chunked', hidden],
    ]);
    expect(plane.count('scored')).toBe(2);
  },
);

it('2: a Trailer field ends nothing', async () => {
  client.send('POST /a HTTP/1.1\r\nHost: a\r\nTrailer: foo\r\nContent-Length: 2\r\n\r\nab');
  expect((await client.response())?.status).toBe(200);
  expect(valuesOf(origin.requests[0]?.fields ?? [], 'trailer')).toEqual([]);
});

it('3: a target that no URL parser takes ends nothing', async () => {
  client.send('GET http://[::1 HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await client.response())?.status).toBe(400);
  const next = await RawClient.open(plane.port);
  expect((await next.send('GET /%zz%?[::1 HTTP/1.1\r\nHost: a\r\n\r\n').response())?.status).toBe(200);
  next.destroy();
});

it('4: fields named in Connection, and the connection fields themselves, stay here', async () => {
  client.send(
    'GET /a HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-One, x-two\r\nX-One: 1\r\nx-TWO: 2\r\n' +
      'X-Three: 3\r\nKeep-Alive: timeout=9\r\nProxy-Authorization: Basic x\r\nTE: trailers\r\n\r\n',
  );
  await client.response();
  const seen = origin.requests[0]?.fields ?? [];
  const gone = ['x-one', 'x-two', 'keep-alive', 'proxy-authorization', 'te'];
  expect(gone.flatMap((name) => valuesOf(seen, name))).toEqual([]);
  expect(valuesOf(seen, 'x-three')).toEqual(['3']);
});

it('4: what Connection names identifies nobody, since the origin does not see it', async () => {
  client.send('GET /a HTTP/1.1\r\nHost: a\r\nConnection: authorization\r\nAuthorization: Bearer t\r\n\r\n');
  await client.response();
  expect(valuesOf(origin.requests[0]?.fields ?? [], 'authorization')).toEqual([]);
  expect(plane.events()).toMatchObject([{ identityKind: 'address' }]);
});

it('5: a client that leaves in mid-answer leaves no upstream request behind', async () => {
  const sockets: Socket[] = [];
  origin.answer = () => (_, socket) => {
    sockets.push(socket);
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc');
  };
  const clients = await Promise.all(Array.from({ length: 10 }, () => RawClient.open(plane.port)));
  for (const one of clients) one.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
  for (const one of clients) await one.until((bytes) => bytes.includes('abc'));
  const closed = sockets.map(
    (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
  );
  for (const one of clients) one.destroy();
  await Promise.all(closed);
  expect(origin.sockets.size).toBe(0);
});

it('14: order, case and duplicates of fields are kept', async () => {
  client.send(
    'GET /a HTTP/1.1\r\nX-B: 1\r\nHost: a\r\nx-b: 2\r\nAuthorization: one\r\nAccept: a\r\nACCEPT: b\r\n\r\n',
  );
  await client.response();
  const theirs = new Set(['host', 'connection', 'x-request-id', 'via']);
  const seen = origin.requests[0]?.fields.filter(
    ([name]) => !theirs.has(name) && !/^x-(forwarded|real)/.test(name),
  );
  expect(seen).toEqual([
    ['X-B', '1'],
    ['x-b', '2'],
    ['Authorization', 'one'],
    ['Accept', 'a'],
    ['ACCEPT', 'b'],
  ]);
});

it('http-proxy carries upgrades only: its `web` is never called', () => {
  const root = new URL('../../proxy/', import.meta.url);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const importing = files.filter((name) =>
    /from 'http-proxy'/.test(readFileSync(new URL(name, root), 'utf8')),
  );
  const calling = files.filter((name) => /\.web\(/.test(readFileSync(new URL(name, root), 'utf8')));
  expect([importing, calling]).toEqual([['forward/upgrade.ts'], []]);
});

it('a client that is lost in its body never looks like a whole request to the origin', async () => {
  for (const framing of ['Content-Length: 10\r\n\r\nabc', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n']) {
    const before = origin.bytes;
    const lost = (await RawClient.open(plane.port)).send(`POST /a HTTP/1.1\r\nHost: a\r\n${framing}`);
    await new Promise<void>((resolve) => {
      const poll = setInterval(() => {
        if (origin.bytes === before) return;
        clearInterval(poll);
        resolve();
      }, 1);
    });
    const socket = [...origin.sockets].at(-1);
    const closed = new Promise<void>((resolve) => socket?.once('close', () => resolve()));
    lost.reset();
    await closed;
  }
  expect([origin.requests.length, plane.noted('client.aborted')]).toEqual([0, 2]);
});
