// Passing on, message by message: framing kinds, informational answers, trailers, bytes from 0x80, early and endless answers.
// All on raw sockets, so that what is asserted is what was on the wire.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane } from '../support/data-planes.ts';
import { valuesOf } from '../support/http-message.ts';
import { RawClient } from '../support/raw-client.ts';
import { ok, RecordingOrigin } from '../support/recording-origin.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: shop.test\r\n\r\n';

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
  expect(origin.violations).toEqual([]);
  expect(plane.balance).toBe(0);
});

describe('answers', () => {
  it('keeps order, case, duplicates and bytes of fields, and drops hop-by-hop ones', async () => {
    origin.answer = () =>
      'HTTP/1.1 200 OK\r\nX-B: 1\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\nConnection: x-gone\r\n' +
      'X-Gone: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\nX-Latin: \xe9\xff\r\n' +
      'Content-Disposition: attachment; filename="\xc3\xa9\xe9"\r\nx-b: 2\r\n\r\nok';
    const answer = await client.send(GET).response();
    const own = new Set(['connection', 'keep-alive']);
    expect(answer?.fields.filter(([name]) => !own.has(name.toLowerCase()))).toEqual([
      ['X-B', '1'],
      ['set-cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['X-Latin', '\xe9\xff'],
      ['Content-Disposition', 'attachment; filename="\xc3\xa9\xe9"'],
      ['x-b', '2'],
      ['Content-Length', '2'],
    ]);
  });

  it('keeps bytes from 0x80 in a head that is flushed before its body', async () => {
    origin.answer = () => (_, socket) => {
      socket.write(
        Buffer.from('HTTP/1.1 200 OK\r\nX-Latin: \xe9\xff\r\nContent-Length: 2\r\n\r\n', 'latin1'),
      );
    };
    client.send(GET);
    await client.until((bytes) => bytes.includes('\r\n\r\n'));
    expect(client.received.includes(Buffer.from('X-Latin: \xe9\xff\r\n', 'latin1'))).toBe(true);
    expect(client.received.toString('latin1').endsWith('\r\n\r\n')).toBe(true);
  });

  it.each([
    ['HTTP/1.1 200 Very Fine', 'HTTP/1.1 200 Very Fine'],
    ['HTTP/1.1 200 ', 'HTTP/1.1 200 '],
    ['HTTP/1.1 299 Odd', 'HTTP/1.1 299 Odd'],
    ['HTTP/1.1 404 caf\xe9', 'HTTP/1.1 404 Not Found'],
  ])('reason phrase of %j', async (line, expected) => {
    origin.answer = () => `${line}\r\nContent-Length: 0\r\n\r\n`;
    expect((await client.send(GET).response())?.startLine).toBe(expected);
  });

  it('never passes on half a reason phrase', async () => {
    origin.answer = () => async (_, socket) => {
      socket.write('HTTP/1.1 200 Very F');
      await new Promise((resolve) => setTimeout(resolve, 20));
      socket.write('ine\r\nContent-Length: 0\r\n\r\n');
    };
    expect((await client.send(GET).response())?.startLine).toBe('HTTP/1.1 200 OK');
  });

  it.each([
    ['length', 'Content-Length: 5\r\n\r\nabcde', 'length', 'abcde'],
    ['chunked', 'Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n', 'chunked', 'abcde'],
    ['empty chunked', 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'chunked', ''],
    ['empty length', 'Content-Length: 0\r\n\r\n', 'length', ''],
  ])('keeps the framing: %s', async (_name, rest, framing, body) => {
    origin.answer = () => `HTTP/1.1 200 OK\r\n${rest}`;
    const answer = await client.send(GET).response();
    expect([answer?.framing, answer?.body.toString()]).toEqual([framing, body]);
    expect((await client.send(GET).response())?.status).toBe(200);
  });

  it('passes on an answer that ends with its connection, chunked', async () => {
    origin.answer = () => (_, socket) => {
      socket.end('HTTP/1.1 200 OK\r\n\r\nabc');
    };
    const answer = await client.send(GET).response();
    expect([answer?.framing, answer?.body.toString()]).toEqual(['chunked', 'abc']);
    expect((await client.send(GET).response())?.body.toString()).toBe('abc');
  });

  it.each([204, 304])('passes on %i without a body, and goes on', async (status) => {
    origin.answer = () => `HTTP/1.1 ${status} X\r\nETag: "e"\r\n\r\n`;
    const answer = await client.send(GET).response();
    expect([answer?.status, valuesOf(answer?.fields ?? [], 'transfer-encoding')]).toEqual([status, []]);
    expect((await client.send(GET).response())?.status).toBe(status);
  });

  it('passes on HEAD with the length of what GET would give', async () => {
    origin.answer = () => 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n';
    const answer = await client.send('HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n').response({ head: true });
    expect(valuesOf(answer?.fields ?? [], 'content-length')).toEqual(['500']);
    origin.answer = () => ok('next');
    expect((await client.send(GET).response())?.body.toString()).toBe('next');
  });

  it('passes on 103 with its fields, then the answer', async () => {
    origin.answer = () =>
      `HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nlink: </b>\r\n\r\n${ok('done')}`;
    const early = await client.send(GET).response();
    expect(early?.startLine).toBe('HTTP/1.1 103 Early Hints');
    expect(early?.fields).toEqual([
      ['Link', '</a>; rel=preload'],
      ['link', '</b>'],
    ]);
    expect((await client.response())?.body.toString()).toBe('done');
  });

  it('passes on trailers with a chunked answer', async () => {
    origin.answer = () =>
      'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n' +
      '2\r\nab\r\n0\r\nX-Sum: \xe9\r\nx-sum: 2\r\n\r\n';
    const answer = await client.send(GET).response();
    expect(answer?.trailers).toEqual([
      ['X-Sum', '\xe9'],
      ['x-sum', '2'],
    ]);
  });
});

describe('streams', () => {
  it('sends the head and each piece of an event stream at once', async () => {
    let stream: Socket | null = null;
    origin.answer = () => (_, socket) => {
      stream = socket;
      socket.write(
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
      );
    };
    client.send(GET);
    await client.until((bytes) => bytes.includes('\r\n\r\n'));
    for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
      (stream as unknown as Socket).write(`${event.length.toString(16)}\r\n${event}\r\n`);
      await client.until((bytes) => bytes.includes(event));
    }
    expect(plane.plane.inflight).toBe(0);
    (stream as unknown as Socket).write('0\r\n\r\n');
    expect((await client.response())?.body.toString()).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n');
  });

  it('answers while the request body is still coming', async () => {
    const seen: string[] = [];
    origin.takeOver = (socket, first) => {
      const take = (chunk: Buffer): void => {
        seen.push(chunk.toString('latin1'));
        if (chunk.includes('one'))
          socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
        if (chunk.includes('0\r\n\r\n')) socket.write('4\r\nlast\r\n0\r\n\r\n');
      };
      take(first);
      socket.on('data', take);
    };
    client.send('POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
    await client.until((bytes) => bytes.includes('first'));
    client.send('3\r\ntwo\r\n0\r\n\r\n');
    expect((await client.response())?.body.toString()).toBe('firstlast');
    expect(seen.join('')).toContain('two');
  });

  it('passes on an early answer to an upload, and the connection stays usable', async () => {
    origin.takeOver = (socket, first) => {
      if (first.includes('POST')) socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig');
      else socket.write(ok('next'));
      socket.on('data', () => {});
    };
    client.send('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n').send('x'.repeat(10_000));
    expect((await client.response())?.body.toString()).toBe('big');
    client.send('x'.repeat(40_000)).send(GET);
    expect((await client.response())?.body.toString()).toBe('next');
  });

  it('does not read ahead of a client that does not read', async () => {
    const total = 64 * 1024 * 1024;
    let written = 0;
    origin.answer = () => (_, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
      const block = Buffer.alloc(1024 * 1024, 'x');
      const pump = (): void => {
        while (written < total) {
          written += block.length;
          if (!socket.write(block)) {
            socket.once('drain', pump);
            return;
          }
        }
      };
      pump();
    };
    client.socket.pause();
    client.send(GET);
    await origin.seen(1);
    let before = -1;
    while (before !== written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(written).toBeLessThan(total / 2);
    let received = 0;
    client.socket.removeAllListeners('data');
    client.socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    client.socket.resume();
    while (received < total) await once(client.socket, 'data');
    expect(received).toBeGreaterThanOrEqual(total);
  });
});
