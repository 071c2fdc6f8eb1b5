// A sidecar as the wire sees it: the raw gRPC stream and nothing else. It answers only what a test tells it to answer,
// so that a test can be late, wrong, silent or stubborn.

import { ChannelCredentials, type ClientDuplexStream, type Metadata, type ServiceError } from '@grpc/grpc-js';
import { Resource } from '../../proto/gen/picket/v1/common.ts';
import {
  type BundleOffer,
  type ConnectRequest,
  type ConnectResponse,
  Hello,
  type PolicySnapshot,
  SidecarHeartbeat,
  SidecarServiceClient,
  type Welcome,
} from '../../proto/gen/picket/v1/sidecar.ts';
import { keyBytes } from '../../proto/wire.ts';

type Message = NonNullable<ConnectResponse['message']>;
type Case = Message['$case'];
type Value<C extends Case> = Extract<Message, { $case: C }>['value'];

export interface RawSidecarOptions {
  readonly bootId?: string;
  readonly hello?: Partial<Hello>;
  readonly credentials?: ChannelCredentials;
  readonly metadata?: Metadata;
}

export const BOOT_ID = '0123456789abcdef0123456789abcdef';

export class RawSidecar {
  readonly client: SidecarServiceClient;
  readonly #stream: ClientDuplexStream<ConnectRequest, ConnectResponse>;
  readonly #inbox: Message[] = [];
  readonly #waiting: { readonly wanted: Case; readonly resolve: (message: Message) => void }[] = [];
  /** Resolves with the status when the stream ends. */
  readonly ended: Promise<{ code: number; details: string }>;

  constructor(address: string, options: RawSidecarOptions = {}) {
    this.client = new SidecarServiceClient(
      address,
      options.credentials ?? ChannelCredentials.createInsecure(),
    );
    this.#stream =
      options.metadata === undefined ? this.client.connect() : this.client.connect(options.metadata);
    this.ended = new Promise((resolve) => {
      this.#stream.on('error', (error: ServiceError) =>
        resolve({ code: error.code, details: error.details }),
      );
      this.#stream.on('status', ({ code, details }) => resolve({ code, details }));
    });
    this.#stream.on('data', ({ message }: ConnectResponse) => {
      if (message !== undefined) this.#deliver(message);
    });
    const hello = Hello.fromPartial({
      bootId: keyBytes(options.bootId ?? BOOT_ID),
      namespace: 'shop',
      workload: 'orders',
      sidecarVersion: '0.0.0-test',
      ...options.hello,
    });
    this.send({ $case: 'hello', value: hello });
  }

  send(message: NonNullable<ConnectRequest['message']>): void {
    this.#stream.write({ message });
  }

  /** The next message of a kind; earlier ones of other kinds stay in the inbox. */
  next<C extends Case>(wanted: C): Promise<Value<C>> {
    const place = this.#inbox.findIndex((message) => message.$case === wanted);
    const found = place >= 0 ? this.#inbox.splice(place, 1)[0] : undefined;
    const message =
      found !== undefined
        ? Promise.resolve(found)
        : new Promise<Message>((resolve) => this.#waiting.push({ wanted, resolve }));
    return message.then(({ value }) => value) as Promise<unknown> as Promise<Value<C>>;
  }

  /** Messages of a kind that came and were not taken. */
  waitingCount(kind: Case): number {
    return this.#inbox.filter((message) => message.$case === kind).length;
  }

  welcome(): Promise<Welcome> {
    return this.next('welcome');
  }

  async ackPolicy(): Promise<PolicySnapshot> {
    const policy = await this.next('policy');
    this.ack(Resource.POLICY, policy.nonce, policy.version);
    return policy;
  }

  async ackBundle(): Promise<BundleOffer> {
    const offer = await this.next('bundle');
    this.ack(Resource.BUNDLE, offer.nonce, offer.digest);
    return offer;
  }

  ack(resource: Resource, nonce: string, version: string): void {
    this.send({ $case: 'ack', value: { resource, nonce, version } });
  }

  nack(resource: Resource, nonce: string, reason: string): void {
    this.send({ $case: 'nack', value: { resource, nonce, version: '', code: 'BUNDLE_SELF_TEST', reason } });
  }

  heartbeat(parts: Partial<SidecarHeartbeat> = {}): void {
    this.send({ $case: 'heartbeat', value: SidecarHeartbeat.fromPartial(parts) });
  }

  /** Acks every policy from now on, as a working sidecar does. Returns a function that ends that. */
  keepAcking(): () => void {
    let on = true;
    const loop = async () => {
      while (on) await this.ackPolicy();
    };
    void loop();
    return () => {
      on = false;
    };
  }

  /** Ends the stream in good order. */
  close(): void {
    this.#stream.end();
    this.#stream.cancel();
    this.client.close();
  }

  #deliver(message: Message): void {
    const place = this.#waiting.findIndex(({ wanted }) => wanted === message.$case);
    if (place < 0) this.#inbox.push(message);
    else this.#waiting.splice(place, 1)[0]?.resolve(message);
  }
}
