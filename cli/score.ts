// `picket score`: one score a row of a CSV file, by a model bundle. Runs the same WASM core as the sidecar, with the file's
// columns in place of live features. Writes nothing but scores, in the order of the rows.
import { readFileSync } from 'node:fs';
import { PicketError } from '../domain/errors.ts';
import { readTable, refuseTexts, type Table } from '../training/table.ts';
import { type Bundle, parseBundle } from '../wasm-core/host/bundle.ts';
import { Core } from '../wasm-core/host/core.ts';
import { scoreOf } from '../wasm-core/host/link.ts';
import { offeredByName, prepareBundle } from '../wasm-core/host/prepare.ts';
import type { Command, CommandIo } from './command.ts';
import { kinds, optionsHelp, readOptions } from './options.ts';

const OPTIONS = {
  bundle: kinds.file({ help: 'Model bundle.', required: true, placeholder: 'FILE.bundle' }),
  data: kinds.file({ help: 'CSV file with a header line, .gz unpacked by name.', required: true }),
  margins: kinds.flag({ help: 'Raw margins instead of scores.' }),
} as const;

const USAGE = `Usage: picket score --bundle FILE.bundle --data FILE.csv[.gz] [--margins]

Writes one score (0..1) a row to standard output. The file must have a column for each feature of the
bundle, by name, in any order; other columns are not read. Empty cells, null and NaN are missing values.

  picket score --bundle attack.bundle --data rows.csv.gz > scores.txt
${optionsHelp(OPTIONS)}`;

const ROWS_PER_WRITE = 4096;

function readBundle(path: string): Bundle {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (thrown) {
    throw new PicketError('DATA_INVALID', `${path} cannot be read: ${PicketError.from(thrown).message}`);
  }
  return parseBundle(bytes, { requireSigned: false, trustedKeys: [] });
}

async function readFeatures(path: string, bundle: Bundle): Promise<Table> {
  const names = bundle.features.map(({ name }) => name);
  const table = await readTable(path, { texts: [], numbers: names, where: [] });
  refuseTexts(table, 'a model reads numbers only; is this the right file?');
  return table;
}

async function write(stream: NodeJS.WritableStream, text: string): Promise<void> {
  if (!stream.write(text)) await new Promise<void>((resolve) => stream.once('drain', resolve));
}

async function run(args: string[], io: CommandIo): Promise<number> {
  const { values } = readOptions({ command: 'picket score', options: OPTIONS }, args, io);
  const bundle = readBundle(values.bundle);
  const table = await readFeatures(values.data, bundle);
  const prepared = prepareBundle(bundle, offeredByName(table.numbers.map(({ name }) => name)));
  const core = new Core({ arenaBytes: prepared.image.byteLength });
  core.stage(prepared);
  core.activate();
  const columns = table.numbers.map((column) => column.values);
  let lines: string[] = [];
  for (let row = 0; row < table.rowCount; row++) {
    for (let f = 0; f < columns.length; f++) core.vector[f] = columns[f]![row]!;
    const margin = core.score();
    lines.push(`${values.margins ? margin : scoreOf(margin)}\n`);
    if (lines.length === ROWS_PER_WRITE) {
      await write(io.stdout, lines.join(''));
      lines = [];
    }
  }
  await write(io.stdout, lines.join(''));
  return 0;
}

export const scoreCommand: Command = {
  name: 'score',
  summary: 'score the rows of a CSV file with a bundle',
  usage: USAGE,
  run,
};
