// Published beside ours: one table of an experiment's figures, for the report and for the console.
// Pure text. Called by html.ts and cli/experiment.ts.
import type { ExperimentResult, Figure, ReportTable } from '../experiments/experiment.ts';

/** A row for every metric that any of the three columns has. */
export function comparisonTable({ published, ours, honest }: ExperimentResult): ReportTable {
  const metrics = new Set([...Object.keys(published), ...Object.keys(ours), ...Object.keys(honest)]);
  return {
    caption: 'Published and ours (mean ± standard deviation over the seeds)',
    head: ['metric', 'published', 'ours', 'honest'],
    rows: [...metrics].map((metric) => [
      metric,
      published[metric] === undefined ? '–' : published[metric].toFixed(4),
      figureText(ours[metric]),
      figureText(honest[metric]),
    ]),
  };
}

function figureText(figure: Figure | undefined): string {
  return figure === undefined ? '–' : `${figure.mean.toFixed(4)} ± ${figure.sd.toFixed(4)}`;
}

/** The table in columns of equal width, for a terminal. */
export function tableText({ caption, head, rows }: ReportTable): string {
  const widths = head.map((name, c) => Math.max(name.length, ...rows.map((row) => row[c]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => cell.padEnd(widths[c]!))
      .join('  ')
      .trimEnd();
  return [caption, line(head), ...rows.map(line), ''].join('\n');
}
