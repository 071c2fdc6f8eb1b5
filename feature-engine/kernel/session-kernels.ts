// Session graph, sequence and encounters as the host sees them: what the kernels export, how large a principal's blocks are, and
// how their tables get regions and places. Configures and sizes only; the kernels themselves are assembly/graph.ts, sequence.ts,
// encounters.ts and what these call. Used by the engine when it makes its memory, by session-graphs.ts and by tests.

import type { EngineMemory } from './memory.ts';

/** A block is the address of a principal's part; routes and marks are 32-bit hashes, signed or not; times are ms. */
export interface SessionKernels {
  readonly logsAt: { readonly value: number };
  readonly graphBytes: { readonly value: number };
  readonly sequenceBytes: { readonly value: number };
  readonly encountersBytes: { readonly value: number };
  readonly rarityBytes: { readonly value: number };
  configureEdgeDegrees(at: number, sets: number, totalMax: number): void;
  configureGraphRarity(at: number, lines: number): void;
  configureGraph(place: number, perMille: number): void;
  configureSequence(at: number, place: number): void;
  configureEncounters(place: number): void;
  graphBegin(block: number, route: number, atMs: number): void;
  graphCall(block: number, route: number, atMs: number): void;
  /** Writes 24 places from address `at`. */
  graphWrite(block: number, at: number): void;
  graphFingerprint(block: number): number;
  /** Count the request of the call struct and write at its place of the vector at `out`. */
  graphObserve(block: number, out: number): void;
  sequenceObserve(block: number, out: number): void;
  encountersObserve(block: number, out: number): void;
  sequenceBegin(block: number, route: number, atMs: number): void;
  sequenceAnswered(block: number): void;
  degreesArrive(from: number, to: number): void;
  shareGraph(fingerprint: number, mark: number): number;
  /** A zeroed sketch whose counts are halved when their total reaches `limit`. */
  rarityBegin(sketch: number, limit: number): void;
  rarityAdd(sketch: number, hash: number): number;
  rarityCount(sketch: number, hash: number): number;
  surpriseOf(count: number, total: number): number;
}

/** Words of a principal's blocks; even, so that f64 places are whole. */
export const GRAPH_WORDS = 142;
export const SEQUENCE_WORDS = 46;
export const ENCOUNTER_WORDS = 224;
export const SESSION_TIMEOUT_MS = 30 * 60_000;
export const GRAPH_EDGES_MAX = 32;
/** Places that a session graph fills without its rarity. */
export const GRAPH_FEATURES = 24;

const ROUTES_PER_SET = 8;
const DEGREE_SET_BYTES = 96;
const HEADER_BYTES = 64;
const SETS_PER_LINE = 4;
const LINE_BYTES = 64;
/** Total and limit, then two rows of 8192 counts: assembly/rarity.ts. */
export const RARITY_BYTES = HEADER_BYTES + 2 * 8192 * 4;
const SKETCHES = 6;

export interface SessionOptions {
  /** Routes whose global degrees are told apart (default 4096), rounded up to a multiple of 8. */
  readonly routes?: number;
  /** All degrees are halved when the total of edges reaches this (default 2^30), so shares follow the workload. */
  readonly totalMax?: number;
  /** Global degrees as per mille of all edges (live models; default) or as counts (the seed's experiment). */
  readonly degrees?: 'share' | 'count';
  /** Edge sets whose principals are counted (default 8192), rounded up to a power of two. */
  readonly edgeSets?: number;
}

/** First places in the vector; only what is observed must be given. */
export interface SessionPlaces {
  readonly session?: number;
  readonly sequence?: number;
  readonly encounters?: number;
}

function degreeSets(options: SessionOptions): number {
  return Math.ceil((options.routes ?? 4096) / ROUTES_PER_SET);
}

function edgeSetLines(options: SessionOptions): number {
  return 2 ** Math.ceil(Math.log2(Math.max((options.edgeSets ?? 8192) / SETS_PER_LINE, 1)));
}

function degreesBytes(options: SessionOptions): number {
  return Math.ceil((HEADER_BYTES + degreeSets(options) * DEGREE_SET_BYTES) / LINE_BYTES) * LINE_BYTES;
}

/** Bytes that configureSession takes: what the workload shares, whatever the number of principals. */
export function sessionBytes(options: SessionOptions = {}): number {
  return degreesBytes(options) + edgeSetLines(options) * LINE_BYTES + SKETCHES * RARITY_BYTES;
}

/** Gives the session kernels their regions, options and places. Once per memory. Throws RangeError when it is too small. */
export function configureSession(
  memory: EngineMemory,
  places: SessionPlaces,
  options: SessionOptions = {},
): void {
  const { kernels } = memory;
  const lines = edgeSetLines(options);
  const degrees = memory.take(degreesBytes(options), 'edge degrees');
  kernels.configureEdgeDegrees(degrees, degreeSets(options), options.totalMax ?? 2 ** 30);
  kernels.configureGraphRarity(memory.take(lines * LINE_BYTES, 'edge sets'), lines);
  kernels.configureGraph(places.session ?? 0, (options.degrees ?? 'share') === 'share' ? 1 : 0);
  kernels.configureSequence(memory.take(SKETCHES * RARITY_BYTES, 'rarity'), places.sequence ?? 0);
  kernels.configureEncounters(places.encounters ?? 0);
}
