// Asks a control plane which of the requests just sent it stored as flagged or blocked, joined on the request id.
// Waits until the store has settled. Used by `picket simulate` and `picket replay` with --control-plane.

import { setTimeout as delay } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { PicketError } from '../domain/errors.ts';
import type { HostPort } from '../domain/option-kinds.ts';
import { type ListVerdictsResponse, VerdictServiceClient } from '../proto/gen/picket/v1/verdict.ts';
import { verdictWords } from '../proto/words.ts';

const SETTLE_POLL_MS = 300;
const SETTLE_TIMEOUT_MS = 15_000;
/** So many polls without a new event mean that all have arrived. */
const QUIET_POLLS = 4;

/** Request ids with a stored verdict `flag` or `block`, of events since `sinceMs` (the control plane's wall clock). */
export async function storedFlags(controlPlane: HostPort, sinceMs: number): Promise<Set<string>> {
  const client = new VerdictServiceClient(
    `${controlPlane.host}:${controlPlane.port}`,
    credentials.createInsecure(),
  );
  const ids = new Set<string>();
  const deadline = Date.now() + SETTLE_TIMEOUT_MS;
  try {
    let quiet = 0;
    let afterId = 0;
    while (quiet < QUIET_POLLS && Date.now() < deadline) {
      const before = ids.size;
      afterId = await readPages(client, { afterId, sinceMs }, ids);
      quiet = ids.size === before ? quiet + 1 : 0;
      await delay(SETTLE_POLL_MS);
    }
  } catch (thrown) {
    throw new PicketError(
      'UNREACHABLE',
      `the control plane gives no verdicts: ${PicketError.from(thrown).message}`,
      {
        cause: thrown,
        hint: 'is it listening there, and does the sidecar send its events to it?',
      },
    );
  } finally {
    client.close();
  }
  return ids;
}

async function readPages(
  client: VerdictServiceClient,
  from: { readonly afterId: number; readonly sinceMs: number },
  ids: Set<string>,
): Promise<number> {
  const stream = client.listVerdicts({
    ...{ afterId: from.afterId, sinceMs: from.sinceMs },
    ...{ limit: 0, newest: false, follow: false, workload: '', namespace: '', requestIds: [], identity: '' },
    verdicts: [verdictWords.code('flag'), verdictWords.code('block')],
  });
  let lastId = from.afterId;
  for await (const page of stream as AsyncIterable<ListVerdictsResponse>) {
    for (const record of page.verdicts) ids.add(record.requestId);
    lastId = Math.max(lastId, Number(page.lastId));
  }
  return lastId;
}
