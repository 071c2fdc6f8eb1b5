// Either side goes away, at every stage, by FIN or RST: the other side is let go too, and nothing is left behind.

import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestPlane, type TestPlane } from '../support/data-planes.ts';
import { RawClient } from '../support/raw-client.ts';
import { ok, RecordingOrigin } from '../support/recording-origin.ts';

const ROUNDS = 40;
const GET = 'GET /a HTTP/1.1\r\nHost: shop.test\r\n\r\n';
const UPLOAD = 'POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 1000\r\n\r\nxxx';
const CHUNKS = 'POST /a HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxxx\r\n';
const HANDSHAKE =
  'GET /ws HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

let origin: RecordingOrigin;
let plane: TestPlane;

beforeAll(async () => {
  origin = await new RecordingOrigin().listen();
  plane = await startTestPlane({ upstream: origin.url, config: { inflightMax: 10_000 } });
});

afterAll(async () => {
  await plane.close();
  await origin.close();
});

/** What the origin does with the first bytes of a request; resolves `reached` when they are there. */
type Stage = (socket: Socket) => void;
const silent: Stage = () => {};
const halfAnswer: Stage = (socket) => {
  socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
};
const switching: Stage = (socket) => {
  socket.write(SWITCHED);
};

interface Case {
  readonly name: string;
  readonly request: string;
  readonly stage: Stage;
  /** What the client has to have received before anybody goes away. */
  readonly awaits: string;
}

const CASES: readonly Case[] = [
  { name: 'before the head', request: GET, stage: silent, awaits: '' },
  { name: 'in the request body', request: UPLOAD, stage: silent, awaits: '' },
  { name: 'in a chunked request body', request: CHUNKS, stage: silent, awaits: '' },
  { name: 'in the answer', request: GET, stage: halfAnswer, awaits: 'abc' },
  { name: 'in both bodies', request: UPLOAD, stage: halfAnswer, awaits: 'abc' },
  { name: 'before the handshake is answered', request: HANDSHAKE, stage: silent, awaits: '' },
  { name: 'in a tunnel', request: HANDSHAKE, stage: switching, awaits: '101' },
];

const WAYS = ['FIN', 'RST'] as const;
const MATRIX = CASES.flatMap((c) =>
  WAYS.flatMap((way) => (['client', 'origin'] as const).map((who) => ({ ...c, way, who }))),
);

it.each(MATRIX)('$who goes away with $way, $name', async ({ request, stage, awaits, way, who }) => {
  for (let round = 0; round < ROUNDS; round++) {
    let arrived: (socket: Socket) => void = () => {};
    const reached = new Promise<Socket>((resolve) => {
      arrived = resolve;
    });
    origin.takeOver = (socket) => {
      stage(socket);
      socket.on('data', () => {});
      arrived(socket);
    };
    const client = (await RawClient.open(plane.port)).send(request);
    const upstream = await reached;
    const upstreamClosed = new Promise<void>((resolve) => upstream.once('close', () => resolve()));
    await client.until((bytes) => bytes.includes(awaits));
    const leaving = who === 'client' ? client.socket : upstream;
    const answered = awaits !== '';
    if (way === 'FIN') leaving.end();
    else leaving.resetAndDestroy();
    // An origin that leaves before its head costs its request, not the client's connection.
    if (who === 'origin') await client.until((bytes) => !answered && bytes.includes('HTTP/1.1 502'));
    else await client.until(() => client.closed || way === 'RST');
    if (!upstream.destroyed) await upstreamClosed;
    expect(client.received.includes('0\r\n\r\n')).toBe(false);
    client.destroy();
  }
  await settled();
  expect([plane.plane.inflight, plane.plane.tunnels, plane.count('connections')]).toEqual([0, 0, 0]);
  expect([plane.balance, plane.notes]).toEqual([0, []]);
});

it('goes on serving', async () => {
  origin.takeOver = null;
  const client = (await RawClient.open(plane.port)).send(GET);
  origin.answer = () => ok('well');
  expect((await client.response())?.body.toString()).toBe('well');
  client.destroy();
});

/** The client has seen the end; the plane learns of it a turn or two later. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 500 && plane.count('connections') > 0; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
