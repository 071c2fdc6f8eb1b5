// `picket experiment`: repeats one of the published works, prints published figures beside ours, writes a report. The work is
// training/experiments'; this file reads flags, shows progress and prints.
import { PicketError } from '../domain/errors.ts';
import type { FitProgress } from '../training/estimator.ts';
import { behaviourExperiment } from '../training/experiments/behaviour-report.ts';
import type { ExperimentReport, ExperimentRequest } from '../training/experiments/experiment.ts';
import { volumeExperiment } from '../training/experiments/volume-report.ts';
import { comparisonTable, tableText } from '../training/report/comparison.ts';
import type { Command, CommandIo } from './command.ts';
import { simulatedLayers } from './layers-experiment.ts';
import { kinds, optionsHelp, readOptions } from './options.ts';

interface Experiment {
  readonly summary: string;
  /** How many seeds run when none are asked for. */
  readonly seeds: number;
  readonly data: 'required' | 'none';
  readonly run: (request: ExperimentRequest) => Promise<ExperimentReport>;
}

const EXPERIMENTS: Readonly<Record<string, Experiment>> = {
  behaviour: {
    summary: 'call-graph features and a tuned booster; --data: folder with features.csv[.gz]',
    seeds: 20,
    data: 'required',
    run: behaviourExperiment,
  },
  volume: {
    summary: 'requests and bandwidth by a linear SVM; makes its own data',
    seeds: 200,
    data: 'none',
    run: volumeExperiment,
  },
  layers: {
    summary: 'trend, in-depth and background layer; simulates its own traffic',
    seeds: 3,
    data: 'none',
    run: simulatedLayers,
  },
};

const OPTIONS = {
  data: kinds.text({ help: 'Folder of the data, where the experiment needs one.', placeholder: 'DIR' }),
  seed: kinds.int({ min: 0, max: 1e9 }, { help: 'The first seed.', fallback: '0' }),
  seeds: kinds.int(
    { min: 1, max: 10_000 },
    { help: 'How many seeds run; default: what the experiment asks for.' },
  ),
  out: kinds.text({
    help: 'Folder to write report.html, plots and result.json to.',
    placeholder: 'DIR',
    required: true,
  }),
} as const;

function listText(): string {
  return Object.entries(EXPERIMENTS)
    .map(([name, { summary, seeds }]) => `  ${name.padEnd(10)} ${summary} (${seeds} seeds)`)
    .join('\n');
}

const USAGE = `Usage: picket experiment NAME [--data DIR] [--seed N] [--seeds N] --out DIR

Repeats a published work: prints its figures beside ours, by its own protocol and by one without its leaks.
Writes report.html, the plots as SVG, and result.json. The same seeds and data give the same files.

${listText()}

  picket experiment volume --out reports/volume
  picket experiment behaviour --data data/kaggle --out reports/behaviour
${optionsHelp(OPTIONS)}`;

function experimentOf(positionals: readonly string[], data: string | undefined): [string, Experiment] {
  const name = positionals[0] ?? 'nothing';
  const experiment = Object.hasOwn(EXPERIMENTS, name) ? EXPERIMENTS[name] : undefined;
  const refuse = (field: string, value: string, expected: string): never => {
    const problems = [{ field, value, expected }];
    throw new PicketError('CONFIG_INVALID', 'the experiment cannot be run', { problems });
  };
  if (experiment === undefined) return refuse('NAME', name, Object.keys(EXPERIMENTS).join(', '));
  if (experiment.data === 'required' && data === undefined) {
    return refuse('--data', 'nothing', `a folder: ${experiment.summary}`);
  }
  if (experiment.data === 'none' && data !== undefined) {
    return refuse('--data', data, `nothing: ${name} makes its own data`);
  }
  return [name, experiment];
}

/** A line that is written over on a terminal, and now and then elsewhere. */
function progressTo(stderr: NodeJS.WritableStream, name: string): (progress: FitProgress) => void {
  const isTerminal = 'isTTY' in stderr && stderr.isTTY === true;
  return ({ done, all }) => {
    const text = `picket experiment ${name}: ${done} of ${all}`;
    if (isTerminal) stderr.write(`\r${text}${done === all ? '\n' : ''}`);
    else if (done === all || done % Math.max(1, Math.ceil(all / 10)) === 0) stderr.write(`${text}\n`);
  };
}

/** The plots come from a developer's package, which images do not hold: found out before the work, not after it. */
async function loadWriter() {
  try {
    return await import('../training/report/write-report.ts');
  } catch (cause) {
    throw new PicketError('CONFIG_INVALID', 'the plots need the package echarts, which is not installed', {
      hint: 'run experiments in a checkout, after npm ci',
      cause,
    });
  }
}

async function run(args: string[], io: CommandIo): Promise<number> {
  const command = { command: 'picket experiment', options: OPTIONS, positionalsMax: 1 };
  const { values, positionals } = readOptions(command, args, io);
  const [name, experiment] = experimentOf(positionals, values.data);
  const { writeReport } = await loadWriter();
  const count = values.seeds ?? experiment.seeds;
  const report = await experiment.run({
    data: values.data,
    seeds: Array.from({ length: count }, (_, i) => values.seed + i),
    onProgress: progressTo(io.stderr, name),
  });
  const files = writeReport(report, values.out);
  io.stdout.write(tableText(comparisonTable(report.result)));
  for (const note of report.result.notes) io.stdout.write(`- ${note}\n`);
  io.stdout.write(`${values.out}: ${files.join(', ')}\n`);
  return 0;
}

export const experimentCommand: Command = {
  name: 'experiment',
  summary: 'repeat a published work and compare the figures',
  usage: USAGE,
  run,
};
