// `picket demo`, what `npm start` runs: the whole loop on loopback. Normal users and attackers send real requests through a
// sidecar; first it only watches, then the mode is switched over gRPC and the attacks bounce. `--once` ends with one line of
// JSON; labels come from the simulator, refusals from what clients saw, flags from the events that the control plane stored.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Mode } from '../domain/verdict.ts';
import { demoScenario } from '../simulator/demo.ts';
import type { Seen } from '../simulator/live.ts';
import type { Command, CommandIo } from './command.ts';
import { LatencyProbe } from './demo/added-latency.ts';
import { DemoControl } from './demo/control.ts';
import { runPhase } from './demo/phase.ts';
import { readStatus, type Stack, startStack } from './demo/stack.ts';
import { countAttacks, countPhase, type PhaseCounts, share } from './demo/summary.ts';
import { DemoView } from './demo/view.ts';
import { kinds, optionsHelp, readOptions } from './options.ts';

const OPTIONS = {
  once: kinds.flag({ help: 'One cycle (monitor, then block), then one line of JSON and exit.' }),
  seed: kinds.int({ min: 0, max: 2 ** 31 }, { help: 'Seed of the simulated traffic.', fallback: '1' }),
  phaseSeconds: kinds.int({ min: 2, max: 600 }, { help: 'Wall-clock length of each phase.', fallback: '15' }),
};

const USAGE = `Usage: picket demo [options]        (npm start -- [options])

Runs control plane, sidecar, sample API and simulated traffic on loopback: monitor first, then block.

${optionsHelp(OPTIONS)}

While it runs, try in a second terminal:
  npx picket ctl verdicts --control-plane 127.0.0.1:14443 --follow
  npx picket ctl mode monitor --control-plane 127.0.0.1:14443
`;

/** Events are stored a moment after their request; longer than this nobody waits for them. */
const EVENTS_TIMEOUT_MS = 8_000;
const PROBE_PATH = '/news/1/menu';

interface Cycle {
  readonly seen: Readonly<Record<Mode, Seen[]>>;
  readonly modeSwitchMs: number;
  readonly policyVersion: string;
}

interface SidecarEvents {
  readonly bundle_id: string | null;
  readonly events: { readonly assigned: number; readonly dropped: number };
}

interface Running {
  readonly stack: Stack;
  readonly control: DemoControl;
  readonly probe: LatencyProbe;
  readonly view: DemoView;
  readonly startMs: number;
  readonly signal: AbortSignal;
}

async function runCycle(running: Running, options: { seed: number; phaseSeconds: number }): Promise<Cycle> {
  const { control, view } = running;
  const scenario = demoScenario(options);
  const seen: Record<Mode, Seen[]> = { monitor: [], block: [] };
  let modeSwitchMs = Number.NaN;
  let policyVersion = '';
  for (const phase of scenario.phases) {
    const startMs = performance.now();
    const answer = await control.setMode(phase.name);
    const tookMs = performance.now() - startMs;
    if (phase.name === 'block') modeSwitchMs = Math.round(tookMs * 10) / 10;
    policyVersion = answer.policyVersion;
    const acked = answer.acks.filter((ack) => ack.acked).length;
    view.say(
      `mode ${phase.name}: ${acked}/${answer.acks.length} sidecars applied it in ${tookMs.toFixed(0)} ms`,
    );
    seen[phase.name] = await runPhase(phase.requests, { ...running, speed: scenario.speed });
    if (running.signal.aborted) break;
  }
  return { seen, modeSwitchMs, policyVersion };
}

/** Waits until every event that the sidecar made is stored or known to be dropped. */
async function settleEvents({ stack, control }: Running) {
  const deadline = Date.now() + EVENTS_TIMEOUT_MS;
  for (;;) {
    const [sidecar, plane] = await Promise.all([readStatus<SidecarEvents>(stack.admin), control.status()]);
    const sent = sidecar?.events.assigned ?? 0;
    const stored = plane.events?.stored ?? 0;
    const dropped = sidecar?.events.dropped ?? 0;
    const settled = sent > 0 && stored + dropped >= sent;
    if (settled || Date.now() > deadline) {
      return { bundleId: sidecar?.bundle_id ?? '', events: { sent, stored, dropped } };
    }
    await delay(100);
  }
}

function report(view: DemoView, monitor: PhaseCounts, block: PhaseCounts): void {
  view.say(
    `monitor: ${share(monitor.attacks_flagged, monitor.attacks)} of attack requests flagged, ` +
      `${share(monitor.normal_flagged, monitor.normal)} of normal ones; nothing refused by policy`,
  );
  view.say(
    `block:   ${share(block.attacks_refused, block.attacks)} of attack requests refused, ` +
      `${share(block.normal_refused, block.normal)} of normal ones ` +
      `(${block.normal_refused} of ${block.normal})`,
  );
}

/** One cycle from an empty control plane: phases, figures, the JSON line. */
async function once(running: Running, options: { seed: number; phaseSeconds: number }): Promise<string> {
  const cycle = await runCycle(running, options);
  const addedLatency = await running.probe.stop();
  const { bundleId, events } = await settleEvents(running);
  const flagged = await running.control.flaggedIds();
  const monitor = countPhase(cycle.seen.monitor, flagged);
  const block = countPhase(cycle.seen.block, flagged);
  report(running.view, monitor, block);
  return JSON.stringify({
    bundle_id: bundleId,
    policy_version: cycle.policyVersion,
    monitor,
    block,
    by_attack: countAttacks(cycle.seen.block),
    mode_switch_ms: cycle.modeSwitchMs,
    added_latency_ms: addedLatency,
    events,
  });
}

async function forever(running: Running, options: { seed: number; phaseSeconds: number }): Promise<void> {
  for (let round = 0; !running.signal.aborted; round++) {
    const cycle = await runCycle(running, { ...options, seed: options.seed + round });
    if (running.signal.aborted) return;
    const { control, view } = running;
    const flagged = await control.flaggedIds();
    report(view, countPhase(cycle.seen.monitor, flagged), countPhase(cycle.seen.block, flagged));
    view.say('Ctrl-C ends it; the next round begins.');
  }
}

async function run(args: string[], io: CommandIo): Promise<number> {
  const { values } = readOptions({ command: 'picket demo', options: OPTIONS }, args, io);
  const view = new DemoView(io.stdout);
  const folder = await mkdtemp(join(tmpdir(), 'picket-demo-'));
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  view.say('Starting control plane, sidecar and sample API on loopback …');
  try {
    const stack = await startStack({ folder, clockRate: demoScenario({ seed: 0 }).speed });
    view.say(`sidecar ${stack.sidecar}   status ${stack.admin}/status   control plane ${stack.controlPlane}`);
    const control = new DemoControl(stack.controlPlane);
    const probe = new LatencyProbe({ upstream: stack.upstream, sidecar: stack.sidecar, path: PROBE_PATH });
    const running = { stack, control, probe, view, startMs: Date.now(), signal: stopping.signal };
    probe.start();
    try {
      if (values.once) view.say(await once(running, values));
      else await forever(running, values);
    } finally {
      await probe.stop();
      control.close();
      await stack.close();
    }
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    await rm(folder, { recursive: true, force: true });
  }
  return 0;
}

export const demoCommand: Command = {
  name: 'demo',
  summary: 'the whole loop on loopback: what `npm start` runs',
  usage: USAGE,
  run,
};
