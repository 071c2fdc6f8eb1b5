// What operators do, over real gRPC: apply policies, switch modes, watch the fleet, restart the control plane.
// The sidecars are raw streams that answer what the test tells them.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { unaryCall } from '../proto/client-call.ts';
import { Mode } from '../proto/gen/picket/v1/common.ts';
import {
  ApplyPolicyRequest,
  ControlServiceService,
  GetPolicyRequest,
  ListPolicyVersionsRequest,
  type WatchFleetResponse,
} from '../proto/gen/picket/v1/control.ts';
import { getStatus, operator, setMode } from './testing/calls.ts';
import { RawSidecar } from './testing/raw-sidecar.ts';
import { inFolder, startIn, withControlPlane } from './testing/running.ts';
import { range } from './testing/sample-events.ts';

describe('an operator', () => {
  test('applies policies with compare-and-set; a wrong one is refused whole; history tells', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const client = operator(grpcAddress);
      const apply = (parts: Parameters<typeof ApplyPolicyRequest.fromPartial>[0]) =>
        unaryCall(client, ControlServiceService.applyPolicy, ApplyPolicyRequest.fromPartial(parts));
      const first = await apply({ document: 'fleet: {mode: monitor, flagAt: 0.4}', actor: 'ann' });
      expect(first.changed).toBe(true);
      const stale = apply({ document: 'fleet: {mode: block}', expectedVersion: first.previousVersion });
      await expect(stale).rejects.toMatchObject({ code: 'POLICY_VERSION_CONFLICT' });
      const wrong = apply({ document: 'fleet: {mode: on, flagat: 2}' });
      await expect(wrong).rejects.toMatchObject({ code: 'POLICY_INVALID', problems: [{}, {}] });
      expect((await apply({ document: '{"fleet":{"flagAt":0.4,"mode":"monitor"}}' })).changed).toBe(false);
      const unknown = setMode(client, { scope: { workload: 'orders', route: 'GET /x' } });
      await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(setMode(client, { mode: Mode.UNSPECIFIED })).rejects.toMatchObject({
        code: 'DATA_INVALID',
      });
      const list = await unaryCall(
        client,
        ControlServiceService.listPolicyVersions,
        ListPolicyVersionsRequest.fromPartial({}),
      );
      expect(list.versions.map((version) => version.actor)).toEqual(['ann', 'control-plane']);
      const current = await unaryCall(
        client,
        ControlServiceService.getPolicy,
        GetPolicyRequest.fromPartial({}),
      );
      expect(current).toMatchObject({ document: '{"fleet":{"flagAt":0.4,"mode":"monitor"}}' });
      const none = unaryCall(
        client,
        ControlServiceService.getPolicy,
        GetPolicyRequest.fromPartial({ version: 'v99-0' }),
      );
      await expect(none).rejects.toMatchObject({ code: 'NOT_FOUND' });
      client.close();
    }));

  test('many switches at once: each is a version of its own, the last one stands everywhere', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const sidecar = new RawSidecar(grpcAddress);
      await sidecar.welcome();
      sidecar.keepAcking();
      const client = operator(grpcAddress);
      const modes = range(1, 20).map((n) => (n % 2 === 0 ? Mode.BLOCK : Mode.MONITOR));
      const responses = await Promise.all(modes.map((mode) => setMode(client, { mode })));
      expect(new Set(responses.map((response) => response.policyVersion)).size).toBe(20);
      const { policyVersion, sidecars } = await getStatus(client);
      expect(policyVersion).toMatch(/^v21-/);
      expect(sidecars[0]?.ackedPolicyVersion).toBe(policyVersion);
      sidecar.close();
      client.close();
    }));

  test('watches the fleet: who is there at first, then who comes, changes and goes', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const client = operator(grpcAddress);
      const watch = client.watchFleet({});
      const seen: WatchFleetResponse[] = [];
      const until = (found: (response: WatchFleetResponse) => boolean) =>
        new Promise<void>((resolve) => {
          const check = () => {
            if (!seen.some(found)) return;
            watch.off('data', check);
            resolve();
          };
          watch.on('data', check);
          check();
        });
      watch.on('data', (response: WatchFleetResponse) => seen.push(response));
      watch.on('error', () => undefined);
      await until(({ complete }) => complete);
      expect(seen[0]?.sidecars).toEqual([]);
      const sidecar = new RawSidecar(grpcAddress);
      await until(({ sidecars }) => sidecars.some((s) => s.connected));
      sidecar.heartbeat({ mode: Mode.BLOCK, counts: [{ name: 'requests_total', value: 7 }] });
      await until(({ sidecars }) => sidecars.some((s) => s.counts.some(({ value }) => value === 7)));
      sidecar.close();
      await until(({ sidecars }) => sidecars.some((s) => !s.connected));
      watch.cancel();
      client.close();
    }));

  test('policy and mode outlive a restart; a policy file only seeds the first start', () =>
    inFolder(async (dir) => {
      const file = join(dir, 'policy.yaml');
      writeFileSync(file, 'fleet: {mode: monitor, flagAt: 0.25}\n');
      const data = join(dir, 'data');
      const first = await startIn(data, ['--policy', file]);
      const client = operator(first.grpcAddress);
      const { policyVersion } = await setMode(client, {});
      client.close();
      await first.close();
      writeFileSync(file, 'fleet: {mode: monitor, flagAt: 0.75}\n');
      const second = await startIn(data, ['--policy', file]);
      const later = operator(second.grpcAddress);
      const request = GetPolicyRequest.fromPartial({});
      const { version, document } = await unaryCall(later, ControlServiceService.getPolicy, request);
      expect(version?.version).toBe(policyVersion);
      expect(JSON.parse(document)).toEqual({ fleet: { mode: 'block', flagAt: 0.25 } });
      later.close();
      await second.close();
    }));
});
