// `picket ctl model push|activate|rollback|list`: bundles at the control plane.
// The control plane checks a bundle; nothing of it is read here.

import { open } from 'node:fs/promises';
import type { ServiceError } from '@grpc/grpc-js';
import { PicketError } from '../../domain/errors.ts';
import { errorOfCall } from '../../proto/client-call.ts';
import {
  ActivateModelRequest,
  ListModelsRequest,
  type Model,
  ModelServiceClient,
  ModelServiceService,
  type PushModelResponse,
  RollbackModelRequest,
  Stage,
} from '../../proto/gen/picket/v1/model.ts';
import type { CommandIo } from '../command.ts';
import { kinds } from '../options.ts';
import { type Connection, connected, readCtlOptions } from './connection.ts';
import { acksExitCode, acksJson, acksText, columns, timeText, writeJson } from './show.ts';

const CHUNK_BYTES = 256 * 1024;

export const MODEL_OPTIONS = {
  activate: kinds.flag({ help: 'push: make it the active model at once.', group: 'Model' }),
  wait: kinds.duration(
    { min: 0, max: 30_000 },
    { help: 'activate, rollback: how long to wait for the sidecars.', group: 'Model', fallback: '10s' },
  ),
  limit: kinds.int(
    { min: 1, max: 1_000 },
    { help: 'list: so many models, newest first.', group: 'Model', fallback: '20' },
  ),
};

interface ModelCall {
  readonly connection: Connection;
  readonly client: ModelServiceClient;
  readonly io: CommandIo;
  readonly json: boolean;
  readonly waitMs: number;
}

export async function modelCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = readCtlOptions('ctl model', MODEL_OPTIONS, { args, io, positionalsMax: 2 });
  const [action = '', name] = positionals;
  const wanted = { push: 'FILE', activate: 'DIGEST', rollback: '', list: '' }[action];
  if (wanted === undefined) {
    throw new PicketError('CONFIG_INVALID', `"${action}" is nothing that "ctl model" does`, {
      hint: 'one of: push FILE, activate DIGEST, rollback, list',
    });
  }
  if ((wanted === '') !== (name === undefined)) {
    const message = wanted === '' ? `"${action}" takes nothing more` : `which ${wanted.toLowerCase()}?`;
    throw new PicketError('CONFIG_INVALID', message, {
      hint: `picket ctl model ${action} ${wanted}`.trimEnd(),
    });
  }
  return connected(values, io, async (connection) => {
    const client = connection.client(ModelServiceClient);
    const call = { connection, client, io, json: values.json, waitMs: values.wait };
    if (action === 'list') return list(call, values.limit);
    if (action === 'rollback') return activate(call, null);
    if (action === 'activate') return activate(call, name ?? '');
    return push(call, name ?? '', values.activate);
  });
}

async function list({ connection, client, io, json }: ModelCall, limit: number): Promise<number> {
  const request = ListModelsRequest.fromPartial({ limit });
  const { models } = await connection.call(client, ModelServiceService.listModels, request);
  if (json) {
    writeJson(io.stdout, models.map(modelJson));
    return 0;
  }
  if (models.length === 0)
    io.stdout.write('No model was pushed yet: sidecars run the one they started with.\n');
  const rows = models.map((model) => [
    model.digest.slice(0, 16),
    stageText(model.stage),
    `bundle ${model.bundleId.slice(0, 16)}`,
    timeText(model.pushedMs),
    model.pushedBy,
    model.name,
  ]);
  io.stdout.write(columns(rows));
  return 0;
}

/** Activates a model by name, or the one before (null). */
async function activate(call: ModelCall, model: string | null): Promise<number> {
  const { connection, client, io, json, waitMs } = call;
  const { actor } = connection;
  const timeoutMs = waitMs + 30_000;
  const answer =
    model === null
      ? await connection.call(
          client,
          ModelServiceService.rollbackModel,
          RollbackModelRequest.fromPartial({ actor, waitMs }),
          timeoutMs,
        )
      : await connection.call(
          client,
          ModelServiceService.activateModel,
          ActivateModelRequest.fromPartial({ model, actor, waitMs }),
          timeoutMs,
        );
  const { acks, elapsedMs, previousDigest } = answer;
  if (json) {
    const shown = answer.model === undefined ? null : modelJson(answer.model);
    writeJson(io.stdout, {
      model: shown,
      previous_digest: previousDigest,
      acks: acksJson(acks),
      elapsed_ms: elapsedMs,
    });
  } else {
    const before =
      previousDigest === '' ? 'none was active before' : `before: ${previousDigest.slice(0, 16)}`;
    io.stdout.write(
      `model ${answer.model?.digest.slice(0, 16)} "${answer.model?.name}" is active (${before}).\n`,
    );
    io.stdout.write(acksText(acks, elapsedMs));
  }
  return acksExitCode(acks);
}

async function push(call: ModelCall, path: string, andActivate: boolean): Promise<number> {
  const { io, json } = call;
  const { model, known } = await upload(call, path);
  if (model === undefined) throw new PicketError('INTERNAL', 'the control plane named no model');
  if (json && !andActivate) writeJson(io.stdout, { model: modelJson(model), known });
  else if (!json) {
    const words = known ? 'was pushed before' : 'pushed';
    io.stdout.write(
      `${words}: ${model.digest} "${model.name}" (${model.sizeBytes} bytes, ${stageText(model.stage)})\n`,
    );
  }
  return andActivate ? activate(call, model.digest) : 0;
}

async function upload({ connection, client }: ModelCall, path: string): Promise<PushModelResponse> {
  const file = await open(path, 'r').catch((thrown: unknown) => {
    throw new PicketError('DATA_INVALID', `${path} cannot be read: ${PicketError.from(thrown).message}`);
  });
  try {
    return await new Promise<PushModelResponse>((resolve, reject) => {
      const stream = client.pushModel(
        connection.metadata,
        (error: ServiceError | null, response: PushModelResponse) => {
          if (error === null) resolve(response);
          else reject(connection.explain(errorOfCall(error)));
        },
      );
      const send = async () => {
        for (;;) {
          const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES);
          if (bytesRead === 0) break;
          const data = buffer.subarray(0, bytesRead);
          if (!stream.write({ data, actor: connection.actor })) {
            await new Promise((go) => {
              stream.once('drain', go);
              stream.once('close', go);
            });
          }
        }
        stream.end();
      };
      send().catch((thrown: unknown) => {
        stream.cancel();
        reject(PicketError.from(thrown, 'DATA_INVALID'));
      });
    });
  } finally {
    await file.close();
  }
}

function stageText(stage: Stage): string {
  if (stage === Stage.ACTIVE) return 'active';
  return stage === Stage.RETIRED ? 'retired' : 'candidate';
}

function modelJson(model: Model): unknown {
  return {
    digest: model.digest,
    bundle_id: model.bundleId,
    stage: stageText(model.stage),
    name: model.name,
    size_bytes: model.sizeBytes,
    created_ms: model.createdMs,
    pushed_ms: model.pushedMs,
    pushed_by: model.pushedBy,
    activated_ms: model.activatedMs,
    activated_by: model.activatedBy,
    signed_by: model.signedBy,
    manifest: JSON.parse(model.manifest) as unknown,
  };
}
