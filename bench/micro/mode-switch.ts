// How long does a mode switch take until every connected sidecar has acked it, while events pour in? The sidecars are raw
// streams that ack at once, so the figure is the control plane's and the wire's share.
// Run: node bench/micro/mode-switch.ts [--json] [--sidecars N]. The promise is: under a second.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { CONTROL_PLANE_OPTIONS } from '../../control-plane/control-plane-options.ts';
import { startControlPlane } from '../../control-plane/main.ts';
import { batchOf, operator, publisher, setMode } from '../../control-plane/testing/calls.ts';
import { RawSidecar } from '../../control-plane/testing/raw-sidecar.ts';
import { systemClock } from '../../domain/clock.ts';
import { parseOptions } from '../../domain/options.ts';
import { Mode } from '../../proto/gen/picket/v1/common.ts';
import { keyBytes } from '../../proto/wire.ts';

const SWITCHES = 60;
const BATCH_EVENTS = 500;
const FLOOD_BOOT_ID = 'f'.repeat(32);

/** Sends batches without a pause until the returned function is called; gives the events that were acked. */
function flood(address: string): () => number {
  const client = publisher(address);
  const stream = client.publish();
  let sequence = 1;
  let acked = 0;
  const send = () => {
    const batch = batchOf(1, sequence, sequence + BATCH_EVENTS - 1);
    sequence += BATCH_EVENTS;
    stream.write({ ...batch, bootId: keyBytes(FLOOD_BOOT_ID) });
  };
  stream.on('data', ({ stored }: { stored: number }) => {
    acked += stored;
    send();
  });
  stream.on('error', () => undefined);
  for (let i = 0; i < 8; i++) send();
  return () => {
    stream.cancel();
    client.close();
    return acked;
  };
}

async function measure(address: string): Promise<number[]> {
  const client = operator(address);
  const times: number[] = [];
  for (let i = 0; i < SWITCHES; i++) {
    const startMs = performance.now();
    const { acks } = await setMode(client, { mode: i % 2 === 0 ? Mode.BLOCK : Mode.MONITOR, waitMs: 10_000 });
    if (!acks.every((ack) => ack.acked)) throw new Error('a sidecar did not ack');
    times.push(performance.now() - startMs);
  }
  client.close();
  return times.sort((a, b) => a - b);
}

const at = (times: readonly number[], share: number) =>
  Math.round((times[Math.floor(share * (times.length - 1))] ?? Number.NaN) * 10) / 10;

async function main(): Promise<void> {
  const flag = process.argv.indexOf('--sidecars');
  const count = flag < 0 ? 50 : Number(process.argv[flag + 1]);
  const dir = mkdtempSync(join(tmpdir(), 'picket-switch-bench-'));
  const args = ['--data-dir', dir, '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'];
  const config = parseOptions(CONTROL_PLANE_OPTIONS, { args, env: {} }).values;
  const deps = { clock: systemClock(), log: pino({ level: 'silent' }), version: '0.0.0-bench' };
  const running = await startControlPlane(config, deps);
  const sidecars = Array.from({ length: count }, (_, i) => {
    const bootId = (i + 1).toString(16).padStart(32, '0');
    const sidecar = new RawSidecar(running.grpcAddress, { bootId });
    sidecar.keepAcking();
    return sidecar;
  });
  await Promise.all(sidecars.map((sidecar) => sidecar.welcome()));
  const quiet = await measure(running.grpcAddress);
  const startMs = performance.now();
  const stop = flood(running.grpcAddress);
  const loaded = await measure(running.grpcAddress);
  const eventsPerSec = Math.round((stop() / (performance.now() - startMs)) * 1000);
  const result = {
    sidecars: count,
    switches: SWITCHES,
    quiet_ms: { p50: at(quiet, 0.5), p99: at(quiet, 0.99), max: at(quiet, 1) },
    under_events_ms: { p50: at(loaded, 0.5), p99: at(loaded, 0.99), max: at(loaded, 1) },
    events_per_s: eventsPerSec,
  };
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(result)}\n`);
  else
    for (const [name, value] of Object.entries(result))
      process.stdout.write(`${name}  ${JSON.stringify(value)}\n`);
  for (const sidecar of sidecars) sidecar.close();
  await running.close();
  rmSync(dir, { recursive: true, force: true });
}

await main();
