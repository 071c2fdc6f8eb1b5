// Data planes for tests, in process: the repository's default bundle, thresholds that allow or block everything, counters and
// events that can be read. One origin, one listener on a free port.

import { readFileSync } from 'node:fs';
import { type Clock, systemClock } from '../../domain/clock.ts';
import type { PicketEvent } from '../../domain/event.ts';
import { OFFERED_IDS } from '../../domain/features.ts';
import type { DeclaredPath } from '../../domain/openapi.ts';
import {
  bindThresholds,
  type CompiledPolicy,
  compilePolicy,
  type PolicyDocument,
} from '../../domain/policy.ts';
import { NOTES, type NoteCode, REFUSAL_CODES, type RefusalCode } from '../../domain/refusal.ts';
import {
  answerPlace,
  COUNTER,
  Counters,
  notePlace,
  rejectedPlace,
  type SingleName,
  uninspectedPlace,
} from '../../proxy/counters.ts';
import { type DataPlane, startDataPlane } from '../../proxy/data-plane.ts';
import { type DataPlaneConfig, DEFAULT_DATA_PLANE_CONFIG } from '../../proxy/data-plane-config.ts';
import { EventReader } from '../../proxy/event-reader.ts';
import { createEventBuffers, LABEL_TEXTS, ROUTE_TEXTS } from '../../proxy/event-ring.ts';
import { EventWriter } from '../../proxy/event-writer.ts';
import type { ThreadNote } from '../../proxy/note.ts';
import type { Faults } from '../../proxy/score.ts';
import { TextTableReader } from '../../proxy/text-table.ts';
import { parseBundle } from '../../wasm-core/host/parse.ts';
import { type PreparedBundle, prepareBundle } from '../../wasm-core/host/prepare.ts';

/** Everything is allowed, whatever its score. */
export const ALLOW_ALL = { flagAt: 1, blockAt: 1 } as const;
/** Everything gets the verdict block. */
export const BLOCK_ALL = { flagAt: 0, blockAt: 0 } as const;

let prepared: PreparedBundle | null = null;

/** models/default.bundle, prepared once per test file. */
export function defaultBundle(): PreparedBundle {
  if (prepared === null) {
    const bytes = readFileSync(new URL('../../models/default.bundle', import.meta.url));
    prepared = prepareBundle(
      parseBundle(bytes, { requireSigned: false, trustedKeys: [], offeredIds: OFFERED_IDS }),
    );
  }
  return prepared;
}

export function policyOf(document: PolicyDocument, version = 'test-1', nowMs = Date.now()): CompiledPolicy {
  const context = { version, origin: 'control_plane', namespace: 'shop', workload: 'orders', nowMs } as const;
  return bindThresholds(compilePolicy(document, context), defaultBundle().thresholds);
}

export interface PlaneSettings {
  readonly upstream: URL;
  readonly policy?: PolicyDocument;
  readonly config?: Partial<DataPlaneConfig>;
  readonly bundle?: PreparedBundle | null;
  readonly paths?: readonly DeclaredPath[];
  readonly learned?: string;
  readonly clock?: Clock;
  readonly faults?: Faults;
  readonly tickMs?: number;
}

export class TestPlane {
  readonly plane: DataPlane;
  readonly counters: Counters;
  readonly notes: ThreadNote[];
  readonly #readers: EventReader[];

  constructor(plane: DataPlane, counters: Counters, notes: ThreadNote[], readers: EventReader[]) {
    this.plane = plane;
    this.counters = counters;
    this.notes = notes;
    this.#readers = readers;
  }

  get port(): number {
    return this.plane.addresses[0]?.port ?? 0;
  }

  count(name: SingleName): number {
    return this.counters.get(COUNTER[name]);
  }

  rejected(code: RefusalCode): number {
    return this.counters.get(rejectedPlace(code));
  }

  answered(code: RefusalCode): number {
    return this.counters.get(answerPlace(code));
  }

  noted(code: NoteCode): number {
    return this.counters.get(notePlace(code));
  }

  get rejectedTotal(): number {
    return REFUSAL_CODES.reduce((sum, code) => sum + this.rejected(code), 0);
  }

  /** requests = scored + uninspected + rejected. */
  get balance(): number {
    const { counters } = this;
    const uninspected = counters.get(uninspectedPlace('trap')) + counters.get(uninspectedPlace('no_bundle'));
    return this.count('requests') - this.count('scored') - uninspected - this.rejectedTotal;
  }

  /** Every note that was counted, by code. */
  get allNotes(): Record<string, number> {
    const codes = Object.keys(NOTES) as NoteCode[];
    return Object.fromEntries(codes.map((code) => [code, this.noted(code)]).filter(([, n]) => n !== 0));
  }

  /** Events since the last call, flagged ones first; one without outcome comes with null and is amended later. */
  events(): PicketEvent[] {
    return this.#readers.flatMap((reader) => {
      const { events } = reader.read(10_000, performance.now());
      // Settled at once, so that the ring never fills and no event is sampled out.
      reader.settle(reader.account().assigned);
      return events;
    });
  }

  close(): Promise<void> {
    return this.plane.close();
  }
}

export async function startTestPlane(settings: PlaneSettings): Promise<TestPlane> {
  const counters = new Counters();
  const notes: ThreadNote[] = [];
  const buffers = createEventBuffers({ flaggedSlots: 256, allowSlots: 256 });
  const bundle = settings.bundle === undefined ? defaultBundle() : settings.bundle;
  const plane = await startDataPlane({
    listeners: [{ name: 'test', host: '127.0.0.1', port: 0, upstream: settings.upstream, protocol: 'http1' }],
    config: { ...DEFAULT_DATA_PLANE_CONFIG, identities: 1024, ...settings.config },
    policy: policyOf(settings.policy ?? { fleet: { mode: 'monitor', ...ALLOW_ALL } }),
    bundle,
    identityKey: new Uint32Array([1, 2, 3, 4]),
    counters,
    events: new EventWriter({ buffers, counters }),
    clock: settings.clock ?? systemClock(),
    random: Math.random,
    log: (note) => notes.push(note),
    ...(settings.paths === undefined ? {} : { paths: settings.paths }),
    ...(settings.learned === undefined ? {} : { learned: settings.learned }),
    ...(settings.faults === undefined ? {} : { faults: settings.faults }),
    ...(settings.tickMs === undefined ? {} : { tickMs: settings.tickMs }),
  });
  const texts = {
    routes: new TextTableReader(buffers.routes, ROUTE_TEXTS),
    labels: new TextTableReader(buffers.labels, LABEL_TEXTS),
  };
  const context = { bootId: '0'.repeat(32), namespace: 'shop', workload: 'orders', schemaId: '0'.repeat(16) };
  const readers = buffers.rings.map(
    (ring, stream) => new EventReader(ring, { context: { ...context, stream }, texts }, 0),
  );
  return new TestPlane(plane, counters, notes, readers);
}
