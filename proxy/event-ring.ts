// The shared memory of the event rings and the one word that both ends of a ring agree through.
// Two rings per data thread: flagged and blocked requests, and allowed ones, so that no flood of allowed requests can
// flush the evidence. One producer (event-writer.ts, data thread), one consumer (event-reader.ts, control thread).
//
//   header (64 bytes):  HEAD low word of the last assigned sequence | SETTLED low word of the last settled one
//                       | HEAD again as f64 (the producer's own, for a new one after a crash)
//   slots:              SLOT_BYTES each; sequence s lies in slot (s - 1) mod slots
//   tag of a slot:      (sequence mod 2^30) << 2 | state, so a compare-and-swap can never meet a reused slot

import { LIMITS } from '../domain/limits.ts';
import { SLOT_BYTES } from './event-record.ts';
import { type TextTableShape, textTableBytes } from './text-table.ts';

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

export const ROUTE_TEXTS: TextTableShape = { entries: 4096, textMaxBytes: LIMITS.eventRouteMaxBytes };
/** Policy versions, bundle ids, attack classes. */
export const LABEL_TEXTS: TextTableShape = { entries: 1024, textMaxBytes: 96 };

/** What one data thread's writer and its reader share; can be posted to a worker. */
export interface EventBuffers {
  /** Indexed by FLAGGED and ALLOWED. */
  readonly rings: readonly SharedArrayBuffer[];
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

export function ringBytes(slots: number): number {
  return RING_HEADER_BYTES + slots * SLOT_BYTES;
}

/** Bytes that createEventBuffers takes. */
export function eventBuffersBytes(sizes: RingSizes = DEFAULT_RING_SIZES): number {
  const texts = textTableBytes(ROUTE_TEXTS) + textTableBytes(LABEL_TEXTS);
  return ringBytes(sizes.flaggedSlots) + ringBytes(sizes.allowSlots) + texts;
}

export function createEventBuffers(sizes: RingSizes = DEFAULT_RING_SIZES): EventBuffers {
  return {
    rings: [
      new SharedArrayBuffer(ringBytes(sizes.flaggedSlots)),
      new SharedArrayBuffer(ringBytes(sizes.allowSlots)),
    ],
    routes: new SharedArrayBuffer(textTableBytes(ROUTE_TEXTS)),
    labels: new SharedArrayBuffer(textTableBytes(LABEL_TEXTS)),
  };
}

export function slotsOf(buffer: SharedArrayBuffer): number {
  const slots = (buffer.byteLength - RING_HEADER_BYTES) / SLOT_BYTES;
  if (!Number.isInteger(slots) || slots < 1) throw new RangeError('not the buffer of an event ring');
  return slots;
}

/** Byte offset of the slot of a sequence. */
export function slotAt(sequence: number, slots: number): number {
  return RING_HEADER_BYTES + ((sequence - 1) % slots) * SLOT_BYTES;
}

export function tagOf(sequence: number, state: number): number {
  return (sequence << 2) | state;
}

/** The full number whose low 32 bits are `low`, at most 2^31 away from `near`. */
export function widen(low: number, near: number): number {
  return near + ((low - (near | 0)) | 0);
}
