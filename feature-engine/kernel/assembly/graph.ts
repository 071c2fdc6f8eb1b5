// The session call graph of one principal (seed 000): edges previous route -> this route, distinct, with local and global
// degrees. Exact on every prefix of up to 32 distinct edges; later new edges are not taken and `graph_truncated` says so. A
// session ends when nothing came for more than 30 minutes. Does not know principals: it is given the block of the one that calls.
// Called once per request by observe.ts, and by session-graphs.ts of the host for graphs that are not live.

import { call, nowMs, PRINCIPAL, ROUTE } from './call';
import { degreesArrive, destDegree, sourceDegree, totalDegree } from './edge-degrees';
import { shareGraph } from './graph-rarity';
import { mix32 } from './mix';
import { estimateOne, markWide } from './sketch';

const SESSION_TIMEOUT_MS: f64 = 1800000;
const EDGES_MAX: u32 = 32;
/** A session is a walk: 32 edges join at most 33 routes. */
const NODES_MAX: u32 = 33;
const NO_NODE: u32 = 0xff;
/*
 * Bytes of a block:
 *   0 first call, f64 ms     8 last call, f64 ms    16 calls    20 edges, u8    21 nodes, u8    22 node of the last call, u8
 *  23 truncated, u8         24 fingerprint          32 sketch of routes, 128 bits              48 statistics, 16 x f32
 * 112 edges, u16: from << 8 | to                   176 routes of the nodes, 33 x u32
 * 312 global source and dest degree of each edge at its arrival, 32 x 2 x f32
 */
const FIRST_MS: usize = 0;
const LAST_MS: usize = 8;
const CALLS: usize = 16;
const EDGES: usize = 20;
const NODES: usize = 21;
/** Place of the last route among the nodes, NO_NODE if it found no place. */
const HERE: usize = 22;
const TRUNCATED: usize = 23;
const FINGERPRINT: usize = 24;
const ROUTES: usize = 32;
const ROUTES_WORDS: usize = 4;
const STATISTICS: usize = 48;
const EDGE: usize = 112;
const NODE: usize = 176;
const GLOBAL: usize = 312;
/** Bytes of a block. */
export const GRAPH_BYTES: usize = 568;

/** Local degrees of the nodes while statistics are made: 64 pairs (out, in), u8; more than nodes, so that 6 bits are safe. */
const degrees: usize = memory.data(128, 16);
const DEGREES_BYTES: usize = 128;

/** Byte offset in the vector, and whether global degrees are per mille of all edges (live models) or counts (the seed's). */
let place: usize = 0;
let perMille: bool = true;

export function configureGraph(firstPlace: usize, share: bool): void {
  place = firstPlace << 3;
  perMille = share;
}

/** Starts a session with its first call. */
export function graphBegin(block: usize, first: u32, atMs: f64): void {
  store<f64>(block, atMs, FIRST_MS);
  store<f64>(block, atMs, LAST_MS);
  // One call; no edges, one node, which is the last call's; not truncated. Edges and nodes beyond their number are never read.
  store<u64>(block, 1 | (<u64>1 << 40), CALLS);
  store<u64>(block, 0, FINGERPRINT);
  v128.store(block, i64x2.splat(0), ROUTES);
  for (let at = block + STATISTICS; at < block + EDGE; at += 16) v128.store(at, f32x4.splat(f32.NaN));
  store<u32>(block, first, NODE);
  markWide(block + ROUTES, ROUTES_WORDS, first);
}

/** Counts the request into the session, or starts a new one after the timeout, and writes its 25 features. */
export function graphObserve(block: usize, out: usize): void {
  graphCall(block, load<u32>(call, ROUTE), nowMs());
  const at = out + place;
  graphWrite(block, at);
  store<f64>(at, <f64>(<f32>shareGraph(graphFingerprint(block), load<u32>(call, PRINCIPAL))), 192);
}

/** Counts a call to the route. @param next well-mixed hash. @param atMs not before the last call. */
export function graphCall(block: usize, next: u32, atMs: f64): void {
  if (atMs - load<f64>(block, LAST_MS) > SESSION_TIMEOUT_MS) {
    graphBegin(block, next, atMs);
    return;
  }
  store<f64>(block, atMs, LAST_MS);
  store<u32>(block, load<u32>(block, CALLS) + 1, CALLS);
  markWide(block + ROUTES, ROUTES_WORDS, next);
  const from = <u32>load<u8>(block, HERE);
  const to = nodeOf(block, next);
  store<u8>(block, <u8>to, HERE);
  if (from >= NODES_MAX || to >= NODES_MAX) store<u8>(block, 1, TRUNCATED);
  else addEdge(block, from, to);
}

/** Place of the route among the nodes; adds it, NO_NODE when there is no room. */
// @ts-ignore: decorator
@inline
function nodeOf(block: usize, next: u32): u32 {
  const nodes = <u32>load<u8>(block, NODES);
  const wanted = i32x4.splat(next);
  for (let i: u32 = 0; i < nodes; i += 4) {
    const found = i32x4.bitmask(i32x4.eq(v128.load(block + (<usize>i << 2), NODE), wanted));
    if (found == 0) continue;
    // What lies behind the last node may match too, but only after the nodes.
    const node = i + <u32>ctz(found);
    if (node < nodes) return node;
  }
  if (nodes >= NODES_MAX) return NO_NODE;
  store<u32>(block + (<usize>nodes << 2), next, NODE);
  store<u8>(block, <u8>(nodes + 1), NODES);
  return nodes;
}

// @ts-ignore: decorator
@inline
function addEdge(block: usize, from: u32, to: u32): void {
  const edges = <u32>load<u8>(block, EDGES);
  const pair = (from << 8) | to;
  const wanted = i16x8.splat(<i16>pair);
  for (let i: u32 = 0; i < edges; i += 8) {
    const found = i16x8.bitmask(i16x8.eq(v128.load(block + (<usize>i << 1), EDGE), wanted));
    if (found != 0 && i + <u32>ctz(found) < edges) return;
  }
  if (edges >= EDGES_MAX) store<u8>(block, 1, TRUNCATED);
  else addNewEdge(block, edges, pair);
}

function addNewEdge(block: usize, edges: u32, pair: u32): void {
  const fromRoute = load<u32>(block + (<usize>(pair >>> 8) << 2), NODE);
  const toRoute = load<u32>(block + (<usize>(pair & 0xff) << 2), NODE);
  degreesArrive(fromRoute, toRoute);
  const scale: f64 = perMille ? 1000 / totalDegree() : 1;
  store<u16>(block + (<usize>edges << 1), <u16>pair, EDGE);
  const global = block + GLOBAL + (<usize>edges << 3);
  store<f32>(global, <f32>(sourceDegree() * scale));
  store<f32>(global, <f32>(destDegree() * scale), 4);
  store<u8>(block, <u8>(edges + 1), EDGES);
  store<u32>(block, load<u32>(block, FINGERPRINT) ^ mix32((fromRoute * 0x9e3779b1) ^ toRoute), FINGERPRINT);
  refresh(block, edges + 1);
}

/**
 * Degree statistics over the edges; only a new edge changes them. Mean, min, max and sample standard deviation (missing below
 * two edges) of local source, local dest, global source and global dest degrees; source and dest are the lanes of one vector, so
 * that each sum runs in the order of the edges.
 */
function refresh(block: usize, edges: u32): void {
  for (let at: usize = 0; at < DEGREES_BYTES; at += 16) v128.store(degrees + at, i64x2.splat(0));
  for (let i: u32 = 0; i < edges; i++) {
    const pair = <u32>load<u16>(block + (<usize>i << 1), EDGE);
    const out = outDegree(pair);
    const into = inDegree(pair);
    store<u8>(out, load<u8>(out) + 1);
    store<u8>(into, load<u8>(into) + 1);
  }
  let localSum = f64x2.splat(0);
  let localMin = f64x2.splat(f64.POSITIVE_INFINITY);
  let localMax = f64x2.splat(0);
  let globalSum = localSum;
  let globalMin = localMin;
  let globalMax = localMax;
  for (let i: u32 = 0; i < edges; i++) {
    const local = localOf(block, i);
    localSum = f64x2.add(localSum, local);
    localMin = f64x2.pmin(localMin, local);
    localMax = f64x2.pmax(localMax, local);
    const global = globalOf(block, i);
    globalSum = f64x2.add(globalSum, global);
    globalMin = f64x2.pmin(globalMin, global);
    globalMax = f64x2.pmax(globalMax, global);
  }
  const count = f64x2.splat(<f64>edges);
  const localMean = f64x2.div(localSum, count);
  const globalMean = f64x2.div(globalSum, count);
  let localSquares = f64x2.splat(0);
  let globalSquares = localSquares;
  for (let i: u32 = 0; i < edges; i++) {
    const local = f64x2.sub(localOf(block, i), localMean);
    localSquares = f64x2.add(localSquares, f64x2.mul(local, local));
    const global = f64x2.sub(globalOf(block, i), globalMean);
    globalSquares = f64x2.add(globalSquares, f64x2.mul(global, global));
  }
  // One edge: 0 / 0 is missing.
  const others = f64x2.splat(<f64>(edges - 1));
  const localStd = f64x2.sqrt(f64x2.div(localSquares, others));
  const globalStd = f64x2.sqrt(f64x2.div(globalSquares, others));
  writeStatistics(block + STATISTICS, localMean, localMin, localMax, localStd);
  writeStatistics(block + STATISTICS + 32, globalMean, globalMin, globalMax, globalStd);
}

// @ts-ignore: decorator
@inline
function outDegree(pair: u32): usize {
  return degrees + (<usize>((pair >>> 8) & 63) << 1);
}

// @ts-ignore: decorator
@inline
function inDegree(pair: u32): usize {
  return degrees + (<usize>(pair & 63) << 1) + 1;
}

/** Source and dest degree of edge `i` in this graph. */
// @ts-ignore: decorator
@inline
function localOf(block: usize, i: u32): v128 {
  const pair = <u32>load<u16>(block + (<usize>i << 1), EDGE);
  return f64x2.replace_lane(f64x2.splat(<f64>load<u8>(outDegree(pair))), 1, <f64>load<u8>(inDegree(pair)));
}

// @ts-ignore: decorator
@inline
function globalOf(block: usize, i: u32): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(block + (<usize>i << 3), GLOBAL));
}

/** Lane 0 of the four to the first four places, lane 1 to the next four, as f32. */
// @ts-ignore: decorator
@inline
function writeStatistics(at: usize, mean: v128, min: v128, max: v128, std: v128): void {
  const a = v128.shuffle<f32>(f32x4.demote_f64x2_zero(mean), f32x4.demote_f64x2_zero(min), 0, 4, 1, 5);
  const b = v128.shuffle<f32>(f32x4.demote_f64x2_zero(max), f32x4.demote_f64x2_zero(std), 0, 4, 1, 5);
  v128.store(at, v128.shuffle<f64>(a, b, 0, 2));
  v128.store(at, v128.shuffle<f64>(a, b, 1, 3), 16);
}

/** 32 bits of the set of distinct edges, whatever their order; for graph-rarity.ts. */
// @ts-ignore: decorator
@inline
export function graphFingerprint(block: usize): u32 {
  return mix32(load<u32>(block, FINGERPRINT));
}

/** Writes the session so far: 24 places from address `at`, in the order of domain/features-session.ts. */
export function graphWrite(block: usize, at: usize): void {
  const calls = <f64>load<u32>(block, CALLS);
  const spanMs = load<f64>(block, LAST_MS) - load<f64>(block, FIRST_MS);
  const nodes = <f64>load<u8>(block, NODES);
  const edges = load<u8>(block, EDGES);
  const truncated = load<u8>(block, TRUNCATED);
  let routes = nodes;
  if (truncated != 0) {
    const estimate = estimateOne(block + ROUTES, ROUTES_WORDS);
    routes = min<f64>(max<f64>(nodes, estimate), calls);
  }
  store<f64>(at, <f64>(<f32>calls));
  store<f64>(at, <f64>(<f32>(spanMs / 1000)), 8);
  store<f64>(at, calls < 2 ? f64.NaN : <f64>(<f32>(spanMs / (calls - 1))), 16);
  store<f64>(at, <f64>(<f32>routes), 24);
  store<f64>(at, <f64>(<f32>(routes / calls)), 32);
  store<f64>(at, <f64>edges, 40);
  store<f64>(at, edges == 0 ? 0 : nodes, 48);
  for (let i: usize = 0; i < 8; i++)
    v128.store(at + (i << 4), f64x2.promote_low_f32x4(v128.load64_zero(block + (i << 3), STATISTICS)), 56);
  store<f64>(at, <f64>truncated, 184);
}
