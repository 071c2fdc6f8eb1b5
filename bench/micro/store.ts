// How many events a second does the SQLite store take, durable, and how long do a verdict page and a totals call take
// beside it? Run: node bench/micro/store.ts [--json] [--events N]. Batches come encoded, as from the wire; the figures include
// decoding, checking, both tables, marks, rollups and the commit to disk. One process, writer and reader threads.

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../control-plane/store/sqlite-store.ts';
import type { EventQuery, Store } from '../../control-plane/store/store.ts';
import { systemClock } from '../../domain/clock.ts';
import type { PicketEvent } from '../../domain/event.ts';
import { OFFERED_IDS } from '../../domain/features.ts';
import { METHODS } from '../../domain/head-view.ts';
import { type Random, seededRandom } from '../../domain/random.ts';
import { schemaId } from '../../domain/schema-id.ts';
import { PublishRequest } from '../../proto/gen/picket/v1/events.ts';
import { encodeEvent, keyBytes } from '../../proto/wire.ts';

const BOOT_ID = '0123456789abcdef0123456789abcdef';
const BATCH_EVENTS = 500;
const IN_FLIGHT = 8;
const SCHEMA_ID = schemaId(OFFERED_IDS);
const EVERYTHING: EventQuery = {
  afterId: 0,
  limit: 50,
  newest: true,
  beforeId: 0,
  verdicts: [],
  namespace: '',
  workload: '',
  requestIds: [],
  sinceMs: 0,
  identity: '',
};

function hex(random: Random): string {
  return Array.from({ length: 4 }, () => random.uint32().toString(16).padStart(8, '0')).join('');
}

function event(sequence: number, random: Random): PicketEvent {
  const flagged = random.next() < 0.02;
  return {
    bootId: BOOT_ID,
    stream: 1,
    sequence,
    requestId: hex(random),
    atMs: Date.now(),
    namespace: 'shop',
    workload: 'orders',
    identityKind: 'bearer',
    identityKey: hex(random),
    principalKey: '0'.repeat(32),
    principalSource: 'credential',
    identityKeyId: 0,
    addressKey: hex(random),
    method: METHODS[random.int(METHODS.length)] ?? 'GET',
    route: `/things/${random.int(200)}/{id}`,
    path: `/things/${random.int(200)}/${random.int(1_000_000)}`,
    score: random.next(),
    margin: random.normal(),
    unscored: 'none',
    attackClass: '',
    verdict: flagged ? 'flag' : 'allow',
    reason: flagged ? 'score.flag' : 'score.below_flag',
    signals: 0,
    action: 'forward',
    mode: 'monitor',
    modeSource: 'fleet',
    policyVersion: 'v1-00000000',
    bundleId: 'c'.repeat(64),
    sampleWeight: 1,
    schemaId: SCHEMA_ID,
    vector: Float32Array.from(OFFERED_IDS, () => random.next()),
    outcome: { status: 200, latencyMs: random.int(100), bytesIn: 0, bytesOut: random.int(5000), refusal: '' },
  };
}

function batches(count: number, random: Random): Uint8Array[] {
  return Array.from({ length: Math.ceil(count / BATCH_EVENTS) }, (_, b) => {
    const events = Array.from({ length: BATCH_EVENTS }, (_, i) =>
      encodeEvent(event(b * BATCH_EVENTS + i + 1, random)),
    );
    const head = { batch: b, bootId: keyBytes(BOOT_ID), namespace: 'shop', workload: 'orders' };
    const schemas = [{ schemaId: SCHEMA_ID, featureIds: [...OFFERED_IDS] }];
    return PublishRequest.encode(PublishRequest.fromPartial({ ...head, schemas, events })).finish();
  });
}

async function appendAll(store: Store, all: readonly Uint8Array[]): Promise<number> {
  const startMs = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < all.length) await store.events.append(all[next++]!);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return performance.now() - startMs;
}

async function medianMs(runs: number, work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const startMs = performance.now();
    await work();
    times.push(performance.now() - startMs);
  }
  return times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}

async function main(): Promise<void> {
  const flag = process.argv.indexOf('--events');
  const count = flag < 0 ? 200_000 : Number(process.argv[flag + 1]);
  const dir = mkdtempSync(join(tmpdir(), 'picket-store-bench-'));
  try {
    const store = await openSqliteStore({ dir, retentionDays: 0, clock: systemClock() });
    const all = batches(count, seededRandom(1));
    const elapsedMs = await appendAll(store, all);
    const events = all.length * BATCH_EVENTS;
    const result = {
      events,
      vector_features: OFFERED_IDS.length,
      rows_per_s: Math.round((events / elapsedMs) * 1000),
      newest_page_ms: round(await medianMs(50, () => store.events.page(EVERYTHING))),
      flagged_page_ms: round(
        await medianMs(50, () => store.events.page({ ...EVERYTHING, verdicts: ['flag', 'block'] })),
      ),
      totals_ms: round(await medianMs(50, () => store.events.totals())),
      bytes_per_event: 0,
    };
    await store.close();
    const bytes = readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
    result.bytes_per_event = Math.round(bytes / events);
    if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(result)}\n`);
    else
      for (const [name, value] of Object.entries(result))
        process.stdout.write(`${name.padEnd(18)} ${value}\n`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const round = (ms: number) => Math.round(ms * 100) / 100;

await main();
