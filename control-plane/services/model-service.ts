// ModelService: push, activate, roll back, list. Uploads are bounded in size and in number; a bundle is checked whole
// before anything of it is kept. The file and its record are registry.ts's business.

import { type handleClientStreamingCall, type ServerReadableStream, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { PicketError } from '../../domain/errors.ts';
import type {
  ModelServiceServer,
  PushModelRequest,
  PushModelResponse,
} from '../../proto/gen/picket/v1/model.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import type { Publisher } from '../publish.ts';
import type { Registry } from '../registry.ts';
import { callerOf, logBug, statusOf, unary } from '../rpc.ts';
import { FLEET } from '../snapshot.ts';
import type { ModelRecord } from '../store/store.ts';
import { ackMessage, modelMessage } from '../views.ts';
import { ackWaitMs, actorOf } from './control-service.ts';

export interface ModelServiceOptions {
  readonly registry: Registry;
  readonly publisher: Publisher;
  readonly log: Logger;
}

export function modelService(options: ModelServiceOptions): ModelServiceServer {
  const { registry, publisher, log } = options;
  let turn: Promise<unknown> = Promise.resolve();

  /** One change of the active model after the other, so that what is stored last is what is pushed last. */
  function change(make: () => Promise<ModelRecord>, waitMs: number | undefined) {
    const run = async () => {
      const startMs = performance.now();
      const previousDigest = publisher.snapshot.bundle?.digest ?? '';
      const model = await make();
      publisher.publish({ bundle: model });
      const acks = publisher.acks('bundle', FLEET, ackWaitMs(waitMs));
      return { startMs, previousDigest, model, acks };
    };
    const made = turn.then(run);
    turn = made.catch(() => undefined);
    return made.then(async ({ startMs, previousDigest, model, acks: waiting }) => {
      const acks = (await waiting).map(ackMessage);
      const elapsedMs = Math.round(performance.now() - startMs);
      log.info(
        { digest: model.digest, bundleId: model.bundleId, sidecars: acks.length, elapsedMs },
        'model activated',
      );
      return { model: modelMessage(model), previousDigest, acks, elapsedMs };
    });
  }

  return {
    pushModel: pushModel(options),
    activateModel: unary(log, (request, caller) =>
      change(() => registry.activate(request.model, actorOf(request.actor, caller)), request.waitMs),
    ),
    rollbackModel: unary(log, (request, caller) =>
      change(() => registry.rollback(actorOf(request.actor, caller)), request.waitMs),
    ),
    listModels: unary(log, async (request) => {
      const limit = request.limit === 0 ? 50 : Math.min(request.limit, 1000);
      return { models: (await registry.list(limit)).map(modelMessage) };
    }),
    getModel: unary(log, async (request) => ({ model: modelMessage(await registry.find(request.model)) })),
  };
}

function pushModel({
  registry,
  log,
}: ModelServiceOptions): handleClientStreamingCall<PushModelRequest, PushModelResponse> {
  let running = 0;
  return (call, callback) => {
    if (running >= CONTROL_LIMITS.pushesAtOnceMax) {
      callback({ code: status.RESOURCE_EXHAUSTED, details: 'other models are being pushed: try again' });
      return;
    }
    running += 1;
    receive(call)
      .then(({ bytes, actor }) => registry.push(bytes, actorOf(actor, callerOf(call.metadata))))
      .then(
        ({ model, known }) => {
          log.info({ digest: model.digest, bundleId: model.bundleId, known }, 'model pushed');
          callback(null, { model: modelMessage(model), known });
        },
        (thrown: unknown) => {
          logBug(log, thrown, call.getPath());
          callback(statusOf(thrown));
        },
      )
      .finally(() => {
        running -= 1;
      });
  };
}

async function receive(
  call: ServerReadableStream<PushModelRequest, PushModelResponse>,
): Promise<{ bytes: Uint8Array; actor: string }> {
  const parts: Buffer[] = [];
  let size = 0;
  let actor = '';
  for await (const message of call as AsyncIterable<PushModelRequest>) {
    if (parts.length === 0) actor = message.actor;
    parts.push(message.data);
    size += message.data.length;
    if (size > CONTROL_LIMITS.bundleMaxBytes) {
      throw new PicketError(
        'BUNDLE_TOO_LARGE',
        `a bundle has at most ${CONTROL_LIMITS.bundleMaxBytes} bytes`,
      );
    }
  }
  return { bytes: Buffer.concat(parts), actor };
}
