// The accounting of one event stream: which sequences of a batch are new, and how far the stream is settled then.
// Pure. assigned = stored + dropped + refused + lost + not yet settled, at every moment.
// Order inside a stream is the producer's promise: whatever lies at or below the mark was settled before.

export interface Mark {
  /** Everything up to here is settled. */
  settled: number;
  stored: number;
  dropped: number;
  refused: number;
  /** Skipped without a report. */
  skipped: number;
  /** Highest sequence that was heard of. */
  assigned: number;
}

export function newMark(): Mark {
  return { settled: 0, stored: 0, dropped: 0, refused: 0, skipped: 0, assigned: 0 };
}

/** `first..last` of a stream and what the batch says of them; single sequences have first = last. */
export interface Item {
  readonly kind: 'store' | 'refuse' | 'drop';
  readonly first: number;
  readonly last: number;
}

/** Moves the mark over the items (any order) and returns those that count, in order of sequence. */
export function settle<T extends Item>(mark: Mark, items: readonly T[]): T[] {
  const taken: T[] = [];
  const ordered = [...items].sort((a, b) => a.first - b.first);
  // A stream that is new here but not new itself was settled by another store before: that is no loss of ours.
  if (mark.settled === 0) mark.settled = Math.max(0, (ordered[0]?.first ?? 1) - 1);
  for (const item of ordered) {
    if (item.last <= mark.settled) continue;
    const from = Math.max(item.first, mark.settled + 1);
    mark.skipped += from - mark.settled - 1;
    const count = item.last - from + 1;
    if (item.kind === 'store') mark.stored += count;
    else if (item.kind === 'refuse') mark.refused += count;
    else mark.dropped += count;
    mark.settled = item.last;
    taken.push(item);
  }
  mark.assigned = Math.max(mark.assigned, mark.settled);
  return taken;
}
