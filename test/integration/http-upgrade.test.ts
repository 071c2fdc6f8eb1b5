// WebSocket handshakes and tunnels, on raw sockets: what passes, what is refused, and each known defect of the forwarding
// libraries by name, for upgrade requests.

import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DataPlaneConfig } from '../../proxy/data-plane-config.ts';
import { BLOCK_ALL, startTestPlane, type TestPlane } from '../support/data-planes.ts';
import { valuesOf } from '../support/http-message.ts';
import { RawClient } from '../support/raw-client.ts';
import { RecordingOrigin } from '../support/recording-origin.ts';

const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
const SWITCHED =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Own: 1\r\n\r\n';

function handshake(fields = '', target = '/ws', host = 'Host: shop.test\r\n'): string {
  return `GET ${target} HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n${KEY}${fields}\r\n`;
}

let origin: RecordingOrigin;
let plane: TestPlane;
let client: RawClient;

async function open(config: Partial<DataPlaneConfig> = {}): Promise<void> {
  plane = await startTestPlane({ upstream: origin.url, config, tickMs: 50 });
  client = await RawClient.open(plane.port);
}

/** Echoes what comes after a handshake. */
function echo(): void {
  origin.answer = () => (_, socket) => {
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => socket.write(chunk));
    socket.write(SWITCHED);
  };
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

async function problem(): Promise<Record<string, unknown>> {
  const answer = await client.response();
  await client.whenEnded();
  return JSON.parse(answer?.body.toString() ?? '{}');
}

describe('tunnels', () => {
  it('carries bytes both ways, those behind the heads too', async () => {
    await open();
    origin.answer = () => (_, socket) => {
      socket.removeAllListeners('data');
      socket.on('data', (chunk: Buffer) => socket.write(chunk));
      socket.write(`${SWITCHED}hello`);
    };
    client.send(`${handshake()}early`);
    expect((await client.response())?.status).toBe(101);
    await client.until((bytes) => bytes.includes('hello') && bytes.includes('early'));
    const big = Buffer.alloc(2_000_000, 'y');
    client.send(big);
    await client.until((bytes) => bytes.length >= 10 + big.length);
    expect([plane.plane.tunnels, plane.plane.inflight]).toEqual([1, 0]);
    expect([plane.count('scored'), plane.count('forwarded'), plane.count('tunnelsTotal')]).toEqual([1, 1, 1]);
    expect(plane.events()).toMatchObject([{ verdict: 'allow', outcome: { status: 101 } }]);
  });

  it('forwards the handshake once, with the fields that belong to it', async () => {
    await open();
    echo();
    client.send(
      handshake(
        'Expect: 100-continue\r\nContent-Length: 0\r\nTE: trailers\r\nTrailer: foo\r\n' +
          'Cookie: a=1\r\nCookie: b=2\r\n',
      ),
    );
    expect((await client.response())?.status).toBe(101);
    const seen = origin.requests[0]?.fields ?? [];
    const gone = ['expect', 'content-length', 'te', 'trailer', 'transfer-encoding', 'http2-settings'];
    expect(gone.flatMap((name) => valuesOf(seen, name))).toEqual([]);
    expect(valuesOf(seen, 'connection').map((value) => value.toLowerCase())).toEqual(['upgrade']);
    expect(valuesOf(seen, 'upgrade')).toEqual(['websocket']);
    expect(valuesOf(seen, 'cookie').join('; ')).toBe('a=1; b=2');
    expect(valuesOf(seen, 'host')).toEqual(['shop.test']);
    expect(valuesOf(seen, 'x-forwarded-for')).toEqual(['127.0.0.1']);
  });

  it('sends the target as it was scored', async () => {
    await open();
    echo();
    client.send(handshake('', '/a//b/./c?x=//y'));
    await client.response();
    expect(origin.requests[0]?.target).toBe('/a//b/./c?x=//y');
  });

  it('normalises absolute-form first', async () => {
    await open();
    echo();
    client.send(handshake('', 'http://shop.test/ws?a'));
    expect((await client.response())?.status).toBe(101);
    expect(origin.requests[0]?.startLine).toBe('GET /ws?a HTTP/1.1');
  });

  it('ends an idle tunnel on both sides', async () => {
    await open({ wsIdleTimeoutMs: 200 });
    echo();
    client.send(handshake());
    await client.response();
    await client.whenEnded();
    expect(plane.plane.tunnels).toBe(0);
  });

  it('is refused by policy like any request, and the origin sees nothing', async () => {
    plane = await startTestPlane({
      upstream: origin.url,
      policy: { fleet: { mode: 'block', ...BLOCK_ALL } },
    });
    client = await RawClient.open(plane.port);
    client.send(handshake());
    expect(await problem()).toMatchObject({ status: 403, reason: 'policy.blocked' });
    expect([origin.requests.length, plane.count('scored')]).toEqual([0, 1]);
  });
});

describe('the defects of forwarding libraries', () => {
  it('6: the client resets before the answer', async () => {
    await open();
    const held: Socket[] = [];
    origin.answer = () => (_, socket) => {
      held.push(socket);
    };
    client.send(handshake());
    await origin.seen(1);
    const closed = new Promise<void>((resolve) => held[0]?.once('close', () => resolve()));
    client.reset();
    await closed;
    expect(plane.noted('client.aborted')).toBe(1);
  });

  it('7: Trailer, and a bad absolute target', async () => {
    await open();
    client.send(handshake('', 'http://[::1'));
    expect(await problem()).toMatchObject({ status: 400, reason: 'protocol.target_absolute' });
    expect(origin.requests).toHaveLength(0);
  });

  it('8: absolute-form with another authority', async () => {
    await open();
    client.send(handshake('', 'http://other.test/ws'));
    expect(await problem()).toMatchObject({ status: 400, reason: 'protocol.authority_conflict' });
  });

  it('9: a body', async () => {
    await open();
    client.send(`${handshake('Content-Length: 5\r\n')}GET /`);
    expect(await problem()).toMatchObject({ status: 400, reason: 'protocol.upgrade_body' });
    expect(origin.requests).toHaveLength(0);
  });

  it.each([
    ['chunked', 'Transfer-Encoding: chunked\r\n\r\n3\r\nno!\r\n0\r\n\r\n', 'chunked'],
    ['with a length', 'Content-Length: 3\r\n\r\nno!', 'length'],
  ])('10: an answer other than 101, %s', async (_name, rest, framing) => {
    await open();
    origin.answer = () => `HTTP/1.1 401 Unauthorized\r\nKeep-Alive: timeout=5\r\nX-A: \xe9\r\n${rest}`;
    client.send(handshake());
    const answer = await client.response();
    expect([answer?.status, answer?.framing, answer?.body.toString()]).toEqual([401, framing, 'no!']);
    expect(valuesOf(answer?.fields ?? [], 'keep-alive')).toEqual([]);
    expect(valuesOf(answer?.fields ?? [], 'x-a')).toEqual(['\xe9']);
    await client.whenEnded();
    expect(plane.events()).toMatchObject([{ outcome: { status: 401, refusal: '' } }]);
  });

  it('11: no answer to the handshake', async () => {
    await open({ wsHandshakeTimeoutMs: 200 });
    origin.answer = () => () => {};
    client.send(handshake());
    expect(await problem()).toMatchObject({ status: 504, reason: 'upstream.ws_handshake' });
    expect(plane.plane.inflight).toBe(0);
  });

  it('12: the origin refuses the connection', async () => {
    await open();
    await origin.close();
    client.send(handshake());
    expect(await problem()).toMatchObject({ status: 502, reason: 'upstream.connect' });
  });

  it('12: the origin resets in the handshake', async () => {
    await open();
    origin.answer = () => (_, socket) => {
      socket.resetAndDestroy();
    };
    client.send(handshake());
    expect(await problem()).toMatchObject({ status: 502, reason: 'upstream.reset' });
  });

  it('13: POST, h2c, two tokens and 1.0 stay ordinary requests', async () => {
    await open();
    for (const request of [
      'POST /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      'GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
      'GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n',
      'GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n\r\n',
      'GET /a HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ]) {
      expect((await client.send(request).response())?.status).toBe(200);
    }
    expect(origin.requests.flatMap((request) => valuesOf(request.fields, 'upgrade'))).toEqual([]);
    expect(plane.plane.tunnels).toBe(0);
  });

  it('a handshake behind an unanswered request is not taken', async () => {
    await open();
    const held: Socket[] = [];
    origin.answer = () => (_, socket) => {
      held.push(socket);
    };
    client.send(`GET /a HTTP/1.1\r\nHost: a\r\n\r\n${handshake()}`);
    await origin.seen(1);
    held[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await client.response())?.body.toString()).toBe('ok');
    await client.whenEnded();
    expect(origin.requests).toHaveLength(1);
  });
});

it('a half-closed client in a tunnel ends the tunnel', async () => {
  await open();
  echo();
  const socket = connect(plane.port, '127.0.0.1');
  socket.write(handshake());
  await new Promise<void>((resolve) => socket.once('data', () => resolve()));
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.end();
  await closed;
  expect(origin.sockets.size).toBeLessThanOrEqual(1);
});
