// `picket ctl verdicts`: the newest stored events, and with --follow the new ones as they come.
// Filters are applied by the control plane.

import type { ServiceError } from '@grpc/grpc-js';
import { PicketError } from '../../domain/errors.ts';
import { VERDICTS } from '../../domain/verdict.ts';
import { errorOfCall } from '../../proto/client-call.ts';
import {
  ListVerdictsRequest,
  type ListVerdictsResponse,
  type VerdictRecord,
  VerdictServiceClient,
} from '../../proto/gen/picket/v1/verdict.ts';
import {
  actionWords,
  methodWords,
  modeSourceWords,
  modeWords,
  unscoredWords,
  verdictWords,
} from '../../proto/words.ts';
import type { CommandIo } from '../command.ts';
import { kinds } from '../options.ts';
import { type Connection, connected, readCtlOptions } from './connection.ts';
import { plain, writeJson } from './show.ts';

const GROUP = 'Verdicts';

export const VERDICT_OPTIONS = {
  follow: kinds.flag({ help: 'Go on with new ones as they are stored.', group: GROUP }),
  limit: kinds.int(
    { min: 1, max: 100_000 },
    { help: 'Begin with so many of the newest.', group: GROUP, fallback: '20' },
  ),
  verdict: kinds.textList({ help: 'Only these verdicts, such as flag,block.', group: GROUP, fallback: '' }),
  workload: kinds.text({ help: 'Only this workload.', group: GROUP }),
  namespace: kinds.text({ help: 'Only this namespace.', group: GROUP }),
  identity: kinds.text({ help: 'Only this identity, as verdicts show it with --json.', group: GROUP }),
  requestId: kinds.textList({ help: 'Only these request ids.', group: GROUP, fallback: '' }),
  since: kinds.duration(
    { min: 1, max: 10_000 * 3_600_000 },
    { help: 'Only requests of the last so long, such as 10m.', group: GROUP },
  ),
};

export async function verdictsCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = readCtlOptions('ctl verdicts', VERDICT_OPTIONS, { args, io });
  const verdicts = values.verdict.map((word) => {
    const verdict = VERDICTS.find((known) => known === word);
    if (verdict !== undefined) return verdictWords.code(verdict);
    throw new PicketError('CONFIG_INVALID', `"${word}" is no verdict`, {
      hint: `the verdicts are: ${VERDICTS.join(', ')}`,
    });
  });
  const request = ListVerdictsRequest.fromPartial({
    limit: values.limit,
    newest: true,
    follow: values.follow,
    verdicts,
    workload: values.workload ?? '',
    namespace: values.namespace ?? '',
    identity: values.identity ?? '',
    requestIds: [...values.requestId],
    sinceMs: values.since === undefined ? 0 : Date.now() - values.since,
  });
  return connected(values, io, (connection) => list(connection, request, { io, json: values.json }));
}

async function list(
  connection: Connection,
  request: ListVerdictsRequest,
  output: { readonly io: CommandIo; readonly json: boolean },
): Promise<number> {
  const { stdout } = output.io;
  const stream = connection.client(VerdictServiceClient).listVerdicts(request, connection.metadata);
  // A closed pipe (as in "| head") is the reader's way to say enough.
  let enough = false;
  const stop = () => {
    enough = true;
    stream.cancel();
  };
  stdout.once('error', stop);
  try {
    for await (const page of stream as AsyncIterable<ListVerdictsResponse>) {
      for (const record of page.verdicts) {
        if (output.json) writeJson(stdout, recordJson(record));
        else stdout.write(`${plain(recordText(record))}\n`);
      }
    }
  } catch (thrown) {
    if (!enough) throw connection.explain(errorOfCall(thrown as ServiceError));
  } finally {
    stdout.off('error', stop);
  }
  return 0;
}

function recordText(record: VerdictRecord): string {
  const verdict = (verdictWords.word(record.verdict) ?? '?').padEnd(5);
  const score = Number.isNaN(record.score) ? 'unscored' : record.score.toFixed(4).padEnd(8);
  const outcome = record.outcome === undefined ? 'pending' : String(record.outcome.status);
  const what = `${methodWords.word(record.method) ?? '?'} ${record.route}`;
  const who = `${record.identity.split(':')[0]}:${record.identity.split(':')[1]?.slice(0, 8) ?? ''}`;
  const why = [record.reason, ...record.signals].join(' ');
  const time = new Date(record.atMs).toISOString().slice(11, 23);
  const action = (actionWords.word(record.action) ?? '?').padEnd(8);
  const place = `${record.namespace}/${record.workload}`;
  return `${time}  ${verdict} ${action} ${score} ${outcome.padEnd(7)} ${who}  ${place}  ${what}  ${why}`;
}

/** One verdict as one object; NaN becomes null. */
function recordJson(record: VerdictRecord): unknown {
  const { outcome } = record;
  return {
    id: record.id,
    request_id: record.requestId,
    at_ms: record.atMs,
    namespace: record.namespace,
    workload: record.workload,
    identity: record.identity,
    method: methodWords.word(record.method),
    route: record.route,
    score: Number.isNaN(record.score) ? null : record.score,
    unscored: unscoredWords.word(record.unscored),
    attack_class: record.attackClass,
    verdict: verdictWords.word(record.verdict),
    reason: record.reason,
    signals: record.signals,
    action: actionWords.word(record.action),
    mode: modeWords.word(record.mode),
    mode_source: modeSourceWords.word(record.modeSource),
    policy_version: record.policyVersion,
    bundle_id: record.bundleId,
    sample_weight: record.sampleWeight,
    outcome:
      outcome === undefined
        ? null
        : {
            status: outcome.status,
            latency_ms: outcome.latencyMs,
            bytes_in: outcome.bytesIn,
            bytes_out: outcome.bytesOut,
            refusal: outcome.refusal,
          },
  };
}
