// The consuming end of one event ring, on the control thread: reads records in order, settles what the other side has
// stored, and knows exactly what was lost. For every sequence ever assigned: delivered, dropped or still waiting.
// Does no I/O and no encoding; control/publisher.ts sends what it reads.

import type { DroppedRange, EventAmendment, PicketEvent } from '../domain/event.ts';
import { LIMITS } from '../domain/limits.ts';
import type { BucketEvent } from '../domain/workload-bucket.ts';
import {
  isAmendment,
  isBucket,
  type RecordSource,
  type RingRecord,
  SLOT_BYTES,
  SlotViews,
} from './event-record.ts';
import {
  HEAD_WORD,
  RingShape,
  SETTLED_WORD,
  SLOT_COMPLETE,
  SLOT_OPEN,
  SLOT_TAKEN,
  tagOf,
  widen,
} from './event-ring.ts';

/** What one call of `read` found, in order of sequence within each list. */
export interface StreamBatch {
  readonly stream: number;
  readonly events: PicketEvent[];
  readonly amendments: EventAmendment[];
  readonly buckets: BucketEvent[];
  readonly dropped: DroppedRange[];
}

/** Where every assigned sequence stands: assigned = delivered + dropped + waiting. */
export interface StreamAccount {
  readonly assigned: number;
  readonly delivered: number;
  readonly dropped: number;
  readonly waiting: number;
}

interface HeadMark {
  readonly atMs: number;
  readonly head: number;
}

/** How often the head is noted, to tell how old a slot at least is. */
const MARK_EVERY_MS = 250;

export class EventReader {
  readonly #views: SlotViews;
  readonly #shape: RingShape;
  readonly #source: RecordSource;
  readonly #copy = new SlotViews(new ArrayBuffer(SLOT_BYTES));
  readonly #pendingMs: number;
  #marks: HeadMark[] = [];
  /** Everything up to here is overdue: its outcome is not waited for. */
  #overdue = 0;
  #head = 0;
  #cursor = 1;
  #settled = 0;
  #delivered = 0;
  #dropped = 0;
  /** Ranges handed out as dropped and not yet settled; ascending, no two touch. */
  #declared: { first: number; last: number }[] = [];

  /** `pendingMs`: how long an event may hold its ring back while it waits for its outcome. */
  constructor(buffer: SharedArrayBuffer, source: RecordSource, pendingMs: number = LIMITS.outcomePendingMs) {
    this.#views = new SlotViews(buffer);
    this.#shape = new RingShape(buffer);
    this.#source = source;
    this.#pendingMs = pendingMs;
  }

  get stream(): number {
    return this.#source.context.stream;
  }

  get settled(): number {
    return this.#settled;
  }

  /** Reads up to `max` records from the cursor on. `nowMs` is monotonic. An open slot that is not overdue ends the batch. */
  read(max: number, nowMs: number): StreamBatch {
    const batch: StreamBatch = {
      stream: this.stream,
      ...{ events: [], amendments: [], buckets: [], dropped: [] },
    };
    this.#refreshHead();
    this.#mark(nowMs);
    let records = 0;
    while (records < max && this.#cursor <= this.#head) {
      if (this.#cursor < this.#oldest()) {
        batch.dropped.push(this.#declareDropped());
        continue;
      }
      const state = this.#take();
      if (state === SLOT_OPEN) break;
      const record = state === null ? null : this.#copyRecord(state);
      if (record === null) {
        // Overwritten while it was being read: the head has moved on, so the range is declared above.
        this.#refreshHead();
        if (this.#cursor >= this.#oldest()) break;
        continue;
      }
      if (isBucket(record)) batch.buckets.push(record);
      else if (isAmendment(record)) batch.amendments.push(record);
      else batch.events.push(record);
      this.#cursor++;
      records++;
    }
    return batch;
  }

  /** The other side holds everything up to `highWater`. Stale and repeated calls change nothing. */
  settle(highWater: number): void {
    this.#refreshHead();
    const until = Math.min(highWater, this.#head);
    if (!(until > this.#settled)) return;
    const dropped = this.#settleDropped(until);
    this.#dropped += dropped;
    this.#delivered += until - this.#settled - dropped;
    this.#settled = until;
    this.#cursor = Math.max(this.#cursor, until + 1);
    Atomics.store(this.#views.i32, SETTLED_WORD, until | 0);
  }

  /** After a lost connection: what was sent and not settled is read again. */
  rewind(): void {
    this.#cursor = this.#settled + 1;
  }

  account(): StreamAccount {
    this.#refreshHead();
    let dropped = this.#dropped;
    for (const range of this.#declared) dropped += range.last - range.first + 1;
    dropped += this.#undeclared();
    const assigned = this.#head;
    return { assigned, delivered: this.#delivered, dropped, waiting: assigned - this.#delivered - dropped };
  }

  /** Overwritten sequences that no batch has named yet. */
  #undeclared(): number {
    const last = this.#declared.at(-1)?.last ?? this.#settled;
    return Math.max(0, this.#oldest() - Math.max(this.#cursor, last + 1));
  }

  #refreshHead(): void {
    this.#head = widen(Atomics.load(this.#views.i32, HEAD_WORD), this.#head);
  }

  /** The oldest sequence that the ring still holds; its slot may be overwritten at any moment, which #copyRecord sees. */
  #oldest(): number {
    return Math.max(1, this.#head - this.#shape.slots + 1);
  }

  #declareDropped(): DroppedRange {
    const first = this.#cursor;
    const last = this.#oldest() - 1;
    this.#cursor = last + 1;
    const before = this.#declared.at(-1);
    if (before !== undefined && before.last + 1 >= first) {
      // A second reading after `rewind` meets ranges that it declared before.
      while ((this.#declared.at(-1)?.first ?? -1) >= first) this.#declared.pop();
      const touching = this.#declared.at(-1);
      if (touching !== undefined && touching.last + 1 >= first) touching.last = Math.max(touching.last, last);
      else this.#declared.push({ first, last });
    } else {
      this.#declared.push({ first, last });
    }
    return { stream: this.stream, first, last };
  }

  #settleDropped(until: number): number {
    let count = 0;
    while (this.#declared.length > 0) {
      const range = this.#declared[0]!;
      if (range.first > until) break;
      count += Math.min(range.last, until) - range.first + 1;
      if (range.last > until) {
        range.first = until + 1;
        break;
      }
      this.#declared.shift();
    }
    return count;
  }

  /** Notes the head now and then; what was assigned before the oldest kept mark is overdue. */
  #mark(nowMs: number): void {
    const last = this.#marks.at(-1);
    if (last === undefined || nowMs - last.atMs >= MARK_EVERY_MS)
      this.#marks.push({ atMs: nowMs, head: this.#head });
    while (this.#marks.length > 0 && nowMs - this.#marks[0]!.atMs >= this.#pendingMs) {
      this.#overdue = this.#marks.shift()!.head;
    }
  }

  /** Byte offset of the slot that the index names for the cursor; its tag tells if that is still true. */
  #place(): number {
    return this.#shape.slotAt(this.#views.i32[this.#shape.indexWord(this.#cursor)]!);
  }

  /** State of the cursor's slot; OPEN only if it must be waited for; null if the slot is no longer this sequence's. */
  #take(): number | null {
    const { i32 } = this.#views;
    const word = this.#place() >> 2;
    const tag = Atomics.load(i32, word);
    const open = tagOf(this.#cursor, SLOT_OPEN);
    if (tag === open) {
      if (this.#cursor > this.#overdue) return SLOT_OPEN;
      const taken = tagOf(this.#cursor, SLOT_TAKEN);
      const found = Atomics.compareExchange(i32, word, open, taken);
      if (found === open) return SLOT_TAKEN;
      return found === tagOf(this.#cursor, SLOT_COMPLETE) ? SLOT_COMPLETE : null;
    }
    if (tag === tagOf(this.#cursor, SLOT_COMPLETE)) return SLOT_COMPLETE;
    return tag === tagOf(this.#cursor, SLOT_TAKEN) ? SLOT_TAKEN : null;
  }

  /** Copies and decodes the cursor's slot; null if the producer wrote over it meanwhile. */
  #copyRecord(state: number): RingRecord | null {
    const at = this.#place();
    this.#copy.u8.set(this.#views.u8.subarray(at, at + SLOT_BYTES));
    // Read, modify and write, so that the copy above cannot be ordered after this check.
    if (Atomics.add(this.#views.i32, at >> 2, 0) !== tagOf(this.#cursor, state)) return null;
    return this.#copy.read(0, this.#cursor, state === SLOT_COMPLETE, this.#source);
  }
}
