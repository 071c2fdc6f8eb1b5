// Connections, not messages: 100-continue, pipelining, what follows a close or a malformed request, HTTP/1.0, reuse upstream.
// On raw sockets, so that what is asserted is what was on the wire.

import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane } from '../support/data-planes.ts';
import { valuesOf } from '../support/http-message.ts';
import { RawClient } from '../support/raw-client.ts';
import { ok, RecordingOrigin, type SeenRequest } from '../support/recording-origin.ts';

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

describe('100-continue', () => {
  const HEAD = 'POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n';

  it('asks for the body when the origin can take it, and never forwards the field', async () => {
    expect((await client.send(HEAD).response())?.status).toBe(100);
    expect((await client.send('abc').response())?.status).toBe(200);
    const seen = origin.requests[0] as SeenRequest;
    expect([valuesOf(seen.fields, 'expect'), seen.body.toString()]).toEqual([[], 'abc']);
    expect((await client.send(GET).response())?.status).toBe(200);
  });

  it('works the same for a client that does not wait', async () => {
    client.send(`${HEAD}abc`);
    expect((await client.response())?.status).toBe(100);
    expect((await client.response())?.status).toBe(200);
    expect(origin.requests[0]?.body.toString()).toBe('abc');
  });

  it("never passes on the origin's own 100", async () => {
    origin.answer = () => `HTTP/1.1 100 Continue\r\n\r\n${ok()}`;
    const answer = await client.send(GET).response();
    expect(JSON.parse(answer?.body.toString() ?? '')).toMatchObject({
      status: 502,
      reason: 'upstream.bad_response',
    });
  });
});

describe('connections', () => {
  it('works on pipelined requests one at a time, in order', async () => {
    const open: { request: SeenRequest; socket: Socket }[] = [];
    origin.answer = () => (request, socket) => {
      open.push({ request, socket });
    };
    const targets = Array.from({ length: 40 }, (_, i) => `/p/${i}`);
    client.send(targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    for (const target of targets) {
      await origin.seen(open.length === 0 ? 1 : origin.requests.length);
      while (open.length === 0) await origin.seen(origin.requests.length + 1);
      expect(open).toHaveLength(1);
      const { request, socket } = open.pop() as { request: SeenRequest; socket: Socket };
      expect(request.target).toBe(target);
      socket.write(ok(target));
      expect((await client.response())?.body.toString()).toBe(target);
    }
    expect(plane.count('scored')).toBe(40);
  });

  it('finishes the pending answer before it closes over a malformed pipelined request', async () => {
    const answers: Socket[] = [];
    origin.answer = () => (_, socket) => {
      answers.push(socket);
    };
    client.send(`${GET}BAD /x HTTP/1.1\r\n\r\n`);
    await origin.seen(1);
    answers[0]?.write(ok('mine'));
    const answer = await client.response();
    expect([answer?.body.toString(), valuesOf(answer?.fields ?? [], 'connection')]).toEqual([
      'mine',
      ['close'],
    ]);
    await client.whenEnded();
    expect([client.received.length, plane.noted('protocol.pipelined_error')]).toEqual([0, 1]);
  });

  it('does not process what follows a request that closes', async () => {
    const answers: Socket[] = [];
    origin.answer = () => (_, socket) => {
      answers.push(socket);
    };
    client.send(`GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${GET}`);
    await origin.seen(1);
    answers[0]?.write(ok('one'));
    expect((await client.response())?.body.toString()).toBe('one');
    await client.whenEnded();
    expect([origin.requests.length, plane.noted('protocol.after_close')]).toEqual([1, 1]);
  });

  it('serves HTTP/1.0: no chunks, no 1xx, no kept connection', async () => {
    origin.answer = () =>
      'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n' +
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
    client.send('GET /a HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTE: chunked\r\n\r\n');
    const answer = await client.response();
    expect([answer?.status, answer?.framing, answer?.body.toString()]).toEqual([200, 'close', 'abc']);
    expect(valuesOf(answer?.fields ?? [], 'connection')).toEqual(['close']);
  });

  it('reuses upstream connections', async () => {
    for (let i = 0; i < 20; i++) expect((await client.send(GET).response())?.status).toBe(200);
    expect(origin.connections).toBe(1);
  });
});
