// What the `layers` experiment (seed 002) reads: logged API requests with labels, and their summaries in buckets of 10 s.
// Pure: it makes no traffic and reads no files. Called by layers-trend.ts, layers-requests.ts and layers.ts.
import { type Matrix, matrixFromRows } from '../matrix.ts';

export interface ApiRequest {
  /** ms; requests come in order of time. */
  readonly atMs: number;
  readonly address: string;
  readonly token: string;
  /** Whom the token was given to. */
  readonly user: number;
  readonly method: string;
  readonly path: string;
  /** Path without ids. */
  readonly route: string;
  readonly agent: string;
  readonly status: number;
  readonly bodyBytes: number;
  /** `normal`, `stolen_token`, `abnormal_usage` or another attack. */
  readonly label: string;
}

export const BUCKET_MS = 10_000;

/** Columns of a bucket, as in seed 002, section 3.1.1; counts and bytes as ln(1 + x), since traffic changes by factors. */
export const BUCKET_COLUMNS = [
  'requests',
  'unique_addresses',
  'unique_tokens',
  'get_requests',
  'post_requests',
  'delete_requests',
  'put_requests',
  'unique_paths',
  'unique_agents',
  'bytes',
  'longest_path',
  'mean_response_code',
] as const;

export interface Buckets {
  /** Number of each bucket: time divided by 10 s. Buckets without requests are absent. */
  readonly numbers: readonly number[];
  readonly rows: Matrix;
  /** Requests of each bucket that are not `normal`. */
  readonly attackRequests: readonly number[];
}

/** Summaries of the buckets; reads the requests once. */
export function bucketsOf(requests: Iterable<ApiRequest>): Buckets {
  const numbers: number[] = [];
  const rows: number[][] = [];
  const attackRequests: number[] = [];
  let held: ApiRequest[] = [];
  const close = () => {
    if (held.length === 0) return;
    numbers.push(bucketNumber(held[0]!));
    rows.push(bucketRow(held));
    attackRequests.push(held.filter(({ label }) => label !== 'normal').length);
    held = [];
  };
  for (const request of requests) {
    if (held.length > 0 && bucketNumber(held[0]!) !== bucketNumber(request)) close();
    held.push(request);
  }
  close();
  return { numbers, rows: matrixFromRows(rows), attackRequests };
}

export function bucketNumber({ atMs }: Pick<ApiRequest, 'atMs'>): number {
  return Math.floor(atMs / BUCKET_MS);
}

function bucketRow(requests: readonly ApiRequest[]): number[] {
  const distinct = (of: (request: ApiRequest) => string) => new Set(requests.map(of)).size;
  const sum = (of: (request: ApiRequest) => number) =>
    requests.reduce((total, request) => total + of(request), 0);
  const ofMethod = (method: string) => sum((request) => (request.method === method ? 1 : 0));
  const amounts = [
    requests.length,
    distinct(({ address }) => address),
    distinct(({ token }) => token),
    ofMethod('GET'),
    ofMethod('POST'),
    ofMethod('DELETE'),
    ofMethod('PUT'),
    distinct(({ path }) => path),
    distinct(({ agent }) => agent),
    sum(({ bodyBytes }) => bodyBytes),
  ].map(Math.log1p);
  const longestPath = requests.reduce((longest, { path }) => Math.max(longest, path.length), 0);
  return [...amounts, longestPath, sum(({ status }) => status) / requests.length];
}
