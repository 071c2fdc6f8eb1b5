// Origins that misbehave, and origins that are not there: each failure is one 502 or 504 with its reason, or an answer that
// visibly does not end; never a clean end of half an answer. And the one retry: when it is made, and when it is not.

import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RefusalCode } from '../../domain/refusal.ts';
import type { DataPlaneConfig } from '../../proxy/data-plane-config.ts';
import { startTestPlane, type TestPlane } from '../support/data-planes.ts';
import { RawClient } from '../support/raw-client.ts';
import { ok, RecordingOrigin } from '../support/recording-origin.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: shop.test\r\n\r\n';
const POST = 'POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 3\r\n\r\nabc';

let origin: RecordingOrigin;
let plane: TestPlane | null = null;
let client: RawClient | null = null;

async function open(config: Partial<DataPlaneConfig> = {}, upstream = origin.url): Promise<RawClient> {
  plane = await startTestPlane({ upstream, config });
  client = await RawClient.open(plane.port);
  return client;
}

beforeEach(async () => {
  origin = await new RecordingOrigin().listen();
});

afterEach(async () => {
  client?.destroy();
  const { balance, notes } = plane ?? { balance: 0, notes: [] };
  await plane?.close();
  await origin.close();
  expect([balance, notes]).toEqual([0, []]);
  plane = null;
  client = null;
});

interface Hostile {
  readonly name: string;
  readonly act: (socket: Socket) => void;
  readonly code: RefusalCode;
  readonly status: number;
}

const bytes = (text: string) => (socket: Socket) => {
  socket.write(Buffer.from(text, 'latin1'));
};

function bad(name: string, text: string): Hostile {
  return { name, act: bytes(text), code: 'upstream.bad_response', status: 502 };
}

const HOSTILE: readonly Hostile[] = [
  { name: 'RST before the head', act: (s) => s.resetAndDestroy(), code: 'upstream.reset', status: 502 },
  { name: 'FIN before the head', act: (s) => s.end(), code: 'upstream.reset', status: 502 },
  {
    name: 'FIN in the head',
    act: (s) => s.end('HTTP/1.1 200 OK\r\nConten'),
    code: 'upstream.reset',
    status: 502,
  },
  { name: 'no answer', act: () => {}, code: 'upstream.head_timeout', status: 504 },
  bad('garbage', 'SSH-2.0-OpenSSH_9.2\r\n'),
  bad(
    'Content-Length and Transfer-Encoding',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ),
  bad('two Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd'),
  bad('two equal Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc'),
  bad('Content-Length with sign', 'HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc'),
  bad('status 099', 'HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n'),
  bad('status 999', 'HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n'),
  bad('status 600', 'HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n'),
  bad('101 that nobody asked for', 'HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
  bad('obs-fold', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n'),
  bad('bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'),
  bad('control byte in a value', 'HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 0\r\n\r\n'),
  bad('NUL in a value', 'HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n'),
  bad('endless head', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}`),
];

describe('hostile origins', () => {
  it.each(HOSTILE)('$name', async ({ act, code, status }) => {
    const c = await open({ upstreamHeadTimeoutMs: 300 });
    origin.answer = () => (_, socket) => act(socket);
    const answer = await c.send(POST).response();
    expect(JSON.parse(answer?.body.toString() ?? '')).toMatchObject({ status, reason: code });
    expect(answer?.status).toBe(status);
    expect(plane?.answered(code)).toBe(1);
    origin.answer = () => ok('well');
    expect((await c.send(GET).response())?.body.toString()).toBe('well');
    expect(plane?.plane.inflight).toBe(0);
  });

  it.each([
    ['Content-Length, FIN', 'Content-Length: 10\r\n\r\nabc', 'end'],
    ['Content-Length, RST', 'Content-Length: 10\r\n\r\nabc', 'reset'],
    ['chunked, FIN', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'end'],
    ['chunked, RST', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'reset'],
    ['bad chunk', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n', 'wait'],
  ] as const)('cut short after its head: %s', async (_name, rest, how) => {
    const c = await open();
    origin.answer = () => (_, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\n${rest}`, () => {
        if (how === 'end') socket.end();
        if (how === 'reset') socket.resetAndDestroy();
      });
    };
    c.send(GET);
    await c.whenEnded();
    expect(await c.response()).toBeNull();
    expect(plane?.answered('upstream.truncated')).toBeLessThanOrEqual(1);
    expect((plane?.answered('upstream.truncated') ?? 0) + (plane?.answered('upstream.reset') ?? 0)).toBe(1);
    expect(c.received.includes('0\r\n\r\n')).toBe(false);
  });

  it('ends a truncated answer to a 1.0 client with a reset', async () => {
    const c = await open();
    origin.answer = () => (_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
      setTimeout(() => socket.end(), 50);
    };
    c.send('GET /a HTTP/1.0\r\nHost: a\r\n\r\n');
    await c.until(() => c.closed);
    expect(c.error).toMatchObject({ code: 'ECONNRESET' });
  });

  it('cuts an answer longer than its Content-Length, and keeps nothing of it', async () => {
    const c = await open();
    origin.answer = () =>
      bytesOf(
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
      );
    expect((await c.send(GET).response())?.body.toString()).toBe('ok');
    origin.answer = () => ok('mine');
    expect((await c.send(GET).response())?.body.toString()).toBe('mine');
  });
});

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

describe('no origin', () => {
  it('refused connection: one retry, then 502', async () => {
    const { url } = origin;
    await origin.close();
    const c = await open({}, url);
    const answer = await c.send(POST).response();
    expect(JSON.parse(answer?.body.toString() ?? '')).toMatchObject({
      status: 502,
      reason: 'upstream.connect',
    });
    expect([plane?.count('attempts'), plane?.count('forwarded')]).toEqual([0, 0]);
  });

  it('connection that is not taken up: 504', async () => {
    // TEST-NET-1 (RFC 5737): nobody answers there, and nobody refuses.
    const c = await open({ connectTimeoutMs: 300 }, new URL('http://192.0.2.1:9'));
    const answer = await c.send(GET).response();
    const problem = JSON.parse(answer?.body.toString() ?? '');
    expect(['upstream.connect_timeout', 'upstream.connect']).toContain(problem.reason);
  });

  it('more requests in flight than allowed: 503 with Retry-After', async () => {
    const c = await open({ inflightMax: 1 });
    const held: Socket[] = [];
    origin.answer = () => (_, socket) => {
      held.push(socket);
    };
    c.send(GET);
    await origin.seen(1);
    const second = await RawClient.open(plane?.port ?? 0);
    const answer = await second.send(GET).response();
    expect(JSON.parse(answer?.body.toString() ?? '')).toMatchObject({
      status: 503,
      reason: 'overload.inflight',
    });
    expect(answer?.fields).toContainEqual(['retry-after', '1']);
    held[0]?.write(ok());
    expect((await c.response())?.status).toBe(200);
    expect([plane?.count('scored'), plane?.count('forwarded')]).toEqual([2, 1]);
    second.destroy();
  });
});

describe('retries', () => {
  /** Serves one request per connection, then closes it when the next one comes: the kept socket is stale. */
  function staleOrigin(): void {
    const served = new Set<Socket>();
    origin.answer = () => (_, socket) => {
      if (served.has(socket)) {
        socket.destroy();
        return;
      }
      served.add(socket);
      socket.write(ok('fresh'));
    };
  }

  it.each(['GET', 'OPTIONS'])('a stale kept socket: %s is sent once more, on a fresh one', async (method) => {
    const c = await open();
    staleOrigin();
    await c.send(GET).response();
    const answer = await c.send(`${method} /b HTTP/1.1\r\nHost: a\r\n\r\n`).response();
    expect(answer?.body.toString()).toBe('fresh');
    expect(origin.requests.map((request) => request.target)).toEqual(['/a', '/b', '/b']);
    expect(origin.requests[1]?.requestId).toBe(origin.requests[2]?.requestId);
    expect([plane?.count('requests'), plane?.count('forwarded'), plane?.count('attempts')]).toEqual([
      2, 2, 3,
    ]);
    expect(plane?.noted('upstream.stale_socket')).toBe(1);
  });

  it.each([
    ['POST', POST],
    ['GET with a body', 'GET /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc'],
    ['DELETE', 'DELETE /b HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('a stale kept socket: %s is not sent again', async (_name, request) => {
    const c = await open();
    staleOrigin();
    await c.send(GET).response();
    const answer = await c.send(request).response();
    expect(JSON.parse(answer?.body.toString() ?? '')).toMatchObject({
      status: 502,
      reason: 'upstream.reset',
    });
    expect(origin.requests).toHaveLength(2);
  });

  it('a fresh socket that is closed: not sent again', async () => {
    const c = await open();
    origin.answer = () => (_, socket) => {
      socket.destroy();
    };
    expect((await c.send(GET).response())?.status).toBe(502);
    expect(origin.requests).toHaveLength(1);
  });

  it('after a first byte of an answer: not sent again', async () => {
    const c = await open();
    await c.send(GET).response();
    origin.answer = () => (_, socket) => {
      socket.end('HTTP/1.1 2');
    };
    expect((await c.send(GET).response())?.status).toBe(502);
    expect(origin.requests).toHaveLength(2);
  });

  it('switched off: not sent again', async () => {
    const c = await open({ retries: false });
    staleOrigin();
    await c.send(GET).response();
    expect((await c.send(GET).response())?.status).toBe(502);
    expect(origin.requests).toHaveLength(2);
  });
});
