// What every experiment gives: the figures of result.json, and the sections of its report. Types, and small makers of figures.
// Runs nothing and writes nothing. Used by the experiments, by training/report/ and by cli/experiment.ts.
import type { FitProgress } from '../estimator.ts';
import { meanAndSd } from '../metrics.ts';
import type { Plot } from '../report/svg.ts';

/** Mean and sample standard deviation over the seeds. */
export interface Figure {
  readonly mean: number;
  readonly sd: number;
}

export type FiguresByMetric = Readonly<Record<string, Figure>>;

/** The content of result.json, in this order of members. */
export interface ExperimentResult {
  readonly name: string;
  /** How many seeds ran. */
  readonly seeds: number;
  readonly rows: number;
  readonly published: Readonly<Record<string, number>>;
  /** By the published protocol. */
  readonly ours: FiguresByMetric;
  /** By a protocol without its leaks. */
  readonly honest: FiguresByMetric;
  readonly notes: readonly string[];
}

export interface ReportTable {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface ReportSection {
  readonly title: string;
  readonly paragraphs: readonly string[];
  readonly tables?: readonly ReportTable[];
  readonly plots?: readonly Plot[];
}

export interface ExperimentReport {
  readonly result: ExperimentResult;
  readonly sections: readonly ReportSection[];
  /** Further files by name: what another program needs to repeat the run. */
  readonly files: Readonly<Record<string, string>>;
}

export interface ExperimentRequest {
  /** Folder of the data; undefined where the experiment makes its own. */
  readonly data: string | undefined;
  readonly seeds: readonly number[];
  readonly onProgress?: (progress: FitProgress) => void;
}

/** Figures by metric, of one record a seed. */
export function figuresOver(records: readonly Readonly<Record<string, number>>[]): FiguresByMetric {
  const metrics = Object.keys(records[0] ?? {});
  return Object.fromEntries(
    metrics.map((metric) => [metric, meanAndSd(records.map((record) => record[metric]!))]),
  );
}
