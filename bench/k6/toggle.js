// The switch in mid-run: normal users and attackers send at steady open rates, and half-way the mode goes from monitor to block
// over gRPC, from within k6. The thresholds quote the promise: refusals begin within a second of the call, at least 0.95 of the
// attack requests and at most 0.5 % of the normal ones are refused in block, none before, and normal users keep their answers.
// Run by bench/k6/run.ts (`npm run bench:k6`), which starts everything and writes the plan.
import { sleep } from 'k6';
import exec from 'k6/execution';
import { Rate, Trend } from 'k6/metrics';
import grpc from 'k6/net/grpc';
import { controlPlane, seconds, sidecar } from './lib/env.js';
import { steady } from './lib/load.js';
import { attacks, normal, send, WARM_UP_REQUESTS } from './lib/plan.js';
import { figure, summarise } from './lib/summary.js';

const SWITCH_AT_MS = (seconds * 1000) / 2;
const SETTLE_MS = 1_000;
const GIVE_UP_MS = 5_000;
const PROBE_GAP_SEC = 0.005;

const normalRefusedInMonitor = new Rate('normal_refused_in_monitor');
const normalRefusedInBlock = new Rate('normal_refused_in_block');
const normalAnswered = new Rate('normal_answered');
const attackRefusedInMonitor = new Rate('attack_refused_in_monitor');
const attackRefusedInBlock = new Rate('attack_refused_in_block');
const switchMs = new Trend('mode_switch_ms', true);
const firstRefusalMs = new Trend('first_refusal_ms', true);
const switchAcked = new Rate('switch_acked');

const client = new grpc.Client();
client.load(['../../proto'], 'picket/v1/control.proto');

const attackNames = [...new Set(attacks.map((one) => one.label))].sort();
/** @param {string} name */
const byAttack = (name) => `attack_refused_in_block{attack:${name}}`;

/** @type {import('k6/options').Options} */
export const options = {
  scenarios: {
    users: steady('users', normal.length / seconds),
    attackers: steady('attackers', attacks.length / seconds),
    operator: {
      executor: 'per-vu-iterations',
      exec: 'operator',
      vus: 1,
      iterations: 1,
      startTime: `${SWITCH_AT_MS}ms`,
      maxDuration: '20s',
    },
  },
  thresholds: {
    normal_refused_in_monitor: ['rate==0'],
    normal_refused_in_block: ['rate<=0.005'],
    normal_answered: ['rate>=0.995'],
    attack_refused_in_monitor: ['rate==0'],
    attack_refused_in_block: ['rate>=0.95'],
    // No bounds: they make k6 keep the rate of each attack apart, so that a miss says which.
    ...Object.fromEntries(attackNames.map((name) => [byAttack(name), []])),
    switch_acked: ['rate==1'],
    mode_switch_ms: ['max<1000'],
    first_refusal_ms: ['max<1000'],
    dropped_iterations: ['rate<1'],
  },
  summaryTrendStats: ['med', 'p(99)', 'max'],
};

/**
 * @param {readonly import('./lib/plan.js').Planned[]} planned
 * @param {number} index
 */
const at = (planned, index) =>
  /** @type {import('./lib/plan.js').Planned} */ (planned[index % planned.length]);

/**
 * Which half of the run a request belongs to by when it was sent and answered; undefined around the switch.
 * @param {number} sentMs
 * @returns {'monitor' | 'block' | undefined}
 */
function phase(sentMs) {
  if (exec.instance.currentTestRunDuration < SWITCH_AT_MS) return 'monitor';
  return sentMs > SWITCH_AT_MS + SETTLE_MS ? 'block' : undefined;
}

export function users() {
  const sentMs = exec.instance.currentTestRunDuration;
  const { refused, answered } = send(sidecar, at(normal, exec.scenario.iterationInTest));
  const half = phase(sentMs);
  if (half === 'monitor') normalRefusedInMonitor.add(refused);
  if (half === 'block') normalRefusedInBlock.add(refused);
  normalAnswered.add(answered);
}

export function attackers() {
  const one = at(attacks, exec.scenario.iterationInTest);
  const sentMs = exec.instance.currentTestRunDuration;
  const { refused } = send(sidecar, one);
  if (one.nth <= WARM_UP_REQUESTS) return;
  const half = phase(sentMs);
  if (half === 'monitor') attackRefusedInMonitor.add(refused);
  if (half === 'block') attackRefusedInBlock.add(refused, { attack: one.label });
}

/** Switches the fleet to block, then sends what an attacker in full swing sends until it is refused. */
export function operator() {
  const swing = Math.floor(attacks.length / 2);
  const dos = attacks.findIndex((one, index) => index >= swing && one.label === 'dos' && one.nth > 50);
  const attacker = at(attacks, dos === -1 ? swing : dos);
  client.connect(controlPlane, { plaintext: true });
  const calledMs = Date.now();
  const response = client.invoke('picket.v1.ControlService/SetMode', {
    scope: {},
    mode: 'MODE_BLOCK',
    actor: 'k6',
  });
  switchMs.add(Date.now() - calledMs);
  /** @type {{acks?: {acked: boolean}[]}} */
  const message = response.message ?? {};
  const acks = message.acks ?? [];
  switchAcked.add(response.status === grpc.StatusOK && acks.length > 0 && acks.every((ack) => ack.acked));
  client.close();
  while (Date.now() - calledMs < GIVE_UP_MS) {
    if (send(sidecar, attacker).refused) break;
    sleep(PROBE_GAP_SEC);
  }
  firstRefusalMs.add(Date.now() - calledMs);
}

/** @param {{metrics: Record<string, import('./lib/summary.js').Metric>}} data */
export function handleSummary({ metrics }) {
  return summarise('toggle', metrics, {
    mode_switch_ms: figure(metrics, 'mode_switch_ms', 'max'),
    first_refusal_ms: figure(metrics, 'first_refusal_ms', 'max'),
    normal_requests:
      (figure(metrics, 'normal_answered', 'passes') ?? 0) +
      (figure(metrics, 'normal_answered', 'fails') ?? 0),
    normal_refused_share_in_monitor: figure(metrics, 'normal_refused_in_monitor', 'rate'),
    normal_refused_share_in_block: figure(metrics, 'normal_refused_in_block', 'rate'),
    normal_answered_share: figure(metrics, 'normal_answered', 'rate'),
    attack_refused_share_in_monitor: figure(metrics, 'attack_refused_in_monitor', 'rate'),
    attack_refused_share_in_block: figure(metrics, 'attack_refused_in_block', 'rate'),
    ...Object.fromEntries(
      attackNames.map((name) => [`${name}_refused_share_in_block`, figure(metrics, byAttack(name), 'rate')]),
    ),
    dropped: figure(metrics, 'dropped_iterations', 'count') ?? 0,
  });
}
