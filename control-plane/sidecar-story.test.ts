// The story of a sidecar, told over real gRPC: hello, snapshot, ack, mode switch, nack, stale nonces, reconnects and
// missed heartbeats.

import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { unaryCall } from '../proto/client-call.ts';
import { Mode, ModeSource, Resource } from '../proto/gen/picket/v1/common.ts';
import { ControlServiceService, GetModeRequest } from '../proto/gen/picket/v1/control.ts';
import { Hello } from '../proto/gen/picket/v1/sidecar.ts';
import { getStatus, operator, setMode } from './testing/calls.ts';
import { BOOT_ID, RawSidecar } from './testing/raw-sidecar.ts';
import { withControlPlane } from './testing/running.ts';

describe('a sidecar', () => {
  test('hello, welcome, policy, ack; then a mode switch arrives and its ack reaches the operator', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const sidecar = new RawSidecar(grpcAddress);
      expect(await sidecar.welcome()).toMatchObject({ heartbeatMs: 5000, highWater: [] });
      const first = await sidecar.ackPolicy();
      expect(first.version).toMatch(/^v1-/);
      expect(JSON.parse(first.document.toString())).toEqual({});
      const client = operator(grpcAddress);
      const switching = setMode(client, { actor: 'ann' });
      const second = await sidecar.ackPolicy();
      expect(JSON.parse(second.document.toString())).toEqual({ fleet: { mode: 'block' } });
      const response = await switching;
      expect(response).toMatchObject({ policyVersion: second.version, previousVersion: first.version });
      expect(response.acks).toMatchObject([
        { bootId: BOOT_ID, workload: 'orders', acked: true, error: '', effectiveMode: Mode.BLOCK },
      ]);
      const again = await setMode(client, {});
      expect(again).toMatchObject({ policyVersion: second.version, previousVersion: second.version });
      expect(again.acks[0]?.acked).toBe(true);
      sidecar.close();
      client.close();
    }));

  test('what it holds already is not pushed; what it lacks is', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const first = new RawSidecar(grpcAddress);
      const { version } = await first.ackPolicy();
      first.close();
      const second = new RawSidecar(grpcAddress, { hello: { policyVersion: version } });
      await second.welcome();
      const client = operator(grpcAddress);
      const switching = setMode(client, {});
      const pushed = await second.ackPolicy();
      expect(pushed.version).toMatch(/^v2-/);
      expect((await switching).acks[0]?.acked).toBe(true);
      second.close();
      client.close();
    }));

  test('a nack keeps the old policy, reaches the operator with its reason, and the next version comes', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const sidecar = new RawSidecar(grpcAddress);
      const first = await sidecar.ackPolicy();
      const client = operator(grpcAddress);
      const switching = setMode(client, {});
      const second = await sidecar.next('policy');
      sidecar.nack(Resource.POLICY, second.nonce, 'no room');
      expect((await switching).acks[0]).toMatchObject({ acked: false, error: 'BUNDLE_SELF_TEST: no room' });
      const state = (await getStatus(client)).sidecars[0];
      expect(state).toMatchObject({
        ackedPolicyVersion: first.version,
        policyError: 'BUNDLE_SELF_TEST: no room',
      });
      const back = setMode(client, { mode: Mode.MONITOR });
      const third = await sidecar.ackPolicy();
      expect((await back).acks[0]?.acked).toBe(true);
      expect((await getStatus(client)).sidecars[0]).toMatchObject({
        ackedPolicyVersion: third.version,
        policyError: '',
      });
      sidecar.close();
      client.close();
    }));

  test('a stale nonce changes nothing; silence is reported as such', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const sidecar = new RawSidecar(grpcAddress);
      const first = await sidecar.next('policy');
      const client = operator(grpcAddress);
      const response = await setMode(client, { waitMs: 30 });
      expect(response.acks[0]).toMatchObject({ acked: false, error: 'no answer in time' });
      const second = await sidecar.next('policy');
      sidecar.ack(Resource.POLICY, first.nonce, first.version);
      sidecar.ack(Resource.POLICY, 'invented', second.version);
      sidecar.heartbeat({ policyVersion: 'x' });
      const unsettled = await setMode(client, { waitMs: 30 });
      expect(unsettled.acks[0]?.acked).toBe(false);
      expect((await getStatus(client)).sidecars[0]).toMatchObject({
        ackedPolicyVersion: '',
        policyVersion: 'x',
      });
      const waiting = setMode(client, {});
      sidecar.ack(Resource.POLICY, second.nonce, second.version);
      expect((await waiting).acks[0]?.acked).toBe(true);
      sidecar.close();
      client.close();
    }));

  test('a scope names its sidecars; a narrower rule that stands is shown', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const orders = new RawSidecar(grpcAddress);
      const users = new RawSidecar(grpcAddress, { bootId: 'e'.repeat(32), hello: { workload: 'users' } });
      orders.keepAcking();
      users.keepAcking();
      await Promise.all([orders.welcome(), users.welcome()]);
      const client = operator(grpcAddress);
      const one = await setMode(client, { scope: { workload: 'users' }, mode: Mode.MONITOR });
      expect(one.acks.map((ack) => ack.workload)).toEqual(['users']);
      const all = await setMode(client, {});
      const modes = Object.fromEntries(
        all.acks.map((ack) => [ack.workload, [ack.effectiveMode, ack.modeSource]]),
      );
      expect(modes).toEqual({
        orders: [Mode.BLOCK, ModeSource.FLEET],
        users: [Mode.MONITOR, ModeSource.WORKLOAD],
      });
      const mode = await unaryCall(
        client,
        ControlServiceService.getMode,
        GetModeRequest.fromPartial({ scope: { workload: 'users' } }),
      );
      expect(mode).toMatchObject({ mode: Mode.MONITOR, modeSource: ModeSource.WORKLOAD });
      orders.close();
      users.close();
      client.close();
    }));

  test('connecting again ends the older stream; going away ends the wait for its ack', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const older = new RawSidecar(grpcAddress);
      await older.ackPolicy();
      const newer = new RawSidecar(grpcAddress);
      expect((await older.ended).details).toContain('connected again');
      await newer.ackPolicy();
      const client = operator(grpcAddress);
      const switching = setMode(client, { waitMs: 20_000 });
      await newer.next('policy');
      newer.close();
      expect((await switching).acks[0]).toMatchObject({ acked: false, error: 'the sidecar disconnected' });
      older.close();
      client.close();
    }));

  test('a silent sidecar is let go after two missed heartbeats; a speaking one stays', () =>
    withControlPlane(
      async ({ grpcAddress }) => {
        const silent = new RawSidecar(grpcAddress);
        const speaking = new RawSidecar(grpcAddress, { bootId: 'e'.repeat(32) });
        await Promise.all([silent.welcome(), speaking.welcome()]);
        const beating = setInterval(() => speaking.heartbeat({ mode: Mode.BLOCK }), 40);
        expect((await silent.ended).details).toContain('heartbeats');
        expect(speaking.waitingCount('heartbeat')).toBeGreaterThan(0);
        const client = operator(grpcAddress);
        const { sidecars } = await getStatus(client);
        expect(sidecars.map((sidecar) => [sidecar.bootId, sidecar.mode])).toEqual([
          ['e'.repeat(32), Mode.BLOCK],
        ]);
        clearInterval(beating);
        silent.close();
        speaking.close();
        client.close();
      },
      ['--heartbeat', '150ms'],
    ));

  const secondHello = (sidecar: RawSidecar) => sidecar.send({ $case: 'hello', value: Hello.fromPartial({}) });
  test.each([
    { name: 'a second hello', act: secondHello, hello: {}, reason: /second hello/ },
    { name: 'a short boot id', act: () => undefined, hello: { bootId: Buffer.alloc(3) }, reason: /16 bytes/ },
    { name: 'no workload', act: () => undefined, hello: { workload: '' }, reason: /has a name/ },
  ])('is ended with the reason: $name', ({ act, hello, reason }) =>
    withControlPlane(async ({ grpcAddress }) => {
      const sidecar = new RawSidecar(grpcAddress, { hello });
      act(sidecar);
      const { code, details } = await sidecar.ended;
      expect(code).toBe(status.INVALID_ARGUMENT);
      expect(details).toMatch(reason);
      sidecar.close();
    }),
  );
});
