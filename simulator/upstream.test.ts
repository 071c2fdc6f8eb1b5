// The sample API: object semantics as a function and over HTTP; and the sender against it: labels, addresses, refusals, failures.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../domain/random.ts';
import { newToken, orderOf, profileId, userOfToken } from './catalogue.ts';
import { type Seen, sendAll, sendableOf, sendableTarget } from './live.ts';
import { SampleStore } from './sample-store.ts';
import { mixedTraffic } from './scenario.ts';
import { startUpstream } from './upstream.ts';

const token = newToken(seededRandom(1), 17, false);

function storeWithoutMishaps() {
  const store = new SampleStore({ random: seededRandom(2), mishapShare: 0 });
  return (method: string, target: string, as: string | null = token, body: string | null = null) =>
    store.answer({ method, target, token: as, body, conditional: false }).status;
}

describe('SampleStore', () => {
  it('knows objects and their owners', () => {
    const status = storeWithoutMishaps();
    const mine = `/payment/1/order/${orderOf(17, 3)}`;
    expect(status('GET', '/news/1/menu')).toBe(200);
    expect(status('GET', '/news/1/menu', null)).toBe(401);
    expect(status('GET', '/news/1/menu', 'forged')).toBe(401);
    expect(status('GET', '/news/1/items/12?x=1')).toBe(200);
    expect(status('GET', '/news/1/items/99999999')).toBe(404);
    expect(status('GET', mine)).toBe(200);
    expect(status('GET', `/payment/1/order/${orderOf(18, 3)}`)).toBe(403);
    expect(status('DELETE', mine)).toBe(204);
    expect(status('DELETE', mine)).toBe(404);
    expect(status('DELETE', '/map/1/order/abcdefghij')).toBe(404);
    expect(status('POST', '/payment/1/order', token, '{}')).toBe(201);
    expect(status('GET', `/account/1/profile/${profileId(17)}`)).toBe(200);
    expect(status('GET', `/account/1/profile/${profileId(18)}`)).toBe(403);
    expect(status('POST', '/account/1/login', null, '{"password":"guess"}')).toBe(401);
    expect(status('POST', '/account/1/login', null, '{"password":"right"}')).toBe(200);
    expect(status('GET', '/', null)).toBe(200);
    expect(status('GET', '/no/such/page', null)).toBe(404);
  });

  it('reads the user out of both kinds of token and out of nothing else', () => {
    for (const user of [0, 17, 123_456])
      for (const jwt of [true, false])
        expect(userOfToken(newToken(seededRandom(user), user, jwt))).toBe(user);
    for (const text of ['', 'u17', 'eyJ.x.y', 'a.b.c']) expect(userOfToken(text)).toBe(-1);
  });
});

describe('sendAll', () => {
  it('sends real requests with label, address and body, and sees the answers', async () => {
    const upstream = await startUpstream({ latencyScale: 0, mishapShare: 0 });
    const seen: Seen[] = [];
    const requests = [...mixedTraffic({ seed: 4, seconds: 60, users: 30, visitsPerSec: 0.5 })].map(
      sendableOf,
    );
    try {
      const target = `http://127.0.0.1:${upstream.port}`;
      const summary = await sendAll(requests, { target, speed: 200, onSeen: (one) => seen.push(one) });
      expect(summary.sent).toBe(requests.length);
    } finally {
      await upstream.close();
    }
    expect(seen).toHaveLength(requests.length);
    expect(upstream.served()).toBe(requests.length);
    expect(seen.filter((one) => one.error !== '')).toEqual([]);
    expect(seen.filter((one) => one.status < 400).length / seen.length).toBeGreaterThan(0.9);
  });

  it('tells a refusal from an ordinary 403, and shows forwarding headers', async () => {
    const fields: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      fields.push(request.headers['x-forwarded-for'] as string, request.headers['x-request-id'] as string);
      const refused = request.url === '/refused';
      response.writeHead(403, { 'content-type': refused ? 'application/problem+json' : 'application/json' });
      response.end(JSON.stringify({ reason: 'policy.blocked' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const seen: Seen[] = [];
    const base = { atMs: 0, label: 'dos', actor: 'd1', nth: 7, method: 'GET', headers: [], body: null };
    const sent = ['/refused', '/plain'].map((target) => ({
      ...base,
      target,
      requestId: 'r1',
      address: '5.6.7.8',
    }));
    const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await sendAll(sent, { target, speed: 1, connections: 1, onSeen: (one) => seen.push(one) });
    server.close();
    expect(seen.map(({ status, refused }) => [status, refused])).toEqual([
      [403, true],
      [403, false],
    ]);
    expect(fields).toEqual(['5.6.7.8', 'r1', '5.6.7.8', 'r1']);
  });

  it('reports a target that is not there and goes on', async () => {
    const upstream = await startUpstream();
    await upstream.close();
    const seen: Seen[] = [];
    const requests = [...mixedTraffic({ seed: 4, seconds: 10, users: 20 })].slice(0, 5).map(sendableOf);
    const target = `http://127.0.0.1:${upstream.port}`;
    await sendAll(requests, { target, speed: 1000, onSeen: (one) => seen.push(one) });
    expect(seen).toHaveLength(5);
    expect(seen.every((one) => one.status === 0 && one.error !== '')).toBe(true);
  });

  it('encodes only what no client may send', () => {
    expect(sendableTarget('/a b"\xe9<x>?q={1}|')).toBe('/a%20b%22%E9%3Cx%3E?q=%7B1%7D%7C');
    expect(sendableTarget("/x?y='1;%00&z=[0]")).toBe("/x?y='1;%00&z=[0]");
  });
});
