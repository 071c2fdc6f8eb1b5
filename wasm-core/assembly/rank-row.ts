// Kernel A, "rank-row": one SIMD rank per column, one precomputed row of leaf masks per rank, AND of the
// rows, ordered sum.
// A column is a feature; its row says for each tree which leaves are still possible. Called by index.ts only.
// Hot and plain on purpose: pointer loops, constant offsets, no calls that the compiler cannot inline.

import * as at from '../layout';

/** -(number of lanes that are set) in eight comparisons against 8 thresholds. */
// @ts-ignore: decorator
@inline
function above8(v: v128, ptr: usize): i32 {
  const n = i64x2.add(
    i64x2.add(f64x2.gt(v, v128.load(ptr, 0)), f64x2.gt(v, v128.load(ptr, 16))),
    i64x2.add(f64x2.gt(v, v128.load(ptr, 32)), f64x2.gt(v, v128.load(ptr, 48))),
  );
  return <i32>i64x2.extract_lane(n, 0) + <i32>i64x2.extract_lane(n, 1);
}

/** Count of thresholds below x, 0 for NaN. 8 pivots, then 9 blocks of 8. */
// @ts-ignore: decorator
@inline
function rank8(x: f64, thresholds: usize): i32 {
  const v = f64x2.splat(x);
  const c1 = -above8(v, thresholds);
  return c1 * 9 - above8(v, thresholds + 64 + (<usize>c1 << 6));
}

/** The same with 16 pivots, then 17 blocks of 16. */
// @ts-ignore: decorator
@inline
function rank16(x: f64, thresholds: usize): i32 {
  const v = f64x2.splat(x);
  const c1 = -(above8(v, thresholds) + above8(v, thresholds + 64));
  const block = thresholds + 128 + (<usize>c1 << 7);
  return c1 * 17 - (above8(v, block) + above8(v, block + 64));
}

// @ts-ignore: decorator
@inline
function readInput(column: usize, asF32: bool): f64 {
  const x = load<f64>(load<usize>(column, 0));
  return asF32 ? <f64>(<f32>x) : x;
}

// @ts-ignore: decorator
@inline
function rowOf(column: usize, x: f64, rank: i32, rowBytes: u32): u32 {
  const row = load<u32>(column, 8) + <u32>rank * rowBytes + (load<u32>(column, 12) & -(<u32>(x != x)));
  assert(row >= <u32>at.ARENA_BASE && row + rowBytes <= <u32>(memory.size() << 16));
  return row;
}

/** Ranks every column and leaves the address of its row in the scratch; gives the end of those addresses. */
// @ts-ignore: decorator
@inline
function rankColumns(detector: usize): usize {
  const rowBytes = load<u32>(detector, at.DETECTOR_ROW_BYTES);
  const asF32 = (load<u32>(detector, at.DETECTOR_FLAGS) & at.DETECTOR_FLAG_F32_INPUT) != 0;
  let column = load<usize>(detector, at.DETECTOR_COLUMNS8);
  const wide = load<usize>(detector, at.DETECTOR_COLUMNS16);
  const end = load<usize>(detector, at.DETECTOR_COLUMNS_END);
  let out: usize = at.ROWS_PTR;
  while (column < wide) {
    const x = readInput(column, asF32);
    const row = rowOf(column, x, rank8(x, load<usize>(column, 4)), rowBytes);
    store<usize>(out, row);
    column += <usize>at.COLUMN_BYTES;
    out += 4;
  }
  while (column < end) {
    const x = readInput(column, asF32);
    const row = rowOf(column, x, rank16(x, load<usize>(column, 4)), rowBytes);
    store<usize>(out, row);
    column += <usize>at.COLUMN_BYTES;
    out += 4;
  }
  return out;
}

/** ANDs 64 bytes of all rows, from byte `at64` on, into the accumulator. */
// @ts-ignore: decorator
@inline
function andBlock(rowsEnd: usize, at64: usize): void {
  let a0 = i64x2.splat(-1);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  for (let p: usize = at.ROWS_PTR; p < rowsEnd; p += 4) {
    const row = load<usize>(p) + at64;
    a0 = v128.and(a0, v128.load(row, 0));
    a1 = v128.and(a1, v128.load(row, 16));
    a2 = v128.and(a2, v128.load(row, 32));
    a3 = v128.and(a3, v128.load(row, 48));
  }
  const acc = <usize>at.ACC_PTR + at64;
  v128.store(acc, a0, 0);
  v128.store(acc, a1, 16);
  v128.store(acc, a2, 32);
  v128.store(acc, a3, 48);
}

/** The same for 16 bytes: the end of rows whose masks fill little of their last 64 bytes. */
// @ts-ignore: decorator
@inline
function andTail(rowsEnd: usize, at64: usize): void {
  let a0 = i64x2.splat(-1);
  for (let p: usize = at.ROWS_PTR; p < rowsEnd; p += 4) a0 = v128.and(a0, v128.load(load<usize>(p) + at64));
  v128.store(<usize>at.ACC_PTR + at64, a0);
}

/** Value of the exit leaf: the lowest bit that no row cleared, from bit `shift` of the unit on. */
// @ts-ignore: decorator
@inline
function leafOf(leaves: usize, unit: u64): f64 {
  return load<f64>(leaves + ((<usize>ctz<u64>(unit)) << 3));
}

/** Adds the exit leaves of one 8-byte unit of masks, in tree order: 4, 2 or 1 trees by the width of a mask. */
// @ts-ignore: decorator
@inline
function addUnit<T>(sum: f64, leaves: usize, unit: u64): f64 {
  sum += leafOf(leaves, unit);
  if (sizeof<T>() == 2) {
    sum += leafOf(leaves + at.LEAVES16_BYTES, unit >> 16);
    sum += leafOf(leaves + 2 * at.LEAVES16_BYTES, unit >> 32);
    sum += leafOf(leaves + 3 * at.LEAVES16_BYTES, unit >> 48);
  } else if (sizeof<T>() == 4) {
    sum += leafOf(leaves + at.LEAVES32_BYTES, unit >> 32);
  }
  return sum;
}

/** The same with every addition rounded to f32. */
// @ts-ignore: decorator
@inline
function addUnitF32<T>(sum: f64, leaves: usize, unit: u64): f64 {
  for (let shift: u64 = 0; shift < 64; shift += <u64>sizeof<T>() << 3) {
    sum = <f64>(<f32>(sum + leafOf(leaves, unit >> shift)));
    leaves += sizeof<T>() << 6;
  }
  return sum;
}

/** Leaf bytes of the trees of one unit: always 512, because a tree has 8 bytes for each bit of its mask. */
const UNIT_LEAVES_BYTES: usize = 512;

/** One output: block by block, so that the sum of one block runs beside the AND of the next. */
// @ts-ignore: decorator
@inline
function runSingle<T>(detector: usize, output: usize, rowsEnd: usize): f64 {
  let leaves = load<usize>(detector, at.DETECTOR_LEAVES);
  let unit: usize = at.ACC_PTR;
  const end = <usize>at.ACC_PTR + (load<usize>(output, at.OUTPUT_END) << 3);
  let sum = load<f64>(output, at.OUTPUT_BASE);
  while (unit < end) {
    const at64 = unit - <usize>at.ACC_PTR;
    if (end - unit > 16) andBlock(rowsEnd, at64);
    else andTail(rowsEnd, at64);
    const blockEnd = min<usize>(end, unit + 64);
    for (; unit < blockEnd; unit += 8) {
      sum = addUnit<T>(sum, leaves, load<u64>(unit));
      leaves += UNIT_LEAVES_BYTES;
    }
  }
  return sum;
}

/** Sum of the units of one output, after all blocks were ANDed. */
// @ts-ignore: decorator
@inline
function sumUnits<T>(detector: usize, output: usize, asF32: bool): f64 {
  const begin = load<usize>(output, at.OUTPUT_BEGIN);
  let unit: usize = <usize>at.ACC_PTR + (begin << 3);
  const end = <usize>at.ACC_PTR + (load<usize>(output, at.OUTPUT_END) << 3);
  let leaves = load<usize>(detector, at.DETECTOR_LEAVES) + begin * UNIT_LEAVES_BYTES;
  let sum = load<f64>(output, at.OUTPUT_BASE);
  for (; unit < end; unit += 8) {
    const masks = load<u64>(unit);
    sum = asF32 ? addUnitF32<T>(sum, leaves, masks) : addUnit<T>(sum, leaves, masks);
    leaves += UNIT_LEAVES_BYTES;
  }
  return sum;
}

function runMany<T>(detector: usize, rowsEnd: usize): void {
  const rowBytes = load<usize>(detector, at.DETECTOR_ROW_BYTES);
  for (let at64: usize = 0; at64 < rowBytes; at64 += 64) andBlock(rowsEnd, at64);
  const flags = load<u32>(detector, at.DETECTOR_FLAGS);
  let slot = load<usize>(detector, at.DETECTOR_SLOT);
  let output = load<usize>(detector, at.DETECTOR_OUTPUTS);
  const end = load<usize>(detector, at.DETECTOR_OUTPUTS_END);
  for (; output < end; output += <usize>at.OUTPUT_BYTES) {
    const sum = sumUnits<T>(detector, output, (flags & at.DETECTOR_FLAG_F32_SUM) != 0);
    store<f64>(slot, finishSum(flags, output, sum));
    slot += 8;
  }
}

/** The link's first half: a mean divides, everything else is the sum itself. */
// @ts-ignore: decorator
@inline
export function finishSum(flags: u32, output: usize, sum: f64): f64 {
  if (!(flags & at.DETECTOR_FLAG_MEAN)) return sum;
  const mean = sum / load<f64>(output, at.OUTPUT_DIVISOR);
  return flags & at.DETECTOR_FLAG_F32_SUM ? <f64>(<f32>mean) : mean;
}

// @ts-ignore: decorator
@inline
function run<T>(detector: usize, rowsEnd: usize): void {
  const output = load<usize>(detector, at.DETECTOR_OUTPUTS);
  const flags = load<u32>(detector, at.DETECTOR_FLAGS);
  const many = load<usize>(detector, at.DETECTOR_OUTPUTS_END) - output != <usize>at.OUTPUT_BYTES;
  if (many || (flags & at.DETECTOR_FLAG_F32_SUM) != 0) {
    runMany<T>(detector, rowsEnd);
    return;
  }
  const sum = runSingle<T>(detector, output, rowsEnd);
  store<f64>(load<usize>(detector, at.DETECTOR_SLOT), finishSum(flags, output, sum));
}

/** Runs one detector of kernel A and writes its slots. */
export function runRankRow(detector: usize): void {
  const rowsEnd = rankColumns(detector);
  const kernel = load<u32>(detector, at.DETECTOR_KERNEL);
  if (kernel == at.KERNEL_A16) run<u16>(detector, rowsEnd);
  else if (kernel == at.KERNEL_A32) run<u32>(detector, rowsEnd);
  else run<u64>(detector, rowsEnd);
}
