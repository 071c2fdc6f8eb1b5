// EventService: batches in, acks out after they are durable. Batches stay bytes here: the store's thread reads them, so that
// a flood of events never slows down a mode switch. Reading stops while too much waits (HTTP/2 then stops the sender).

import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { EventServiceService, type PublishResponse } from '../../proto/gen/picket/v1/events.ts';
import type { Intake } from '../intake.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { logBug, statusOf } from '../rpc.ts';
import type { AppendResult } from '../store/store.ts';

/** The generated service with one change: requests are handed on as bytes. */
export const RAW_EVENT_SERVICE = {
  publish: {
    ...EventServiceService.publish,
    requestDeserialize: (bytes: Buffer) => bytes,
    requestSerialize: (bytes: Buffer) => bytes,
  },
};

type Call = ServerDuplexStream<Buffer, PublishResponse>;

export function eventService(
  intake: Intake,
  log: Logger,
): { publish: handleBidiStreamingCall<Buffer, PublishResponse> } {
  return { publish: (call) => publish(call, intake, log) };
}

function publish(call: Call, intake: Intake, log: Logger): void {
  let waiting = 0;
  let finished = false;
  let over = false;
  const proceed = () => {
    if (over || waiting >= CONTROL_LIMITS.publishPendingMax) return;
    intake.whenFree(() => call.resume());
  };
  const onAck = (result: AppendResult) => {
    waiting -= 1;
    if (over) return;
    call.write(responseOf(result));
    if (finished && waiting === 0) call.end();
    proceed();
  };
  const onFailure = (thrown: unknown) => {
    waiting -= 1;
    if (over) return;
    over = true;
    logBug(log, thrown, call.getPath());
    call.emit('error', statusOf(thrown));
  };
  call.on('data', (batch: Buffer) => {
    waiting += 1;
    if (waiting >= CONTROL_LIMITS.publishPendingMax || intake.isFull) call.pause();
    intake.take(batch).then(onAck, onFailure);
    proceed();
  });
  call.on('end', () => {
    finished = true;
    if (waiting === 0 && !over) call.end();
  });
  const stop = () => {
    over = true;
  };
  call.on('cancelled', stop);
  call.on('error', stop);
}

function responseOf(result: AppendResult): PublishResponse {
  return {
    batch: result.batch,
    highWater: [...result.highWater],
    stored: result.stored,
    repeatedCount: result.repeated,
    refused: result.refused,
    firstRefusal: result.firstRefusal.slice(0, 500),
  };
}
