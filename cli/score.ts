// `picket score`: one score a row of a CSV file, by a model bundle. Runs the same WASM core as the sidecar, with the file's
// columns in place of live features. Writes scores in the order of the rows and, when asked, what each column contributed.
import { readFileSync } from 'node:fs';
import { PicketError } from '../domain/errors.ts';
import { readTable, refuseTexts, type Table } from '../training/table.ts';
import { type Bundle, parseBundle } from '../wasm-core/host/bundle.ts';
import { Core } from '../wasm-core/host/core.ts';
import { type Detector, SLOT_INPUT } from '../wasm-core/host/ensemble.ts';
import { Explainer } from '../wasm-core/host/explainer.ts';
import { answerOf, linked } from '../wasm-core/host/link.ts';
import {
  OFFLINE_ARENA_BYTES,
  offeredByName,
  type PreparedBundle,
  prepareBundle,
} from '../wasm-core/host/prepare.ts';
import type { Command, CommandIo } from './command.ts';
import { kinds, optionsHelp, readOptions } from './options.ts';

const OPTIONS = {
  bundle: kinds.file({ help: 'Model bundle.', required: true, placeholder: 'FILE.bundle' }),
  data: kinds.file({ help: 'CSV file with a header line, .gz unpacked by name.', required: true }),
  margin: kinds.flag({ help: 'Raw margins instead of scores.' }),
  explain: kinds.flag({ help: 'A CSV with what each feature contributed to the raw margin (TreeSHAP).' }),
} as const;

const USAGE = `Usage: picket score --bundle FILE.bundle --data FILE.csv[.gz] [--margin] [--explain]

Writes one score (0..1) a row to standard output, with all its digits. The file must have a column for
each feature of the bundle, by name, in any order; other columns are not read. Empty cells, null and NaN
are missing values.
An imported model answers as its own library does: a probability, a value, or one number for each class
with commas between them; with --margin the library's raw margins, bit for bit.
With --explain the output is a CSV: the score, the bias, then a column for each feature. Bias and
contributions of a row add up to its raw margin (path-dependent TreeSHAP).

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

/** One line a row, the header first where there is one. */
function* lines(bundle: Bundle, table: Table, options: { margin: boolean; explain: boolean }) {
  const offered = offeredByName(table.numbers.map(({ name }) => name));
  const prepared = prepareBundle(bundle, offered, { arenaBytes: OFFLINE_ARENA_BYTES });
  const core = new Core({ arenaBytes: prepared.image.byteLength });
  core.stage(prepared);
  core.activate();
  const columns = table.numbers.map((column) => column.values);
  const { detector, link } = answerOf(bundle);
  const explained = options.explain ? explainerOf(bundle, detector) : null;
  if (explained !== null)
    yield `${[options.margin ? 'margin' : 'score', 'bias', ...explained.names].join(',')}\n`;
  const from = prepared.slotsAt + detector.slot;
  for (let row = 0; row < table.rowCount; row++) {
    for (let f = 0; f < columns.length; f++) core.vector[f] = columns[f]![row]!;
    core.score();
    const margins = core.vector.slice(from, from + detector.ensemble.outputs);
    const answer = options.margin ? margins : linked(link, margins);
    if (explained === null) yield `${answer.join(',')}\n`;
    else yield `${[...answer, ...explained.partsOf(core.vector, prepared)].join(',')}\n`;
  }
}

/** Explains the answer: names of its inputs, and for a scored vector the bias and a contribution for each. */
function explainerOf(bundle: Bundle, { name, ensemble }: Detector) {
  if (ensemble.outputs > 1) {
    throw new PicketError('BUNDLE_MODEL', `--explain: ${name} has ${ensemble.outputs} outputs, expected one`);
  }
  const explainer = new Explainer(ensemble);
  const nameOf = (input: number) =>
    input & SLOT_INPUT ? slotName(bundle, input ^ SLOT_INPUT) : bundle.features[input]!.name;
  return {
    names: ensemble.inputs.map(nameOf),
    partsOf: (vector: Float64Array, { places, slotsAt }: PreparedBundle): number[] => {
      const inputs = ensemble.inputs.map(
        (input) => vector[input & SLOT_INPUT ? slotsAt + (input ^ SLOT_INPUT) : places[input]!]!,
      );
      const { bias, contributions } = explainer.explain(inputs);
      return [bias[0]!, ...contributions];
    },
  };
}

/** A slot is named after its detector, with its place where the detector has several. */
function slotName(bundle: Bundle, slot: number): string {
  const { name, slot: first, ensemble } = bundle.detectors.findLast((detector) => detector.slot <= slot)!;
  return ensemble.outputs === 1 ? name : `${name}_${slot - first}`;
}

async function run(args: string[], io: CommandIo): Promise<number> {
  const { values } = readOptions({ command: 'picket score', options: OPTIONS }, args, io);
  const bundle = readBundle(values.bundle);
  const table = await readFeatures(values.data, bundle);
  let waiting: string[] = [];
  for (const line of lines(bundle, table, values)) {
    waiting.push(line);
    if (waiting.length < ROWS_PER_WRITE) continue;
    await write(io.stdout, waiting.join(''));
    waiting = [];
  }
  await write(io.stdout, waiting.join(''));
  return 0;
}

export const scoreCommand: Command = {
  name: 'score',
  summary: 'score the rows of a CSV file with a bundle',
  usage: USAGE,
  run,
};
