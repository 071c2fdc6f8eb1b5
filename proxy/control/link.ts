// One connection to the control plane, from hello to its end: the sidecar stream with heartbeats both ways, the pushes that
// arrive on it, and the stream of events. Ends as a whole when any part of it ends. uplink.ts makes the next one.

import type { Client, ClientDuplexStream } from '@grpc/grpc-js';
import { PicketError } from '../../domain/errors.ts';
import { EventServiceClient } from '../../proto/gen/picket/v1/events.ts';
import {
  type ConnectRequest,
  type ConnectResponse,
  type Hello,
  type SidecarHeartbeat,
  SidecarServiceClient,
  type Welcome,
} from '../../proto/gen/picket/v1/sidecar.ts';
import type { EventReader } from '../event-reader.ts';
import type { SidecarLog } from '../log.ts';
import { type CredentialFiles, callMetadata, dialing } from './credentials.ts';
import { type Producer, Publisher, type PublishStream, settleMarks } from './publisher.ts';
import type { Pushes } from './pushes.ts';

const WELCOME_WITHIN_MS = 5_000;
const HEARTBEAT_MIN_MS = 100;
const HEARTBEAT_MAX_MS = 60_000;
/** Two missed heartbeats, and a little for a busy machine. */
const SILENT_HEARTBEATS = 2.5;

export interface LinkOptions {
  readonly address: string;
  readonly files: CredentialFiles;
  readonly hello: () => Hello;
  readonly heartbeat: () => SidecarHeartbeat;
  readonly readers: readonly EventReader[];
  readonly producer: Producer;
  readonly pushes: Pushes;
  readonly log: SidecarLog;
  readonly nowMs: () => number;
  readonly onWelcome: () => void;
  /** How many sidecars serve this workload, this one included: told with each heartbeat. */
  readonly onReplicas: (count: number) => void;
}

type ConnectStream = ClientDuplexStream<ConnectRequest, ConnectResponse>;

const CHANNEL_OPTIONS = {
  // A channel of our own: the next attempt begins with fresh credentials and without gRPC's own waiting.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  'grpc.enable_channelz': 0,
} as const;

export class Link {
  readonly #options: LinkOptions;
  readonly #sidecars: SidecarServiceClient;
  readonly #events: EventServiceClient;
  readonly #stream: ConnectStream;
  #publisher: Publisher | null = null;
  #publishing: PublishStream | null = null;
  #heartbeatTimer: NodeJS.Timeout | undefined;
  #silenceTimer: NodeJS.Timeout;
  #silentAfterMs = WELCOME_WITHIN_MS;
  #ended = false;
  #onEnd: (reason: string) => void = () => {};
  /** Resolves with the reason when the connection is over. */
  readonly over: Promise<string>;

  /** Opens the connection at once. Throws CONFIG_INVALID if a credential file cannot be used. */
  constructor(options: LinkOptions) {
    this.#options = options;
    const dial = dialing(options.address, options.files);
    const channel = { ...CHANNEL_OPTIONS, ...dial.options };
    this.#sidecars = new SidecarServiceClient(options.address, dial.credentials, channel);
    this.#events = new EventServiceClient(options.address, dial.credentials, {
      channelOverride: (this.#sidecars as unknown as Client).getChannel(),
    });
    this.over = new Promise((resolve) => {
      this.#onEnd = resolve;
    });
    this.#stream = this.#sidecars.connect(callMetadata(options.files));
    this.#stream.on('data', (message: ConnectResponse) => this.#guarded(() => this.#receive(message)));
    this.#stream.on('error', (error: Error) => this.end(error.message));
    this.#stream.on('end', () => this.end('the control plane closed the stream'));
    this.#silenceTimer = setTimeout(() => this.#silent(), this.#silentAfterMs);
    this.#stream.write({ message: { $case: 'hello', value: options.hello() } });
  }

  get welcomed(): boolean {
    return this.#publisher !== null;
  }

  /** True when every assigned event is settled. */
  get idle(): boolean {
    return this.#publisher?.idle ?? false;
  }

  end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#heartbeatTimer);
    clearTimeout(this.#silenceTimer);
    this.#publisher?.close();
    this.#options.pushes.disconnected();
    // Both calls: a call under way would hold the connection open.
    this.#publishing?.cancel();
    this.#stream.cancel();
    this.#sidecars.close();
    this.#onEnd(reason);
  }

  /** Sends a heartbeat now, so that a last count does not wait. */
  beat(): void {
    if (!this.#ended) this.#send({ $case: 'heartbeat', value: this.#options.heartbeat() });
  }

  #send(message: NonNullable<ConnectRequest['message']>): void {
    if (!this.#ended) this.#stream.write({ message });
  }

  #silent(): void {
    this.end(this.welcomed ? 'the control plane has gone silent' : 'the control plane did not answer');
  }

  /** What arrives can end the connection, never the process. */
  #guarded(act: () => void): void {
    try {
      if (!this.#ended) act();
    } catch (thrown) {
      this.end(PicketError.from(thrown).message);
    }
  }

  #receive(response: ConnectResponse): void {
    this.#silenceTimer.refresh();
    const { message } = response;
    const { pushes } = this.#options;
    const send = (answer: NonNullable<ConnectRequest['message']>): void => this.#send(answer);
    if (message?.$case === 'welcome') this.#welcome(message.value);
    if (message?.$case === 'heartbeat' && message.value.replicas > 0)
      this.#options.onReplicas(message.value.replicas);
    if (message?.$case === 'policy') void pushes.policy(message.value, send);
    if (message?.$case === 'bundle') {
      void pushes.bundle(message.value, send, (request) =>
        this.#sidecars.fetchBundle(request, callMetadata(this.#options.files)),
      );
    }
  }

  #welcome(welcome: Welcome): void {
    if (this.welcomed) return;
    const { readers, producer, log, nowMs, files } = this.#options;
    const beatMs = Math.min(HEARTBEAT_MAX_MS, Math.max(HEARTBEAT_MIN_MS, welcome.heartbeatMs));
    clearTimeout(this.#silenceTimer);
    this.#silentAfterMs = beatMs * SILENT_HEARTBEATS;
    this.#silenceTimer = setTimeout(() => this.#silent(), this.#silentAfterMs);
    this.#heartbeatTimer = setInterval(() => this.beat(), beatMs);
    // Before anything is sent again: what the store already has is settled.
    settleMarks(readers, welcome.highWater);
    const stream = this.#events.publish(callMetadata(files));
    stream.on('error', (error: Error) =>
      this.end(`events cannot be sent: ${PicketError.from(error).message}`),
    );
    stream.on('end', () => this.end('the control plane closed the stream of events'));
    this.#publishing = stream;
    this.#publisher = new Publisher({ readers, producer, stream, log, nowMs });
    this.beat();
    this.#options.onWelcome();
  }
}
