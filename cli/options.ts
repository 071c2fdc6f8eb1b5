// Options of a command, read from its arguments, its environment and the file that --config (or PICKET_CONFIG) names.
// The rules are in domain/options.ts, the kinds in domain/option-kinds.ts; this file only opens the config file and throws.

import { readFileSync } from 'node:fs';
import { PicketError, type Problem } from '../domain/errors.ts';
import * as kinds from '../domain/option-kinds.ts';
import {
  configError,
  type OptionList,
  type OptionValues,
  optionsHelp,
  type ParsedOptions,
  parseOptionFile,
  parseOptions,
} from '../domain/options.ts';
import type { CommandIo } from './command.ts';

const CONFIG = { config: kinds.file({ help: 'Config file, YAML or JSON.', hidden: true }) };

export interface ReadOptions<L extends OptionList> {
  readonly values: OptionValues<L>;
  readonly positionals: readonly string[];
  readonly given: ReadonlySet<string>;
}

export interface CommandOptions<L extends OptionList> {
  /** For hints: `picket sidecar`. */
  readonly command: string;
  readonly options: L;
  readonly positionalsMax?: number;
  /** Checks across options; its problems are reported with all others. */
  readonly check?: (values: OptionValues<L>, given: ReadonlySet<string>) => readonly Problem[];
}

/** Reads all sources. Throws CONFIG_INVALID with every problem at once. */
export function readOptions<const L extends OptionList>(
  command: CommandOptions<L>,
  args: readonly string[],
  io: Pick<CommandIo, 'env'>,
): ReadOptions<L> {
  const hint = `see: ${command.command} --help`;
  const options = { ...command.options, ...CONFIG };
  const sources = { args, env: io.env, positionalsMax: command.positionalsMax ?? 0 };
  const first = parseOptions(options, sources);
  const path = first.values['config'] as string | undefined;
  const parsed =
    path === undefined ? first : parseOptions(options, { ...sources, file: readConfigFile(path) });
  const { values, positionals, given } = parsed as unknown as ParsedOptions<L>;
  const missing = parsed.problems.some((problem) => problem.value === 'nothing');
  const across = missing || command.check === undefined ? [] : command.check(values, given);
  const problems = [...parsed.problems, ...across];
  if (problems.length > 0) throw configError(problems, hint);
  return { values, positionals, given };
}

function readConfigFile(path: string): Record<string, unknown> {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (thrown) {
    const { message } = PicketError.from(thrown);
    throw new PicketError('CONFIG_INVALID', `the config file cannot be read: ${message}`, {
      problems: [{ field: '--config', value: path, expected: 'a readable file' }],
    });
  }
  const file = parseOptionFile(content);
  if (!Object.hasOwn(file, 'config')) return file;
  throw configError([
    { field: 'config (config file)', value: String(file['config']), expected: 'no such key' },
  ]);
}

export { kinds, optionsHelp };
