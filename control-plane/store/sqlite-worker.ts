// The two threads of the SQLite store: the writer (events, policies, models) and the reader (events).
// An entry point of its own: started by sqlite-store.ts, bundled as its own file. Talks in messages only:
// {id, method, args} in, {id, value} or {id, code, message, hint} out. Batches that wait together share a commit;
// every other call goes before them.

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { PicketError } from '../../domain/errors.ts';
import { EventReader } from './event-reader.ts';
import { EventWriter } from './event-writer.ts';
import { RecordWriter } from './record-writer.ts';

/** Batches and bytes of one commit, at most: what a commit costs is shared, but a mode switch never waits for long. */
const GROUP_BATCHES = 64;
const GROUP_BYTES = 2 * 1024 * 1024;

interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

type Handlers = Readonly<Record<string, (...args: never[]) => unknown>>;

interface StoreThreadData {
  readonly role: 'writer' | 'reader';
  readonly dir: string;
  readonly retentionDays: number;
  /** The injected clock's time at start. */
  readonly nowMs: number;
}

const { role, dir, retentionDays, nowMs: startMs } = workerData as StoreThreadData;
const port = parentPort;
if (port === null) throw new PicketError('INTERNAL', 'the store thread was started as a program');

let events: EventWriter | null = null;
const handlers: Handlers = role === 'writer' ? writerHandlers() : readerHandlers();
const waiting: Call[] = [];

function writerHandlers(): Handlers {
  const records = new RecordWriter(dir);
  const writer = new EventWriter({ dir, retentionDays }, startMs);
  events = writer;
  const close = () => {
    while (waiting.length > 0) flush();
    writer.close();
    records.close();
  };
  return {
    noteAssigned: writer.noteAssigned.bind(writer),
    marks: writer.marks.bind(writer),
    totals: writer.totals.bind(writer),
    rollOver: writer.rollOver.bind(writer),
    newestPolicy: records.newestPolicy.bind(records),
    policy: records.policy.bind(records),
    appendPolicy: records.appendPolicy.bind(records),
    policies: records.policies.bind(records),
    addModel: records.addModel.bind(records),
    models: records.models.bind(records),
    findModels: records.findModels.bind(records),
    activate: records.activate.bind(records),
    activeModel: records.activeModel.bind(records),
    previousModel: records.previousModel.bind(records),
    close,
  };
}

function readerHandlers(): Handlers {
  const reader = new EventReader(dir);
  return {
    page: reader.page.bind(reader),
    event: reader.event.bind(reader),
    rollups: reader.rollups.bind(reader),
    buckets: reader.buckets.bind(reader),
    close: reader.close.bind(reader),
  };
}

function reply(id: number, value: unknown): void {
  if (!(value instanceof PicketError)) port?.postMessage({ id, value });
  else port?.postMessage({ id, code: value.code, message: value.message, hint: value.hint });
}

function attempt(work: () => unknown): unknown {
  try {
    return work();
  } catch (thrown) {
    return PicketError.from(thrown, 'STORE_FAILED');
  }
}

/** Commits the next batches that wait; what is left waits for its turn after other calls. */
function flush(): void {
  if (waiting.length === 0 || events === null) return;
  let bytes = 0;
  let count = 0;
  for (const call of waiting) {
    bytes += (call.args[0] as Uint8Array).length;
    if (count > 0 && (count === GROUP_BATCHES || bytes > GROUP_BYTES)) break;
    count += 1;
  }
  const calls = waiting.splice(0, count);
  const writer = events;
  const nowMs = calls[0]?.args[1] as number;
  const batches = calls.map((call) => call.args[0] as Uint8Array);
  const results = attempt(() => writer.append(batches, nowMs));
  for (const [i, call] of calls.entries()) reply(call.id, Array.isArray(results) ? results[i] : results);
}

function handle(call: Call): void {
  if (call.method === 'append') waiting.push(call);
  else
    reply(
      call.id,
      attempt(() => handlers[call.method]?.(...(call.args as never[]))),
    );
}

/** Takes every message that is there, answers all but batches at once, commits one group, and begins again. */
function turn(first?: Call): void {
  if (first !== undefined) handle(first);
  for (;;) {
    const next = port === null ? undefined : receiveMessageOnPort(port);
    if (next === undefined) break;
    handle(next.message as Call);
  }
  flush();
  if (waiting.length > 0) setImmediate(turn);
}

port.on('message', turn);
port.postMessage({ id: 0, value: 'ready' });
