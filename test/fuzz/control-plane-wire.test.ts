// Any bytes as a message of any method: the caller gets a status, and the control plane goes on serving everyone else.
// Prints its seed on failure (fast-check does).

import { ChannelCredentials, Client, type MethodDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchOf, getStatus, operator, publish, publisher } from '../../control-plane/testing/calls.ts';
import { RawSidecar } from '../../control-plane/testing/raw-sidecar.ts';
import { withControlPlane } from '../../control-plane/testing/running.ts';
import { encodeBatch, sampleEvent } from '../../control-plane/testing/sample-events.ts';
import { HealthService } from '../../proto/gen/grpc/health/v1/health.ts';
import { ServerReflectionService } from '../../proto/gen/grpc/reflection/v1/reflection.ts';
import {
  ApplyPolicyRequest,
  ControlServiceService,
  SetModeRequest,
} from '../../proto/gen/picket/v1/control.ts';
import { EventServiceService } from '../../proto/gen/picket/v1/events.ts';
import { ModelServiceService, PushModelRequest } from '../../proto/gen/picket/v1/model.ts';
import { ConnectRequest, Hello, SidecarServiceService } from '../../proto/gen/picket/v1/sidecar.ts';
import { ListVerdictsRequest, VerdictServiceService } from '../../proto/gen/picket/v1/verdict.ts';

type Method = MethodDefinition<unknown, unknown>;

const SERVICES: readonly ServiceDefinition[] = [
  ControlServiceService,
  EventServiceService,
  ModelServiceService,
  SidecarServiceService,
  VerdictServiceService,
  HealthService,
  ServerReflectionService,
];
const METHODS = SERVICES.flatMap((service) => Object.values(service)) as readonly Method[];

const hello = { bootId: Buffer.alloc(16, 7), workload: 'w', policyVersion: 'v1' };
/** Well-formed messages to start from: their mutants reach further than noise. */
const SEEDS: readonly Uint8Array[] = [
  encodeBatch({
    events: [sampleEvent(1), sampleEvent(2, { outcome: null })],
    dropped: [{ stream: 1, first: 3, last: 9 }],
  }),
  SetModeRequest.encode(
    SetModeRequest.fromPartial({ mode: 2, scope: { workload: 'w', route: 'GET /x' } }),
  ).finish(),
  ApplyPolicyRequest.encode(ApplyPolicyRequest.fromPartial({ document: 'fleet: {mode: block}' })).finish(),
  ConnectRequest.encode({ message: { $case: 'hello', value: Hello.fromPartial(hello) } }).finish(),
  ListVerdictsRequest.encode(
    ListVerdictsRequest.fromPartial({ limit: 3, newest: true, identity: 'bearer:0' }),
  ).finish(),
  PushModelRequest.encode(PushModelRequest.fromPartial({ data: Buffer.from('PKT'), actor: 'x' })).finish(),
];

const mutant = fc
  .tuple(
    fc.constantFrom(...SEEDS),
    fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 8 }),
    fc.nat(),
  )
  .map(([seed, edits, cut]) => {
    const bytes = Uint8Array.from(cut % 3 === 0 ? seed.subarray(0, cut % (seed.length + 1)) : seed);
    for (const [place, value] of edits) if (bytes.length > 0) bytes[place % bytes.length] = value;
    return bytes;
  });
const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), mutant, fc.constantFrom(...SEEDS));

/** Sends messages to a method as they are and resolves with the status code when the call is over. */
function send(client: Client, method: Method, messages: readonly Uint8Array[]): Promise<number> {
  const raw = (value: Uint8Array) => Buffer.from(value);
  const read = (value: Buffer) => value;
  const options = { deadline: Date.now() + 300 };
  return new Promise((resolve) => {
    // A stream for every kind of method: on the wire they are all the same.
    const stream = client.makeBidiStreamRequest(method.path, raw, read, options);
    stream.on('data', () => undefined);
    stream.on('error', () => undefined);
    stream.on('status', ({ code }) => resolve(code));
    for (const message of messages) stream.write(message);
    stream.end();
  });
}

describe('any bytes at any method', () => {
  test(
    'end with a status; the control plane goes on',
    () =>
      withControlPlane(async ({ grpcAddress }) => {
        const client = new Client(grpcAddress, ChannelCredentials.createInsecure());
        const calls = fc.array(fc.tuple(fc.constantFrom(...METHODS), fc.array(bytes, { maxLength: 3 })), {
          minLength: 1,
          maxLength: 12,
        });
        await fc.assert(
          fc.asyncProperty(calls, async (batch) => {
            const codes = await Promise.all(
              batch.map(([method, messages]) => send(client, method, messages)),
            );
            for (const code of codes) expect(code).toBeGreaterThanOrEqual(0);
          }),
          { numRuns: 60 },
        );
        client.close();
        const control = operator(grpcAddress);
        expect((await getStatus(control)).policyVersion).toMatch(/^v\d+-/);
        control.close();
        const events = publisher(grpcAddress);
        const acks = await publish(events, [{ ...batchOf(1, 5001, 5003), bootId: Buffer.alloc(16, 0xee) }]);
        expect(acks[0]?.stored).toBe(3);
        events.close();
        const sidecar = new RawSidecar(grpcAddress);
        expect((await sidecar.ackPolicy()).document.length).toBeGreaterThan(1);
        sidecar.close();
      }),
    60_000,
  );
});
