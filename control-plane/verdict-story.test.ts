// Reading stored events over real gRPC: long lists in pages, the newest ones, following, one event whole, wrong questions.

import { ChannelCredentials } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { errorOfCall, unaryCall } from '../proto/client-call.ts';
import { Verdict } from '../proto/gen/picket/v1/common.ts';
import { PublishRequest } from '../proto/gen/picket/v1/events.ts';
import {
  type GetVerdictRequest,
  ListVerdictsRequest,
  type ListVerdictsResponse,
  VerdictServiceClient,
  VerdictServiceService,
} from '../proto/gen/picket/v1/verdict.ts';
import { vectorOf } from '../proto/wire.ts';
import { publish, publisher } from './testing/calls.ts';
import { withControlPlane } from './testing/running.ts';
import { encodeBatch, FEATURE_IDS, ids, range, sampleEvent } from './testing/sample-events.ts';

type Filter = Parameters<typeof ListVerdictsRequest.fromPartial>[0];

const reader = (address: string) => new VerdictServiceClient(address, ChannelCredentials.createInsecure());

async function store(address: string, from: number, to: number): Promise<void> {
  const client = publisher(address);
  const verdictOf = (n: number) => (n % 100 === 0 ? 'block' : 'allow');
  const events = range(from, to).map((n) => sampleEvent(n, { verdict: verdictOf(n) }));
  await publish(client, [PublishRequest.decode(encodeBatch({ events }))]);
  client.close();
}

/** Request ids of all pages; rejects with a coded error. */
async function list(client: VerdictServiceClient, filter: Filter): Promise<string[]> {
  const stream = client.listVerdicts(ListVerdictsRequest.fromPartial(filter));
  const found: string[] = [];
  try {
    for await (const page of stream as AsyncIterable<ListVerdictsResponse>) {
      found.push(...page.verdicts.map((verdict) => verdict.requestId));
    }
  } catch (thrown) {
    throw errorOfCall(thrown as never);
  }
  return found;
}

/** Collects request ids until there are `count`, then cancels. `begun` resolves with the first page. */
function follow(client: VerdictServiceClient, filter: Filter, count: number) {
  const stream = client.listVerdicts(ListVerdictsRequest.fromPartial({ follow: true, ...filter }));
  const found: string[] = [];
  stream.on('error', () => undefined);
  const begun = new Promise<void>((resolve) => stream.once('data', () => resolve()));
  const all = new Promise<string[]>((resolve) => {
    stream.on('data', ({ verdicts }: ListVerdictsResponse) => {
      found.push(...verdicts.map((verdict) => verdict.requestId));
      if (found.length < count) return;
      stream.cancel();
      resolve(found);
    });
  });
  return { begun, all };
}

describe('verdicts', () => {
  test('lists of several pages, limits, and the newest in ascending order', () =>
    withControlPlane(async ({ grpcAddress }) => {
      await store(grpcAddress, 1, 1700);
      const client = reader(grpcAddress);
      expect(await list(client, {})).toEqual(ids(1, 1700));
      expect(await list(client, { limit: 620 })).toEqual(ids(1, 620));
      expect(await list(client, { limit: 1200, newest: true })).toEqual(ids(501, 1700));
      const blocked = { verdicts: [Verdict.BLOCK, Verdict.FLAG] };
      expect(await list(client, blocked)).toHaveLength(17);
      expect(await list(client, { ...blocked, newest: true, limit: 2 })).toEqual([
        'request-1600',
        'request-1700',
      ]);
      expect(await list(client, { requestIds: ['request-3', 'request-1699'] })).toEqual([
        'request-3',
        'request-1699',
      ]);
      client.close();
    }));

  test('following begins with the newest and goes on with what comes, filtered too', () =>
    withControlPlane(async ({ grpcAddress }) => {
      await store(grpcAddress, 1, 100);
      const client = reader(grpcAddress);
      const newest = follow(client, { newest: true, limit: 10 }, 10 + 100);
      const blocked = follow(client, { newest: true, limit: 5, verdicts: [Verdict.BLOCK] }, 2);
      const fromStart = follow(client, {}, 200);
      await Promise.all([newest.begun, blocked.begun, fromStart.begun]);
      await store(grpcAddress, 101, 150);
      await store(grpcAddress, 151, 200);
      expect(await newest.all).toEqual(ids(91, 200));
      expect(await blocked.all).toEqual(['request-100', 'request-200']);
      expect(await fromStart.all).toEqual(ids(1, 200));
      client.close();
    }));

  test('one event whole, by id or request id', () =>
    withControlPlane(async ({ grpcAddress }) => {
      await store(grpcAddress, 1, 3);
      const client = reader(grpcAddress);
      const get = (key: GetVerdictRequest['key']) =>
        unaryCall(client, VerdictServiceService.getVerdict, { key });
      const found = await get({ $case: 'requestId', value: 'request-2' });
      expect(found.verdict).toMatchObject({ requestId: 'request-2', identity: `bearer:${'a'.repeat(32)}` });
      expect(found.body).toMatchObject({ path: '/orders/17', featureIds: FEATURE_IDS });
      const vector = vectorOf(found.body?.vectorF32le ?? Buffer.alloc(0));
      expect([...(vector ?? [])]).toEqual([1, Number.NaN, 3.5]);
      const byId = await get({ $case: 'id', value: found.verdict?.id ?? 0 });
      expect(byId.verdict?.requestId).toBe('request-2');
      await expect(get({ $case: 'requestId', value: 'none' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(get({ $case: 'id', value: 2 ** 50 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(get(undefined)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      client.close();
    }));

  test.each([
    { name: 'an identity in another form', filter: { identity: 'ann' } },
    { name: 'newest without a limit', filter: { newest: true } },
    { name: 'no such verdict', filter: { verdicts: [Verdict.UNSPECIFIED] } },
    { name: 'too many request ids', filter: { requestIds: ids(1, 1001) } },
  ])('refused: $name', ({ filter }) =>
    withControlPlane(async ({ grpcAddress }) => {
      const client = reader(grpcAddress);
      await expect(list(client, filter)).rejects.toMatchObject({ code: 'DATA_INVALID' });
      client.close();
    }),
  );
});
