// Keeps what was worked out from a target or a header value, so that what comes with every request is read once. One place per
// value, chosen by a hash; the bytes themselves are compared, 16 at a time, so no crafted value can pass for another. A value is
// kept from its second coming on, so that what never comes again (paths with ids, one session's cookie) evicts nothing and writes
// no cold memory. Values over 256 bytes are not kept. The caller writes the numbers of what was not found. Called by head.ts.

/*
 *  1024 marks:  u32 of the last hash that came here and was not kept
 *  257 entries: u32 length + 1 (0 = empty) | numbers of the owner, up to `head` bytes | 256 bytes of the value
 *               the last entry takes the numbers of what is not kept
 */
const VALUE_MAX_BYTES: usize = 256;
const SLOTS: usize = 256;
const MARKS_BYTES: usize = 4096;

/** Whether the last place() held the value, so that its numbers hold. */
export let known: bool = false;

let low: u64 = 0;
let high: u64 = 0;

/** Two words that hold all of a text under 16 bytes. */
// @ts-ignore: decorator
@inline
function readShort(at: usize, length: usize): void {
  if (length >= 8) {
    low = load<u64>(at);
    high = load<u64>(at + length - 8);
  } else if (length >= 4) {
    low = <u64>load<u32>(at);
    high = <u64>load<u32>(at + length - 4);
  } else {
    low = length == 0 ? 0 : (<u64>load<u8>(at) << 8) | <u64>load<u8>(at + (length >> 1));
    high = length == 0 ? 0 : <u64>load<u8>(at + length - 1);
  }
}

const MUL_A: u64 = 0x9e3779b97f4a7c15;
const MUL_B: u64 = 0xc2b2ae3d27d4eb4f;

// @ts-ignore: decorator
@inline
function hashOf(at: usize, length: usize): u64 {
  let a: u64 = <u64>length * MUL_B;
  let b: u64 = MUL_A;
  if (length < 16) readShort(at, length);
  else {
    const last = at + length - 16;
    for (; at < last; at += 16) {
      a = (a ^ load<u64>(at)) * MUL_A;
      b = (b ^ load<u64>(at, 8)) * MUL_B;
    }
    low = load<u64>(last);
    high = load<u64>(last, 8);
  }
  a = (a ^ low) * MUL_A;
  b = (b ^ high) * MUL_B;
  return (a ^ rotl<u64>(b, 23)) * MUL_A;
}

/** Do both texts of `length` bytes hold the same? After hashOf(at, length). */
// @ts-ignore: decorator
@inline
function same(at: usize, kept: usize, length: usize): bool {
  if (length < 16) {
    const wantedLow = low;
    const wantedHigh = high;
    readShort(kept, length);
    return low == wantedLow && high == wantedHigh;
  }
  const last = length - 16;
  for (let i: usize = 0; i < last; i += 16)
    if (v128.any_true(v128.xor(v128.load(at + i), v128.load(kept + i)))) return false;
  return !v128.any_true(v128.xor(v128.load(at + last), v128.load(kept + last)));
}

/**
 * Entry of the value [at, end) in the cache at `cache`, whose entries have `head` bytes before the value; sets `known`. The
 * caller completes the numbers of an entry that is not known.
 */
// @ts-ignore: decorator
@inline
export function place(cache: usize, head: usize, at: usize, end: usize): usize {
  const length = end - at;
  const size = head + VALUE_MAX_BYTES;
  const entries = cache + MARKS_BYTES;
  known = false;
  if (length > VALUE_MAX_BYTES) return entries + SLOTS * size;
  const hash = hashOf(at, length);
  const entry = entries + <usize>(hash >>> 56) * size;
  const kept = entry + head;
  if (load<u32>(entry) == <u32>length + 1 && same(at, kept, length)) {
    known = true;
    return entry;
  }
  const mark = cache + (<usize>(hash >>> 54) << 2);
  if (load<u32>(mark) != <u32>(hash >>> 22)) {
    store<u32>(mark, <u32>(hash >>> 22));
    return entries + SLOTS * size;
  }
  store<u32>(entry, <u32>length + 1);
  for (let i: usize = 0; i < length; i += 16) v128.store(kept + i, v128.load(at + i));
  return entry;
}

/** Bytes of a cache. */
export function cacheBytes(head: usize): usize {
  return MARKS_BYTES + SLOTS * (head + VALUE_MAX_BYTES) + head;
}
