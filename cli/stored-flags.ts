// Asks a control plane which of the requests just sent it stored as flagged or blocked, joined on the request id.
// Waits until the store has settled. Used by `picket simulate` and `picket replay` with --control-plane.

import { setTimeout as delay } from 'node:timers/promises';
import type { Problem } from '../domain/errors.ts';
import type { OptionValues } from '../domain/options.ts';
import { type ListVerdictsResponse, VerdictServiceClient } from '../proto/gen/picket/v1/verdict.ts';
import { verdictWords } from '../proto/words.ts';
import type { CommandIo } from './command.ts';
import { CONNECTION_OPTIONS, Connection, checkConnection } from './ctl/connection.ts';
import { kinds } from './options.ts';

const { tls, tlsCa, tlsCert, tlsKey, tokenFile } = CONNECTION_OPTIONS;

/** How to reach the control plane; without --control-plane none is asked. */
export const STORED_FLAGS_OPTIONS = {
  controlPlane: kinds.hostPort({
    group: 'Control plane',
    help: 'Ask this control plane afterwards what it stored as flagged.',
  }),
  ...{ tls, tlsCa, tlsCert, tlsKey, tokenFile },
};

export type StoredFlagsValues = OptionValues<typeof STORED_FLAGS_OPTIONS>;

const SETTLE_POLL_MS = 300;
const SETTLE_TIMEOUT_MS = 15_000;
/** So many polls without a new event mean that all have arrived. */
const QUIET_POLLS = 4;

function connectionValues(values: StoredFlagsValues) {
  const { controlPlane } = values;
  return controlPlane === undefined ? null : { ...values, controlPlane, actor: undefined, json: false };
}

export function checkStoredFlags(values: StoredFlagsValues): Problem[] {
  const connection = connectionValues(values);
  return connection === null ? [] : checkConnection(connection);
}

/**
 * Request ids with a stored verdict `flag` or `block`, of events since `sinceMs` (wall clock); null if no control plane
 * was named.
 * @throws PicketError UNREACHABLE or AUTH_REQUIRED when it does not answer.
 */
export async function storedFlags(
  values: StoredFlagsValues,
  io: CommandIo,
  sinceMs: number,
): Promise<Set<string> | null> {
  const settings = connectionValues(values);
  if (settings === null) return null;
  const connection = new Connection(settings, io);
  const client = connection.client(VerdictServiceClient);
  const read = (afterId: number) =>
    readPages(client.listVerdicts(request(afterId, sinceMs), connection.metadata), ids);
  const ids = new Set<string>();
  const deadline = Date.now() + SETTLE_TIMEOUT_MS;
  try {
    let quiet = 0;
    let afterId = 0;
    while (quiet < QUIET_POLLS && Date.now() < deadline) {
      const before = ids.size;
      afterId = Math.max(afterId, await read(afterId));
      quiet = ids.size === before ? quiet + 1 : 0;
      await delay(SETTLE_POLL_MS);
    }
  } catch (thrown) {
    throw connection.explain(thrown);
  } finally {
    connection.close();
  }
  return ids;
}

function request(afterId: number, sinceMs: number) {
  return {
    ...{ afterId, sinceMs, limit: 0, newest: false, follow: false },
    ...{ workload: '', namespace: '', requestIds: [], identity: '' },
    verdicts: [verdictWords.code('flag'), verdictWords.code('block')],
  };
}

/** Adds the request ids of all pages; returns the last event id that was looked at. */
async function readPages(pages: AsyncIterable<ListVerdictsResponse>, ids: Set<string>): Promise<number> {
  let lastId = 0;
  for await (const page of pages) {
    for (const record of page.verdicts) ids.add(record.requestId);
    lastId = Math.max(lastId, Number(page.lastId));
  }
  return lastId;
}
