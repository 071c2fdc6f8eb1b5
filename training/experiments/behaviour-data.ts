// Reads the data of the `behaviour` experiment (seed 000): features.csv[.gz] with the notebooks' columns and, where it lies
// beside it, the call graphs they came of. Learns nothing. Called by behaviour-report.ts.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PicketError } from '../../domain/errors.ts';
import { checkedDataset, type Dataset } from '../dataset.ts';
import { readTable, refuseTexts, type Table } from '../table.ts';
import { graphFeatures, parseCallGraphs } from './call-graph.ts';

/** The nine features that the notebooks learn from. */
export const BEHAVIOUR_FEATURES = [
  'n_connections',
  'avg_global_source_degrees',
  'std_global_source_degrees',
  'min_global_source_degrees',
  'max_global_source_degrees',
  'avg_global_dest_degrees',
  'min_global_dest_degrees',
  'max_global_dest_degrees',
  'std_local_source_degrees',
] as const;

/** Columns that are only looked at: num_users gives the label away. */
export const BEHAVIOUR_SUMMARY = [
  'sequence_length(count)',
  'api_access_uniqueness',
  'inter_api_access_duration(sec)',
  'num_users',
] as const;

const CLASS_NAMES = ['normal', 'outlier'] as const;
const LEARNT_ADDRESS_KIND = 'default';
const GRAPHS_FILE = 'supervised_call_graphs.json';

export interface BehaviourData {
  readonly file: string;
  /** Every row, with address kind and the columns of BEHAVIOUR_SUMMARY. */
  readonly rowCount: number;
  readonly addressKinds: readonly string[];
  readonly positives: Uint8Array;
  readonly summary: ReadonlyMap<string, Float64Array>;
  /** The rows with an ordinary address, and where each stands among all rows (from 0). */
  readonly learnt: Dataset;
  readonly learntRows: Uint32Array;
  /** What our own graph features gave beside the stored ones; null without call graphs. */
  readonly graphs: GraphCheck | null;
}

export interface GraphCheck {
  readonly graphs: number;
  readonly rowsFound: number;
  /** Largest difference to the stored value, relative to it, by feature. */
  readonly differences: ReadonlyMap<string, number>;
}

/**
 * Reads the folder.
 * @throws PicketError DATA_INVALID: no such file, absent columns, text among numbers, a class that is neither normal nor outlier.
 */
export async function readBehaviour(folder: string): Promise<BehaviourData> {
  const file = ['features.csv', 'features.csv.gz'].find((name) => existsSync(join(folder, name)));
  if (file === undefined) {
    throw new PicketError('DATA_INVALID', `${folder} holds neither features.csv nor features.csv.gz`);
  }
  const path = join(folder, file);
  const numbers = [...BEHAVIOUR_FEATURES, ...BEHAVIOUR_SUMMARY];
  const table = await readTable(path, { texts: ['_id', 'ip_type', 'classification'], numbers, where: [] });
  refuseTexts(table, `${path} must hold the columns of the published features`);
  const column = (name: string) => table.numbers.find((one) => one.name === name)!.values;
  const positives = positivesOf(table, path);
  const addressKinds = textsOf(table, 'ip_type');
  const learntRows = Uint32Array.from(
    [...addressKinds.keys()].filter((row) => addressKinds[row] === LEARNT_ADDRESS_KIND),
  );
  const learnt = checkedDataset({
    names: BEHAVIOUR_FEATURES,
    columns: BEHAVIOUR_FEATURES.map((name) => Float64Array.from(learntRows, (row) => column(name)[row]!)),
    rowCount: learntRows.length,
    labels: Uint8Array.from(learntRows, (row) => positives[row]!),
    classNames: CLASS_NAMES,
  });
  return {
    file,
    rowCount: table.rowCount,
    addressKinds,
    positives,
    summary: new Map(BEHAVIOUR_SUMMARY.map((name) => [name, column(name)])),
    learnt,
    learntRows,
    graphs: checkGraphs(join(folder, GRAPHS_FILE), textsOf(table, '_id'), column),
  };
}

function textsOf(table: Table, name: string): string[] {
  const { codes, distinct } = table.texts.find((one) => one.name === name)!;
  return Array.from(codes, (code) => distinct[code]!);
}

function positivesOf(table: Table, path: string): Uint8Array {
  return Uint8Array.from(textsOf(table, 'classification'), (name, row) => {
    const place = CLASS_NAMES.indexOf(name as (typeof CLASS_NAMES)[number]);
    if (place >= 0) return place;
    throw new PicketError('DATA_INVALID', `${path}, row ${row + 1}, column classification: "${name}"`, {
      hint: 'normal or outlier is expected',
    });
  });
}

/** Computes the features of the graphs, where the file exists, and compares them with the columns. */
function checkGraphs(
  path: string,
  ids: readonly string[],
  column: (name: string) => Float64Array,
): GraphCheck | null {
  if (!existsSync(path)) return null;
  const graphs = parseCallGraphs(readFileSync(path, 'utf8'));
  const features = graphFeatures(graphs);
  const placeById = new Map(graphs.map(({ id }, g) => [id, g]));
  const differences = new Map<string, number>(BEHAVIOUR_FEATURES.map((name) => [name, 0]));
  let rowsFound = 0;
  ids.forEach((id, row) => {
    const place = placeById.get(id);
    if (place === undefined) return;
    rowsFound++;
    for (const name of BEHAVIOUR_FEATURES) {
      const [made, stored] = [features[place]![name]!, column(name)[row]!];
      if (Number.isNaN(made) && Number.isNaN(stored)) continue;
      const difference = Math.abs(made - stored) / Math.max(1, Math.abs(stored));
      const largest = Number.isNaN(difference) ? Infinity : difference;
      differences.set(name, Math.max(differences.get(name)!, largest));
    }
  });
  return { graphs: graphs.length, rowsFound, differences };
}
