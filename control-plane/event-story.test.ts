// Events over real gRPC: acks in order, repeats, the account of what was lost, bad batches.
// The store itself has a suite of its own.

import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { PublishRequest } from '../proto/gen/picket/v1/events.ts';
import { batchOf, getStatus, operator, publish, publisher } from './testing/calls.ts';
import { RawSidecar } from './testing/raw-sidecar.ts';
import { withControlPlane } from './testing/running.ts';
import { range } from './testing/sample-events.ts';

describe('events', () => {
  test('acks in order, repeats store nothing, the welcome tells the mark, the account adds up', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const client = publisher(grpcAddress);
      const acks = await publish(client, [batchOf(1, 1, 100), batchOf(2, 101, 200), batchOf(3, 150, 250)]);
      expect(acks.map(({ batch: number, stored, repeatedCount }) => [number, stored, repeatedCount])).toEqual(
        [
          [1, 100, 0],
          [2, 100, 0],
          [3, 50, 51],
        ],
      );
      const sidecar = new RawSidecar(grpcAddress);
      expect((await sidecar.welcome()).highWater).toEqual([{ stream: 1, sequence: 250 }]);
      sidecar.heartbeat({ assigned: [{ stream: 1, sequence: 260 }] });
      await sidecar.ackPolicy();
      const control = operator(grpcAddress);
      sidecar.close();
      await sidecar.ended;
      const lost = async (): Promise<number> => {
        const { events } = await getStatus(control);
        return events?.lost === 10 ? 10 : lost();
      };
      expect(await lost()).toBe(10);
      expect((await getStatus(control)).events).toMatchObject({ assigned: 260, stored: 250, pending: 0 });
      control.close();
      client.close();
    }));

  test('more batches than may wait at once all come through', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const client = publisher(grpcAddress);
      const acks = await publish(
        client,
        range(1, 60).map((n) => batchOf(n, (n - 1) * 50 + 1, n * 50)),
      );
      expect(acks.map((ack) => ack.batch)).toEqual(range(1, 60));
      expect(acks.at(-1)?.highWater).toEqual([{ stream: 1, sequence: 3000 }]);
      client.close();
    }));

  test('a batch that is none ends its own stream with the reason, and nothing else', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const client = publisher(grpcAddress);
      const nameless = PublishRequest.fromPartial({ batch: 1 });
      await expect(publish(client, [nameless])).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
      expect(await publish(client, [batchOf(1, 1, 3)])).toHaveLength(1);
      client.close();
    }));
});
