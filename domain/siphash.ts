// SipHash-2-4 with 128 bits of output, in plain TypeScript: 64-bit words as pairs of 32-bit halves, no BigInt.
// The keyed hash of every identity and route; bit-equal to the one in the scoring core, which hashes bytes already in its memory.
// Does not hash text: callers give bytes. Used by the proxy, offline runs and tests.

/** v0..v3 as (low, high) pairs; a call runs to its end, so one state serves all. */
const state = new Int32Array(8);

/** state[a] += state[b], 64 bits. */
function add(a: number, b: number): void {
  const low = (state[a]! >>> 0) + (state[b]! >>> 0);
  state[a + 1] = (state[a + 1]! + state[b + 1]! + (low > 0xffffffff ? 1 : 0)) | 0;
  state[a] = low | 0;
}

/** state[a] = rotl(state[a], bits) ^ state[b], for 0 < bits < 32. */
function rotateXor(a: number, bits: number, b: number): void {
  const low = state[a]!;
  const high = state[a + 1]!;
  state[a] = ((low << bits) | (high >>> (32 - bits))) ^ state[b]!;
  state[a + 1] = ((high << bits) | (low >>> (32 - bits))) ^ state[b + 1]!;
}

/** Rotation by 32 is an exchange of the halves. */
function swapHalves(a: number): void {
  const low = state[a]!;
  state[a] = state[a + 1]!;
  state[a + 1] = low;
}

function rounds(count: number): void {
  for (let i = 0; i < count; i++) {
    add(0, 2);
    rotateXor(2, 13, 0);
    swapHalves(0);
    add(4, 6);
    rotateXor(6, 16, 4);
    add(0, 6);
    rotateXor(6, 21, 0);
    add(4, 2);
    rotateXor(2, 17, 4);
    swapHalves(4);
  }
}

function absorb(low: number, high: number): void {
  state[6] = state[6]! ^ low;
  state[7] = state[7]! ^ high;
  rounds(2);
  state[0] = state[0]! ^ low;
  state[1] = state[1]! ^ high;
}

function seed(key: Uint32Array): void {
  state[0] = 0x70736575 ^ key[0]!;
  state[1] = 0x736f6d65 ^ key[1]!;
  state[2] = 0x6e646f6d ^ 0xee ^ key[2]!;
  state[3] = 0x646f7261 ^ key[3]!;
  state[4] = 0x6e657261 ^ key[0]!;
  state[5] = 0x6c796765 ^ key[1]!;
  state[6] = 0x79746573 ^ key[2]!;
  state[7] = 0x74656462 ^ key[3]!;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/**
 * Writes the hash of bytes[start, end) to `out`.
 * `key` and `out` are four 32-bit words, little-endian as in the paper (word 0 holds bytes 0..3).
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), 128-bit variant of the reference code.
 */
export function sipHash128(
  bytes: Uint8Array,
  start: number,
  end: number,
  key: Uint32Array,
  out: Uint32Array,
): void {
  seed(key);
  let at = start;
  for (; at + 8 <= end; at += 8) absorb(wordAt(bytes, at), wordAt(bytes, at + 4));
  let low = 0;
  let high = (end - start) << 24;
  for (let i = 0; at < end; at++, i++) {
    if (i < 4) low |= bytes[at]! << (i * 8);
    else high |= bytes[at]! << ((i - 4) * 8);
  }
  absorb(low, high);
  state[4] = state[4]! ^ 0xee;
  rounds(4);
  out[0] = state[0]! ^ state[2]! ^ state[4]! ^ state[6]!;
  out[1] = state[1]! ^ state[3]! ^ state[5]! ^ state[7]!;
  state[2] = state[2]! ^ 0xdd;
  rounds(4);
  out[2] = state[0]! ^ state[2]! ^ state[4]! ^ state[6]!;
  out[3] = state[1]! ^ state[3]! ^ state[5]! ^ state[7]!;
}
