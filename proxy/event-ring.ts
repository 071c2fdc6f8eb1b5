// The shared memory of the event rings and the one word that both ends of a ring agree through.
// Two rings per data thread: flagged and blocked requests, and allowed ones, so that no flood of allowed requests can
// flush the evidence; and a small third one for the workload's buckets. One producer (event-writer.ts, data thread), one
// consumer (event-reader.ts, control thread).

import { LIMITS } from '../domain/limits.ts';
import { SLOT_BYTES } from './event-record.ts';
import { type TextTableShape, textTableBytes } from './text-table.ts';

// Layout of a ring's buffer:
//   header (64 bytes):  HEAD low word of the last assigned sequence | SETTLED low word of the last settled one
//                       | HEAD again as f64 (the producer's own, for a new one after a crash)
//   index:              one word per slot; sequence s lies in the slot that word (s - 1) mod slots names
//   slots:              SLOT_BYTES each; settled slots are used again first, so a healthy ring touches little memory
//   tag of a slot:      (sequence mod 2^30) << 2 | state, so a compare-and-swap can never meet a reused slot

/** States of a slot. The producer is writing: */
export const SLOT_WRITING = 0;
/** no outcome yet; */
export const SLOT_OPEN = 1;
/** outcome written; */
export const SLOT_COMPLETE = 2;
/** taken without an outcome, which then goes out as an amendment. */
export const SLOT_TAKEN = 3;

export const RING_HEADER_BYTES = 64;
/** Words of the header. */
export const HEAD_WORD = 0;
export const SETTLED_WORD = 1;
/** f64 index of the producer's own copy of the head. */
export const HEAD_F64 = 1;

export const FLAGGED = 0;
export const ALLOWED = 1;
export const RINGS_PER_THREAD = 2;
/** Buckets that wait for the control plane: 85 minutes of them. */
export const BUCKET_SLOTS = 512;

export const ROUTE_TEXTS: TextTableShape = { entries: 4096, textMaxBytes: LIMITS.eventRouteMaxBytes };
/** Policy versions, bundle ids, attack classes. */
export const LABEL_TEXTS: TextTableShape = { entries: 1024, textMaxBytes: 96 };

/** What one data thread's writer and its reader share; can be posted to a worker. */
export interface EventBuffers {
  /** Indexed by FLAGGED and ALLOWED. */
  readonly rings: readonly SharedArrayBuffer[];
  /** Ring of the workload's buckets. */
  readonly buckets: SharedArrayBuffer;
  readonly routes: SharedArrayBuffer;
  readonly labels: SharedArrayBuffer;
}

export interface RingSizes {
  readonly flaggedSlots: number;
  readonly allowSlots: number;
}

export const DEFAULT_RING_SIZES: RingSizes = {
  flaggedSlots: LIMITS.flaggedRingSlots,
  allowSlots: LIMITS.allowRingSlots,
};

function indexBytes(slots: number): number {
  return Math.ceil((slots * 4) / RING_HEADER_BYTES) * RING_HEADER_BYTES;
}

export function ringBytes(slots: number): number {
  return RING_HEADER_BYTES + indexBytes(slots) + slots * SLOT_BYTES;
}

/** Bytes that createEventBuffers takes. */
export function eventBuffersBytes(sizes: RingSizes = DEFAULT_RING_SIZES): number {
  const texts = textTableBytes(ROUTE_TEXTS) + textTableBytes(LABEL_TEXTS);
  return ringBytes(sizes.flaggedSlots) + ringBytes(sizes.allowSlots) + ringBytes(BUCKET_SLOTS) + texts;
}

export function createEventBuffers(sizes: RingSizes = DEFAULT_RING_SIZES): EventBuffers {
  return {
    rings: [
      new SharedArrayBuffer(ringBytes(sizes.flaggedSlots)),
      new SharedArrayBuffer(ringBytes(sizes.allowSlots)),
    ],
    buckets: new SharedArrayBuffer(ringBytes(BUCKET_SLOTS)),
    routes: new SharedArrayBuffer(textTableBytes(ROUTE_TEXTS)),
    labels: new SharedArrayBuffer(textTableBytes(LABEL_TEXTS)),
  };
}

/** The shape of one ring's buffer. */
export class RingShape {
  readonly slots: number;
  readonly #slotsAt: number;

  /** Throws RangeError if the buffer is not one that createEventBuffers made. */
  constructor(buffer: SharedArrayBuffer) {
    const guess = Math.floor((buffer.byteLength - RING_HEADER_BYTES) / (SLOT_BYTES + 4));
    const slots = [guess, guess - 1, guess - 2, guess - 3]
      .map((n) => Math.max(1, n))
      .find((n) => ringBytes(n) === buffer.byteLength);
    if (slots === undefined) throw new RangeError('not the buffer of an event ring');
    this.slots = slots;
    this.#slotsAt = RING_HEADER_BYTES + indexBytes(slots);
  }

  /** Word that names the slot of a sequence. */
  indexWord(sequence: number): number {
    return RING_HEADER_BYTES / 4 + ((sequence - 1) % this.slots);
  }

  /** Byte offset of a slot. */
  slotAt(slot: number): number {
    return this.#slotsAt + slot * SLOT_BYTES;
  }
}

export function tagOf(sequence: number, state: number): number {
  return (sequence << 2) | state;
}

/** The full number whose low 32 bits are `low`, at most 2^31 away from `near`. */
export function widen(low: number, near: number): number {
  return near + ((low - (near | 0)) | 0);
}
