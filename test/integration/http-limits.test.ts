// Bounds and the end: each timeout and limit with its own reason, and a drain that loses nothing.

import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DataPlaneConfig } from '../../proxy/data-plane-config.ts';
import { startTestPlane, type TestPlane } from '../support/data-planes.ts';
import { valuesOf } from '../support/http-message.ts';
import { RawClient } from '../support/raw-client.ts';
import { ok, RecordingOrigin } from '../support/recording-origin.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: shop.test\r\n\r\n';

let origin: RecordingOrigin;
let plane: TestPlane;
let client: RawClient;

async function open(config: Partial<DataPlaneConfig> = {}): Promise<void> {
  plane = await startTestPlane({ upstream: origin.url, config, tickMs: 50 });
  client = await RawClient.open(plane.port);
}

async function problem(): Promise<Record<string, unknown>> {
  const answer = await client.response();
  return JSON.parse(answer?.body.toString() ?? '{}');
}

beforeEach(async () => {
  origin = await new RecordingOrigin().listen();
});

afterEach(async () => {
  client.destroy();
  await plane.close();
  await origin.close();
  expect([plane.balance, plane.notes, origin.violations]).toEqual([0, [], []]);
});

describe('limits', () => {
  it('a head that does not end: 408', async () => {
    await open({ headTimeoutMs: 200 });
    client.send('GET /a HTTP/1.1\r\nHost: a\r\n');
    expect(await problem()).toMatchObject({ status: 408, reason: 'limit.head_timeout' });
    await client.whenEnded();
    expect(plane.rejected('limit.head_timeout')).toBe(1);
  });

  it('a connection that says nothing is closed without an answer, and is no request', async () => {
    await open({ headTimeoutMs: 200 });
    await client.whenEnded();
    expect([client.received.length, plane.count('requests')]).toEqual([0, 0]);
  });

  it('a request body that stalls: 408, and the upstream request ends', async () => {
    await open({ bodyIdleTimeoutMs: 200 });
    let upstream: Socket | null = null;
    origin.takeOver = (socket) => {
      upstream = socket;
      socket.on('data', () => {});
    };
    client.send('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    expect(await problem()).toMatchObject({ status: 408, reason: 'limit.body_idle' });
    await client.whenEnded();
    expect((upstream as Socket | null)?.destroyed ?? true).toBe(true);
  });

  it('a body that stalls because the origin does not read is nobody’s fault', async () => {
    await open({ bodyIdleTimeoutMs: 200 });
    let resume = (): void => {};
    let received = 0;
    origin.takeOver = (socket, first) => {
      received = first.length - first.indexOf('\r\n\r\n') - 4;
      socket.pause();
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received >= total) socket.write(ok('all'));
      });
      resume = () => socket.resume();
    };
    const total = 30_000_000;
    client.send(`POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\n`).send(Buffer.alloc(total));
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(client.received).toHaveLength(0);
    resume();
    expect((await client.response())?.body.toString()).toBe('all');
  });

  it('a declared body over the bound: 413 before anything is forwarded', async () => {
    await open({ bodyMaxBytes: 100 });
    client.send('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n');
    expect(await problem()).toMatchObject({ status: 413, reason: 'limit.body' });
    expect([plane.rejected('limit.body'), origin.connections]).toEqual([1, 0]);
  });

  it('a chunked body over the bound: 413 in mid-stream', async () => {
    await open({ bodyMaxBytes: 100 });
    client.send('POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    client.send(`32\r\n${'x'.repeat(50)}\r\n`).send(`33\r\n${'x'.repeat(51)}\r\n0\r\n\r\n`);
    expect(await problem()).toMatchObject({ status: 413, reason: 'limit.body' });
    expect([plane.rejected('limit.body'), plane.count('scored'), origin.requests.length]).toEqual([0, 1, 0]);
  });

  it('a body of just the bound passes', async () => {
    await open({ bodyMaxBytes: 100 });
    client.send(
      'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n' +
        `64\r\n${'x'.repeat(100)}\r\n0\r\n\r\n`,
    );
    expect((await client.response())?.status).toBe(200);
  });

  it('connections over the bound are refused and counted', async () => {
    await open({ connectionsMax: 1 });
    expect((await client.send(GET).response())?.status).toBe(200);
    const second = await RawClient.open(plane.port);
    await second.whenEnded();
    expect([second.received.length, plane.noted('overload.connections')]).toEqual([0, 1]);
    expect((await client.send(GET).response())?.status).toBe(200);
  });

  it('a stream past its head does not count as in flight', async () => {
    await open({ inflightMax: 1 });
    origin.answer = ({ target }) =>
      target === '/stream' ? 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc' : ok('free');
    const stream = (await RawClient.open(plane.port)).send('GET /stream HTTP/1.1\r\nHost: a\r\n\r\n');
    await stream.until((bytes) => bytes.includes('abc'));
    expect((await client.send(GET).response())?.body.toString()).toBe('free');
    stream.destroy();
  });

  it('an idle kept connection is closed', async () => {
    await open({ keepAliveIdleMs: 100 });
    await client.send(GET).response();
    await client.whenEnded();
    expect(client.error).toBeNull();
  });
});

describe('drain', () => {
  it('soft: everything is still served, and connections end with their answers', async () => {
    await open();
    await client.send(GET).response();
    await plane.plane.drain('soft', 1000);
    const answer = await client.send(GET).response();
    expect([answer?.status, valuesOf(answer?.fields ?? [], 'connection')]).toEqual([200, ['close']]);
    await client.whenEnded();
    const next = (await RawClient.open(plane.port)).send(GET);
    expect((await next.response())?.status).toBe(200);
    next.destroy();
  });

  it('stop: what is under way is answered, idle connections end, nothing new is accepted', async () => {
    await open();
    const held: Socket[] = [];
    origin.answer = ({ target }) => {
      if (target !== '/slow') return ok();
      return (_, socket) => {
        held.push(socket);
      };
    };
    const idle = await RawClient.open(plane.port);
    await idle.send(GET).response();
    const slow = await Promise.all(
      Array.from({ length: 50 }, async () =>
        (await RawClient.open(plane.port)).send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n'),
      ),
    );
    await origin.seen(51);
    const drained = plane.plane.drain('stop', 10_000);
    await idle.whenEnded();
    const refused = new RawClient(plane.port);
    await refused.whenEnded();
    expect(refused.error).toMatchObject({ code: 'ECONNREFUSED' });
    const body = 'y'.repeat(300_000);
    for (const socket of held) socket.write(ok(body));
    const answers = await Promise.all(slow.map((one) => one.response()));
    expect(answers.map((answer) => answer?.body.length)).toEqual(new Array(50).fill(body.length));
    for (const one of slow) await one.whenEnded();
    await drained;
    expect([plane.plane.inflight, plane.count('connections')]).toEqual([0, 0]);
  });

  it('stop: what does not end in time is ended', async () => {
    await open();
    origin.answer = () => () => {};
    client.send(GET);
    await origin.seen(1);
    await plane.plane.drain('stop', 100);
    await client.whenEnded();
    expect(await client.response()).toBeNull();
  });
});
