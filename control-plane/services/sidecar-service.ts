// SidecarService: the stream that a sidecar keeps open, and the bytes of bundles.
// A stream that does not begin with a good hello is ended with the reason. Whatever comes, only its own stream ends.

import { type ServerDuplexStream, type ServerWritableStream, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Clock } from '../../domain/clock.ts';
import { PicketError } from '../../domain/errors.ts';
import type {
  ConnectRequest,
  ConnectResponse,
  FetchBundleRequest,
  FetchBundleResponse,
  Hello,
  SidecarServiceServer,
} from '../../proto/gen/picket/v1/sidecar.ts';
import { keyHex, WIRE_LIMITS } from '../../proto/wire.ts';
import { Attachment } from '../attach.ts';
import type { Fleet } from '../fleet.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import type { Publisher } from '../publish.ts';
import type { Registry } from '../registry.ts';
import { logBug, statusOf } from '../rpc.ts';
import type { EventStore } from '../store/store.ts';

type Stream = ServerDuplexStream<ConnectRequest, ConnectResponse>;

export interface SidecarServiceOptions {
  readonly fleet: Fleet;
  readonly publisher: Publisher;
  readonly registry: Registry;
  readonly events: EventStore;
  readonly clock: Clock;
  readonly log: Logger;
}

const HELLO_TIMEOUT_MS = 10_000;

export function sidecarService(options: SidecarServiceOptions): SidecarServiceServer {
  return {
    connect: (call) => connect(call, options),
    fetchBundle: (call) => {
      fetchBundle(call, options.registry).catch((thrown: unknown) => {
        logBug(options.log, thrown, call.getPath());
        call.emit('error', statusOf(thrown));
      });
    },
  };
}

function connect(call: Stream, options: SidecarServiceOptions): void {
  const { fleet, log } = options;
  let attachment: Attachment | null = null;
  let ended = false;
  const fail = (reason: string, code = status.ABORTED) => {
    if (!ended) call.emit('error', { code, details: reason });
  };
  const timer = setTimeout(() => fail('no hello came', status.DEADLINE_EXCEEDED), HELLO_TIMEOUT_MS);
  const end = () => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    if (attachment === null) return;
    fleet.remove(attachment);
    log.info({ bootId: attachment.bootId, workload: attachment.workload }, 'sidecar gone');
  };
  const onMessage = (message: ConnectRequest) => {
    if (attachment !== null) {
      const wrong = attachment.receive(message);
      if (wrong !== null) fail(wrong, status.INVALID_ARGUMENT);
      return;
    }
    const made = attachmentOf(message, call, options, fail);
    if (typeof made === 'string') {
      fail(made, status.INVALID_ARGUMENT);
      return;
    }
    if (fleet.isFull) {
      fail('too many sidecars are connected', status.RESOURCE_EXHAUSTED);
      return;
    }
    clearTimeout(timer);
    attachment = made;
    welcome(made, options, () => ended);
  };
  call.on('data', onMessage);
  call.on('drain', () => attachment?.drained());
  call.on('end', () => {
    end();
    call.end();
  });
  call.on('cancelled', end);
  call.on('error', end);
}

/** Welcome goes first, then what the sidecar should run. The marks come from the store; without them it resends more. */
function welcome(attachment: Attachment, options: SidecarServiceOptions, isOver: () => boolean): void {
  const { fleet, publisher, events, log } = options;
  const proceed = (marks: Awaited<ReturnType<EventStore['marks']>>) => {
    if (isOver()) return;
    attachment.welcome(fleet.heartbeatMs, marks);
    fleet.add(attachment);
    attachment.want(publisher.snapshot);
    const { bootId, namespace, workload } = attachment;
    log.info({ bootId, namespace, workload, sidecars: fleet.size }, 'sidecar connected');
  };
  events.marks(attachment.bootId).then(proceed, (thrown: unknown) => {
    log.warn({ err: thrown }, 'the store did not give the marks of a sidecar');
    proceed([]);
  });
}

function attachmentOf(
  { message }: ConnectRequest,
  call: Stream,
  options: SidecarServiceOptions,
  fail: (reason: string) => void,
): Attachment | string {
  if (message?.$case !== 'hello') return 'the first message must be a hello';
  const hello = message.value;
  const wrong = helloProblem(hello);
  const bootId = keyHex(hello.bootId);
  if (wrong !== null || bootId === null) return wrong ?? 'a boot id has 16 bytes';
  const { clock, fleet } = options;
  return new Attachment({
    bootId,
    hello,
    clock,
    stream: {
      write: (response) => call.write(response),
      get writableNeedDrain() {
        return call.writableNeedDrain;
      },
      fail,
    },
    onChange: () => fleet.changed(bootId),
  });
}

function helloProblem(hello: Hello): string | null {
  const { namespace, workload, offeredFeatureIds } = hello;
  if (workload === '' || Math.max(namespace.length, workload.length) > WIRE_LIMITS.nameChars) {
    return `a workload has a name, and names have at most ${WIRE_LIMITS.nameChars} characters`;
  }
  if (offeredFeatureIds.length > CONTROL_LIMITS.offeredFeaturesMax) return 'too many features are offered';
  return null;
}

async function fetchBundle(
  call: ServerWritableStream<FetchBundleRequest, FetchBundleResponse>,
  registry: Registry,
): Promise<void> {
  const { digest, offset } = call.request;
  for await (const chunk of registry.chunks(digest, offset)) {
    if (call.cancelled) return;
    if (!call.write(chunk)) await drained(call);
  }
  call.end();
}

/** Resolves when the stream takes more; rejects if the caller is gone. */
export function drained(call: ServerWritableStream<never, never> | object): Promise<void> {
  const stream = call as ServerWritableStream<unknown, unknown>;
  return new Promise((resolve, reject) => {
    const onDrain = () => settle(() => resolve());
    const onGone = () => settle(() => reject(new PicketError('UNREACHABLE', 'the caller is gone')));
    const settle = (then: () => void) => {
      stream.off('drain', onDrain);
      stream.off('cancelled', onGone);
      then();
    };
    stream.on('drain', onDrain);
    stream.on('cancelled', onGone);
    if (stream.cancelled) onGone();
  });
}
