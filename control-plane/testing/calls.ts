// What operators and sidecars ask of a control plane in tests, in one line each: clients, mode switches, status, batches.
// Real gRPC on loopback; credentials can be given.

import { ChannelCredentials, type Metadata } from '@grpc/grpc-js';
import { unaryCall } from '../../proto/client-call.ts';
import { Mode } from '../../proto/gen/picket/v1/common.ts';
import {
  ControlServiceClient,
  ControlServiceService,
  GetStatusRequest,
  type GetStatusResponse,
  SetModeRequest,
  type SetModeResponse,
} from '../../proto/gen/picket/v1/control.ts';
import {
  EventServiceClient,
  PublishRequest,
  type PublishResponse,
} from '../../proto/gen/picket/v1/events.ts';
import { encodeBatch, range, sampleEvent } from './sample-events.ts';

export function operator(
  address: string,
  credentials: ChannelCredentials = ChannelCredentials.createInsecure(),
): ControlServiceClient {
  return new ControlServiceClient(address, credentials);
}

/** Block for the fleet unless `parts` say otherwise. */
export function setMode(
  client: ControlServiceClient,
  parts: Parameters<typeof SetModeRequest.fromPartial>[0],
  metadata?: Metadata,
): Promise<SetModeResponse> {
  const request = SetModeRequest.fromPartial({ mode: Mode.BLOCK, ...parts });
  return unaryCall(
    client,
    ControlServiceService.setMode,
    request,
    metadata === undefined ? {} : { metadata },
  );
}

export function getStatus(client: ControlServiceClient): Promise<GetStatusResponse> {
  return unaryCall(client, ControlServiceService.getStatus, GetStatusRequest.fromPartial({}));
}

export function publisher(address: string): EventServiceClient {
  return new EventServiceClient(address, ChannelCredentials.createInsecure());
}

/** Sends batches on one stream and resolves with their acks when all have come; rejects with the stream's error. */
export function publish(
  client: EventServiceClient,
  batches: readonly PublishRequest[],
): Promise<PublishResponse[]> {
  return new Promise((resolve, reject) => {
    const acks: PublishResponse[] = [];
    const stream = client.publish();
    stream.on('data', (ack: PublishResponse) => acks.push(ack));
    stream.on('error', reject);
    stream.on('end', () => resolve(acks));
    for (const batch of batches) stream.write(batch);
    stream.end();
  });
}

/** Sample events `from`..`to` as one batch. */
export function batchOf(number: number, from: number, to: number): PublishRequest {
  const encoded = encodeBatch({ events: range(from, to).map((sequence) => sampleEvent(sequence)) });
  return { ...PublishRequest.decode(encoded), batch: number };
}
