// The `picket` command: finds the sub-command, prints help, turns every error into words and an exit code.
// Exit codes: 0 done, 1 it failed, 2 the call was wrong. Commands are loaded only when they are asked for.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError, PicketError } from '../domain/errors.ts';
import type { Command, CommandIo } from './command.ts';
import { PACKAGE_ROOT } from './package-root.ts';

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  sidecar: {
    summary: 'stand beside an application: proxy, score, decide',
    load: async () => (await import('./sidecar.ts')).sidecarCommand,
  },
  'control-plane': {
    summary: 'keep policy, models and events for many sidecars',
    load: async () => (await import('./control-plane.ts')).controlPlaneCommand,
  },
  ctl: {
    summary: 'ask and steer a control plane: mode, policy, model, status, verdicts',
    load: async () => (await import('./ctl.ts')).ctlCommand,
  },
  drain: {
    summary: 'tell the sidecar of this pod to get ready to stop',
    load: async () => (await import('./drain.ts')).drainCommand,
  },
  train: {
    summary: 'train a model on a CSV file, cross-validated, and write a bundle',
    load: async () => (await import('./train.ts')).trainCommand,
  },
  experiment: {
    summary: 'repeat a published work and compare the figures',
    load: async () => (await import('./experiment.ts')).experimentCommand,
  },
  import: {
    summary: 'bring a model of scikit-learn, LightGBM, XGBoost or ONNX into a bundle',
    load: async () => (await import('./import.ts')).importCommand,
  },
  score: {
    summary: 'score the rows of a CSV file with a bundle',
    load: async () => (await import('./score.ts')).scoreCommand,
  },
  validate: {
    summary: 'check bundles, policies, OpenAPI documents and config files, and say all that is wrong',
    load: async () => (await import('./validate.ts')).validateCommand,
  },
  simulate: {
    summary: 'send seeded normal traffic and attacks to a sidecar',
    load: async () => (await import('./simulate.ts')).simulateCommand,
  },
  replay: {
    summary: 'replay an access log through a sidecar, or offline through the core',
    load: async () => (await import('./replay.ts')).replayCommand,
  },
  features: {
    summary: 'list the features, or write those of an access log as CSV',
    load: async () => (await import('./features.ts')).featuresCommand,
  },
  demo: {
    summary: 'the whole loop on loopback: what `npm start` runs',
    load: async () => (await import('./demo.ts')).demoCommand,
  },
};

function version(): string {
  const text = readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function help(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    'picket: an API guard that stands beside every pod.',
    '',
    'Usage: picket COMMAND [options]      picket COMMAND --help      picket --version',
    '',
    ...lines,
    '',
    'A first look, all on loopback:   npm start',
    'A sidecar before your own app:   picket sidecar --upstream http://127.0.0.1:8080',
    '',
  ].join('\n');
}

function unknown(name: string): PicketError {
  return new PicketError('CONFIG_INVALID', `there is no command "${name}"`, {
    hint: `the commands are: ${Object.keys(COMMANDS).join(', ')}`,
  });
}

/** Exit code for what a command threw: a wrong call is 2, everything else 1. */
function exitCode(error: PicketError): number {
  return error.code === 'CONFIG_INVALID' ? 2 : 1;
}

/** Runs one call and returns its exit code; never throws. */
export async function runPicket(args: readonly string[], io: CommandIo): Promise<number> {
  const [name, ...rest] = args;
  try {
    if (name === '--version' || name === '-v') {
      io.stdout.write(`picket ${version()} (node ${process.version})\n`);
      return 0;
    }
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      io.stdout.write(help());
      return name === undefined ? 2 : 0;
    }
    const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (entry === undefined) throw unknown(name);
    const command = await entry.load();
    if (rest.includes('--help') || rest.includes('-h')) {
      io.stdout.write(`picket ${command.name}: ${command.summary}\n\n${command.usage.trimEnd()}\n`);
      return 0;
    }
    return await command.run(rest, io);
  } catch (thrown) {
    const error = PicketError.from(thrown);
    io.stderr.write(`picket: ${describeError(error)}\n`);
    if (error.code === 'INTERNAL' && thrown instanceof Error) io.stderr.write(`${thrown.stack}\n`);
    return exitCode(error);
  }
}

/** What bin/picket.mjs calls: this process's arguments, streams and environment. */
export async function main(): Promise<void> {
  process.exitCode = await runPicket(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
  });
}
