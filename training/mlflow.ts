// Logs one finished run to an MLflow tracking server over its REST API (version 2.0): experiment, run, parameters, metrics with
// steps, tags, and artifacts through the server's artifact proxy. Tracking never fails a training: trackRun() warns instead.
// Reads no environment itself; cli/train.ts and cli/experiment.ts hand theirs in.

import { PicketError } from '../domain/errors.ts';
import { MlflowClient, type TrackingServer } from './mlflow-client.ts';

export interface TrackedMetric {
  readonly name: string;
  readonly value: number;
  /** Iteration, fold or seed; default 0. */
  readonly step?: number;
}

export interface TrackedArtifact {
  /** Path below the run's artifacts, with `/` between folders. */
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer> | string;
}

export interface TrackedRun {
  /** Name of the MLflow experiment; made if it is not there. */
  readonly experiment: string;
  readonly runName: string;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly params: Readonly<Record<string, string | number | boolean>>;
  readonly metrics: readonly TrackedMetric[];
  readonly tags: Readonly<Record<string, string>>;
  readonly artifacts: readonly TrackedArtifact[];
}

export interface LoggedRun {
  readonly experimentId: string;
  readonly runId: string;
  /** Where a browser shows it. */
  readonly url: string;
}

/** MLflow experiment of each command. The name of `novelty` is the one of the published notebook (seed 003). */
export const MLFLOW_EXPERIMENTS = {
  behaviour: 'picket_behaviour',
  volume: 'picket_volume',
  layers: 'picket_layers',
  novelty: 'beth_anomaly_detection',
  train: 'picket_train',
} as const;

/** MLflow's own limits of one log-batch call and of its texts. */
const BATCH_METRICS = 1000;
const BATCH_PARAMS = 100;
const PARAM_MAX_CHARS = 6000;
const TAG_MAX_CHARS = 5000;
const KEY_MAX_CHARS = 250;

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The server that MLFLOW_TRACKING_URI names, with MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and _PASSWORD, or the
 * user in the address. Null when it is not set. Throws CONFIG_INVALID when it is no http(s) address.
 */
export function trackingServer(env: Env): TrackingServer | null {
  const given = env['MLFLOW_TRACKING_URI'];
  if (given === undefined || given === '') return null;
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    const value = url === null ? 'a text that is no address' : `an address with ${url.protocol}`;
    throw new PicketError('CONFIG_INVALID', 'MLFLOW_TRACKING_URI is not the address of a server', {
      problems: [{ field: 'MLFLOW_TRACKING_URI', value, expected: 'http://HOST:PORT or https://…' }],
    });
  }
  const user = env['MLFLOW_TRACKING_USERNAME'] ?? decodeURIComponent(url.username);
  const password = env['MLFLOW_TRACKING_PASSWORD'] ?? decodeURIComponent(url.password);
  const token = env['MLFLOW_TRACKING_TOKEN'];
  const basic = user === '' ? undefined : `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const authorization = token === undefined || token === '' ? basic : `Bearer ${token}`;
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  return authorization === undefined ? { base } : { base, authorization };
}

/** Logs the run if a server is named; whatever goes wrong becomes one warning. Null when nothing was logged. */
export async function trackRun(
  env: Env,
  run: TrackedRun,
  warn: (line: string) => void,
): Promise<LoggedRun | null> {
  try {
    const server = trackingServer(env);
    return server === null ? null : await logRun(new MlflowClient(server), run);
  } catch (thrown) {
    const { code, message } = PicketError.from(thrown);
    warn(`warning: the run was not logged to MLflow: ${code}: ${message}`);
    return null;
  }
}

/** Logs the run; one that breaks off half way is marked FAILED there. Throws UNREACHABLE or DATA_INVALID. */
export async function logRun(client: MlflowClient, run: TrackedRun): Promise<LoggedRun> {
  const experimentId = await experimentOf(client, run.experiment);
  const { runId, artifactUri } = await createRun(client, experimentId, run);
  try {
    for (const batch of batchesOf(run)) await client.post('runs/log-batch', { run_id: runId, ...batch });
    for (const { path, bytes } of run.artifacts) await client.putArtifact(artifactUri, path, bytes);
    await client.post('runs/update', { run_id: runId, status: 'FINISHED', end_time: run.endedMs });
  } catch (thrown) {
    const failed = { run_id: runId, status: 'FAILED', end_time: run.endedMs };
    await client.post('runs/update', failed).catch(() => null); // The first error says more.
    throw thrown;
  }
  return { experimentId, runId, url: `${client.base}/#/experiments/${experimentId}/runs/${runId}` };
}

/** Id of the experiment, made when there is none. Somebody else may make it in between. */
async function experimentOf(client: MlflowClient, name: string): Promise<string> {
  const found = await findExperiment(client, name);
  if (found !== null) return found;
  const made = await client.post('experiments/create', { name }, ['RESOURCE_ALREADY_EXISTS']);
  const id = made === null ? await findExperiment(client, name) : textAt(made, 'experiment_id');
  if (id === null) throw new PicketError('DATA_INVALID', `MLflow neither makes nor finds experiment ${name}`);
  return id;
}

async function findExperiment(client: MlflowClient, name: string): Promise<string | null> {
  const path = `experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`;
  const found = await client.get(path, ['RESOURCE_DOES_NOT_EXIST']);
  if (found === null) return null;
  const experiment = objectAt(found, 'experiment');
  if (textAt(experiment, 'lifecycle_stage') === 'deleted') {
    throw new PicketError('DATA_INVALID', `the MLflow experiment ${name} is deleted: restore it there`);
  }
  return textAt(experiment, 'experiment_id');
}

async function createRun(client: MlflowClient, experimentId: string, run: TrackedRun) {
  const body = { experiment_id: experimentId, run_name: run.runName, start_time: run.startedMs };
  const answer = await client.postOnce('runs/create', body);
  const info = objectAt(objectAt(answer, 'run'), 'info');
  return { runId: textAt(info, 'run_id'), artifactUri: textAt(info, 'artifact_uri') };
}

/** Parameters and tags first, then metrics in as many calls as MLflow's limits need. */
function batchesOf(run: TrackedRun): object[] {
  const entries = (from: Readonly<Record<string, unknown>>, charsMax: number) =>
    Object.entries(from).map(([key, value]) => ({
      key: keyOf(key),
      value: String(value).slice(0, charsMax),
    }));
  const metrics = run.metrics.map(({ name, value, step }) => ({
    key: keyOf(name),
    // JSON has no such numbers; MLflow takes "NaN", "Infinity" and "-Infinity".
    value: Number.isFinite(value) ? value : String(value),
    timestamp: run.endedMs,
    step: step ?? 0,
  }));
  return [
    ...chunks(entries(run.params, PARAM_MAX_CHARS), BATCH_PARAMS).map((params) => ({ params })),
    ...chunks(entries(run.tags, TAG_MAX_CHARS), BATCH_PARAMS).map((tags) => ({ tags })),
    ...chunks(metrics, BATCH_METRICS).map((some) => ({ metrics: some })),
  ];
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}

/** MLflow takes letters, digits and _-./: and spaces. */
function keyOf(name: string): string {
  return name.replace(/[^\w\-./: ]/g, '_').slice(0, KEY_MAX_CHARS);
}

function objectAt(from: unknown, key: string): unknown {
  const value = (from as Record<string, unknown> | null)?.[key];
  if (typeof value === 'object' && value !== null) return value;
  throw new PicketError('DATA_INVALID', `MLflow's answer lacks ${key}; is it an MLflow server?`);
}

function textAt(from: unknown, key: string): string {
  const value = (from as Record<string, unknown> | null)?.[key];
  if (typeof value === 'string' && value !== '') return value;
  throw new PicketError('DATA_INVALID', `MLflow's answer lacks ${key}; is it an MLflow server?`);
}
