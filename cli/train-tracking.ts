// Logs a finished `picket train` to MLflow when MLFLOW_TRACKING_URI is set: options, figures, and the bundle as an artifact.
// What goes wrong there is a warning, since the bundle is written by then. Called by train.ts.
import { basename } from 'node:path';
import type { ModelManifest } from '../domain/model-manifest.ts';
import { MLFLOW_EXPERIMENTS, trackRun } from '../training/mlflow.ts';
import type { CommandIo } from './command.ts';

export interface FinishedTraining {
  readonly startedMs: number;
  readonly bundleId: string;
  readonly bytes: Uint8Array;
  /** The command's options as read; those that were not given are left out. */
  readonly options: { readonly data: string; readonly out: string };
}

export async function logTraining(
  io: CommandIo,
  manifest: ModelManifest,
  { startedMs, bundleId, bytes, options }: FinishedTraining,
): Promise<void> {
  const { data, out, ...rest } = options;
  const given = Object.entries(rest).filter(([, value]) => value !== undefined && value !== null);
  const run = {
    experiment: MLFLOW_EXPERIMENTS.train,
    runName: manifest.name,
    startedMs,
    endedMs: Date.now(),
    params: {
      ...manifest.data,
      ...Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
      data: basename(data),
    },
    metrics: [
      ...Object.entries(manifest.metrics).map(([name, value]) => ({ name, value })),
      { name: 'flag_at', value: manifest.thresholds.flagAt },
    ],
    tags: { bundle_id: bundleId, command: 'picket train' },
    artifacts: [{ path: basename(out), bytes: new Uint8Array(bytes) }],
  };
  const logged = await trackRun(io.env, run, (line) => io.stderr.write(`${line}\n`));
  if (logged !== null) io.stderr.write(`picket train: logged to MLflow: ${logged.url}\n`);
}
