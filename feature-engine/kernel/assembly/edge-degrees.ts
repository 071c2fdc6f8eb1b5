// How many edges of all session graphs of this workload begin and end at each route: the global degrees of seed 000.
// A fixed table of routes in sets of eight; in a full set the route with the fewest edges makes room, so a flood of random
// routes undercounts other rare ones and never the common ones. Called by graph.ts when an edge is new to its session.

/*
 * Bytes of the region: 0 total of edges, 4 source degree and 8 dest degree of the last edge, 64 sets: 8 tags, 8 source degrees,
 * 8 dest degrees, u32 each.
 */
const TOTAL: usize = 0;
const SOURCE: usize = 4;
const DEST: usize = 8;
const SETS: usize = 64;
const WAYS: usize = 8;
const SET_BYTES: usize = 96;
const SET_SOURCE: usize = 32;
const SET_DEST: usize = 64;

let region: usize = 0;
let sets: usize = 0;
let totalMax: u32 = 0;

/** Takes the region of 64 + 96 x `setCount` bytes; all counts are halved when the total of edges reaches `limit`. */
export function configureEdgeDegrees(at: usize, setCount: usize, limit: u32): void {
  region = at;
  sets = setCount;
  totalMax = limit;
}

/** Counts an edge from route `from` to route `to` (well-mixed hashes); the degrees are read by the functions below. */
export function degreesArrive(from: u32, to: u32): void {
  const total = load<u32>(region, TOTAL) + 1;
  store<u32>(region, total, TOTAL);
  store<u32>(region, add(from, SET_SOURCE), SOURCE);
  store<u32>(region, add(to, SET_DEST), DEST);
  if (total >= totalMax) halve();
}

/** Edges of all sessions; those that begin where the last edge begins, itself included; and that end where it ends. */
// @ts-ignore: decorator
@inline
export function totalDegree(): f64 {
  return <f64>load<u32>(region, TOTAL);
}

// @ts-ignore: decorator
@inline
export function sourceDegree(): f64 {
  return <f64>load<u32>(region, SOURCE);
}

// @ts-ignore: decorator
@inline
export function destDegree(): f64 {
  return <f64>load<u32>(region, DEST);
}

// @ts-ignore: decorator
@inline
function add(route: u32, side: usize): u32 {
  const at = wayOf(route) + side;
  const count = load<u32>(at) + 1;
  store<u32>(at, count);
  return count;
}

/** Address of the route's tag; the degrees lie behind it. */
function wayOf(route: u32): usize {
  const tag: u32 = route == 0 ? 1 : route;
  const set = region + SETS + <usize>((<u64>route * <u64>sets) >>> 32) * SET_BYTES;
  const wanted = i32x4.splat(tag);
  const low = i32x4.bitmask(i32x4.eq(v128.load(set), wanted));
  const high = i32x4.bitmask(i32x4.eq(v128.load(set, 16), wanted));
  const found = low | (high << 4);
  if (found != 0) return set + (<usize>ctz(found) << 2);
  let least = set;
  let fewest = i64.MAX_VALUE;
  for (let at = set; at < set + (WAYS << 2); at += 4) {
    const both = <i64>load<u32>(at, SET_SOURCE) + <i64>load<u32>(at, SET_DEST);
    const edges: i64 = load<u32>(at) == 0 ? -1 : both;
    if (edges < fewest) {
      fewest = edges;
      least = at;
    }
  }
  store<u32>(least, tag);
  store<u32>(least, 0, SET_SOURCE);
  store<u32>(least, 0, SET_DEST);
  return least;
}

function halve(): void {
  store<u32>(region, load<u32>(region, TOTAL) >>> 1, TOTAL);
  for (let set = region + SETS; set < region + SETS + sets * SET_BYTES; set += SET_BYTES)
    for (let at = set + SET_SOURCE; at < set + SET_BYTES; at += 16)
      v128.store(at, i32x4.shr_u(v128.load(at), 1));
}
