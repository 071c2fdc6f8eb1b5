// `picket ctl status`: versions, sidecars and the account of events.
// The same is in the HTTP status of the control plane, for scripts on its own machine.

import {
  ControlServiceClient,
  ControlServiceService,
  GetStatusRequest,
  type GetStatusResponse,
  type SidecarState,
} from '../../proto/gen/picket/v1/control.ts';
import { modeSourceWords, modeWords } from '../../proto/words.ts';
import type { CommandIo } from '../command.ts';
import { connected, readCtlOptions } from './connection.ts';
import { columns, timeText, writeJson } from './show.ts';

export async function statusCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = readCtlOptions('ctl status', {}, { args, io });
  return connected(values, io, async (connection) => {
    const client = connection.client(ControlServiceClient);
    const request = GetStatusRequest.fromPartial({});
    const status = await connection.call(client, ControlServiceService.getStatus, request);
    if (values.json) writeJson(io.stdout, statusJson(status));
    else io.stdout.write(statusText(status));
    return 0;
  });
}

function statusJson(status: GetStatusResponse): unknown {
  const counts = (list: readonly { name: string; value: number }[]) =>
    Object.fromEntries(list.map(({ name, value }) => [name, value]));
  return {
    picket_version: status.picketVersion,
    started_ms: status.startedMs,
    now_ms: status.nowMs,
    policy_version: status.policyVersion,
    bundle_id: status.bundleId,
    bundle_digest: status.bundleDigest,
    events: status.events ?? null,
    buckets: status.buckets ?? null,
    verdicts: counts(status.verdicts),
    sidecars: status.sidecars.map((sidecar) => ({
      boot_id: sidecar.bootId,
      namespace: sidecar.namespace,
      workload: sidecar.workload,
      sidecar_version: sidecar.sidecarVersion,
      connected_ms: sidecar.connectedMs,
      last_seen_ms: sidecar.lastSeenMs,
      mode: modeWords.word(sidecar.mode),
      mode_source: modeSourceWords.word(sidecar.modeSource),
      policy_version: sidecar.policyVersion,
      bundle_id: sidecar.bundleId,
      blind: sidecar.blind,
      policy_error: sidecar.policyError,
      bundle_error: sidecar.bundleError,
      counts: counts(sidecar.counts),
    })),
  };
}

function statusText(status: GetStatusResponse): string {
  const { events, buckets, verdicts, sidecars } = status;
  const bundle = status.bundleId === '' ? 'none (sidecars keep their own)' : status.bundleId.slice(0, 16);
  const lines = [
    `picket ${status.picketVersion}, up since ${timeText(status.startedMs)}`,
    `policy   ${status.policyVersion}`,
    `model    ${bundle}`,
    `events   ${Object.entries(events ?? {})
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}`,
    `buckets  ${Object.entries(buckets ?? {})
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}`,
    `verdicts ${verdicts.map(({ name, value }) => `${name} ${value}`).join(', ')}`,
    `sidecars ${status.sidecarsConnected}`,
  ];
  return `${lines.join('\n')}\n${columns(sidecars.map((sidecar) => sidecarRow(sidecar, status)))}`;
}

function sidecarRow(sidecar: SidecarState, status: GetStatusResponse): string[] {
  const behind = sidecar.ackedPolicyVersion === status.policyVersion ? '' : 'BEHIND';
  const blind = sidecar.blind ? 'BLIND' : '';
  const requests = sidecar.counts.find(({ name }) => name === 'requests_total')?.value;
  const notes = [behind, blind, sidecar.policyError, sidecar.bundleError].filter((note) => note !== '');
  return [
    `  ${sidecar.namespace}/${sidecar.workload}`,
    sidecar.bootId.slice(0, 8),
    `mode=${modeWords.word(sidecar.mode) ?? '?'} (${modeSourceWords.word(sidecar.modeSource) ?? '?'})`,
    sidecar.policyVersion,
    requests === undefined ? '' : `${requests} requests`,
    notes.join('; '),
  ];
}
