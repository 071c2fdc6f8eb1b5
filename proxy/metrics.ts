// The same numbers as /status in Prometheus text format (version 0.0.4): every metric with HELP and TYPE, names picket_*.
// Labels come from closed lists only; there are no labels of routes, paths or identities. Called by admin.ts.

import { REFUSAL_CODES } from '../domain/refusal.ts';
import { MODES, UNSCORED_CAUSES, VERDICTS } from '../domain/verdict.ts';
import {
  answerPlace,
  BINS_PER_OCTAVE,
  HISTOGRAM,
  HISTOGRAM_OCTAVES,
  NOTE_CODES,
  notePlace,
  refusedPlace,
  rejectedPlace,
  type SingleName,
  statusClassPlace,
  uninspectedPlace,
  verdictPlace,
} from './counters.ts';
import { identityStatus } from './identity-status.ts';
import type { StatusView } from './status.ts';

type Labels = Readonly<Record<string, string>>;

class Page {
  readonly #lines: string[] = [];

  metric(name: string, type: 'counter' | 'gauge' | 'histogram', help: string): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }

  sample(name: string, labels: Labels, value: number): void {
    const inside = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    this.#lines.push(`${name}${inside.length === 0 ? '' : `{${inside.join(',')}}`} ${number(value)}`);
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function number(value: number): string {
  return value === Infinity ? '+Inf' : String(value);
}

const COUNTERS: readonly (readonly [string, SingleName, string])[] = [
  ['picket_requests_total', 'requests', 'Requests received: scored, uninspected or rejected.'],
  ['picket_scored_total', 'scored', 'Requests that were scored.'],
  ['picket_forwarded_total', 'forwarded', 'Requests sent to the application.'],
  ['picket_upstream_attempts_total', 'attempts', 'Attempts to send a request to the application.'],
  ['picket_outcomes_total', 'outcomes', 'Answers of the application that were fed back into a row.'],
  ['picket_stale_outcomes_total', 'staleOutcomes', 'Answers whose row had made room for another.'],
  ['picket_exempted_total', 'exempted', 'Verdicts that an exemption turned into allow.'],
  ['picket_request_body_bytes_total', 'bytesIn', 'Request body bytes forwarded.'],
  ['picket_response_body_bytes_total', 'bytesOut', 'Response body bytes passed on.'],
  ['picket_bodies_held_total', 'bodiesHeld', 'Requests judged with the beginning of their body.'],
  ['picket_bodies_unheld_total', 'bodiesUnheld', 'The same without it, for want of room to hold it.'],
  ['picket_logins_read_total', 'loginsRead', 'Login names read from held bodies.'],
  ['picket_connections_total', 'connectionsTotal', 'Client connections accepted.'],
  ['picket_tunnels_total', 'tunnelsTotal', 'WebSocket tunnels opened.'],
  ['picket_internal_errors_total', 'internalErrors', 'Exceptions caught where none should come from.'],
  ['picket_core_resets_total', 'coreResets', 'Scoring core instances replaced after a trap.'],
  ['picket_evictions_total', 'evictions', 'Rows that made room for another identity or address.'],
  ['picket_tokens_submitted_total', 'tokensSubmitted', 'New tokens handed over to be verified.'],
  ['picket_tokens_dropped_total', 'tokensDropped', 'New tokens for which the queue had no room.'],
  ['picket_tokens_too_long_total', 'tokensTooLong', 'Tokens too long to be looked at.'],
  [
    'picket_events_sampled_out_total',
    'eventsSampledOut',
    'Allowed requests without an event, under pressure.',
  ],
];

const GAUGES: readonly (readonly [string, SingleName, string])[] = [
  ['picket_identities', 'identities', 'Identities remembered.'],
  ['picket_inflight', 'inflight', 'Requests under way.'],
  ['picket_connections', 'connections', 'Open client connections.'],
  ['picket_tunnels', 'tunnels', 'Open WebSocket tunnels.'],
];

/** The whole page. */
export function metricsText(view: StatusView): string {
  const page = new Page();
  for (const [name, single, help] of COUNTERS) {
    page.metric(name, 'counter', help);
    page.sample(name, {}, view.single(single));
  }
  for (const [name, single, help] of GAUGES) {
    page.metric(name, 'gauge', help);
    page.sample(name, {}, view.single(single));
  }
  addByReason(page, view);
  addEvents(page, view);
  addState(page, view);
  addHistogram(page, view, {
    name: 'picket_added_latency_seconds',
    start: HISTOGRAM.addedLatency,
    help: 'Latency that Picket adds to a request.',
  });
  addHistogram(page, view, {
    name: 'picket_upstream_latency_seconds',
    start: HISTOGRAM.upstreamLatency,
    help: "From hand-over to the application's head.",
  });
  return page.text();
}

function addByReason(page: Page, view: StatusView): void {
  page.metric('picket_verdicts_total', 'counter', 'Verdicts by the mode they met.');
  for (const verdict of VERDICTS) {
    for (const mode of MODES) {
      page.sample('picket_verdicts_total', { verdict, mode }, view.place(verdictPlace(verdict, mode)));
    }
  }
  const families: readonly (readonly [string, string, string, Record<string, number>])[] = [
    [
      'picket_uninspected_total',
      'reason',
      'Requests without a score.',
      view.named(UNSCORED_CAUSES.slice(1), uninspectedPlace, true),
    ],
    [
      'picket_refused_total',
      'reason',
      'Requests refused because of a verdict.',
      view.named(['policy.blocked'], refusedPlace, true),
    ],
    [
      'picket_rejected_total',
      'reason',
      'Messages that cannot be judged.',
      view.named(REFUSAL_CODES, rejectedPlace, false),
    ],
    [
      'picket_answers_total',
      'reason',
      'Answers that Picket made itself.',
      view.named(REFUSAL_CODES, answerPlace, false),
    ],
    [
      'picket_notes_total',
      'note',
      'Oddities that ended in no answer of ours.',
      view.named(NOTE_CODES, notePlace, true),
    ],
    ...identityFamilies(view),
  ];
  for (const [name, label, help, counts] of families) {
    page.metric(name, 'counter', help);
    for (const [value, count] of Object.entries(counts)) page.sample(name, { [label]: value }, count);
  }
  page.metric('picket_responses_total', 'counter', 'Answers to clients by status class.');
  for (const digit of [1, 2, 3, 4, 5]) {
    page.sample('picket_responses_total', { class: `${digit}xx` }, view.place(statusClassPlace(digit * 100)));
  }
}

function identityFamilies(view: StatusView): [string, string, string, Record<string, number>][] {
  const { principals_total: principals, tokens } = identityStatus(view.sources.identity(), view);
  const judged = { verified: tokens?.verified_total ?? 0, ...tokens?.refused_total };
  return [
    ['picket_principals_total', 'source', 'Requests by who named their principal.', { ...principals }],
    ['picket_tokens_total', 'outcome', 'Tokens verified, and refused by reason.', judged],
  ];
}

function addEvents(page: Page, view: StatusView): void {
  const events = view.events();
  const counters = { assigned: events.assigned, delivered: events.delivered, dropped: events.dropped };
  for (const [name, count] of Object.entries(counters)) {
    page.metric(`picket_events_${name}_total`, 'counter', `Event records ${name}.`);
    page.sample(`picket_events_${name}_total`, {}, count);
  }
  page.metric('picket_events_waiting', 'gauge', 'Event records that wait for their ack.');
  page.sample('picket_events_waiting', {}, events.waiting);
  page.metric(
    'picket_buckets',
    'gauge',
    'Account of 10 s buckets: assigned = delivered + dropped + waiting.',
  );
  for (const [state, count] of Object.entries(view.buckets()))
    page.sample('picket_buckets', { state }, count);
}

function addState(page: Page, view: StatusView): void {
  const status = view.status();
  const gauges: readonly (readonly [string, string, number, Labels])[] = [
    [
      'picket_mode_block',
      '1 if the mode of the workload is block.',
      Number(status.mode === 'block'),
      { source: status.mode_source },
    ],
    ['picket_blind', '1 if nothing can be scored.', Number(status.blind), {}],
    ['picket_ready', '1 if ready for traffic.', Number(status.ready), {}],
    [
      'picket_control_plane_connected',
      '1 if connected.',
      Number(status.control_plane.state === 'connected'),
      {},
    ],
    ['picket_policy_age_seconds', 'Since the policy came into force.', status.policy_age_s, {}],
    ['picket_uptime_seconds', 'Since start.', status.uptime_s, {}],
    ['picket_resident_memory_bytes', 'Resident memory of the process.', status.memory.rss_bytes, {}],
    ['picket_memory_plan_bytes', 'What the memory plan allows.', status.memory.plan_bytes, {}],
    ['picket_info', 'What runs.', 1, { policy: status.policy_version, bundle: status.bundle_id ?? '' }],
  ];
  for (const [name, help, value, labels] of gauges) {
    page.metric(name, 'gauge', help);
    page.sample(name, labels, value);
  }
  page.metric('picket_data_thread_crashes_total', 'counter', 'Times the data thread was started again.');
  page.sample('picket_data_thread_crashes_total', {}, status.data_thread.crashes);
}

interface HistogramFamily {
  readonly name: string;
  /** First place of HISTOGRAM. */
  readonly start: number;
  readonly help: string;
}

/** One bucket per doubling, from 16 microseconds on: the bins' own bounds, so nothing is guessed. */
function addHistogram(page: Page, view: StatusView, { name, start, help }: HistogramFamily): void {
  const { bins, sumMs } = view.histogram(start);
  page.metric(name, 'histogram', help);
  let count = 0;
  let bin = 0;
  for (let octave = 1; octave <= HISTOGRAM_OCTAVES; octave++) {
    for (; bin < octave * BINS_PER_OCTAVE; bin++) count += bins[bin]!;
    if (octave >= 4) page.sample(`${name}_bucket`, { le: String(2 ** octave / 1e6) }, count);
  }
  count += bins[bin]!;
  page.sample(`${name}_bucket`, { le: '+Inf' }, count);
  page.sample(`${name}_sum`, {}, sumMs / 1000);
  page.sample(`${name}_count`, {}, count);
}
