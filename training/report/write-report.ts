// Puts an experiment's report into a folder: result.json, report.html, each plot as SVG, and what else the experiment gives.
// All texts are made before the first byte is written, and result.json comes last: where it stands, the rest stands too.
// Called by cli/experiment.ts.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PicketError } from '../../domain/errors.ts';
import type { ExperimentReport } from '../experiments/experiment.ts';
import { renderHtml } from './html.ts';
import { renderSvg } from './svg.ts';

/**
 * Writes the report; the folder is made if it is absent.
 * @returns names of the files, in the order of writing.
 * @throws PicketError DATA_INVALID when a file cannot be written.
 */
export function writeReport(report: ExperimentReport, folder: string): string[] {
  const plots = report.sections.flatMap((section) => section.plots ?? []);
  const svgs = new Map(plots.map((plot) => [plot.name, renderSvg(plot)]));
  const files: [string, string][] = [
    ...[...svgs].map(([name, svg]): [string, string] => [`${name}.svg`, svg]),
    ...Object.entries(report.files),
    ['report.html', renderHtml(report, svgs)],
    ['result.json', `${JSON.stringify(report.result, null, 2)}\n`],
  ];
  try {
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of files) {
      const path = join(folder, name);
      writeFileSync(`${path}.part`, text);
      renameSync(`${path}.part`, path);
    }
  } catch (cause) {
    const { message } = PicketError.from(cause);
    throw new PicketError('DATA_INVALID', `the report cannot be written to ${folder}: ${message}`, { cause });
  }
  return files.map(([name]) => name);
}
