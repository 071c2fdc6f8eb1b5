// The story of a bundle over real gRPC: push, refusals, offer, fetch by chunks, ack and nack, roll back, restart.
// A bundle that is refused never holds back a mode switch.

import { generateKeyPairSync } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChannelCredentials, type ServiceError } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { operator, setMode } from '../../control-plane/testing/calls.ts';
import { RawSidecar } from '../../control-plane/testing/raw-sidecar.ts';
import { inFolder, startIn, withControlPlane } from '../../control-plane/testing/running.ts';
import { range } from '../../control-plane/testing/sample-events.ts';
import { seededRandom } from '../../domain/random.ts';
import { errorOfCall, unaryCall } from '../../proto/client-call.ts';
import { Mode, Resource } from '../../proto/gen/picket/v1/common.ts';
import {
  ActivateModelRequest,
  ModelServiceClient,
  ModelServiceService,
  type PushModelResponse,
  RollbackModelRequest,
  Stage,
} from '../../proto/gen/picket/v1/model.ts';
import type { FetchBundleResponse } from '../../proto/gen/picket/v1/sidecar.ts';
import { packBundle, signBundle } from '../../wasm-core/host/bundle.ts';
import { randomEnsemble } from '../../wasm-core/testing/random-ensemble.ts';
import { smallSpec, verdictSpec } from '../../wasm-core/testing/test-bundle.ts';

const models = (address: string) => new ModelServiceClient(address, ChannelCredentials.createInsecure());

function push(client: ModelServiceClient, bytes: Uint8Array, chunkBytes = 1000): Promise<PushModelResponse> {
  return new Promise((resolve, reject) => {
    const stream = client.pushModel((error: ServiceError | null, response: PushModelResponse) => {
      if (error === null) resolve(response);
      else reject(errorOfCall(error));
    });
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      stream.write({ data: Buffer.from(bytes.subarray(at, at + chunkBytes)), actor: 'ann' });
    }
    stream.end();
  });
}

const activate = (client: ModelServiceClient, model: string, waitMs = 2000) =>
  unaryCall(
    client,
    ModelServiceService.activateModel,
    ActivateModelRequest.fromPartial({ model, actor: 'ann', waitMs }),
  );
const rollback = (client: ModelServiceClient) =>
  unaryCall(client, ModelServiceService.rollbackModel, RollbackModelRequest.fromPartial({}));

/** Fetches from an offset; stops by itself after `stopAfter` bytes, as a broken transfer would. */
function fetchBundle(
  sidecar: RawSidecar,
  digest: string,
  from = { offset: 0, stopAfter: Infinity },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const stream = sidecar.client.fetchBundle({ digest, offset: from.offset });
    stream.on('data', ({ data, offset }: FetchBundleResponse) => {
      expect(offset).toBe(from.offset + size);
      parts.push(data);
      size += data.length;
      if (size < from.stopAfter) return;
      stream.cancel();
      resolve(Buffer.concat(parts));
    });
    stream.on('end', () => resolve(Buffer.concat(parts)));
    stream.on('error', (error: ServiceError) => reject(errorOfCall(error)));
  });
}

/** A good bundle of several chunks: many trees. */
function largeBundle(): Uint8Array {
  const random = seededRandom(7);
  const shape = { trees: 300, leaves: [60, 64], inputs: range(0, 9) } as const;
  return packBundle(verdictSpec(randomEnsemble(random, shape), random));
}

describe('a model', () => {
  test('pushed, activated, offered, fetched with a break, acked; the next one nacked; then rolled back', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const client = models(grpcAddress);
      const sidecar = new RawSidecar(grpcAddress);
      await sidecar.ackPolicy();
      const bytes = largeBundle();
      const pushed = await push(client, bytes, 300_000);
      expect(pushed).toMatchObject({
        known: false,
        model: { stage: Stage.CANDIDATE, sizeBytes: bytes.length },
      });
      expect((await push(client, bytes, 300_000)).known).toBe(true);
      const digest = pushed.model?.digest ?? '';
      const activating = activate(client, digest.slice(0, 10));
      const offer = await sidecar.next('bundle');
      expect(offer).toMatchObject({ digest, sizeBytes: bytes.length, bundleId: pushed.model?.bundleId });
      const begun = await fetchBundle(sidecar, digest, { offset: 0, stopAfter: 1 });
      expect(begun.length).toBeGreaterThan(0);
      expect(begun.length).toBeLessThan(bytes.length);
      const rest = await fetchBundle(sidecar, digest, { offset: begun.length, stopAfter: Infinity });
      expect(Buffer.concat([begun, rest]).equals(bytes)).toBe(true);
      sidecar.ack(Resource.BUNDLE, offer.nonce, offer.digest);
      expect(await activating).toMatchObject({ previousDigest: '', acks: [{ acked: true }] });
      const second = await push(client, packBundle(smallSpec(2)));
      const refusing = activate(client, second.model?.digest ?? '');
      const offer2 = await sidecar.next('bundle');
      sidecar.nack(Resource.BUNDLE, offer2.nonce, 'margins differ');
      expect((await refusing).acks[0]?.error).toBe('BUNDLE_SELF_TEST: margins differ');
      const back = rollback(client);
      expect((await sidecar.ackBundle()).digest).toBe(digest);
      expect((await back).model).toMatchObject({ digest, stage: Stage.ACTIVE });
      sidecar.close();
      client.close();
    }));

  test('a sidecar that refuses or ignores a bundle still gets a mode switch, and at once', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const client = models(grpcAddress);
      const sidecar = new RawSidecar(grpcAddress);
      await sidecar.ackPolicy();
      const { model } = await push(client, packBundle(smallSpec(1)));
      const unanswered = activate(client, model?.digest ?? '', 10);
      await sidecar.next('bundle');
      const control = operator(grpcAddress);
      const switching = setMode(control, { mode: Mode.BLOCK });
      await sidecar.ackPolicy();
      expect((await switching).acks[0]?.acked).toBe(true);
      expect((await unanswered).acks[0]).toMatchObject({ acked: false, error: 'no answer in time' });
      sidecar.close();
      client.close();
      control.close();
    }));

  test('bad files are refused with their reason; bad names too; the active one stays', () =>
    withControlPlane(async ({ grpcAddress }) => {
      const client = models(grpcAddress);
      const good = packBundle(smallSpec(1));
      const { model } = await push(client, good);
      await activate(client, model?.digest ?? '');
      const flipped = Uint8Array.from(good);
      flipped[good.length >> 1]! ^= 0x40;
      const cases = [
        new Uint8Array(0),
        good.subarray(0, good.length - 5),
        flipped,
        Buffer.from('not a bundle'),
      ];
      for (const bytes of cases)
        await expect(push(client, bytes)).rejects.toMatchObject({ code: 'BUNDLE_CORRUPT' });
      await expect(activate(client, 'ffffffff')).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(activate(client, '../../etc')).rejects.toMatchObject({ code: 'DATA_INVALID' });
      await expect(rollback(client)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      const list = await unaryCall(client, ModelServiceService.listModels, { limit: 0 });
      expect(list.models.map((each) => [each.digest, each.stage])).toEqual([[model?.digest, Stage.ACTIVE]]);
      const sidecar = new RawSidecar(grpcAddress);
      await expect(fetchBundle(sidecar, '0'.repeat(64))).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(fetchBundle(sidecar, '../control.db')).rejects.toMatchObject({ code: 'DATA_INVALID' });
      const beyond = fetchBundle(sidecar, model?.digest ?? '', { offset: 10 ** 9, stopAfter: Infinity });
      await expect(beyond).rejects.toMatchObject({ code: 'DATA_INVALID' });
      sidecar.close();
      client.close();
    }));

  test('where signing is required, unsigned and strangely signed bundles are refused', () =>
    inFolder(async (dir) => {
      const { publicKey, privateKey } = generateKeyPairSync('ed25519');
      const stranger = generateKeyPairSync('ed25519').privateKey;
      const keys = join(dir, 'keys');
      writeFileSync(keys, `ours ${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}\n`);
      const running = await startIn(join(dir, 'data'), ['--require-signed', '--trusted-keys', keys]);
      const client = models(running.grpcAddress);
      const bytes = packBundle(smallSpec(1));
      await expect(push(client, bytes)).rejects.toMatchObject({ code: 'BUNDLE_UNSIGNED' });
      const foreign = signBundle(bytes, stranger, 'theirs');
      await expect(push(client, foreign)).rejects.toMatchObject({ code: 'BUNDLE_SIGNATURE' });
      const forged = signBundle(bytes, stranger, 'ours');
      await expect(push(client, forged)).rejects.toMatchObject({ code: 'BUNDLE_SIGNATURE' });
      expect((await push(client, signBundle(bytes, privateKey, 'ours'))).model).toMatchObject({
        signedBy: 'ours',
      });
      client.close();
      await running.close();
    }));

  test('the active model outlives a restart and is offered to who lacks it; a lost file is said', () =>
    inFolder(async (dir) => {
      const first = await startIn(dir);
      const client = models(first.grpcAddress);
      const { model } = await push(client, packBundle(smallSpec(1)));
      const digest = model?.digest ?? '';
      await activate(client, digest);
      client.close();
      await first.close();
      const second = await startIn(dir);
      const lacking = new RawSidecar(second.grpcAddress);
      expect((await lacking.ackBundle()).digest).toBe(digest);
      const holding = new RawSidecar(second.grpcAddress, {
        bootId: 'e'.repeat(32),
        hello: { bundleDigest: digest },
      });
      await holding.ackPolicy();
      expect(holding.waitingCount('bundle')).toBe(0);
      rmSync(join(dir, 'bundles', `${digest}.bundle`));
      await expect(fetchBundle(lacking, digest)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      lacking.close();
      holding.close();
      await second.close();
    }));
});
