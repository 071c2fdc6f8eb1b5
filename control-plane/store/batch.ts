// Reads one encoded PublishRequest: checks every part, sorts it by stream. What breaks the format becomes a refused
// item, never an exception, so that one bad event cannot hold back the good ones behind it. Called by the store's writer.

import { PicketError, type Problem } from '../../domain/errors.ts';
import type { EventAmendment } from '../../domain/event.ts';
import { schemaId } from '../../domain/schema-id.ts';
import { bucketProblems } from '../../proto/bucket-wire.ts';
import { type Event, PublishRequest, type WorkloadBucket } from '../../proto/gen/picket/v1/events.ts';
import {
  type Decoded,
  decodeAmendment,
  decodeDropped,
  eventProblems,
  keyHex,
  WIRE_LIMITS,
} from '../../proto/wire.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import type { Item } from './settle.ts';

/** An item and what it carries. */
export interface BatchItem extends Item {
  /** Checked; its numbers are those that the tables keep. */
  readonly event?: Event;
  readonly amendment?: EventAmendment;
  /** Checked. */
  readonly bucket?: WorkloadBucket;
}

export interface Batch {
  readonly batch: number;
  readonly bootId: string;
  readonly namespace: string;
  readonly workload: string;
  readonly streams: ReadonlyMap<number, BatchItem[]>;
  readonly schemas: readonly { readonly schemaId: string; readonly featureIds: readonly number[] }[];
  readonly refused: number;
  readonly firstRefusal: string;
}

/** Throws DATA_INVALID if the bytes are no batch, name no producer, or are over a limit: then nothing of it counts. */
export function readBatch(bytes: Uint8Array): Batch {
  const request = parse(bytes);
  const bootId = keyHex(request.bootId);
  if (bootId === null) throw new PicketError('DATA_INVALID', 'a batch without a boot id of 16 bytes');
  const { namespace, workload } = request;
  if (Math.max(namespace.length, workload.length) > WIRE_LIMITS.nameChars) {
    throw new PicketError('DATA_INVALID', 'the namespace or workload of a batch is too long');
  }
  const sorter = new Sorter();
  const producer = { bootId, namespace, workload };
  for (const event of request.events) {
    sorter.add(event, eventProblems(event), { event });
  }
  for (const amendment of request.amendments) {
    const decoded = decodeAmendment(amendment, bootId);
    if (decoded.problems !== undefined) sorter.add(amendment, decoded.problems, {});
    else sorter.add(amendment, [], { amendment: decoded.value });
  }
  for (const bucket of request.buckets) sorter.add(bucket, bucketProblems(bucket), { bucket });
  for (const range of request.dropped) sorter.addDropped(range.stream, decodeDropped(range));
  return {
    batch: request.batch,
    ...producer,
    streams: sorter.streams,
    schemas: request.schemas.filter((schema) => isSchema(schema)),
    refused: sorter.refused,
    firstRefusal: sorter.firstRefusal,
  };
}

function parse(bytes: Uint8Array): PublishRequest {
  let request: PublishRequest;
  try {
    request = PublishRequest.decode(bytes);
  } catch (thrown) {
    throw new PicketError('DATA_INVALID', 'the message is no batch of events', { cause: thrown });
  }
  const { events, amendments, buckets, dropped } = request;
  const count = events.length + amendments.length + buckets.length + dropped.length;
  if (count > CONTROL_LIMITS.batchItemsMax) {
    throw new PicketError(
      'DATA_INVALID',
      `a batch of ${count} items, at most ${CONTROL_LIMITS.batchItemsMax}`,
    );
  }
  return request;
}

/** The id of a schema is the hash of its list, so a wrong pair cannot poison what others rely on. */
function isSchema(schema: { schemaId: string; featureIds: number[] }): boolean {
  return (
    schema.featureIds.length <= CONTROL_LIMITS.schemaFeaturesMax &&
    schemaId(schema.featureIds) === schema.schemaId
  );
}

class Sorter {
  readonly streams = new Map<number, BatchItem[]>();
  refused = 0;
  firstRefusal = '';

  add(
    key: { stream: number; sequence: number },
    problems: readonly Problem[],
    carried: Pick<BatchItem, 'event' | 'amendment' | 'bucket'>,
  ): void {
    const { stream, sequence } = key;
    const isGood = problems.length === 0;
    if (!isGood) this.#note(problems);
    if (!(sequence >= 1 && sequence <= CONTROL_LIMITS.sequenceMax)) return;
    if (isGood) this.#push(stream, { kind: 'store', first: sequence, last: sequence, ...carried });
    else this.#push(stream, { kind: 'refuse', first: sequence, last: sequence });
  }

  addDropped(stream: number, decoded: Decoded<{ first: number; last: number }>): void {
    if (decoded.problems !== undefined) {
      this.#note(decoded.problems);
      return;
    }
    const { first, last } = decoded.value;
    if (last <= CONTROL_LIMITS.sequenceMax) this.#push(stream, { kind: 'drop', first, last });
  }

  #push(stream: number, item: BatchItem): void {
    const items = this.streams.get(stream);
    if (items !== undefined) items.push(item);
    else this.streams.set(stream, [item]);
    if (this.streams.size > CONTROL_LIMITS.streamsPerProducerMax) {
      throw new PicketError('DATA_INVALID', 'a batch names too many streams');
    }
  }

  #note(problems: readonly Problem[]): void {
    this.refused += 1;
    const first = problems[0];
    if (this.firstRefusal === '' && first !== undefined) {
      this.firstRefusal = `${first.field}: found ${first.value}, expected ${first.expected}`;
    }
  }
}
