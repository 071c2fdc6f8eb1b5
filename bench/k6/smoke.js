// Open model, mode=monitor: the same normal requests straight to the API and through the sidecar, at a rate that does not
// wait for answers. The thresholds quote the promise: in monitor every request is answered by the API, none by Picket.
// Run by bench/k6/run.ts (`npm run bench:k6`), which starts everything and writes the plan.
import exec from 'k6/execution';
import { Rate, Trend } from 'k6/metrics';
import { sidecar, upstream } from './lib/env.js';
import { steady } from './lib/load.js';
import { normal, send } from './lib/plan.js';
import { figure, summarise } from './lib/summary.js';

const RATE_PER_SEC = 150;

const answered = new Rate('answered');
const refused = new Rate('refused');
const straightMs = new Trend('straight_ms', true);
const throughMs = new Trend('through_ms', true);

/** @type {import('k6/options').Options} */
export const options = {
  scenarios: { straight: steady('straight', RATE_PER_SEC), through: steady('through', RATE_PER_SEC) },
  thresholds: {
    answered: ['rate==1'],
    refused: ['rate==0'],
    dropped_iterations: ['rate<1'],
  },
  summaryTrendStats: ['med', 'p(99)', 'max'],
  discardResponseBodies: false,
};

const next = () =>
  /** @type {import('./lib/plan.js').Planned} */ (normal[exec.scenario.iterationInTest % normal.length]);

export function straight() {
  straightMs.add(send(upstream, next()).durationMs);
}

export function through() {
  const result = send(sidecar, next());
  answered.add(result.answered);
  refused.add(result.refused);
  throughMs.add(result.durationMs);
}

/** @param {{metrics: Record<string, import('./lib/summary.js').Metric>}} data */
export function handleSummary({ metrics }) {
  return summarise('smoke', metrics, {
    requests_through: figure(metrics, 'answered', 'passes'),
    straight_ms_p50: figure(metrics, 'straight_ms', 'med'),
    through_ms_p50: figure(metrics, 'through_ms', 'med'),
    straight_ms_p99: figure(metrics, 'straight_ms', 'p(99)'),
    through_ms_p99: figure(metrics, 'through_ms', 'p(99)'),
    dropped: figure(metrics, 'dropped_iterations', 'count') ?? 0,
  });
}
