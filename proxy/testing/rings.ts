// Small event rings for tests: buffers, a writer, readers and drafts with telling values.
// Used by the tests beside the rings; holds no expectation of its own.

import { Counters } from '../counters.ts';
import { EventReader } from '../event-reader.ts';
import { EventDraft, type OutcomeDraft } from '../event-record.ts';
import { createEventBuffers, type EventBuffers, LABEL_TEXTS, ROUTE_TEXTS } from '../event-ring.ts';
import { EventWriter } from '../event-writer.ts';
import { TextTableReader } from '../text-table.ts';

export const CONTEXT = {
  bootId: 'ab'.repeat(16),
  namespace: 'shop',
  workload: 'orders',
  schemaId: '0123456789abcdef',
};
export const OUTCOME: OutcomeDraft = {
  status: 200,
  latencyMs: 1.5,
  bytesIn: 10,
  bytesOut: 2 ** 40,
  refusal: null,
};

export function readerOf(buffers: EventBuffers, ring: number, pendingMs?: number): EventReader {
  const texts = {
    routes: new TextTableReader(buffers.routes, ROUTE_TEXTS),
    labels: new TextTableReader(buffers.labels, LABEL_TEXTS),
  };
  return new EventReader(buffers.rings[ring]!, { context: { ...CONTEXT, stream: ring }, texts }, pendingMs);
}

export function setUp(slots: number): { buffers: EventBuffers; writer: EventWriter; counters: Counters } {
  const buffers = createEventBuffers({ flaggedSlots: slots, allowSlots: slots });
  const counters = new Counters();
  return { buffers, counters, writer: new EventWriter({ buffers, counters }) };
}

export function draftOf(n: number, verdict: 'allow' | 'flag' = 'flag'): EventDraft {
  const draft = new EventDraft();
  draft.requestId = `request-${n}`;
  draft.atMs = 1_700_000_000_000 + n;
  draft.verdict = verdict;
  draft.margin = n / 7;
  draft.route = `GET /r/${n % 5}`;
  return draft;
}
