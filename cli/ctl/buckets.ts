// `picket ctl buckets`: the newest 10 s buckets of the workloads' traffic, the replicas of a workload merged.
// 10 s without traffic have no line. Filters are applied by the control plane.

import { BUCKET_FIELDS } from '../../domain/features-bucket.ts';
import {
  type BucketRecord,
  ListBucketsRequest,
  VerdictServiceClient,
  VerdictServiceService,
} from '../../proto/gen/picket/v1/verdict.ts';
import type { CommandIo } from '../command.ts';
import { kinds } from '../options.ts';
import { connected, readCtlOptions } from './connection.ts';
import { columns, timeText, writeJson } from './show.ts';

const GROUP = 'Buckets';

export const BUCKET_OPTIONS = {
  limit: kinds.int({ min: 1, max: 8_640 }, { help: 'So many of the newest.', group: GROUP, fallback: '30' }),
  workload: kinds.text({ help: 'Only this workload.', group: GROUP }),
  namespace: kinds.text({ help: 'Only this namespace.', group: GROUP }),
};

/** With --json one object a bucket, in place of a table. */
export async function bucketsCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = readCtlOptions('ctl buckets', BUCKET_OPTIONS, { args, io });
  const request = ListBucketsRequest.fromPartial({
    limit: values.limit,
    workload: values.workload ?? '',
    namespace: values.namespace ?? '',
  });
  return connected(values, io, async (connection) => {
    const client = connection.client(VerdictServiceClient);
    const { buckets } = await connection.call(client, VerdictServiceService.listBuckets, request);
    if (!values.json) io.stdout.write(bucketsText(buckets));
    else for (const bucket of buckets) writeJson(io.stdout, bucketJson(bucket));
    return 0;
  });
}

function bucketsText(buckets: readonly BucketRecord[]): string {
  const head = ['time', 'workload', 'pieces', ...BUCKET_FIELDS];
  const rows = buckets.map(({ startMs, namespace, workload, pieces, fields }) => [
    timeText(startMs),
    `${namespace}/${workload}`,
    String(pieces),
    ...BUCKET_FIELDS.map((name) => String(Math.round(fields[name] ?? 0))),
  ]);
  return columns([head, ...rows]);
}

function bucketJson({ startMs, namespace, workload, pieces, fields }: BucketRecord): unknown {
  const ordered = Object.fromEntries(BUCKET_FIELDS.map((name) => [name, fields[name] ?? 0]));
  return { start_ms: startMs, namespace, workload, pieces, ...ordered };
}
