// `picket replay`: an access log as traffic. Either as real requests through a sidecar, at the log's own times, or offline
// through the feature engine and the scoring core under the log's clock, with the logged answers as outcomes.
// Reading logs is simulator/access-log.ts, sending is simulator/live.ts; this file reads flags, counts and prints.

import { PicketError, type Problem } from '../domain/errors.ts';
import { FeatureEngine } from '../feature-engine/engine.ts';
import { type AccessLog, type LogRequest, readAccessLog } from '../simulator/access-log.ts';
import { type Seen, type Sendable, sendAll } from '../simulator/live.ts';
import { OfflineRun } from '../simulator/offline.ts';
import type { Command, CommandIo } from './command.ts';
import { type Explained, Explainer } from './explain.ts';
import { explainedText } from './explain-text.ts';
import { fieldsOf, type LoggedRequest, offlineRequest } from './logged-request.ts';
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
  log: kinds.file({ help: 'Access log in combined format, .gz unpacked by name.', required: true }),
  target: kinds.httpOrigin({ group: 'Live', help: 'Sidecar to send the requests to.' }),
  speed: kinds.number(
    { min: 0.01, max: 100_000 },
    {
      group: 'Live',
      help: 'Log seconds per second; give the sidecar the same --clock-rate.',
      fallback: '1',
    },
  ),
  ...STORED_FLAGS_OPTIONS,
  offline: kinds.flag({ group: 'Offline', help: 'Score here, under the clock of the log; nothing is sent.' }),
  bundle: kinds.file({ group: 'Offline', help: 'Bundle to score with; default: the one of this build.' }),
  identities: kinds.int(
    { min: 8, max: 1_000_000 },
    { group: 'Offline', help: 'Rows of the feature engine, per axis.', fallback: '25000' },
  ),
  explain: kinds.int(
    { min: 0, max: 1000 },
    { group: 'Offline', help: 'Identities with the highest scores to explain.', fallback: '0' },
  ),
  json: kinds.flag({ group: 'Output', help: 'One line of JSON last.' }),
} as const;

const USAGE = `Usage: picket replay --log FILE[.gz] (--target URL | --offline) [options]

Requests go in the order of their times; the client address travels in X-Forwarded-For, so start the
sidecar with --client-ip-source xff --trusted-proxies 127.0.0.0/8. Lines that are no requests are counted
and shown, never fatal. Times in such logs have whole seconds: the requests of one second are spread
evenly over it.

--explain N shows, offline, the N identities with the highest scores: their highest request, its signals
(features over fixed lines) and the features that raise its score most. For these, start from the ordinary
request of this log (each feature at its median over what is not flagged), put in this request's value of
the feature that raises the raw margin most, then of the next: +x is that rise, "rest" what these leave.
The rises depend on the order; they show what the model reacts to, and are no exact attribution.

  picket replay --log access.log.gz --offline --explain 5
  picket replay --log access.log --target http://127.0.0.1:14080 --speed 60 --control-plane 127.0.0.1:14443
${optionsHelp(OPTIONS)}`;

type Values = ReturnType<typeof readFlags>;

function readFlags(args: readonly string[], io: CommandIo) {
  type Checked = StoredFlagsValues & { target?: URL | undefined; offline: boolean; explain: number };
  const check = (values: Checked): Problem[] => {
    const problems = checkStoredFlags(values);
    if ((values.target !== undefined) === values.offline) {
      const value = values.offline ? 'both' : 'neither';
      problems.push({ field: '--target, --offline', value, expected: 'one of the two' });
    }
    if (values.explain > 0 && !values.offline)
      problems.push({ field: '--explain', value: String(values.explain), expected: '--offline with it' });
    return problems;
  };
  return readOptions({ command: 'picket replay', options: OPTIONS, check }, args, io).values;
}

const IDENTITIES_SHOWN = 20;

/** The identity of a log line is its address: such logs name no credential. */
function identityOf(request: LogRequest): string {
  return `address:${request.address}`;
}

interface Replayed {
  readonly tally: Tally;
  readonly extra: Readonly<Record<string, unknown>>;
  /** Offline with --explain only. */
  readonly explained: readonly Explained[] | null;
}

function replayOffline(log: AccessLog, values: Values, progress: Progress): Replayed {
  const judge = new OfflineJudge(values.bundle ?? DEFAULT_BUNDLE);
  const tally = new Tally();
  const classes = new Map<string, number>();
  let blocked = 0;
  const startedMs = log.requests[0]?.atMs ?? 0;
  const engine = new FeatureEngine({ identities: values.identities, startedMs });
  const explainer = new Explainer(values.explain);
  const run = new OfflineRun<LoggedRequest>({
    engine,
    vector: judge.vector,
    onVector: ({ request, vector }) => {
      const { flagged, blocked: refused, attackClass } = judge.judge();
      tally.add(identityOf(request.line), { flagged, refused: false, status: request.line.status });
      if (values.explain > 0)
        explainer.add(identityOf(request.line), judge.margin, { line: request.line, vector, flagged });
      if (refused) blocked++;
      if (attackClass !== '') classes.set(attackClass, (classes.get(attackClass) ?? 0) + 1);
      progress.update(() => `${tally.total.requests} of ${log.requests.length} requests`);
      return true;
    },
  });
  run.run(log.requests.values().map((line) => offlineRequest(line)));
  const byClass = Object.fromEntries([...classes].sort(([, a], [, b]) => b - a));
  const extra = { would_block: blocked, by_class: byClass, bundle_id: judge.bundleId };
  return { tally, extra, explained: values.explain > 0 ? explainer.explain(judge) : null };
}

async function replayLive(
  log: AccessLog,
  values: Values & { target: URL },
  { io, progress }: { io: CommandIo; progress: Progress },
): Promise<Replayed> {
  const startMs = Date.now();
  const seen: Seen[] = [];
  const summary = await sendAll(liveRequests(log, startMs), {
    target: values.target.origin,
    speed: values.speed,
    onSeen: (one) => {
      seen.push(one);
      progress.update(() => `${seen.length} of ${log.requests.length} requests answered`);
    },
  });
  const flagged = await storedFlags(values, io, startMs - 1000);
  const tally = new Tally();
  for (const one of seen)
    tally.add(one.actor, {
      flagged: flagged?.has(one.requestId) ?? one.refused,
      ...{ refused: one.refused, status: one.status },
    });
  const latencies = seen.filter((one) => one.status > 0).map((one) => one.latencyMs);
  return {
    tally,
    explained: null,
    extra: {
      flagged_from: flagged === null ? 'refusals' : 'stored events',
      late: summary.late,
      failed: seen.length - latencies.length,
      latency_ms: { p50: quantileMs(latencies, 0.5), p99: quantileMs(latencies, 0.99) },
    },
  };
}

function* liveRequests(log: AccessLog, run: number): Generator<Sendable> {
  let nth = 0;
  for (const line of log.requests) {
    nth++;
    const { atMs, method, address } = line;
    const target = line.target.startsWith('/') ? line.target : '/';
    const requestId = `replay-${run}-${String(nth).padStart(9, '0')}`;
    yield {
      ...{ atMs, method, target, address, nth, requestId },
      ...{ label: 'normal', actor: identityOf(line), headers: fieldsOf(line), body: null },
    };
  }
}

function print(io: CommandIo, log: AccessLog, replayed: Replayed, asJson: boolean): void {
  const { tally, extra, explained } = replayed;
  const { total } = tally;
  const rows = tally
    .groups(IDENTITIES_SHOWN)
    .map(({ name, counts }) => [name, ...[counts.requests, counts.flagged, counts.refused].map(String)]);
  const text = [
    `lines ${log.lines}, malformed ${log.malformed}`,
    ...log.malformedLines.map(({ line, text: shown }) => `  line ${line}: ${JSON.stringify(shown)}`),
    `requests ${total.requests}, refused ${total.refused}, ` +
      `flagged ${total.flagged} (${share(total.flagged, total.requests)})`,
    ...Object.entries(extra).map(([name, value]) => `${name.replaceAll('_', ' ')}: ${JSON.stringify(value)}`),
    '',
    table([['identity', 'requests', 'flagged', 'refused'], ...rows]),
    tally.groupCount > IDENTITIES_SHOWN ? `… and ${tally.groupCount - IDENTITIES_SHOWN} more identities` : '',
    ...(explained === null ? [] : [explainedText(explained)]),
  ];
  io.stdout.write(`${text.join('\n')}\n`);
  if (!asJson) return;
  const byIdentity = tally
    .groups(IDENTITIES_SHOWN)
    .map(({ name, counts }) => ({ identity: name, ...counts }));
  const result = {
    requests: total.requests,
    flagged: total.flagged,
    flagged_share: total.requests === 0 ? 0 : Number((total.flagged / total.requests).toFixed(5)),
    refused: total.refused,
    lines: log.lines,
    malformed: log.malformed,
    identities: tally.groupCount,
    ...extra,
    by_identity: byIdentity,
    statuses: tally.statusCounts(),
    ...(explained === null ? {} : { explained }),
  };
  io.stdout.write(`${JSON.stringify(result)}\n`);
}

async function run(args: string[], io: CommandIo): Promise<number> {
  const values = readFlags(args, io);
  const progress = new Progress(io.stderr);
  const log = await readAccessLog(values.log);
  if (log.requests.length === 0) {
    throw new PicketError('DATA_INVALID', `${values.log}: none of its ${log.lines} lines is a request`, {
      hint: 'the combined format of Apache and nginx is needed',
    });
  }
  const { target } = values;
  const replayed =
    target === undefined
      ? replayOffline(log, values, progress)
      : await replayLive(log, { ...values, target }, { io, progress });
  progress.done();
  print(io, log, replayed, values.json);
  return 0;
}

export const replayCommand: Command = {
  name: 'replay',
  summary: 'replay an access log through a sidecar, or offline through the core',
  usage: USAGE,
  run,
};
