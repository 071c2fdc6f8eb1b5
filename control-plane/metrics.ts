// The control plane's metrics in Prometheus text format 0.0.4. Called by http.ts.
// Few series: names of workloads and sidecars are not labels.

import type { IntakeTotals } from './intake.ts';
import type { ControlPlaneStatus } from './status.ts';

type Sample = readonly [labels: string, value: number];

function family(name: string, kind: 'gauge' | 'counter', help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...lines].join('\n');
}

const label = (name: string, value: string) =>
  `{${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"}`;

export function metricsText(status: ControlPlaneStatus, intake: IntakeTotals): string {
  const { events, buckets, verdicts, sidecars } = status;
  const inMode = (mode: string) => sidecars.filter((sidecar) => sidecar.mode === mode).length;
  const behind = sidecars.filter((sidecar) => sidecar.ackedPolicyVersion !== status.policyVersion).length;
  const families = [
    family('picket_control_sidecars', 'gauge', 'Connected sidecars by mode.', [
      [label('mode', 'monitor'), inMode('monitor')],
      [label('mode', 'block'), inMode('block')],
    ]),
    family('picket_control_sidecars_connected', 'gauge', 'Connected sidecars.', [['', sidecars.length]]),
    family(
      'picket_control_sidecars_behind',
      'gauge',
      'Connected sidecars that do not run the newest policy.',
      [['', behind]],
    ),
    family('picket_control_sidecars_blind', 'gauge', 'Connected sidecars that can score nothing.', [
      ['', sidecars.filter((sidecar) => sidecar.blind).length],
    ]),
    family('picket_control_policy_info', 'gauge', 'Newest policy version.', [
      [label('version', status.policyVersion), 1],
    ]),
    family('picket_control_bundle_info', 'gauge', 'Active model bundle.', [
      [label('bundle_id', status.bundleId), 1],
    ]),
    family(
      'picket_control_events',
      'gauge',
      'Account of all events: assigned = stored + dropped + refused + lost + pending.',
      Object.entries(events).map(([state, value]) => [label('state', state), value] as const),
    ),
    family(
      'picket_control_buckets',
      'gauge',
      'Account of all workload buckets, as of events.',
      Object.entries(buckets).map(([state, value]) => [label('state', state), value] as const),
    ),
    family(
      'picket_control_verdicts_total',
      'counter',
      'Stored events by verdict.',
      Object.entries(verdicts).map(([verdict, value]) => [label('verdict', verdict), value] as const),
    ),
    family('picket_control_batches_total', 'counter', 'Batches stored since start.', [['', intake.batches]]),
    family('picket_control_batches_failed_total', 'counter', 'Batches that could not be stored.', [
      ['', intake.failed],
    ]),
    family('picket_control_intake_pending_bytes', 'gauge', 'Bytes that wait for the store.', [
      ['', intake.pendingBytes],
    ]),
  ];
  return `${families.join('\n')}\n`;
}
