// `picket simulate`: seeded normal users and attackers as real HTTP requests to a sidecar, or offline through the feature
// engine and the scoring core. Traffic is simulator/'s; this file reads flags, counts by label and prints.

import { PicketError, type Problem } from '../domain/errors.ts';
import { FeatureEngine } from '../feature-engine/engine.ts';
import { type Seen, type Sendable, sendAll, sendableOf } from '../simulator/live.ts';
import { OfflineRun } from '../simulator/offline.ts';
import { ATTACKS, type AttackName, type SimRequest } from '../simulator/request.ts';
import { type MixedSettings, mixedTraffic, SIM_START_MS } from '../simulator/scenario.ts';
import type { Command, CommandIo } from './command.ts';
import { ACTOR_WARM_UP_REQUESTS } from './demo/summary.ts';
import { DEFAULT_BUNDLE, OfflineJudge } from './offline-judge.ts';
import { kinds, optionsHelp, readOptions } from './options.ts';
import {
  checkStoredFlags,
  STORED_FLAGS_OPTIONS,
  type StoredFlagsValues,
  storedFlags,
} from './stored-flags.ts';
import { Progress, quantileMs, share, Tally, table } from './traffic-tally.ts';

const OPTIONS = {
  target: kinds.httpOrigin({ group: 'Live', help: 'Sidecar to send the requests to.' }),
  speed: kinds.number(
    { min: 0.01, max: 1000 },
    {
      group: 'Live',
      help: 'Simulated seconds per second; give the sidecar the same --clock-rate.',
      fallback: '1',
    },
  ),
  ...STORED_FLAGS_OPTIONS,
  offline: kinds.flag({ group: 'Offline', help: 'Score here, under the simulated clock; nothing is sent.' }),
  bundle: kinds.file({ group: 'Offline', help: 'Bundle to score with; default: the one of this build.' }),
  refuse: kinds.flag({
    group: 'Offline',
    help: 'As in block mode: what is blocked gets no answer of the origin.',
  }),
  seed: kinds.int(
    { min: 0, max: 1e9 },
    { group: 'Traffic', help: 'Same seed, same requests.', fallback: '1' },
  ),
  seconds: kinds.int(
    { min: 1, max: 604_800 },
    { group: 'Traffic', help: 'How long: seconds of sending, or simulated seconds offline.', fallback: '60' },
  ),
  users: kinds.int({ min: 1, max: 5_000 }, { group: 'Traffic', help: 'Normal users.', fallback: '100' }),
  visits: kinds.number(
    { min: 0, max: 10 },
    { group: 'Traffic', help: 'Anonymous site visits per simulated second.', fallback: '0.15' },
  ),
  flavour: kinds.oneOf(['realistic', 'faithful'], {
    group: 'Traffic',
    help: 'faithful: as the WSO2 traffic tool makes it; realistic: with all that people do.',
    fallback: 'realistic',
  }),
  attacks: kinds.textList({ group: 'Traffic', help: `Of: ${ATTACKS.join(' ')}.`, fallback: '' }),
  attackersEach: kinds.int(
    { min: 1, max: 100 },
    { group: 'Traffic', help: 'Attackers of each attack.', fallback: '2' },
  ),
  attackRequests: kinds.int(
    { min: 1, max: 100_000 },
    { group: 'Traffic', help: 'Most requests of one attacker.', fallback: '600' },
  ),
  attackRate: kinds.number(
    { min: 0.1, max: 200 },
    { group: 'Traffic', help: 'Simulated requests per second of attacks that have a rate; default: drawn.' },
  ),
  json: kinds.flag({ group: 'Output', help: 'One line of JSON last.' }),
} as const;

const USAGE = `Usage: picket simulate (--target URL [--speed N] | --offline) [options]

Normal users, site visitors and machines, and the attacks that are asked for, from a seed. Each request
carries its label in x-request-id (sim-LABEL-ACTOR-N) and its client address in X-Forwarded-For, so start the
sidecar with --client-ip-source xff --trusted-proxies 127.0.0.0/8. Attacks are counted after an actor's first
${ACTOR_WARM_UP_REQUESTS} requests.

  picket simulate --offline --seconds 1200 --attacks dos,stolen_token,extreme_delete
  picket simulate --target http://127.0.0.1:14080 --seconds 30 --speed 20 --attacks dos
${optionsHelp(OPTIONS)}`;

type Values = ReturnType<typeof readFlags>;

function readFlags(args: readonly string[], io: CommandIo) {
  type Checked = StoredFlagsValues & {
    target?: URL | undefined;
    offline: boolean;
    attacks: readonly string[];
  };
  const check = (values: Checked) => {
    const problems: Problem[] = checkStoredFlags(values);
    if ((values.target !== undefined) === values.offline) {
      const value = values.offline ? 'both' : 'neither';
      problems.push({ field: '--target, --offline', value, expected: 'one of the two' });
    }
    for (const name of values.attacks.filter((attack) => !ATTACKS.includes(attack as AttackName)))
      problems.push({ field: '--attacks', value: name, expected: `some of ${ATTACKS.join(', ')}` });
    return problems;
  };
  return readOptions({ command: 'picket simulate', options: OPTIONS, check }, args, io).values;
}

function settingsOf(values: Values): MixedSettings {
  return {
    seed: values.seed,
    seconds: values.offline ? values.seconds : values.seconds * values.speed,
    flavour: values.flavour,
    users: values.users,
    visitsPerSec: values.visits,
    attacks: values.attacks as readonly AttackName[],
    attackersEach: values.attackersEach,
    attackRequestsMax: values.attackRequests,
    ...(values.attackRate === undefined ? {} : { attackRatePerSec: values.attackRate }),
  };
}

interface Simulated {
  readonly tally: Tally;
  readonly extra: Readonly<Record<string, unknown>>;
}

/** An attacker's first requests are like anyone's: sent, not counted. */
function counts(request: { readonly label: string; readonly nth: number }): boolean {
  return request.label === 'normal' || request.nth > ACTOR_WARM_UP_REQUESTS;
}

function simulateOffline(values: Values, progress: Progress): Simulated {
  const judge = new OfflineJudge(values.bundle ?? DEFAULT_BUNDLE);
  const tally = new Tally();
  const run = new OfflineRun<SimRequest>({
    engine: new FeatureEngine({ startedMs: SIM_START_MS }),
    vector: judge.vector,
    onVector: ({ request }) => {
      const { flagged, blocked } = judge.judge();
      const refused = blocked && values.refuse;
      if (counts(request)) tally.add(request.label, { flagged, refused, status: request.answer.status });
      progress.update(() => `${tally.total.requests} requests`);
      return !refused;
    },
  });
  run.run(mixedTraffic(settingsOf(values)));
  return { tally, extra: { bundle_id: judge.bundleId } };
}

async function simulateLive(
  values: Values & { target: URL },
  { io, progress }: { io: CommandIo; progress: Progress },
): Promise<Simulated> {
  const startMs = Date.now();
  const seen: Seen[] = [];
  const summary = await sendAll(sendables(mixedTraffic(settingsOf(values))), {
    target: values.target.origin,
    speed: values.speed,
    onSeen: (one) => {
      seen.push(one);
      progress.update(() => {
        const refused = seen.filter((request) => request.refused).length;
        return `${((Date.now() - startMs) / 1000).toFixed(0)} s: ${seen.length} answered, ${refused} refused`;
      });
    },
  });
  const flagged = await storedFlags(values, io, startMs - 1000);
  const tally = new Tally();
  for (const { requestId, label, nth, refused, status } of seen)
    if (counts({ label, nth }))
      tally.add(label, { flagged: flagged?.has(requestId) ?? refused, refused, status });
  const answered = seen.filter((one) => one.status > 0);
  const latencies = answered.map((one) => one.latencyMs);
  return {
    tally,
    extra: {
      sent: summary.sent,
      flagged_from: flagged === null ? 'refusals' : 'stored events',
      late: summary.late,
      failed: seen.length - answered.length,
      latency_ms: { p50: quantileMs(latencies, 0.5), p99: quantileMs(latencies, 0.99) },
    },
  };
}

function* sendables(requests: Iterable<SimRequest>): Generator<Sendable> {
  for (const request of requests) yield sendableOf(request);
}

function print(io: CommandIo, { tally, extra }: Simulated, asJson: boolean): void {
  const groups = tally.groups().toSorted((a, b) => b.counts.requests - a.counts.requests);
  const rows = groups.map(({ name, counts: count }) => [
    name,
    ...[count.requests, count.flagged].map(String),
    share(count.flagged, count.requests),
    String(count.refused),
    share(count.refused, count.requests),
  ]);
  const lines = [
    table([['label', 'requests', 'flagged', '', 'refused', ''], ...rows]),
    ...Object.entries(extra).map(([name, value]) => `${name.replaceAll('_', ' ')}: ${JSON.stringify(value)}`),
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
  if (!asJson) return;
  const byLabel = Object.fromEntries(groups.map(({ name, counts: count }) => [name, count]));
  const result = {
    requests: tally.total.requests,
    by_label: byLabel,
    ...extra,
    statuses: tally.statusCounts(),
  };
  io.stdout.write(`${JSON.stringify(result)}\n`);
}

async function run(args: string[], io: CommandIo): Promise<number> {
  const values = readFlags(args, io);
  const progress = new Progress(io.stderr);
  const { target } = values;
  const simulated =
    target === undefined
      ? simulateOffline(values, progress)
      : await simulateLive({ ...values, target }, { io, progress });
  progress.done();
  if (simulated.tally.total.requests === 0) {
    throw new PicketError('INTERNAL', 'no request was made', { hint: 'a longer --seconds gives some' });
  }
  print(io, simulated, values.json);
  return 0;
}

export const simulateCommand: Command = {
  name: 'simulate',
  summary: 'send seeded normal traffic and attacks to a sidecar',
  usage: USAGE,
  run,
};
