// One 10 s bucket of a workload (seed 002) as it travels: sums and the registers of its distinct counts, which replicas can
// merge, and the twelve fields that are read from them. Counting requests into a bucket is the feature engine's part; judging
// one against the workload's habit too. Called by the feature engine and by whoever receives closed buckets.

/** Buckets are wall-aligned. */
export const BUCKET_MS = 10_000;

/** Places in `sums`. */
export const BUCKET_SUM = {
  requests: 0,
  gets: 1,
  posts: 2,
  deletes: 3,
  puts: 4,
  pathLongest: 5,
  answers: 6,
  statusSum: 7,
  bytes: 8,
} as const;
export const BUCKET_SUM_COUNT = 9;

/** Sets of distinct things, in the order of their registers: addresses, identities, raw paths, user agents. */
export const BUCKET_SETS = 4;
/** Registers of a byte for each set: standard error 1.04 / sqrt(256) = 6.5 %. */
export const HLL_REGISTERS = 256;
export const BUCKET_FIELD_COUNT = 12;

/** A complete bucket of one replica, or of several merged. */
export interface ClosedBucket {
  readonly startMs: number;
  /** How many replicas' requests it holds. */
  readonly replicas: number;
  /** Counts, the longest path, the sum of response codes and body bytes, in the order of BUCKET_SUM. */
  readonly sums: Float64Array;
  /** HyperLogLog registers of the four sets, one after the other. Replicas must share the key of their hashes. */
  readonly registers: Uint8Array;
  /** What is read from both, in the order of BUCKET_FIELDS of features-bucket.ts. */
  readonly fields: Float64Array;
}

/** Bias constant of HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007, figure 3) for 256 registers. */
const ALPHA = 0.7213 / (1 + 1.079 / HLL_REGISTERS);
/** 2^-r for every register value. */
const INVERSE = Float64Array.from({ length: 32 }, (_, r) => 2 ** -r);

/** Distinct items of the 256 registers from `at` on; linear counting below 2.5 items a register, as the paper has it. */
export function distinctCount(registers: Uint8Array, at: number): number {
  let sum = 0;
  let empty = 0;
  for (let i = at; i < at + HLL_REGISTERS; i++) {
    sum += INVERSE[registers[i]! & 31]!;
    if (registers[i] === 0) empty++;
  }
  const raw = (ALPHA * HLL_REGISTERS * HLL_REGISTERS) / sum;
  if (raw <= 2.5 * HLL_REGISTERS && empty > 0) return HLL_REGISTERS * Math.log(HLL_REGISTERS / empty);
  return raw;
}

/** Writes the 12 fields to `out`; the mean response code is 0 without answers. */
export function readFields(sums: Float64Array, registers: Uint8Array, out: Float64Array): void {
  const answers = sums[BUCKET_SUM.answers]!;
  out[0] = sums[BUCKET_SUM.requests]!;
  out[1] = distinctCount(registers, 0);
  out[2] = distinctCount(registers, HLL_REGISTERS);
  out[3] = sums[BUCKET_SUM.gets]!;
  out[4] = sums[BUCKET_SUM.posts]!;
  out[5] = sums[BUCKET_SUM.deletes]!;
  out[6] = sums[BUCKET_SUM.puts]!;
  out[7] = distinctCount(registers, 2 * HLL_REGISTERS);
  out[8] = sums[BUCKET_SUM.pathLongest]!;
  out[9] = distinctCount(registers, 3 * HLL_REGISTERS);
  out[10] = answers === 0 ? 0 : sums[BUCKET_SUM.statusSum]! / answers;
  out[11] = sums[BUCKET_SUM.bytes]!;
}

/** Joins sums and registers of another replica into these: what one sidecar would have counted that saw both. */
export function mergeInto(
  sums: Float64Array,
  registers: Uint8Array,
  other: Pick<ClosedBucket, 'sums' | 'registers'>,
): void {
  for (let i = 0; i < BUCKET_SUM_COUNT; i++) {
    const theirs = other.sums[i]!;
    sums[i] = i === BUCKET_SUM.pathLongest ? Math.max(sums[i]!, theirs) : sums[i]! + theirs;
  }
  for (let i = 0; i < registers.length; i++)
    if (other.registers[i]! > registers[i]!) registers[i] = other.registers[i]!;
}

/** One bucket of two replicas' (or of two merged ones). Throws RangeError when they are of different times. */
export function mergeBuckets(a: ClosedBucket, b: ClosedBucket): ClosedBucket {
  if (a.startMs !== b.startMs) throw new RangeError(`buckets of ${a.startMs} and ${b.startMs} do not merge`);
  const sums = a.sums.slice();
  const registers = a.registers.slice();
  mergeInto(sums, registers, b);
  const fields = new Float64Array(BUCKET_FIELD_COUNT);
  readFields(sums, registers, fields);
  return { startMs: a.startMs, replicas: a.replicas + b.replicas, sums, registers, fields };
}
