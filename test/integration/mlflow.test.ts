// Runs logged to a real MLflow server (`npm run tools -- mlflow`): experiment, run, parameters, metrics with steps, tags and the
// bundle among the artifacts, read back over the same API; and `picket train` with MLFLOW_TRACKING_URI. Says so when absent.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { trainCommand } from '../../cli/train.ts';
import { seededRandom } from '../../domain/random.ts';
import { findTool } from '../../scripts/tools.ts';
import {
  logRun,
  MLFLOW_EXPERIMENTS,
  type TrackedRun,
  trackingServer,
  trackRun,
} from '../../training/mlflow.ts';
import { MlflowClient } from '../../training/mlflow-client.ts';

const MLFLOW = findTool('mlflow');
const START_MS = 120_000;
const folder = mkdtempSync(join(tmpdir(), 'picket-mlflow-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function listening(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function freePort(): Promise<number> {
  const server = await listening(createServer());
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts the server and resolves when it says that it serves; rejects with its last words when it ends before. */
async function startMlflow(command: string): Promise<{ child: ChildProcess; uri: string }> {
  const port = await freePort();
  const store = ['--backend-store-uri', `sqlite:///${folder}/mlflow.db`];
  const artifacts = ['--artifacts-destination', join(folder, 'artifacts')];
  const args = ['server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
  const child = spawn(command, [...args, ...store, ...artifacts], { cwd: folder, detached: true });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      said += chunk.toString('utf8');
      if (said.includes('Application startup complete')) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`mlflow ended with ${code}: ${said.slice(-800)}`)));
  });
  return { child, uri: `http://127.0.0.1:${port}` };
}

const RUN: TrackedRun = {
  experiment: MLFLOW_EXPERIMENTS.novelty,
  runName: 'isolation forest',
  startedMs: 1_767_225_600_000,
  endedMs: 1_767_225_661_000,
  params: { n_estimators: 100, contamination: 0.1, 'odd (name)': 'x'.repeat(7000) },
  metrics: [
    { name: 'val_auroc', value: 0.8345678115405457 },
    ...Array.from({ length: 1200 }, (_, step) => ({ name: 'loss', value: 1 / (step + 1), step })),
    { name: 'undefined_one', value: Number.NaN },
  ],
  tags: { seed: '312', 'picket.version': '0.1.0' },
  artifacts: [
    { path: 'model/novelty.bundle', bytes: Uint8Array.from({ length: 300_000 }, (_, i) => i % 251) },
    { path: 'report with space.html', bytes: '<p>ünï</p>' },
  ],
};

interface ReadRun {
  readonly run: {
    readonly info: { readonly status: string; readonly run_name: string; readonly end_time: number };
    readonly data: Readonly<Record<'params' | 'tags' | 'metrics', { key: string; value: unknown }[]>>;
  };
}

describe.skipIf(MLFLOW === undefined)('a real MLflow server (skipped: run npm run tools -- mlflow)', () => {
  let server: Awaited<ReturnType<typeof startMlflow>>;
  beforeAll(async () => {
    server = await startMlflow(MLFLOW!);
  }, START_MS);
  afterAll(async () => {
    if (server === undefined) return;
    const ended = new Promise((resolve) => server.child.once('exit', resolve));
    process.kill(-server.child.pid!, 'SIGTERM');
    await ended;
  });
  const artifact = async (runId: string, experimentId: string, path: string) => {
    const place = `${experimentId}/${runId}/artifacts/${path}`;
    const response = await fetch(`${server.uri}/api/2.0/mlflow-artifacts/artifacts/${place}`);
    return Buffer.from(await response.arrayBuffer());
  };

  test('keeps the whole run, twice under one experiment', async () => {
    const client = new MlflowClient(trackingServer({ MLFLOW_TRACKING_URI: `${server.uri}/` })!);
    const first = await logRun(client, RUN);
    const second = await logRun(client, { ...RUN, artifacts: [] });
    expect(second.experimentId).toBe(first.experimentId);
    expect(second.runId).not.toBe(first.runId);
    const { run } = (await client.get(`runs/get?run_id=${first.runId}`)) as ReadRun;
    expect(run.info).toMatchObject({ status: 'FINISHED', run_name: RUN.runName, end_time: RUN.endedMs });
    const loggedValue = (kind: 'params' | 'tags' | 'metrics', key: string) =>
      run.data[kind].find((one) => one.key === key)?.value;
    expect(loggedValue('params', 'n_estimators')).toBe('100');
    expect(loggedValue('params', 'odd _name_')).toBe('x'.repeat(6000));
    expect(loggedValue('tags', 'seed')).toBe('312');
    expect(loggedValue('metrics', 'val_auroc')).toBe(0.8345678115405457);
    const history = (await client.get(
      `metrics/get-history?run_id=${first.runId}&metric_key=loss&max_results=2000`,
    )) as { metrics: { step: number; value: number }[] };
    const steps = history.metrics.toSorted((a, b) => a.step - b.step);
    expect(steps.map(({ value }) => value)).toEqual(steps.map(({ step }) => 1 / (step + 1)));
    expect(steps).toHaveLength(1200);
    const { runId, experimentId } = first;
    const bundle = await artifact(runId, experimentId, 'model/novelty.bundle');
    expect(bundle.equals(RUN.artifacts[0]!.bytes as Uint8Array)).toBe(true);
    const html = await artifact(runId, experimentId, 'report%20with%20space.html');
    expect(html.toString('utf8')).toBe('<p>ünï</p>');
  }, 60_000);

  test('a refusal is told with the server’s own words, and the run is marked', async () => {
    const client = new MlflowClient(trackingServer({ MLFLOW_TRACKING_URI: server.uri })!);
    const experiment = 'picket_refused';
    const twice = { ...RUN, experiment, params: { 'a(b': 2, 'a)b': 3 }, metrics: [], artifacts: [] };
    await expect(logRun(client, twice)).rejects.toThrow(
      /answers 400 to runs\/log-batch: .*INVALID_PARAMETER/,
    );
    const name = encodeURIComponent(experiment);
    const found = await client.get(`experiments/get-by-name?experiment_name=${name}`);
    const id = (found as { experiment: { experiment_id: string } }).experiment.experiment_id;
    const { runs } = (await client.post('runs/search', { experiment_ids: [id] })) as {
      runs: ReadRun['run'][];
    };
    expect(runs.map(({ info }) => info.status)).toEqual(['FAILED']);
  }, 60_000);

  test('picket train logs figures and the bundle', async () => {
    const random = seededRandom(4);
    const rows = Array.from({ length: 300 }, () => {
      const x = random.normal();
      return `${x},${random.normal()},${x + random.normal() > 0 ? 1 : 0}`;
    });
    const data = join(folder, 'rows.csv');
    const out = join(folder, 'm.bundle');
    writeFileSync(data, `a,b,label\n${rows.join('\n')}\n`);
    const stderr = new PassThrough();
    const said = text(stderr);
    const args = ['--data', data, '--label', 'label', '--out', out, '--seeds', '1', '--max-iter', '5'];
    const env = { MLFLOW_TRACKING_URI: server.uri };
    const stdout = new PassThrough().resume();
    expect(await trainCommand.run(args, { stdout, stderr, env })).toBe(0);
    stderr.end();
    const url = /logged to MLflow: \S+\/experiments\/(\d+)\/runs\/([0-9a-f]+)/.exec(await said);
    const bundle = await artifact(url![2]!, url![1]!, 'm.bundle');
    expect(bundle.equals(readFileSync(out))).toBe(true);
  }, 60_000);
});

describe('a tracking server that is away or strange', () => {
  async function warned(env: Record<string, string>): Promise<string> {
    const lines: string[] = [];
    expect(await trackRun(env, RUN, (line) => lines.push(line))).toBeNull();
    expect(lines).toHaveLength(1);
    return lines[0]!;
  }

  test('becomes one warning that says why, without credentials', async () => {
    expect(await trackRun({}, RUN, () => expect.unreachable())).toBeNull();
    expect(await warned({ MLFLOW_TRACKING_URI: 'file:///x' })).toMatch(/CONFIG_INVALID.*not the address/);
    const port = await freePort();
    const away = await warned({ MLFLOW_TRACKING_URI: `http://ann:secret@127.0.0.1:${port}` });
    expect(away).toMatch(
      /UNREACHABLE: MLflow at http:\/\/127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/,
    );
    expect(away).not.toContain('secret');
  });

  test('is asked three times when it is out of order, and shown the credentials', async () => {
    const seen: (string | undefined)[] = [];
    const server = await listening(
      createServer((request, response) => {
        seen.push(request.headers.authorization);
        response.writeHead(503).end('busy');
      }),
    );
    const uri = `http://ann:pw@127.0.0.1:${portOf(server)}`;
    expect(await warned({ MLFLOW_TRACKING_URI: uri })).toMatch(/UNREACHABLE: .* answers 503 .*: busy/);
    expect(seen).toEqual(Array(3).fill(`Basic ${Buffer.from('ann:pw').toString('base64')}`));
    await new Promise((resolve) => server.close(resolve));
  });

  test('that is no MLflow at all is told apart', async () => {
    const server = await listening(createServer((_request, response) => response.end('<html>')));
    const uri = `http://127.0.0.1:${portOf(server)}`;
    expect(await warned({ MLFLOW_TRACKING_URI: uri })).toMatch(/does not answer with JSON/);
    await new Promise((resolve) => server.close(resolve));
  });
});
