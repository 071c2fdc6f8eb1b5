// The producing end of the event rings: one per data thread. `open` when a request is judged, `complete` when its outcome
// is known. Never waits: when the ring is full the oldest event is overwritten, and the reader counts what was lost.
// Under pressure allowed events are sampled; those that stay carry the weight of those that went.

import type { BucketParts } from '../domain/workload-bucket.ts';
import { COUNTER, type Counters } from './counters.ts';
import { type DraftSerials, type EventDraft, type OutcomeDraft, SlotViews } from './event-record.ts';
import {
  ALLOWED,
  type EventBuffers,
  FLAGGED,
  HEAD_F64,
  HEAD_WORD,
  LABEL_TEXTS,
  RINGS_PER_THREAD,
  RingShape,
  ROUTE_TEXTS,
  SETTLED_WORD,
  SLOT_COMPLETE,
  SLOT_OPEN,
  SLOT_WRITING,
  tagOf,
  widen,
} from './event-ring.ts';
import { FreeSlots } from './free-slots.ts';
import { TextTableWriter } from './text-table.ts';

/** What `open` gives for an event that is not kept; `complete` takes it and does nothing. */
export const NO_EVENT = 0;

class RingWriter {
  readonly views: SlotViews;
  readonly shape: RingShape;
  readonly #free: FreeSlots;
  #head: number;
  #settled: number;

  constructor(buffer: SharedArrayBuffer) {
    this.views = new SlotViews(buffer);
    this.shape = new RingShape(buffer);
    const published = Atomics.load(this.views.i32, HEAD_WORD);
    this.#head = widen(published, this.views.f64[HEAD_F64]!);
    this.#settled = widen(Atomics.load(this.views.i32, SETTLED_WORD), this.#head);
    const from = Math.max(this.#settled, this.#head - this.shape.slots) + 1;
    this.#free = new FreeSlots(this.views.i32, this.shape, { from, to: this.#head });
  }

  /** Sequence that the next `begin` takes. */
  get next(): number {
    return this.#head + 1;
  }

  get settled(): number {
    this.#settled = widen(Atomics.load(this.views.i32, SETTLED_WORD), this.#settled);
    return this.#settled;
  }

  /** Share of the slots that wait for their ack, 0..1 (more than 1 never: older ones are overwritten). */
  get fill(): number {
    return Math.min(1, (this.#head - this.settled) / this.shape.slots);
  }

  /** True if the sequence has not been overwritten for want of room. */
  holds(sequence: number): boolean {
    return this.next - sequence <= this.shape.slots;
  }

  /** Byte offset of a sequence's slot; another one's if it was settled and used again, which its tag tells. */
  placeOf(sequence: number): number {
    return this.shape.slotAt(this.views.i32[this.shape.indexWord(sequence)]!);
  }

  /** Takes a slot for the next sequence; returns its place. It belongs to nobody else until `publish`. */
  begin(): number {
    this.#free.reclaim(Math.min(this.settled, this.#head));
    // Without a free slot the oldest one is taken, the same index word names it.
    const word = this.shape.indexWord(this.next);
    const slot = this.#free.pop() ?? this.views.i32[word]!;
    const at = this.shape.slotAt(slot);
    Atomics.exchange(this.views.i32, at >> 2, tagOf(this.next, SLOT_WRITING));
    this.views.i32[word] = slot;
    return at;
  }

  publish(at: number, state: number): number {
    const sequence = this.next;
    Atomics.store(this.views.i32, at >> 2, tagOf(sequence, state));
    this.#head = sequence;
    this.views.f64[HEAD_F64] = sequence;
    Atomics.store(this.views.i32, HEAD_WORD, sequence | 0);
    this.#free.overwritten(sequence - this.shape.slots + 1);
    return sequence;
  }
}

interface EventWriterOptions {
  /** Null: nobody will read events (no control plane), so none is kept and no sequence is assigned. */
  readonly buffers: EventBuffers | null;
  readonly counters: Counters;
}

export class EventWriter {
  readonly #rings: readonly RingWriter[];
  readonly #buckets: RingWriter | null;
  readonly #routes: TextTableWriter | null;
  readonly #labels: TextTableWriter | null;
  readonly #counters: Counters;
  readonly #serials: DraftSerials = { route: 0, policyVersion: 0, bundleId: 0, attackClass: 0 };
  #skipped = 0;

  constructor(options: EventWriterOptions) {
    const { buffers, counters } = options;
    this.#counters = counters;
    this.#rings = buffers === null ? [] : buffers.rings.map((buffer) => new RingWriter(buffer));
    this.#buckets = buffers === null ? null : new RingWriter(buffers.buckets);
    this.#routes = buffers === null ? null : new TextTableWriter(buffers.routes, ROUTE_TEXTS);
    this.#labels = buffers === null ? null : new TextTableWriter(buffers.labels, LABEL_TEXTS);
  }

  /** False if no event is kept: the caller may skip filling its draft. */
  get enabled(): boolean {
    return this.#rings.length > 0;
  }

  /** Records a judged request; returns the handle for `complete`, or NO_EVENT. The draft may be reused at once. */
  open(draft: EventDraft): number {
    const ringIndex = draft.verdict === 'allow' ? ALLOWED : FLAGGED;
    const ring = this.#rings[ringIndex];
    if (ring === undefined) return NO_EVENT;
    const weight = ringIndex === ALLOWED ? sampleWeightAt(ring.fill) : 1;
    if (weight > 1 && ++this.#skipped % weight !== 0) {
      this.#counters.add(COUNTER.eventsSampledOut);
      return NO_EVENT;
    }
    const serials = this.#serials;
    serials.route = this.#routes!.intern(draft.route);
    serials.policyVersion = this.#labels!.intern(draft.policyVersion);
    serials.bundleId = this.#labels!.intern(draft.bundleId);
    serials.attackClass = this.#labels!.intern(draft.attackClass);
    const at = ring.begin();
    ring.views.writeEvent(at, draft, serials, weight);
    return ring.publish(at, SLOT_OPEN) * RINGS_PER_THREAD + ringIndex;
  }

  /** Adds the outcome to an event, or sends it after the event if that has gone out without one. At most once a handle. */
  complete(handle: number, outcome: OutcomeDraft): void {
    if (handle === NO_EVENT) return;
    const ring = this.#rings[handle % RINGS_PER_THREAD]!;
    const sequence = Math.floor(handle / RINGS_PER_THREAD);
    const inPlace = ring.holds(sequence);
    const at = ring.placeOf(sequence);
    const { i32 } = ring.views;
    const open = tagOf(sequence, SLOT_OPEN);
    if (inPlace && Atomics.load(i32, at >> 2) === open) {
      ring.views.writeOutcome(at, outcome);
      if (Atomics.compareExchange(i32, at >> 2, open, tagOf(sequence, SLOT_COMPLETE)) === open) return;
    }
    // Overwritten before anybody settled it: the event itself is lost, so there is nothing to amend.
    if (!inPlace && sequence > ring.settled) return;
    this.#amend(ring, sequence, outcome);
  }

  /** Records a closed bucket of the workload. */
  bucket(startMs: number, parts: BucketParts): void {
    const ring = this.#buckets;
    if (ring === null) return;
    const at = ring.begin();
    ring.views.writeBucket(at, startMs, parts);
    ring.publish(at, SLOT_COMPLETE);
  }

  #amend(ring: RingWriter, sequence: number, outcome: OutcomeDraft): void {
    const at = ring.begin();
    ring.views.writeAmendment(at, sequence);
    ring.views.writeOutcome(at, outcome);
    ring.publish(at, SLOT_COMPLETE);
  }
}

/** One of how many allowed events is kept when the share `fill` of their ring waits for acks. */
export function sampleWeightAt(fill: number): number {
  if (fill < 0.5) return 1;
  if (fill < 0.75) return 2;
  return fill < 0.875 ? 4 : 8;
}
