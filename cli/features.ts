// `picket features`: the list of features as docs/features.md has it; with --log, one vector a request of an access log as CSV.
// Reads flags and prints; the list is feature-list.ts, the run through the engine log-features.ts.

import type { Problem } from '../domain/errors.ts';
import { GeoFiles } from '../feature-engine/geo-files.ts';
import type { Command, CommandIo } from './command.ts';
import { FEATURE_COLUMNS, featureRows, listedFeatures } from './feature-list.ts';
import { writeLogFeatures } from './log-features.ts';
import { kinds, optionsHelp, readOptions } from './options.ts';
import { columns, Progress } from './traffic-tally.ts';

const OPTIONS = {
  log: kinds.file({ group: 'Offline', help: 'Access log in combined format, .gz unpacked by name.' }),
  out: kinds.file({ group: 'Offline', help: 'CSV file to write: one row a request.' }),
  identities: kinds.int(
    { min: 8, max: 1_000_000 },
    { group: 'Offline', help: 'Rows of the feature engine, per axis.', fallback: '25000' },
  ),
  geo: kinds.file({ group: 'Offline', help: 'City or country database (.mmdb) for places of addresses.' }),
  asn: kinds.file({
    group: 'Offline',
    help: 'ASN or anonymous-IP database (.mmdb) for networks of addresses.',
  }),
  hostingCidrs: kinds.file({ group: 'Offline', help: 'CIDR blocks that count as data centres, one a line.' }),
  json: kinds.flag({ group: 'Output', help: 'The list as JSON; with --log, one line of JSON last.' }),
} as const;

const USAGE = `Usage: picket features [--json]
       picket features --log FILE[.gz] --out FILE.csv [--identities N] [--json]

Without --log: every feature with its permanent id, name, unit, range, source, meaning and when it is
missing. With --log: the vector of each request of an access log, computed as a sidecar would, under the
clock of the log and with the logged answers as outcomes. Columns: time, address, method, path, status,
then the features by name. A missing value is an empty cell. Any length in bounded memory.

  picket features
  picket features --log access.log.gz --out vectors.csv
${optionsHelp(OPTIONS)}`;

function readFlags(args: readonly string[], io: CommandIo) {
  const check = ({ log, out }: { log?: string | undefined; out?: string | undefined }): Problem[] =>
    (log === undefined) === (out === undefined)
      ? []
      : [
          {
            field: log === undefined ? '--log' : '--out',
            value: 'nothing',
            expected: 'both --log and --out',
          },
        ];
  return readOptions({ command: 'picket features', options: OPTIONS, check }, args, io).values;
}

async function run(args: string[], io: CommandIo): Promise<number> {
  const { log, out, identities, geo, asn, hostingCidrs, json } = readFlags(args, io);
  if (log === undefined || out === undefined) {
    const text = json ? JSON.stringify(listedFeatures()) : columns([FEATURE_COLUMNS, ...featureRows()]);
    io.stdout.write(`${text}\n`);
    return 0;
  }
  const { data: addresses } = await GeoFiles.open({ geo, asn, hostingCidrs });
  const progress = new Progress(io.stderr);
  const onProgress = (lines: number): void => progress.update(() => `${lines} lines`);
  const result = await writeLogFeatures({ log, out, identities, addresses, onProgress });
  progress.done();
  const { requests, lines, malformed, late } = result;
  io.stderr.write(
    `${out}: ${requests} vectors of ${lines} lines, malformed ${malformed}, out of order ${late}\n`,
  );
  if (json) io.stdout.write(`${JSON.stringify({ ...result, out })}\n`);
  return 0;
}

export const featuresCommand: Command = {
  name: 'features',
  summary: 'list the features, or write those of an access log as CSV',
  usage: USAGE,
  run,
};
