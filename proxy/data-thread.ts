// What runs in a data thread: one data plane, driven by messages of the control thread, and a heartbeat that shows it lives.
// The entry of the worker; with a port of its own it also runs beside the control thread, for tests that bring their clock.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Clock } from '../domain/clock.ts';
import { PicketError } from '../domain/errors.ts';
import { adoptCoreModule } from '../wasm-core/host/core-module.ts';
import { COUNTER, Counters } from './counters.ts';
import { type DataPlane, startDataPlane } from './data-plane.ts';
import { EventWriter } from './event-writer.ts';
import { LearnedReports } from './learned-reports.ts';
import { NoteLimiter, type ThreadNote } from './note.ts';
import { clockFrom } from './shared-clock.ts';
import type { FromDataThread, ThreadFailure, ThreadStart, ToDataThread } from './thread-messages.ts';

/** Marks worker data as ours, so that importing this file in another worker starts nothing. */
export const DATA_THREAD = 'picket-data-thread';
const HEARTBEAT_MS = 100;

/** What tests may bring when the data plane runs beside them. */
export interface DataThreadSeams {
  readonly clock?: Clock;
  readonly random?: () => number;
}

type Answer = (message: FromDataThread) => void;

export function failureOf(thrown: unknown): ThreadFailure {
  const { code, message, hint, problems } = PicketError.from(thrown);
  return { code, message, problems, ...(hint === undefined ? {} : { hint }) };
}

function noteTaker(answer: Answer): (note: ThreadNote) => void {
  const limiter = new NoteLimiter();
  return (note) => {
    if (!limiter.admit()) return;
    const suppressed = limiter.takeSuppressed();
    const message =
      suppressed === 0 ? note.message : `${note.message} (${suppressed} notes before it were left out)`;
    answer({ kind: 'note', note: { ...note, message } });
  };
}

async function carryOut(plane: DataPlane, message: ToDataThread): Promise<void> {
  switch (message.kind) {
    case 'policy':
      return plane.setPolicy(message.policy);
    case 'bundle':
      // Both in one turn: no request meets a bundle with another bundle's thresholds.
      plane.setBundle(message.bundle);
      return plane.setPolicy(message.policy);
    case 'addresses':
      return plane.setAddresses(message.data);
    case 'routes':
      return plane.setPaths(message.paths);
    case 'identity_keys':
      return plane.setIdentityKeys(message.keys);
    case 'drain':
      return plane.drain(message.mode, message.ms);
    case 'close':
      return plane.close();
  }
}

/** Shows that the thread lives, and what its engine holds. */
function beat(plane: DataPlane, counters: Counters): void {
  counters.add(COUNTER.heartbeat);
  plane.beat();
  const { identities, addresses, staleOutcomes } = plane.engineStats();
  counters.set(COUNTER.identities, identities.rows);
  counters.set(COUNTER.evictions, identities.evictions + addresses.evictions);
  counters.set(COUNTER.staleOutcomes, staleOutcomes);
}

function identityOptions({ identityKeys, tokens }: ThreadStart) {
  const { current, former, keyId } = identityKeys;
  return { identityKey: current, formerIdentityKey: former, identityKeyId: keyId, tokens };
}

/** Starts the data plane and serves messages until `close`. Resolves when the listeners are open or have failed. */
export async function runDataThread(
  port: MessagePort,
  start: ThreadStart,
  seams: DataThreadSeams = {},
): Promise<void> {
  const answer: Answer = (message) => port.postMessage(message);
  const counters = new Counters(start.counters);
  adoptCoreModule(start.core);
  let plane: DataPlane;
  try {
    plane = await startDataPlane({
      listeners: start.listeners.map((listener) => ({
        ...listener,
        upstream: new URL(listener.upstream),
        protocol: 'http1' as const,
      })),
      config: start.config,
      policy: start.policy,
      bundle: start.bundle,
      addresses: start.addresses,
      paths: start.paths,
      learned: start.learned,
      state: start.state,
      ...identityOptions(start),
      counters,
      events: new EventWriter({ buffers: start.events, counters }),
      clock: seams.clock ?? clockFrom(start.clock),
      random: seams.random ?? Math.random,
      log: noteTaker(answer),
    });
  } catch (thrown) {
    answer({ kind: 'failed', failure: failureOf(thrown) });
    port.close();
    return;
  }
  const learned = new LearnedReports(plane.learned, (saved) => answer({ kind: 'learned_routes', saved }));
  const heartbeat = setInterval(() => {
    learned.beat();
    beat(plane, counters);
  }, HEARTBEAT_MS);
  counters.set(COUNTER.listening, 1);
  port.on('message', (message: ToDataThread) => {
    if (message.kind === 'close') learned.report();
    carryOut(plane, message)
      .then(
        () => answer({ kind: 'done', nonce: message.nonce }),
        (thrown: unknown) => answer({ kind: 'refused', nonce: message.nonce, failure: failureOf(thrown) }),
      )
      .finally(() => {
        if (message.kind !== 'close') return;
        clearInterval(heartbeat);
        counters.set(COUNTER.listening, 0);
        port.close();
      });
  });
  answer({
    ...{ kind: 'ready', memory: plane.memory },
    addresses: plane.addresses.map(({ name, host, port: bound }) => ({ name, host, port: bound })),
  });
}

const given = workerData as { readonly role?: string; readonly start?: ThreadStart } | null;
if (parentPort !== null && given?.role === DATA_THREAD && given.start !== undefined) {
  await runDataThread(parentPort, given.start);
}
