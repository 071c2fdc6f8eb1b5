// Mode truth table: every action, mode and failure. In monitor no answer comes from Picket but for what the request rules
// refuse, and the origin gets the same bytes as in block for an allowed request, and as with no bundle at all.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PicketError } from '../../domain/errors.ts';
import type { PolicyDocument } from '../../domain/policy.ts';
import { refusedPlace, uninspectedPlace, verdictPlace } from '../../proxy/counters.ts';
import {
  ALLOW_ALL,
  type PlaneSettings,
  policyOf,
  startTestPlane,
  type TestPlane,
} from '../support/data-planes.ts';
import { valuesOf } from '../support/http-message.ts';
import { RawClient, type SeenResponse } from '../support/raw-client.ts';
import { RecordingOrigin } from '../support/recording-origin.ts';
import { block, monitor, POLICY_ROWS } from './http-policy.cases.ts';

const GET = 'GET /orders/7?q=secret HTTP/1.1\r\nHost: shop.test\r\nAuthorization: Bearer token-1\r\n\r\n';

let origin: RecordingOrigin;
let plane: TestPlane;
let client: RawClient;

async function open(policy: PolicyDocument, more: Partial<PlaneSettings> = {}): Promise<void> {
  plane = await startTestPlane({ upstream: origin.url, policy, ...more });
  client = await RawClient.open(plane.port);
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

describe('truth table', () => {
  it.each(POLICY_ROWS)('$name', async ({ policy, more = {}, refused, event }) => {
    await open(policy, more);
    const answer = (await client.send(GET).response()) as SeenResponse;
    if (refused === null) expect(answer.body.toString()).toBe('ok');
    else expect(JSON.parse(answer.body.toString())).toMatchObject(refused);
    expect(answer.status).toBe(refused === null ? 200 : refused.status);
    expect(origin.requests).toHaveLength(refused === null ? 1 : 0);
    expect(plane.events()).toMatchObject([{ ...event, path: '/orders/7', identityKind: 'bearer' }]);
  });

  it('block, close: the connection ends without an answer', async () => {
    await open({ fleet: { ...block, action: 'close' } });
    client.send(GET);
    await client.whenEnded();
    expect([client.received.length, origin.requests.length]).toEqual([0, 0]);
    expect(plane.events()).toMatchObject([
      { action: 'close', outcome: { refusal: 'policy.blocked', status: 0 } },
    ]);
  });
});

describe('a refused request', () => {
  it('says what the contract says, and nothing more', async () => {
    await open({ fleet: block });
    const answer = (await client.send(GET).response()) as SeenResponse;
    const [id] = valuesOf(answer.fields, 'x-picket-request-id');
    expect(JSON.parse(answer.body.toString())).toEqual({
      type: 'urn:picket:refusal:policy.blocked',
      title: 'The request was refused by policy',
      status: 403,
      request_id: id,
      reason: 'policy.blocked',
    });
    expect(plane.events()).toMatchObject([
      { requestId: id, outcome: { status: 403, refusal: 'policy.blocked' } },
    ]);
    expect([plane.answered('policy.blocked'), plane.counters.get(refusedPlace('policy.blocked'))]).toEqual([
      1, 1,
    ]);
    expect(plane.counters.get(verdictPlace('block', 'block'))).toBe(1);
  });

  it('keeps the connection if its body is read or short, and feeds no row', async () => {
    await open({ fleet: block });
    const body = 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc';
    for (let i = 0; i < 3; i++) {
      expect((await client.send(body).response())?.status).toBe(403);
      client.send('def');
    }
    expect((await client.send('HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n').response({ head: true }))?.status).toBe(
      403,
    );
    expect((await client.send(GET).response())?.status).toBe(403);
    expect([plane.count('connectionsTotal'), plane.count('outcomes')]).toEqual([1, 0]);
  });

  it('closes after a long unread body, and the client can still read the answer', async () => {
    await open({ fleet: block });
    client.send('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n');
    client.send(Buffer.alloc(3_000_000, 'x'));
    const answer = await client.response();
    expect([answer?.status, valuesOf(answer?.fields ?? [], 'connection')]).toEqual([403, ['close']]);
    await client.whenEnded();
    expect(client.error).toBeNull();
  });

  it('never asks for a body that it will not read', async () => {
    await open({ fleet: block });
    const answer = await client
      .send('POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n')
      .response();
    expect([answer?.status, valuesOf(answer?.fields ?? [], 'connection')]).toEqual([403, ['close']]);
  });
});

describe('targets that read two ways', () => {
  const policy: PolicyDocument = {
    fleet: monitor,
    workloads: { orders: { routes: [{ route: 'DELETE /orders/{id}', mode: 'block' }] } },
    exemptions: [{ id: 'e', reason: 'r', owner: 'o', cidr: '127.0.0.0/8' }],
  };

  it.each(['/orders//7', '/x/../orders/7', '/orders/7;a=b', '/orders%2f7', '/%2e/orders/7'])(
    '%s gets the strictest mode and no exemption',
    async (target) => {
      await open(policy);
      const answer = await client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).response();
      expect([answer?.status, origin.requests.length]).toEqual([403, 0]);
      expect((await client.send('GET /orders/7 HTTP/1.1\r\nHost: a\r\n\r\n').response())?.status).toBe(200);
    },
  );
});

describe('changes', () => {
  it('a mode switch holds from the next request on; one under way keeps its tail', async () => {
    await open({ fleet: monitor });
    let answer = (): void => {};
    origin.answer = () => (_, socket) => {
      answer = () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    };
    client.send(GET);
    await origin.seen(1);
    plane.plane.setPolicy(policyOf({ fleet: block }, 'v2'));
    answer();
    expect((await client.response())?.status).toBe(200);
    expect((await client.send(GET).response())?.status).toBe(403);
    expect(plane.events()).toMatchObject([
      { mode: 'monitor', policyVersion: 'test-1', action: 'forward' },
      { mode: 'block', policyVersion: 'v2', action: 'forbid' },
    ]);
  });

  it('after a trap the instance is replaced and the next request is scored', async () => {
    let traps = 1;
    const faults = {
      beforeScore: () => {
        if (traps-- > 0) throw new PicketError('CORE_TRAP', 'once');
      },
    };
    await open({ fleet: block }, { faults });
    expect((await client.send(GET).response())?.status).toBe(200);
    expect((await client.send(GET).response())?.status).toBe(403);
    const uninspected = plane.counters.get(uninspectedPlace('trap'));
    expect([uninspected, plane.count('scored'), plane.count('coreResets')]).toEqual([1, 1, 1]);
    const [second] = plane.events().filter((event) => event.unscored === 'none');
    expect([second?.path, second?.identityKind, second?.vector.length !== 0]).toEqual([
      '/orders/7',
      'bearer',
      true,
    ]);
  });

  it('without a bundle nothing is scored, and the origin gets the same bytes', async () => {
    const heads: unknown[] = [];
    for (const settings of [
      { policy: { fleet: { mode: 'monitor', ...ALLOW_ALL } } },
      { policy: { fleet: { mode: 'block', ...ALLOW_ALL } } },
      { policy: { fleet: monitor }, bundle: null },
    ] as const) {
      const other = await startTestPlane({ upstream: origin.url, ...settings });
      const one = (await RawClient.open(other.port)).send(GET);
      await one.response();
      one.destroy();
      await other.close();
      const seen = origin.requests.at(-1);
      heads.push([seen?.startLine, seen?.fields.filter(([name]) => name !== 'x-request-id')]);
    }
    await open({ fleet: monitor });
    expect(heads[1]).toEqual(heads[0]);
    expect(heads[2]).toEqual(heads[0]);
  });
});
