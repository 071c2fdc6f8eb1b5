// The report of an experiment as one HTML page: published beside ours, notes, sections with tables and plots. No scripts, nothing
// loaded from elsewhere, every text escaped. Makes text only; write-report.ts puts it on disk.
import type { ExperimentReport, ReportSection, ReportTable } from '../experiments/experiment.ts';
import { comparisonTable } from './comparison.ts';

const STYLE = `
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b2733}
h1,h2{line-height:1.2}
table{border-collapse:collapse;margin:.6rem 0 1.2rem}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{border:1px solid #cfd8e0;padding:.25rem .6rem;text-align:right}
th:first-child,td:first-child{text-align:left}
th{background:#eef2f6}
figure{margin:1rem 0}figure svg{max-width:100%;height:auto}
li{margin:.3rem 0}
`;

/** @param svgs text of each plot by its name. */
export function renderHtml(
  { result, sections }: ExperimentReport,
  svgs: ReadonlyMap<string, string>,
): string {
  const notes = result.notes.map((note) => `<li>${escaped(note)}</li>`).join('\n');
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    `<title>Picket experiment ${escaped(result.name)}</title><style>${STYLE}</style></head><body>`,
    `<h1>Experiment <code>${escaped(result.name)}</code></h1>`,
    `<p>${result.rows} rows, ${result.seeds} seeds.</p>`,
    tableHtml(comparisonTable(result)),
    `<h2>Notes</h2><ul>${notes}</ul>`,
    ...sections.map((section) => sectionHtml(section, svgs)),
    '</body></html>',
    '',
  ].join('\n');
}

function sectionHtml(section: ReportSection, svgs: ReadonlyMap<string, string>): string {
  const { title, paragraphs, tables = [], plots = [] } = section;
  return [
    `<h2>${escaped(title)}</h2>`,
    ...paragraphs.map((text) => `<p>${escaped(text)}</p>`),
    ...tables.map(tableHtml),
    ...plots.map(({ name }) => `<figure>${svgs.get(name)!}</figure>`),
  ].join('\n');
}

function tableHtml({ caption, head, rows }: ReportTable): string {
  const cells = (row: readonly string[], tag: string) =>
    `<tr>${row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  const body = rows.map((row) => cells(row, 'td')).join('\n');
  const top = `<caption>${escaped(caption)}</caption><thead>${cells(head, 'th')}</thead>`;
  return `<table>${top}<tbody>${body}</tbody></table>`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
