// A real control plane in a folder of its own, on ports that the system picks, for tests that need one running.
// Everything is removed when the test is over.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type Clock, systemClock } from '../../domain/clock.ts';
import { configError, parseOptions } from '../../domain/options.ts';
import { type ControlPlaneConfig, checkControlPlaneConfig } from '../config.ts';
import { CONTROL_PLANE_OPTIONS } from '../control-plane-options.ts';
import { type RunningControlPlane, startControlPlane } from '../main.ts';

/** The config that a command line gives; listeners are on free loopback ports unless `args` say otherwise. */
export function testConfig(dir: string, args: readonly string[] = []): ControlPlaneConfig {
  const free = ['--listen', '--http'].filter((flag) => !args.includes(flag));
  const given = ['--data-dir', dir, ...free.flatMap((flag) => [flag, '127.0.0.1:0']), ...args];
  const { values, problems } = parseOptions(CONTROL_PLANE_OPTIONS, { args: given, env: {} });
  const all = [...problems, ...checkControlPlaneConfig(values)];
  if (all.length > 0) throw configError(all);
  return values;
}

export const SILENT = pino({ level: 'silent' });

export function startIn(
  dir: string,
  args: readonly string[] = [],
  clock: Clock = systemClock(),
): Promise<RunningControlPlane> {
  return startControlPlane(testConfig(dir, args), { clock, log: SILENT, version: '0.0.0-test' });
}

export async function inFolder<T>(run: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'picket-control-'));
  try {
    return await run(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Runs `run` against a fresh control plane and stops it. */
export function withControlPlane(
  run: (running: RunningControlPlane, dir: string) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  return inFolder(async (dir) => {
    const running = await startIn(dir, args);
    try {
      await run(running, dir);
    } finally {
      await running.close();
    }
  });
}
