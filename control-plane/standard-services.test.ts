// What others speak to us without knowing us: reflection (with grpcurl where it is installed), health, HTTP and Prometheus.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ChannelCredentials } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { errorOfCall, unaryCall } from '../proto/client-call.ts';
import {
  HealthCheckRequest,
  type HealthCheckResponse,
  HealthClient,
  HealthService,
} from '../proto/gen/grpc/health/v1/health.ts';
import {
  ServerReflectionClient,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from '../proto/gen/grpc/reflection/v1/reflection.ts';
import { SERVICE_NAMES } from './services/reflection-service.ts';
import { RawSidecar } from './testing/raw-sidecar.ts';
import { withControlPlane } from './testing/running.ts';

const GRPCURL = fileURLToPath(new URL('../.tools/bin/grpcurl', import.meta.url));
const run = promisify(execFile);

const OURS = ['ControlService', 'EventService', 'ModelService', 'SidecarService', 'VerdictService'];

function reflect(address: string, request: ServerReflectionRequest['messageRequest']) {
  const client = new ServerReflectionClient(address, ChannelCredentials.createInsecure());
  return new Promise<ServerReflectionResponse['messageResponse']>((resolve, reject) => {
    const stream = client.serverReflectionInfo();
    stream.on('data', ({ messageResponse }: ServerReflectionResponse) => resolve(messageResponse));
    stream.on('error', (error) => reject(errorOfCall(error as never)));
    stream.write({ host: '', messageRequest: request });
    stream.end();
  }).finally(() => client.close());
}

describe('reflection', () => {
  test('lists every service, gives files with what they import, refuses what is not there', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const list = await reflect(grpcAddress, { $case: 'listServices', value: '' });
      const names = list?.$case === 'listServicesResponse' ? list.value.service.map(({ name }) => name) : [];
      expect(names).toEqual(expect.arrayContaining(OURS.map((name) => `picket.v1.${name}`)));
      expect(names).toEqual(SERVICE_NAMES);
      const file = await reflect(grpcAddress, {
        $case: 'fileContainingSymbol',
        value: 'picket.v1.VerdictService.ListVerdicts',
      });
      expect(file?.$case === 'fileDescriptorResponse' ? file.value.fileDescriptorProto.length : 0).toBe(3);
      const byName = await reflect(grpcAddress, { $case: 'fileByFilename', value: 'picket/v1/common.proto' });
      expect(byName?.$case).toBe('fileDescriptorResponse');
      for (const request of [
        { $case: 'fileContainingSymbol', value: 'picket.v1.Nothing' },
        { $case: 'fileByFilename', value: '/etc/passwd' },
        { $case: 'allExtensionNumbersOfType', value: 'picket.v1.Event' },
        undefined,
      ] as const) {
        expect((await reflect(grpcAddress, request))?.$case).toBe('errorResponse');
      }
    }));

  test.skipIf(!existsSync(GRPCURL))('grpcurl lists, describes and calls (needs npm run tools)', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const list = await run(GRPCURL, ['-plaintext', grpcAddress, 'list']);
      for (const name of OURS) expect(list.stdout).toContain(`picket.v1.${name}`);
      const described = await run(GRPCURL, [
        '-plaintext',
        grpcAddress,
        'describe',
        'picket.v1.SetModeRequest',
      ]);
      expect(described.stdout).toContain('expected_version');
      const body = '{"mode":"MODE_BLOCK"}';
      const called = await run(GRPCURL, [
        '-plaintext',
        '-d',
        body,
        grpcAddress,
        'picket.v1.ControlService/SetMode',
      ]);
      expect(JSON.parse(called.stdout)).toMatchObject({
        policyVersion: expect.stringMatching(/^v2-/) as string,
      });
    }),
  );
});

describe('health', () => {
  test('check, list and watch; unknown services are unknown; stopping is told', async () => {
    let last: Promise<HealthCheckResponse[]> = Promise.resolve([]);
    await withControlPlane(async ({ grpcAddress }) => {
      const client = new HealthClient(grpcAddress, ChannelCredentials.createInsecure());
      const check = (service: string) =>
        unaryCall(client, HealthService.check, HealthCheckRequest.fromPartial({ service }));
      expect((await check('')).status).toBe(1);
      await expect(check('no.such.Service')).rejects.toMatchObject({ code: 'NOT_FOUND' });
      const { statuses } = await unaryCall(client, HealthService.list, {});
      expect(statuses['picket.v1.ModelService']?.status).toBe(1);
      const stream = client.watch({ service: '' });
      const first = new Promise<void>((resolve) => stream.once('data', () => resolve()));
      last = new Promise((resolve) => {
        const seen: HealthCheckResponse[] = [];
        stream.on('data', (message: HealthCheckResponse) => seen.push(message));
        stream.on('end', () => resolve(seen));
        stream.on('error', () => resolve(seen));
      });
      await first;
    });
    expect((await last).map(({ status }) => status)).toEqual([1, 2]);
  });
});

describe('HTTP', () => {
  test('probes, metrics and status are there to be read; nothing can be written', () =>
    withControlPlane(async ({ grpcAddress, httpAddress }) => {
      const get = async (path: string, init?: RequestInit) => {
        const answer = await fetch(`http://${httpAddress}${path}`, init);
        return { code: answer.status, text: await answer.text() };
      };
      for (const path of ['/startup', '/live', '/ready']) expect((await get(path)).code).toBe(200);
      const sidecar = new RawSidecar(grpcAddress);
      await sidecar.welcome();
      const status = JSON.parse((await get('/status?x=1')).text) as Record<string, unknown>;
      expect(status).toMatchObject({ events: { assigned: 0 }, sidecars: [{ workload: 'orders' }] });
      const metrics = (await get('/metrics')).text;
      expect(metrics).toContain('picket_control_sidecars_connected 1\n');
      expect(metrics).toContain('picket_control_events{state="stored"} 0\n');
      for (const line of metrics.trim().split('\n')) {
        expect(line).toMatch(
          /^(# (HELP|TYPE) picket_control_[a-z_]+ .+|picket_control_[a-z_]+(\{[a-z_]+="[^"]*"\})? \d+)$/,
        );
      }
      expect((await get('/status', { method: 'POST', body: '{}' })).code).toBe(405);
      expect((await get('/other')).code).toBe(404);
      expect((await get('/constructor')).code).toBe(404);
      expect(await get('/ready', { method: 'HEAD' })).toEqual({ code: 200, text: '' });
      sidecar.close();
    }));
});
