// The session call graph of one identity (seed 000): edges previous route -> this route, distinct, with local and global degrees.
// Exact on every prefix of up to 32 distinct edges; later new edges are not taken and `graph_truncated` says so. A session ends
// when nothing came for more than 30 minutes. Does not know identities: the engine gives it the block of the one that calls.

import type { Block } from './block.ts';
import { EdgeDegrees, type EdgeDegreesOptions } from './edge-degrees.ts';
import { ESTIMATE, estimateOne, markWide, mix32 } from './sketch.ts';

export const SESSION_TIMEOUT_MS = 30 * 60_000;
export const GRAPH_EDGES_MAX = 32;
/** A session is a walk: 32 edges join at most 33 routes. */
const NODES_MAX = 33;
/*
 * Words of a block:
 *   0 first call, f64 ms      2 last call, f64 ms    4 calls      5 edges        6 nodes    7 node of the last call
 *   8 fingerprint             9 truncated           12 sketch of routes, 128 bits          16 statistics, 16 x f32
 *  32 routes of the nodes    66 edges: from << 24 | to << 16 | count      98, 130 their global degrees, f32 each
 */
const CALLS = 4;
const EDGES = 5;
const NODES = 6;
/** Place of the last route among the nodes, NO_NODE if it found no place. */
const HERE = 7;
const FINGERPRINT = 8;
const TRUNCATED = 9;
const ROUTES = 12;
const ROUTES_SIZE = 4;
const STATISTICS = 16;
const NODE = 32;
const EDGE = 66;
const GLOBAL_SOURCE = 98;
const GLOBAL_DEST = 130;
export const GRAPH_WORDS = 162;
const NO_NODE = 0xff;
const EDGE_COUNT_MAX = 0xffff;

/** Places that writeGraph fills. */
export const GRAPH_FEATURES = 24;

export interface SessionGraphsOptions extends EdgeDegreesOptions {
  /** Global degrees as per mille of all edges (live models), or as counts (the seed's experiment). Default 'share'. */
  readonly degrees?: 'share' | 'count';
}

/** What all session graphs of a workload have in common: the global degrees, and scratch for the statistics. */
export class SessionGraphs {
  readonly #workload: EdgeDegrees;
  readonly #perMille: boolean;
  readonly #outDegrees = new Uint8Array(NODES_MAX);
  readonly #inDegrees = new Uint8Array(NODES_MAX);
  readonly #values = new Float64Array(GRAPH_EDGES_MAX);

  constructor(options: SessionGraphsOptions = {}) {
    this.#workload = new EdgeDegrees(options);
    this.#perMille = (options.degrees ?? 'share') === 'share';
  }

  get bytes(): number {
    return this.#workload.bytes;
  }

  /** Starts a session with its first call. */
  begin(block: Block, route: number, nowMs: number): void {
    const { words, doubles, at } = block;
    words.fill(0, at, at + STATISTICS);
    block.floats.fill(Number.NaN, at + STATISTICS, at + NODE);
    words.fill(0, at + NODE, at + GRAPH_WORDS);
    doubles[at >> 1] = nowMs;
    doubles[(at >> 1) + 1] = nowMs;
    words[at + CALLS] = 1;
    words[at + HERE] = nodeOf(block, route);
    markWide(words, at + ROUTES, ROUTES_SIZE, route);
  }

  /**
   * Counts a call into the block's session, or starts a new one after the timeout.
   * @param route well-mixed 32-bit hash of the route. @param moment whose time is not before the last call.
   */
  call(block: Block, route: number, moment: { readonly nowMs: number }): void {
    const { words, doubles, at } = block;
    const { nowMs } = moment;
    if (nowMs - doubles[(at >> 1) + 1]! > SESSION_TIMEOUT_MS) {
      this.begin(block, route, nowMs);
      return;
    }
    doubles[(at >> 1) + 1] = nowMs;
    words[at + CALLS] = words[at + CALLS]! + 1;
    markWide(words, at + ROUTES, ROUTES_SIZE, route);
    const from = words[at + HERE]!;
    const to = nodeOf(block, route);
    words[at + HERE] = to;
    if (from === NO_NODE || to === NO_NODE) words[at + TRUNCATED] = 1;
    else this.#addEdge(block, from, to);
  }

  #addEdge(block: Block, from: number, to: number): void {
    const { words, floats, at } = block;
    const edges = words[at + EDGES]!;
    const pair = (from << 24) | (to << 16);
    for (let i = at + EDGE; i < at + EDGE + edges; i++) {
      if (((words[i]! ^ pair) & 0xffff0000) !== 0) continue;
      if ((words[i]! & EDGE_COUNT_MAX) < EDGE_COUNT_MAX) words[i] = words[i]! + 1;
      return;
    }
    if (edges === GRAPH_EDGES_MAX) {
      words[at + TRUNCATED] = 1;
      return;
    }
    const workload = this.#workload;
    const fromRoute = words[at + NODE + from]!;
    const toRoute = words[at + NODE + to]!;
    workload.arrive(fromRoute, toRoute);
    const scale = this.#perMille ? 1000 / workload.total : 1;
    words[at + EDGE + edges] = pair | 1;
    floats[at + GLOBAL_SOURCE + edges] = workload.source * scale;
    floats[at + GLOBAL_DEST + edges] = workload.dest * scale;
    words[at + EDGES] = edges + 1;
    words[at + FINGERPRINT] = words[at + FINGERPRINT]! ^ edgeHash(fromRoute, toRoute);
    this.#refresh(block);
  }

  /** Degree statistics over the edges; only a new edge changes them. */
  #refresh(block: Block): void {
    const { words, floats, at } = block;
    const edges = words[at + EDGES]!;
    const out = this.#outDegrees.fill(0);
    const into = this.#inDegrees.fill(0);
    for (let i = 0; i < edges; i++) {
      const edge = words[at + EDGE + i]!;
      out[edge >>> 24]!++;
      into[(edge >>> 16) & 0xff]!++;
    }
    const values = this.#values;
    for (let i = 0; i < edges; i++) values[i] = out[words[at + EDGE + i]! >>> 24]!;
    writeStatistics(values, edges, floats, at + STATISTICS);
    for (let i = 0; i < edges; i++) values[i] = into[(words[at + EDGE + i]! >>> 16) & 0xff]!;
    writeStatistics(values, edges, floats, at + STATISTICS + 4);
    for (let i = 0; i < edges; i++) values[i] = floats[at + GLOBAL_SOURCE + i]!;
    writeStatistics(values, edges, floats, at + STATISTICS + 8);
    for (let i = 0; i < edges; i++) values[i] = floats[at + GLOBAL_DEST + i]!;
    writeStatistics(values, edges, floats, at + STATISTICS + 12);
  }
}

/** 32 bits of the set of distinct edges, whatever their order; for GraphRarity. */
export function graphFingerprint(block: Block): number {
  return mix32(block.words[block.at + FINGERPRINT]!) | 0;
}

/** Writes the features of the session so far, 24 places from `place`, in the order of domain/features-session.ts. */
export function writeGraph(out: Float64Array, place: number, block: Block): void {
  const { words, floats, doubles, at } = block;
  const calls = words[at + CALLS]!;
  const spanMs = doubles[(at >> 1) + 1]! - doubles[at >> 1]!;
  const truncated = words[at + TRUNCATED]!;
  const nodes = words[at + NODES]!;
  let routes = nodes;
  if (truncated !== 0) {
    estimateOne(words, at + ROUTES, ROUTES_SIZE);
    routes = Math.min(Math.max(nodes, ESTIMATE[0]!), calls);
  }
  const edges = words[at + EDGES]!;
  let i = place;
  out[i++] = Math.fround(calls);
  out[i++] = Math.fround(spanMs / 1000);
  out[i++] = calls < 2 ? Number.NaN : Math.fround(spanMs / (calls - 1));
  out[i++] = Math.fround(routes);
  out[i++] = Math.fround(routes / calls);
  out[i++] = edges;
  out[i++] = edges === 0 ? 0 : nodes;
  for (let s = at + STATISTICS; s < at + STATISTICS + 16; s++) out[i++] = floats[s]!;
  out[i] = truncated;
}

/** Place of the route among the nodes; adds it, NO_NODE when there is no room. */
function nodeOf(block: Block, route: number): number {
  const { words, at } = block;
  const nodes = words[at + NODES]!;
  const first = at + NODE;
  for (let i = 0; i < nodes; i++) if (words[first + i] === route >>> 0) return i;
  if (nodes === NODES_MAX) return NO_NODE;
  words[first + nodes] = route;
  words[at + NODES] = nodes + 1;
  return nodes;
}

function edgeHash(from: number, to: number): number {
  return mix32(Math.imul(from, 0x9e3779b1) ^ to);
}

/** Mean, min, max and sample standard deviation (missing below two values), each rounded to f32. */
function writeStatistics(values: Float64Array, count: number, out: Float32Array, at: number): void {
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (values[i]! - mean) ** 2;
  out[at] = mean;
  out[at + 1] = min;
  out[at + 2] = max;
  out[at + 3] = count < 2 ? Number.NaN : Math.sqrt(squares / (count - 1));
}
