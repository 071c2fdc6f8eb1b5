// One sidecar's stream after its hello: what it runs, what was pushed to it, what it answered, when it was last heard.
// Writes to the stream only while the sidecar reads; a newer version replaces one that is still waiting to be written.
// Made by services/sidecar-service.ts, kept by fleet.ts.

import type { Clock } from '../domain/clock.ts';
import type { Mode, ModeSource } from '../domain/verdict.ts';
import { Resource } from '../proto/gen/picket/v1/common.ts';
import type {
  ConnectRequest,
  ConnectResponse,
  Hello,
  SidecarHeartbeat,
} from '../proto/gen/picket/v1/sidecar.ts';
import { modeSourceWords, modeWords } from '../proto/words.ts';
import { CONTROL_LIMITS } from './limits.ts';
import { PushLine } from './push-line.ts';
import type { Snapshot } from './snapshot.ts';
import type { StreamMark } from './store/store.ts';

/** What the attachment needs of a gRPC stream. */
export interface SidecarStream {
  write(message: ConnectResponse): boolean;
  readonly writableNeedDrain: boolean;
  /** Ends the stream with a reason that the sidecar sees. */
  fail(reason: string): void;
}

/** What is known of a sidecar, for operators. */
export interface SidecarView {
  readonly bootId: string;
  readonly namespace: string;
  readonly workload: string;
  readonly sidecarVersion: string;
  readonly connected: boolean;
  readonly connectedMs: number;
  readonly lastSeenMs: number;
  /** As the sidecar reports them; null before its first heartbeat. */
  readonly mode: Mode | null;
  readonly modeSource: ModeSource | null;
  readonly policyVersion: string;
  readonly bundleId: string;
  readonly blind: boolean;
  readonly policyError: string;
  readonly bundleError: string;
  readonly ackedPolicyVersion: string;
  readonly ackedBundleDigest: string;
  readonly counts: readonly { readonly name: string; readonly value: number }[];
}

const COUNTS_MAX = 64;
const TEXT_MAX_CHARS = 256;

export interface AttachmentOptions {
  readonly bootId: string;
  readonly hello: Hello;
  readonly stream: SidecarStream;
  readonly clock: Clock;
  readonly onChange: () => void;
}

export class Attachment {
  readonly bootId: string;
  readonly namespace: string;
  readonly workload: string;
  readonly policy: PushLine;
  readonly bundle: PushLine;
  readonly #options: AttachmentOptions;
  readonly #connectedMs: number;
  /** Pushes that wait for the stream, at most one of each resource. */
  readonly #unsent = new Map<'policy' | 'bundle', NonNullable<ConnectResponse['message']>>();
  #lastSeenMs: number;
  #heardMonotonicMs = performance.now();
  #heartbeat: SidecarHeartbeat | null = null;
  #connected = true;

  constructor(options: AttachmentOptions) {
    const { hello, clock } = options;
    this.#options = options;
    this.bootId = options.bootId;
    this.namespace = hello.namespace;
    this.workload = hello.workload;
    this.policy = new PushLine('policy-', clock);
    this.policy.hold(hello.policyVersion.slice(0, TEXT_MAX_CHARS));
    this.bundle = new PushLine('bundle-', clock);
    this.bundle.hold(hello.bundleDigest.slice(0, TEXT_MAX_CHARS));
    this.#connectedMs = clock.nowMs();
    this.#lastSeenMs = this.#connectedMs;
  }

  /** Answers the hello. */
  welcome(heartbeatMs: number, highWater: readonly StreamMark[]): void {
    const welcome = { heartbeatMs, highWater: [...highWater], nowMs: this.#options.clock.nowMs() };
    this.#options.stream.write({ message: { $case: 'welcome', value: welcome } });
  }

  /** Asks the sidecar to run a snapshot: what differs is pushed now, or as soon as the stream takes it. */
  want({ policy, bundle }: Snapshot): void {
    if (!this.#connected) return;
    const policyNonce = this.policy.push(policy.version);
    if (policyNonce !== null) {
      const { version } = policy;
      const document = Buffer.from(policy.document);
      const value = { nonce: policyNonce, version, document, bundleDigest: bundle?.digest ?? '' };
      this.#unsent.set('policy', { $case: 'policy', value });
    }
    const bundleNonce = bundle === null ? null : this.bundle.push(bundle.digest);
    if (bundle !== null && bundleNonce !== null) {
      const { digest, bundleId, sizeBytes } = bundle;
      this.#unsent.set('bundle', {
        $case: 'bundle',
        value: { nonce: bundleNonce, digest, bundleId, sizeBytes },
      });
    }
    this.drained();
  }

  /** The stream takes messages again: the newest push of each resource goes out. */
  drained(): void {
    const { stream } = this.#options;
    for (const [resource, message] of this.#unsent) {
      if (stream.writableNeedDrain || !this.#connected) return;
      this.#unsent.delete(resource);
      stream.write({ message });
    }
  }

  /** Takes a message after the hello. Returns what is wrong with it, or null. */
  receive({ message }: ConnectRequest): string | null {
    this.#lastSeenMs = this.#options.clock.nowMs();
    this.#heardMonotonicMs = performance.now();
    if (message === undefined) return null;
    if (message.$case === 'hello') return 'a second hello on one stream';
    if (message.$case === 'heartbeat') {
      this.#heartbeat = bounded(message.value);
      this.#options.onChange();
      return null;
    }
    const line = this.#line(message.value.resource);
    if (line === null) return 'an answer that names no resource';
    const refusal =
      message.$case === 'ack'
        ? null
        : `${message.value.code || 'refused'}: ${message.value.reason}`.slice(0, 500);
    if (line.answer(message.value.nonce, refusal)) this.#options.onChange();
    return null;
  }

  /** Last assigned sequences of the newest heartbeat. */
  assigned(): StreamMark[] {
    return this.#heartbeat?.assigned ?? [];
  }

  /** Sends a heartbeat, or ends the stream if the sidecar was silent for too long. `replicas`: sidecars of its workload. */
  beat(silenceMaxMs: number, replicas: number): void {
    if (performance.now() - this.#heardMonotonicMs > silenceMaxMs) {
      this.#options.stream.fail('two heartbeats were missed');
      return;
    }
    if (this.#options.stream.writableNeedDrain) return;
    const value = { nowMs: this.#options.clock.nowMs(), replicas };
    this.#options.stream.write({ message: { $case: 'heartbeat', value } });
  }

  /** Ends the stream from our side. */
  fail(reason: string): void {
    this.#options.stream.fail(reason);
  }

  /** The stream is gone. */
  end(): void {
    this.#connected = false;
    this.policy.end('the sidecar disconnected');
    this.bundle.end('the sidecar disconnected');
  }

  view(): SidecarView {
    const beat = this.#heartbeat;
    const { bootId, namespace, workload } = this;
    return {
      bootId,
      namespace,
      workload,
      sidecarVersion: this.#options.hello.sidecarVersion.slice(0, TEXT_MAX_CHARS),
      connected: this.#connected,
      connectedMs: this.#connectedMs,
      lastSeenMs: this.#lastSeenMs,
      mode: modeWords.word(beat?.mode ?? 0),
      modeSource: modeSourceWords.word(beat?.modeSource ?? 0),
      policyVersion: beat?.policyVersion ?? this.policy.acked,
      bundleId: beat?.bundleId ?? '',
      blind: beat?.blind ?? false,
      policyError: this.policy.error,
      bundleError: this.bundle.error,
      ackedPolicyVersion: this.policy.acked,
      ackedBundleDigest: this.bundle.acked,
      counts: beat?.counts ?? [],
    };
  }

  #line(resource: Resource): PushLine | null {
    if (resource === Resource.POLICY) return this.policy;
    return resource === Resource.BUNDLE ? this.bundle : null;
  }
}

/** Keeps of a heartbeat what may be kept: everything in it comes from outside. */
function bounded(beat: SidecarHeartbeat): SidecarHeartbeat {
  return {
    ...beat,
    assigned: beat.assigned.slice(0, CONTROL_LIMITS.streamsPerProducerMax),
    policyVersion: beat.policyVersion.slice(0, TEXT_MAX_CHARS),
    bundleId: beat.bundleId.slice(0, TEXT_MAX_CHARS),
    counts: beat.counts.slice(0, COUNTS_MAX).map(({ name, value }) => ({ name: name.slice(0, 64), value })),
  };
}
