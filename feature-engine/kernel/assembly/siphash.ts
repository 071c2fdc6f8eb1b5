// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, SipHash, 2012; 128-bit variant of the
// reference code).
// Equal to domain/siphash.ts to the last bit. The host calls it for bytes of the head: head-hasher.ts.

let v0: u64 = 0;
let v1: u64 = 0;
let v2: u64 = 0;
let v3: u64 = 0;

// @ts-ignore: decorator
@inline
function round(): void {
  v0 += v1;
  v1 = rotl<u64>(v1, 13) ^ v0;
  v0 = rotl<u64>(v0, 32);
  v2 += v3;
  v3 = rotl<u64>(v3, 16) ^ v2;
  v0 += v3;
  v3 = rotl<u64>(v3, 21) ^ v0;
  v2 += v1;
  v1 = rotl<u64>(v1, 17) ^ v2;
  v2 = rotl<u64>(v2, 32);
}

// @ts-ignore: decorator
@inline
function absorb(word: u64): void {
  v3 ^= word;
  round();
  round();
  v0 ^= word;
}

// @ts-ignore: decorator
@inline
function squeeze(): u64 {
  round();
  round();
  round();
  round();
  return v0 ^ v1 ^ v2 ^ v3;
}

/** Over `bytes` bytes at `ptr`; key and result are 16 bytes each. */
export function siphash128(ptr: usize, bytes: usize, keyPtr: usize, outPtr: usize): void {
  assert(ptr + bytes <= <usize>(memory.size() << 16));
  const k0 = load<u64>(keyPtr);
  const k1 = load<u64>(keyPtr, 8);
  v0 = 0x736f6d6570736575 ^ k0;
  v1 = 0x646f72616e646f6d ^ k1 ^ 0xee;
  v2 = 0x6c7967656e657261 ^ k0;
  v3 = 0x7465646279746573 ^ k1;
  const whole = ptr + (bytes & ~7);
  while (ptr < whole) {
    absorb(load<u64>(ptr));
    ptr += 8;
  }
  let last: u64 = <u64>bytes << 56;
  for (let i: usize = 0; i < (bytes & 7); ++i) last |= <u64>load<u8>(ptr + i) << (<u64>i << 3);
  absorb(last);
  v2 ^= 0xee;
  store<u64>(outPtr, squeeze());
  v1 ^= 0xdd;
  store<u64>(outPtr, squeeze(), 8);
}
