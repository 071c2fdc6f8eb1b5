// Routes whose body is waited for: bytes arrive unchanged whatever way they come, the wait ends by a full prefix, the body's
// end or its time, 100 Continue comes first, room is bounded, clients that leave are counted.

import type { Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PolicyDocument } from '../../domain/policy.ts';
import {
  ALLOW_ALL,
  BLOCK_ALL,
  type PlaneSettings,
  policyOf,
  startTestPlane,
  type TestPlane,
} from '../support/data-planes.ts';
import { RawClient } from '../support/raw-client.ts';
import { ok, RecordingOrigin } from '../support/recording-origin.ts';
import { until } from '../support/sidecars.ts';

const ROUTES = [
  { route: 'POST /login', login: { field: 'username' } },
  { route: 'PUT /hold/{id}', inspect: 'hold-prefix' },
] as const;
const policy = (rules: object = ALLOW_ALL): PolicyDocument => ({
  fleet: { mode: 'monitor', ...rules },
  workloads: { orders: { routes: ROUTES } },
});

let origin: RecordingOrigin;
const planes: TestPlane[] = [];
const clients: RawClient[] = [];

async function start(settings: Partial<PlaneSettings> = {}): Promise<TestPlane> {
  const plane = await startTestPlane({ upstream: origin.url, policy: policy(), ...settings });
  planes.push(plane);
  return plane;
}

async function connect(plane: TestPlane): Promise<RawClient> {
  const client = await RawClient.open(plane.port);
  clients.push(client);
  return client;
}

const head = (line: string, ...fields: string[]) =>
  [`${line} HTTP/1.1`, 'Host: shop.test', ...fields, '', ''].join('\r\n');
const login = (body: string, ...fields: string[]) =>
  head('POST /login', `Content-Length: ${Buffer.byteLength(body)}`, ...fields) + body;

beforeEach(async () => {
  origin = await new RecordingOrigin().listen();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  for (const plane of planes) await plane.close();
  await origin.close();
  expect(origin.violations).toEqual([]);
  for (const plane of planes.splice(0)) expect(plane.balance).toBe(0);
});

/** A body cut into pieces, with or without a declared length. */
function framed(body: Buffer, cuts: readonly number[], chunked: boolean): Buffer[] {
  const ends = [...cuts.map((cut) => cut % (body.length + 1)), body.length].sort((a, b) => a - b);
  const pieces = ends
    .map((end, i) => body.subarray(ends[i - 1] ?? 0, end))
    .filter((piece) => piece.length > 0);
  if (!chunked) return pieces;
  const chunks = pieces.map((piece) =>
    Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]),
  );
  return [...chunks, Buffer.from('0\r\n\r\n')];
}

describe('a body that is waited for', () => {
  it('reaches the origin byte for byte, in any pieces and framing, on one connection', async () => {
    const plane = await start({ config: { bodyPrefixBytes: 256 } });
    const client = await connect(plane);
    const size = fc.oneof(fc.nat(600), fc.constantFrom(255, 256, 257, 70_000));
    const run = async (bytes: number, cuts: number[], chunked: boolean, apart: boolean) => {
      const body = Buffer.from(Array.from({ length: bytes }, (_, i) => (i * 31 + bytes) & 0xff));
      const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bytes}`;
      client.send(head('PUT /hold/1', framing));
      for (const piece of framed(body, cuts, chunked)) {
        client.send(piece);
        if (apart) await new Promise((resolve) => setImmediate(resolve));
      }
      expect((await client.response())?.status).toBe(200);
      expect(origin.requests.at(-1)?.body.equals(body)).toBe(true);
    };
    const cuts = fc.array(fc.nat(), { maxLength: 4 });
    await fc.assert(fc.asyncProperty(size, cuts, fc.boolean(), fc.boolean(), run), { numRuns: 60 });
    expect(plane.count('forwarded')).toBe(origin.requests.length);
    expect(plane.count('bodiesHeld')).toBeGreaterThan(40);
    expect(plane.count('bodiesUnheld')).toBe(0);
  });

  it('may come in chunks of a byte, of which no more objects are kept than of large ones', async () => {
    const plane = await start({ config: { bodyPrefixBytes: 4096 } });
    const client = await connect(plane);
    const bytes = 5000;
    const chunks = Array.from({ length: bytes }, (_, i) => `1\r\n${String.fromCharCode(97 + (i % 26))}\r\n`);
    client.send(`${head('PUT /hold/1', 'Transfer-Encoding: chunked')}${chunks.join('')}0\r\n\r\n`);
    expect((await client.response())?.status).toBe(200);
    expect(origin.requests[0]?.body.toString()).toBe(
      Array.from({ length: bytes }, (_, i) => String.fromCharCode(97 + (i % 26))).join(''),
    );
  });

  it('goes on when its time is over, before the prefix is full', async () => {
    const plane = await start();
    const client = await connect(plane);
    client.send(`${head('PUT /hold/1', 'Content-Length: 10')}half `);
    await until(
      () => origin.bytes,
      (bytes) => bytes > 0,
    );
    expect(plane.count('scored')).toBe(1);
    client.send('whole');
    expect((await client.response())?.status).toBe(200);
    expect(origin.requests[0]?.body.toString()).toBe('half whole');
  });

  it('goes on without any byte of it, and without a body there is nothing to wait for', async () => {
    const plane = await start();
    const client = await connect(plane);
    client.send(head('PUT /hold/1', 'Content-Length: 3'));
    await until(
      () => plane.count('scored'),
      (scored) => scored === 1,
    );
    client.send('abc');
    expect((await client.response())?.status).toBe(200);
    for (const line of [head('PUT /hold/1', 'Content-Length: 0'), head('PUT /hold/1'), head('GET /hold/1')]) {
      client.send(line);
      expect((await client.response())?.status).toBe(200);
    }
    expect(plane.count('bodiesHeld')).toBe(1);
  });

  it('is asked for with one 100 Continue, before the origin is', async () => {
    const plane = await start({ policy: policy({ mode: 'block', ...BLOCK_ALL }) });
    const client = await connect(plane);
    client.send(head('PUT /hold/1', 'Content-Length: 5', 'Expect: 100-continue'));
    expect((await client.response())?.status).toBe(100);
    client.send('hello');
    expect((await client.response())?.status).toBe(403);
    expect(origin.bytes).toBe(0);
    plane.plane.setPolicy(policyOf(policy()));
    const second = await connect(plane);
    second.send(head('PUT /hold/1', 'Content-Length: 5', 'Expect: 100-continue'));
    expect((await second.response())?.status).toBe(100);
    second.send('hello');
    expect((await second.response())?.status).toBe(200);
    expect(origin.requests.map((request) => request.body.toString())).toEqual(['hello']);
  });

  it('is refused without a byte to the origin in block, and the connection goes on', async () => {
    const plane = await start({ policy: policy({ mode: 'block', ...BLOCK_ALL }) });
    const client = await connect(plane);
    for (let i = 0; i < 3; i++) {
      client.send(login('username=eve&password=x'));
      expect((await client.response())?.status).toBe(403);
    }
    expect(origin.bytes).toBe(0);
    expect(plane.count('loginsRead')).toBe(3);
  });

  it('is not read on while the origin does not take it', async () => {
    const plane = await start();
    const client = await connect(plane);
    const accepted = new Promise<Socket>((resolve) => {
      origin.takeOver = (socket) => {
        socket.pause();
        resolve(socket);
      };
    });
    const size = 64 * 2 ** 20;
    client.send(head('PUT /hold/1', `Content-Length: ${size}`)).send(Buffer.alloc(size, 'a'));
    const socket = await accepted;
    // Buffers of sockets hold some megabytes; what lies beyond them must still be with the client.
    await until(
      () => [client.socket.bytesWritten, client.socket.writableLength] as const,
      (() => {
        let before = -1;
        return ([written]) => {
          const same = written === before;
          before = written;
          return same;
        };
      })(),
    );
    expect(client.socket.writableLength).toBeGreaterThan(size / 2);
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    socket.resume();
    await until(
      () => received,
      (bytes) => bytes > size - 70_000,
    );
    socket.write(ok());
    expect((await client.response())?.status).toBe(200);
  });

  it('counts when the client leaves or breaks the framing meanwhile, and nothing is forwarded', async () => {
    const plane = await start();
    const gone = await connect(plane);
    gone.send(head('PUT /hold/1', 'Content-Length: 9'));
    await until(
      () => plane.count('bodiesHeld'),
      (held) => held === 1,
    );
    gone.reset();
    await until(
      () => plane.noted('client.aborted'),
      (notes) => notes === 1,
    );
    expect(plane.count('scored')).toBe(1);
    const broken = await connect(plane);
    broken.send(`${head('PUT /hold/1', 'Transfer-Encoding: chunked')}zz\r\n`);
    expect((await broken.response())?.status).toBe(400);
    expect(plane.count('scored')).toBe(2);
    expect(plane.count('forwarded')).toBe(0);
    expect(plane.events().map((event) => event.outcome?.status)).toEqual([0, 400]);
  });

  it('without a place goes on unheld, and is counted', async () => {
    const plane = await start({ config: { heldBodiesMax: 0 } });
    const client = await connect(plane);
    client.send(`${head('PUT /hold/1', 'Content-Length: 2')}ab`);
    expect((await client.response())?.status).toBe(200);
    expect([plane.count('bodiesHeld'), plane.count('bodiesUnheld')]).toEqual([0, 1]);
  });

  it('has a bounded number of places, which are free again afterwards', async () => {
    const plane = await start({ config: { heldBodiesMax: 2 } });
    const waiting = [await connect(plane), await connect(plane)];
    for (const client of waiting) client.send(head('PUT /hold/1', 'Content-Length: 2'));
    await until(
      () => plane.count('bodiesHeld'),
      (held) => held === 2,
    );
    const third = await connect(plane);
    third.send(`${head('PUT /hold/1', 'Content-Length: 2')}ab`);
    expect((await third.response())?.status).toBe(200);
    for (const client of waiting) {
      client.send('cd');
      expect((await client.response())?.status).toBe(200);
    }
    expect(plane.count('bodiesHeld') + plane.count('bodiesUnheld')).toBe(3);
    // Two, unless this machine was so slow that one of the first gave up waiting before the third came.
    const held = plane.count('bodiesHeld');
    third.send(`${head('PUT /hold/1', 'Content-Length: 2')}ef`);
    expect((await third.response())?.status).toBe(200);
    // All places are free again.
    expect(plane.count('bodiesHeld')).toBe(held + 1);
    expect(origin.requests.map((request) => request.body.toString()).sort()).toEqual([
      'ab',
      'cd',
      'cd',
      'ef',
    ]);
  });

  it('keeps pipelined requests in their order', async () => {
    const plane = await start();
    const client = await connect(plane);
    origin.answer = (request) => ok(request.target);
    client.send(login('username=a') + head('GET /other') + login('username=b') + head('GET /last'));
    for (const target of ['/login', '/other', '/login', '/last'])
      expect((await client.response())?.body.toString()).toBe(target);
  });
});
