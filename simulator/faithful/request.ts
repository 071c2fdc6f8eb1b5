// One request of the faithful mode, with the columns that the tool logs and the two that the paper adds: body size and label.
// Pure types, the line of the log, and the merge of several sources by time. Called by processes, attacks and experiments.

export const FAITHFUL_LABELS = [
  'normal',
  'dos',
  'ddos',
  'abnormal_usage',
  'extreme_delete',
  'stolen_token',
] as const;
export type FaithfulLabel = (typeof FAITHFUL_LABELS)[number];

export interface FaithfulRequest {
  /** Virtual ms since the run began. */
  readonly atMs: number;
  readonly address: string;
  readonly token: string;
  /** User whom the token was given to, 0 or more. */
  readonly user: number;
  readonly method: string;
  readonly path: string;
  /** Path without the id of an order. */
  readonly route: string;
  readonly cookie: string;
  readonly agent: string;
  readonly status: number;
  readonly bodyBytes: number;
  readonly label: FaithfulLabel;
}

export const LOG_COLUMNS =
  'timestamp,ip_address,access_token,http_method,invoke_path,cookie,accept,content_type,x_forwarded_for,' +
  'user_agent,response_code,body_size,label';

const quoted = (text: string) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** A line of the log, without line end. `startMs`: ms since the epoch at which the run began. */
export function logLine(request: FaithfulRequest, startMs = 0): string {
  const { atMs, address, token, method, path, cookie, agent, status, bodyBytes, label } = request;
  const time = new Date(startMs + Math.round(atMs)).toISOString();
  const json = 'application/json';
  return [
    time,
    address,
    token,
    method,
    path,
    `JSESSIONID=${cookie}`,
    json,
    json,
    address,
    quoted(agent),
    status,
    bodyBytes,
    label,
  ].join(',');
}

/** Merges sources that are each in order of time; of equal times the earlier source first. Reads no further than it must. */
export function* mergeByTime<R extends { readonly atMs: number }>(
  sources: readonly Iterable<R>[],
): Generator<R> {
  const iterators = sources.map((source) => source[Symbol.iterator]());
  const heads = iterators.map((iterator) => iterator.next());
  for (;;) {
    let first = -1;
    let least = Infinity;
    for (let i = 0; i < heads.length; i++) {
      const head = heads[i]!;
      if (head.done || head.value.atMs >= least) continue;
      first = i;
      least = head.value.atMs;
    }
    if (first < 0) return;
    yield heads[first]!.value as R;
    heads[first] = iterators[first]!.next();
  }
}
