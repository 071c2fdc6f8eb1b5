// Sends events: reads the rings in order, keeps a few batches under way, settles what the store has made durable.
// One publisher per connection over the sidecar's readers; after a lost connection the next one begins at the first
// unsettled sequence. Loses nothing that still lies in a ring, and what is lost was counted by the reader.

import type { ClientDuplexStream } from '@grpc/grpc-js';
import { OFFERED_IDS } from '../../domain/features.ts';
import { schemaId } from '../../domain/schema-id.ts';
import { encodeBucket } from '../../proto/bucket-wire.ts';
import type { StreamMark } from '../../proto/gen/picket/v1/common.ts';
import type { PublishRequest, PublishResponse } from '../../proto/gen/picket/v1/events.ts';
import { encodeAmendment, encodeDropped, encodeEvent, keyBytes } from '../../proto/wire.ts';
import type { EventReader, StreamBatch } from '../event-reader.ts';
import type { SidecarLog } from '../log.ts';

/** Few at once: an event holds a vector of 1.4 KB, and what waits for its ack outlives a collection. */
export const BATCH_RECORDS = 64;
const BATCHES_UNDER_WAY = 4;
const POLL_MS = 40;

export type PublishStream = ClientDuplexStream<PublishRequest, PublishResponse>;

export interface Producer {
  readonly bootId: string;
  readonly namespace: string;
  readonly workload: string;
}

export interface PublisherOptions {
  readonly readers: readonly EventReader[];
  readonly producer: Producer;
  readonly stream: PublishStream;
  readonly log: SidecarLog;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/** Settles what a welcome or an answer names. */
export function settleMarks(readers: readonly EventReader[], marks: readonly StreamMark[]): void {
  for (const mark of marks) readers.find((reader) => reader.stream === mark.stream)?.settle(mark.sequence);
}

function isEmpty(batch: StreamBatch): boolean {
  const { events, amendments, buckets, dropped } = batch;
  return events.length + amendments.length + buckets.length + dropped.length === 0;
}

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #bootId: Buffer;
  #underWay = 0;
  #batch = 0;
  #closed = false;

  /** Begins at each reader's first unsettled sequence. */
  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#bootId = keyBytes(options.producer.bootId);
    for (const reader of options.readers) reader.rewind();
    options.stream.on('data', (response: PublishResponse) => this.#answered(response));
    this.#timer = setInterval(() => this.#pump(), POLL_MS);
  }

  /** True when everything that was assigned is settled. */
  get idle(): boolean {
    return this.#underWay === 0 && this.#options.readers.every((reader) => reader.account().waiting === 0);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  #answered(response: PublishResponse): void {
    this.#underWay--;
    settleMarks(this.#options.readers, response.highWater);
    if (response.refused > 0) {
      this.#options.log.warn(
        { refused: response.refused },
        `the store refused events: ${response.firstRefusal}`,
      );
    }
    this.#pump();
  }

  #pump(): void {
    let sent = true;
    while (sent && !this.#closed && this.#underWay < BATCHES_UNDER_WAY) {
      sent = false;
      for (const reader of this.#options.readers) {
        const batch = reader.read(BATCH_RECORDS, this.#options.nowMs());
        if (isEmpty(batch)) continue;
        this.#send(batch);
        sent = true;
      }
    }
  }

  #send(batch: StreamBatch): void {
    const { namespace, workload } = this.#options.producer;
    this.#batch++;
    this.#underWay++;
    this.#options.stream.write({
      batch: this.#batch,
      bootId: this.#bootId,
      namespace,
      workload,
      schemas: this.#batch === 1 ? [{ schemaId: schemaId(OFFERED_IDS), featureIds: [...OFFERED_IDS] }] : [],
      events: batch.events.map(encodeEvent),
      amendments: batch.amendments.map(encodeAmendment),
      dropped: batch.dropped.map(encodeDropped),
      buckets: batch.buckets.map(encodeBucket),
    });
  }
}
