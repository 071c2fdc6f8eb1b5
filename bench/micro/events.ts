// What does an event cost? On the data thread: open + complete, with a reader that keeps up and without one (overwriting).
// On the control thread: reading a record, and encoding it for the wire. Prints nanoseconds, median of rounds;
// `--json` prints one line of JSON last. Run: node bench/micro/events.ts

import { LIMITS } from '../../domain/limits.ts';
import { PublishRequest } from '../../proto/gen/picket/v1/events.ts';
import { encodeEvent } from '../../proto/wire.ts';
import { Counters } from '../../proxy/counters.ts';
import { EventReader } from '../../proxy/event-reader.ts';
import { EventDraft, type OutcomeDraft } from '../../proxy/event-record.ts';
import { createEventBuffers, FLAGGED, LABEL_TEXTS, ROUTE_TEXTS } from '../../proxy/event-ring.ts';
import { EventWriter } from '../../proxy/event-writer.ts';
import { TextTableReader } from '../../proxy/text-table.ts';

const ROUNDS = 9;
const EVENTS = 100_000;
const BATCH = 256;

const OUTCOME: OutcomeDraft = { status: 200, latencyMs: 1, bytesIn: 0, bytesOut: 200, refusal: null };

function draft(): EventDraft {
  return Object.assign(new EventDraft(), {
    requestId: '0123456789abcdef0123456789abcdef',
    verdict: 'flag',
    margin: 1.5,
    route: 'GET /orders/{id}',
    pathBytes: new Uint8Array(64).fill(97),
    pathEnd: 40,
    policyVersion: 'v12-ab34cd56',
    bundleId: 'f'.repeat(64),
    vector: new Float64Array(LIMITS.vectorPlaces).fill(1.5),
  });
}

function setUp() {
  const buffers = createEventBuffers();
  const texts = {
    routes: new TextTableReader(buffers.routes, ROUTE_TEXTS),
    labels: new TextTableReader(buffers.labels, LABEL_TEXTS),
  };
  const context = { bootId: 'a'.repeat(32), stream: FLAGGED, namespace: 'n', workload: 'w', schemaId: 's' };
  const reader = new EventReader(buffers.rings[FLAGGED]!, { context, texts });
  return { writer: new EventWriter({ buffers, counters: new Counters() }), reader };
}

type Case = (event: EventDraft) => number;

/** Each case returns the nanoseconds of one event. */
const CASES: Readonly<Record<string, Case>> = {
  'write, ring full': (event) => {
    const { writer } = setUp();
    const started = performance.now();
    for (let i = 0; i < EVENTS; i++) writer.complete(writer.open(event), OUTCOME);
    return ((performance.now() - started) / EVENTS) * 1e6;
  },
  'write, reader keeps up': (event) => perEvent(event, (write) => write, 0),
  read: (event) => perEvent(event, (_, read) => read, 1),
  'read + encode': (event) => perEvent(event, (_, read) => read, 2),
};

/** Writes and reads in turns; `depth` 0: reads only to settle, 1: times the reading, 2: also encodes. */
function perEvent(
  event: EventDraft,
  pick: (writeMs: number, readMs: number) => number,
  depth: number,
): number {
  const { writer, reader } = setUp();
  let writeMs = 0;
  let readMs = 0;
  for (let done = 0; done < EVENTS; done += BATCH) {
    const started = performance.now();
    for (let i = 0; i < BATCH; i++) writer.complete(writer.open(event), OUTCOME);
    const written = performance.now();
    const { events } = reader.read(BATCH, written);
    if (depth === 2)
      PublishRequest.encode(PublishRequest.fromPartial({ events: events.map(encodeEvent) })).finish();
    reader.settle(events.at(-1)!.sequence);
    writeMs += written - started;
    readMs += performance.now() - written;
  }
  return (pick(writeMs, readMs) / EVENTS) * 1e6;
}

const results: Record<string, number> = {};
for (const [name, run] of Object.entries(CASES)) {
  const rounds = Array.from({ length: ROUNDS }, () => run(draft())).sort((a, b) => a - b);
  results[name] = Math.round(rounds[ROUNDS >> 1]!);
  process.stdout.write(`${name.padEnd(24)} ${String(results[name]).padStart(7)} ns\n`);
}
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ ns_per_event: results })}\n`);
