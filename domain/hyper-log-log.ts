// Distinct counts that can be merged: HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) with 256 registers of a byte,
// standard error 6.5 %; linear counting below 2.5 registers' worth. 256 bytes each. Called by workload-bucket.ts and the engine.

export const HLL_REGISTERS = 256;
const REGISTER_BITS = 8;
/** Highest value of a register: a rank within the 24 bits that do not choose it. */
export const HLL_RANK_MAX = 25;
/** Bias constant of the paper for 256 registers. */
const ALPHA = 0.7213 / (1 + 1.079 / HLL_REGISTERS);
/** 2^-r for every register value. */
const INVERSE = Float64Array.from({ length: 32 }, (_, r) => 2 ** -r);

/** Marks a well-mixed 32-bit hash in registers[at, at + 256). */
export function hllAdd(registers: Uint8Array, at: number, hash: number): void {
  const place = at + (hash >>> (32 - REGISTER_BITS));
  const rank = Math.clz32((hash << REGISTER_BITS) | (1 << (REGISTER_BITS - 1))) + 1;
  if (rank > registers[place]!) registers[place] = rank;
}

/** Distinct items marked in registers[at, at + 256). */
export function hllCount(registers: Uint8Array, at: number): number {
  let sum = 0;
  let empty = 0;
  for (let i = at; i < at + HLL_REGISTERS; i++) {
    sum += INVERSE[registers[i]!]!;
    if (registers[i] === 0) empty++;
  }
  const raw = (ALPHA * HLL_REGISTERS * HLL_REGISTERS) / sum;
  if (raw <= 2.5 * HLL_REGISTERS && empty > 0) return HLL_REGISTERS * Math.log(HLL_REGISTERS / empty);
  return raw;
}

/** Joins the items of `from` into `to`: what both together would have marked. */
export function hllMerge(to: Uint8Array, from: Uint8Array): void {
  for (let i = 0; i < to.length; i++) if (from[i]! > to[i]!) to[i] = from[i]!;
}
