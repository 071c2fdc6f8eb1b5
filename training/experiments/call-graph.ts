// Features of call graphs, as the notebooks of seed 000 make them: an edge list for each behaviour, degrees of every edge's ends
// over all graphs (global) and within its own (local), then mean, sample deviation, least and largest over the edges.
// Reads text that was loaded elsewhere, keeps no state. Called by behaviour-data.ts.
import { PicketError } from '../../domain/errors.ts';

/** One call of an API by another. */
export interface CallEdge {
  readonly fromId: string;
  readonly toId: string;
}

export interface CallGraph {
  readonly id: string;
  readonly edges: readonly CallEdge[];
}

const DEGREES = ['global_source', 'global_dest', 'local_source', 'local_dest'] as const;
type Degree = (typeof DEGREES)[number];

/** Feature values by name; `std_*` is NaN for a graph of one edge. */
export type GraphFeatures = Readonly<Record<string, number>>;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(place: string, expected: string): PicketError {
  return new PicketError('DATA_INVALID', `call graphs, ${place}: ${expected} is expected`);
}

/**
 * Reads `[{"_id": ..., "call_graph": [{"fromId": ..., "toId": ...}, ...]}, ...]`.
 * @throws PicketError DATA_INVALID naming graph and edge; graphs without edges or with an earlier graph's id are refused too.
 */
export function parseCallGraphs(text: string): CallGraph[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new PicketError('DATA_INVALID', `call graphs: ${PicketError.from(cause).message}`, { cause });
  }
  if (!Array.isArray(parsed)) throw invalid('the whole', 'a list');
  const seen = new Set<string>();
  return parsed.map((one: unknown, g) => {
    if (!isRecord(one)) throw invalid(`graph ${g}`, 'an object');
    const { _id: id, call_graph: edges } = one;
    if (typeof id !== 'string') throw invalid(`graph ${g}, _id`, 'a text');
    if (seen.has(id)) throw invalid(`graph ${g}, _id`, 'an id that no earlier graph has');
    seen.add(id);
    if (!Array.isArray(edges) || edges.length === 0)
      throw invalid(`graph ${g}, call_graph`, 'a list of edges');
    return { id, edges: edges.map((edge: unknown, e) => edgeOf(edge, `graph ${g}, edge ${e}`)) };
  });
}

function edgeOf(edge: unknown, place: string): CallEdge {
  if (!isRecord(edge)) throw invalid(place, 'an object');
  const { fromId, toId } = edge;
  if (typeof fromId !== 'string' || typeof toId !== 'string') throw invalid(place, 'fromId and toId');
  return { fromId, toId };
}

/** Features of every graph, in order. Global degrees count the edges of all the given graphs. */
export function graphFeatures(graphs: readonly CallGraph[]): GraphFeatures[] {
  const everywhere = degreesOf(graphs.flatMap(({ edges }) => edges));
  return graphs.map(({ edges }) => {
    const here = degreesOf(edges);
    const values: Record<Degree, number[]> = {
      global_source: edges.map(({ fromId }) => everywhere.source.get(fromId)!),
      global_dest: edges.map(({ toId }) => everywhere.dest.get(toId)!),
      local_source: edges.map(({ fromId }) => here.source.get(fromId)!),
      local_dest: edges.map(({ toId }) => here.dest.get(toId)!),
    };
    const features: Record<string, number> = { n_connections: edges.length };
    for (const degree of DEGREES) Object.assign(features, summaryOf(values[degree], degree));
    return features;
  });
}

/** Edges by the API they leave, and by the one they reach. */
function degreesOf(edges: readonly CallEdge[]): { source: Map<string, number>; dest: Map<string, number> } {
  const source = new Map<string, number>();
  const dest = new Map<string, number>();
  for (const { fromId, toId } of edges) {
    source.set(fromId, (source.get(fromId) ?? 0) + 1);
    dest.set(toId, (dest.get(toId) ?? 0) + 1);
  }
  return { source, dest };
}

function summaryOf(values: readonly number[], degree: Degree): Record<string, number> {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    [`avg_${degree}_degrees`]: mean,
    [`std_${degree}_degrees`]: values.length < 2 ? Number.NaN : Math.sqrt(squares / (values.length - 1)),
    [`min_${degree}_degrees`]: values.reduce((least, value) => Math.min(least, value), Infinity),
    [`max_${degree}_degrees`]: values.reduce((largest, value) => Math.max(largest, value), -Infinity),
  };
}
