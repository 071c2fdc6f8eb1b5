// What the whole workload remembers of objects and paths: which (identity, thing) pairs it saw within a day, which paths an
// identity asked for in this hour, and who asked last for an object. Three fixed tables; what they forget or mix up is stated
// beside each. The host gives their addresses (objects.ts). Called by objects.ts of the kernels.

import { slice } from './call';
import { mix32 } from './mix';

const W1H: usize = 3;
const W24H: usize = 4;
/** u32: the day that `pairs` is at, the hour that `paths` is at. */
let clocks: usize = 0;
let pairs: usize = 0;
let pairMask: u32 = 0;
let paths: usize = 0;
let pathMask: u32 = 0;
let users: usize = 0;
let userMask: u32 = 0;

/**
 * One region at `at`, zeroed: a line of clocks, then `pairBlocks` of 64 bytes, `pathBlocks` of 32 bytes and `userPlaces` of 8
 * bytes, each a power of two.
 */
export function configureObjectMemory(at: usize, pairBlocks: u32, pathBlocks: u32, userPlaces: u32): void {
  clocks = at;
  pairs = at + 64;
  pairMask = pairBlocks - 1;
  paths = pairs + (<usize>pairBlocks << 6);
  pathMask = pathBlocks - 1;
  users = paths + (<usize>pathBlocks << 5);
  userMask = userPlaces - 1;
}

// @ts-ignore: decorator
@inline
function pairOf(a: u32, b: u32): u32 {
  return mix32(a ^ (b * 0x9e3779b1));
}

// @ts-ignore: decorator
@inline
function probesOf(pair: u32, a: u32): u32 {
  return mix32(pair ^ 0x51ed270b ^ a);
}

/**
 * Was the pair seen in this or the previous day? Marks it. A Bloom filter in two daily slices, wall-aligned: one block of 256
 * bits a day for each pair (the even day, then the odd one: one cache line), 3 bits for each pair. It never forgets a pair within
 * its slices; it takes a new pair for a seen one in about 2 % of cases at 200,000 pairs and 8192 blocks, more when fuller.
 */
export function pairSeen(a: u32, b: u32): bool {
  const day = slice(W24H);
  if (day > load<u32>(clocks)) rollPairs(day);
  const pair = pairOf(a, b);
  let probe = probesOf(pair, a);
  const block = pairs + (<usize>(pair & pairMask) << 6);
  const odd = <usize>(day & 1) << 5;
  const current = block + odd;
  const previous = block + (odd ^ 32);
  let missing: u32 = 0;
  for (let i = 0; i < 3; i++) {
    const word = <usize>((probe >>> 5) & 7) << 2;
    const bit: u32 = 1 << (probe & 31);
    const now = load<u32>(current + word);
    missing |= ~(now | load<u32>(previous + word)) & bit;
    store<u32>(current + word, now | bit);
    probe >>>= 8;
  }
  return missing == 0;
}

function rollPairs(day: u32): void {
  const end = pairs + (<usize>(pairMask + 1) << 6);
  if (day - load<u32>(clocks) > 1) memory.fill(pairs, 0, end - pairs);
  for (let at = pairs + (<usize>(day & 1) << 5); at < end; at += 64) memory.fill(at, 0, 32);
  store<u32>(clocks, day);
}

/**
 * Did the identity ask for the path in this wall-aligned hour? Marks it. The same filter with one slice: about 5 % of new paths
 * read as seen at 200,000 pairs of identity and path in the hour and 4096 blocks.
 */
export function pathSeen(who: u32, path: u32): bool {
  const hour = slice(W1H);
  if (hour > load<u32>(clocks, 4)) {
    memory.fill(paths, 0, <usize>(pathMask + 1) << 5);
    store<u32>(clocks, hour, 4);
  }
  const pair = pairOf(who, path);
  let probe = probesOf(pair, who);
  const block = paths + (<usize>(pair & pathMask) << 5);
  let missing: u32 = 0;
  for (let i = 0; i < 3; i++) {
    const word = block + (<usize>((probe >>> 5) & 7) << 2);
    const bit: u32 = 1 << (probe & 31);
    const now = load<u32>(word);
    missing |= ~now & bit;
    store<u32>(word, now | bit);
    probe >>>= 8;
  }
  return missing == 0;
}

/**
 * Was `object` last asked for by another than `user`? Notes the user, never 0. One place for an object by its hash: another
 * object with the same place takes it over, and the first one is then unknown, which reads as "not by another".
 */
export function usedByAnother(object: u32, user: u32): bool {
  const at = users + (<usize>(mix32(object) & userMask) << 3);
  const last = load<u32>(at, 4);
  const other = <u32>(last != 0) & <u32>(load<u32>(at) == object) & <u32>(last != user);
  store<u32>(at, object);
  store<u32>(at, user, 4);
  return other != 0;
}
