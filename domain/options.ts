// Start-up options of a command from its flags, the environment and a config file, in that order of weight, all problems at
// once. Pure: the caller hands in arguments, environment and the file's text (cli/options.ts reads them). Unknown flags and
// unknown keys of a file are refused; unknown variables are not, since platforms set PICKET_* of their own.

import { parseDocument } from 'yaml';
import { PicketError, type Problem } from './errors.ts';
import { type Option, Refused } from './option-kinds.ts';

export type OptionList = Readonly<Record<string, Option<unknown>>>;
export type OptionValues<L extends OptionList> = {
  readonly [K in keyof L]: L[K] extends Option<infer T> ? T : never;
};

export interface OptionSources {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The config file's decoded content, if there is one. */
  readonly file?: Readonly<Record<string, unknown>>;
  /** How many words that are no flags the command takes; default none. */
  readonly positionalsMax?: number;
}

export interface ParsedOptions<L extends OptionList> {
  readonly values: OptionValues<L>;
  readonly positionals: readonly string[];
  /** Keys that some source set; the others hold their defaults. */
  readonly given: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

/** `stateDir` -> `--state-dir`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `stateDir` -> `PICKET_STATE_DIR`. */
export function envName(key: string): string {
  return `PICKET_${flagName(key).slice(2).replaceAll('-', '_').toUpperCase()}`;
}

interface Found {
  readonly field: string;
  readonly text: string;
}

class Sources {
  readonly problems: Problem[] = [];
  readonly positionals: string[] = [];
  readonly flags = new Map<string, Found>();
  readonly #options: OptionList;
  readonly #keys: ReadonlyMap<string, string>;

  constructor(options: OptionList) {
    this.#options = options;
    this.#keys = new Map(Object.keys(options).map((key) => [flagName(key), key]));
  }

  readArgs(args: readonly string[], positionalsMax: number): void {
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!;
      if (!arg.startsWith('--')) this.#positional(arg, positionalsMax);
      else i += this.#flag(arg, args[i + 1]);
    }
  }

  #positional(arg: string, max: number): void {
    if (this.positionals.length < max) this.positionals.push(arg);
    else this.problem(arg, arg, max === 0 ? 'flags only' : `at most ${max} words that are no flags`);
  }

  /** Takes one flag; returns how many of the following arguments it used. */
  #flag(arg: string, next: string | undefined): number {
    const equals = arg.indexOf('=');
    const name = equals < 0 ? arg : arg.slice(0, equals);
    const inline = equals < 0 ? undefined : arg.slice(equals + 1);
    const negated = name.startsWith('--no-') ? this.#keys.get(`--${name.slice(5)}`) : undefined;
    const key = this.#keys.get(name) ?? negated;
    if (key === undefined) {
      this.problem(name, arg, 'a known flag', nearest(name, [...this.#keys.keys()]));
      return inline === undefined && next !== undefined && !next.startsWith('--') ? 1 : 0;
    }
    const option = this.#options[key]!;
    if (option.kind === 'bool') {
      this.#set(key, { field: name, text: inline ?? String(negated === undefined) });
      return 0;
    }
    if (inline === undefined && (next === undefined || next.startsWith('--'))) {
      this.problem(name, 'nothing', option.placeholder);
      return 0;
    }
    this.#set(key, { field: name, text: inline ?? next ?? '' });
    return inline === undefined ? 1 : 0;
  }

  #set(key: string, found: Found): void {
    const before = this.flags.get(key);
    if (before === undefined) this.flags.set(key, found);
    else if (this.#options[key]!.list)
      this.flags.set(key, { ...found, text: `${before.text},${found.text}` });
    else this.problem(found.field, found.text, 'the flag once', `it was given before as ${before.text}`);
  }

  fromFile(file: Readonly<Record<string, unknown>>): Map<string, Found> {
    const found = new Map<string, Found>();
    for (const [key, value] of Object.entries(file)) {
      const option = Object.hasOwn(this.#options, key) ? this.#options[key] : undefined;
      const text = option === undefined ? undefined : asText(value, option.list);
      if (option === undefined) {
        this.problem(
          `${key} (config file)`,
          shown(value),
          'a known key',
          nearest(key, Object.keys(this.#options)),
        );
      } else if (text === undefined) {
        this.problem(
          `${key} (config file)`,
          shown(value),
          option.list ? 'a list of texts' : 'a single value',
        );
      } else {
        found.set(key, { field: `${key} (config file)`, text });
      }
    }
    return found;
  }

  problem(field: string, value: string, expected: string, hint?: string): void {
    this.problems.push({ field, value, expected, ...(hint === undefined ? {} : { hint }) });
  }
}

/** Parses all sources. Never throws; a field with a problem holds its default. */
export function parseOptions<const L extends OptionList>(
  options: L,
  sources: OptionSources,
): ParsedOptions<L> {
  const all = new Sources(options);
  all.readArgs(sources.args, sources.positionalsMax ?? 0);
  const inFile = all.fromFile(sources.file ?? {});
  const values: Record<string, unknown> = {};
  const given = new Set<string>();
  for (const [key, option] of Object.entries(options)) {
    const name = envName(key);
    const variable = sources.env[name];
    const inEnv = variable === undefined || variable === '' ? undefined : { field: name, text: variable };
    const found = all.flags.get(key) ?? inEnv ?? inFile.get(key);
    values[key] = option.fallback;
    if (found !== undefined) {
      given.add(key);
      const value = option.read(found.text);
      if (value instanceof Refused) all.problem(found.field, shown(found.text), value.expected, value.hint);
      else values[key] = value;
    } else if (option.required) {
      all.problem(flagName(key), 'nothing', option.placeholder, `or set ${name}: ${option.help}`);
    }
  }
  return { values: values as OptionValues<L>, positionals: all.positionals, given, problems: all.problems };
}

/** Decodes a config file (YAML or JSON). Throws CONFIG_INVALID if it is no map. */
export function parseOptionFile(content: string): Record<string, unknown> {
  const document = parseDocument(content, { uniqueKeys: true });
  const syntax = document.errors[0];
  if (syntax !== undefined) {
    throw new PicketError('CONFIG_INVALID', `the config file is neither YAML nor JSON: ${syntax.message}`);
  }
  const value = document.toJS({ maxAliasCount: 0 }) as unknown;
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new PicketError('CONFIG_INVALID', 'the config file is no map of keys', {
      hint: 'write one key a line, such as "listen: 127.0.0.1:14080"',
    });
  }
  return value as Record<string, unknown>;
}

export function configError(problems: readonly Problem[], hint?: string): PicketError {
  const count = problems.length === 1 ? 'one setting is' : `${problems.length} settings are`;
  return new PicketError('CONFIG_INVALID', `${count} wrong; nothing was started`, {
    problems,
    ...(hint === undefined ? {} : { hint }),
  });
}

const HELP_WIDTH = 100;
const HELP_INDENT = 26;

/** Help text: one entry per option under its group's heading, with default, and the names in file and environment. */
export function optionsHelp(options: OptionList): string {
  const lines: string[] = [];
  let group: string | undefined;
  for (const [key, option] of Object.entries(options)) {
    if (option.hidden) continue;
    if (option.group !== group) {
      if (option.group !== '') lines.push('', `${option.group}:`);
      group = option.group;
    }
    const head = `  ${flagName(key)}${option.placeholder === '' ? '' : ` ${option.placeholder}`}`;
    const standard =
      option.fallbackText === '' || option.kind === 'bool' ? '' : ` Default: ${option.fallbackText}.`;
    const need = option.required ? ' Required.' : '';
    const body = wrap(`${option.help}${standard}${need}`, HELP_WIDTH - HELP_INDENT);
    const first = head.length < HELP_INDENT - 1 ? body.shift() : undefined;
    lines.push(first === undefined ? head : head.padEnd(HELP_INDENT) + first);
    lines.push(...body.map((line) => ' '.repeat(HELP_INDENT) + line));
  }
  const names =
    'Every option can also be set in the environment (--state-dir is PICKET_STATE_DIR) or, as stateDir, in';
  const order =
    'the YAML or JSON file of --config FILE. A flag wins over the environment, that over the file.';
  return `${lines.join('\n')}\n\n${names}\n${order}\n`;
}

function wrap(paragraph: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of paragraph.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function asText(value: unknown, list: boolean): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (!list || !Array.isArray(value)) return undefined;
  const texts = value.map((item) => asText(item, false));
  return texts.includes(undefined) ? undefined : texts.join(',');
}

function shown(value: unknown): string {
  const string = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  if (string === '') return '(empty)';
  return string.length > 80 ? `${string.slice(0, 77)}…` : string;
}

/** A hint that names the closest known word, if one is close. */
function nearest(word: string, known: readonly string[]): string | undefined {
  const best = known
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return best !== undefined && best.distance <= 3 ? `did you mean ${best.candidate}?` : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
