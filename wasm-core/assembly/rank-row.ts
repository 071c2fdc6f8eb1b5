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
function rankColumns(detector: usize, rowBytes: u32): usize {
  const asF32 = (load<u32>(detector, at.DETECTOR_FLAGS) & at.DETECTOR_FLAG_F32_INPUT) != 0;
  let column = load<usize>(detector, at.DETECTOR_COLUMNS8);
  const wide = load<usize>(detector, at.DETECTOR_COLUMNS16);
  const end = load<usize>(detector, at.DETECTOR_COLUMNS_END);
  let out: usize = at.ROWS_PTR;
  while (column < wide) {
    const x = readInput(column, asF32);
    store<u32>(out, rowOf(column, x, rank8(x, load<usize>(column, 4)), rowBytes));
    column += <usize>at.COLUMN_BYTES;
    out += 4;
  }
  while (column < end) {
    const x = readInput(column, asF32);
    store<u32>(out, rowOf(column, x, rank16(x, load<usize>(column, 4)), rowBytes));
    column += <usize>at.COLUMN_BYTES;
    out += 4;
  }
  return out;
}

/** ANDs the rows into the accumulator, 64 bytes of all rows at a time. */
// @ts-ignore: decorator
@inline
function andRows(rowsEnd: usize, rowBytes: usize): void {
  for (let at64: usize = 0; at64 < rowBytes; at64 += 64) {
    let p: usize = at.ROWS_PTR;
    let row = load<usize>(p) + at64;
    let a0 = v128.load(row, 0);
    let a1 = v128.load(row, 16);
    let a2 = v128.load(row, 32);
    let a3 = v128.load(row, 48);
    for (p += 4; p < rowsEnd; p += 4) {
      row = load<usize>(p) + at64;
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
}

/** Byte offset of the exit leaf: the lowest leaf that no row cleared. */
// @ts-ignore: decorator
@inline
function leafOffset<T>(mask: usize): usize {
  if (sizeof<T>() == 8) return <usize>ctz<u64>(load<u64>(mask)) << 3;
  return (<usize>ctz<u32>(<u32>load<T>(mask))) << 3;
}

/** Adds the exit leaves of the trees begin .. end in tree order. */
// @ts-ignore: decorator
@inline
function sumTrees<T>(detector: usize, output: usize): f64 {
  const stride = load<usize>(detector, at.DETECTOR_LEAF_STRIDE);
  const begin = load<usize>(output, at.OUTPUT_BEGIN);
  let mask: usize = <usize>at.ACC_PTR + begin * sizeof<T>();
  const end: usize = <usize>at.ACC_PTR + load<usize>(output, at.OUTPUT_END) * sizeof<T>();
  let leaves = load<usize>(detector, at.DETECTOR_LEAVES) + begin * stride;
  let sum = load<f64>(output, at.OUTPUT_BASE);
  if (load<u32>(detector, at.DETECTOR_FLAGS) & at.DETECTOR_FLAG_F32_SUM) {
    for (; mask < end; mask += sizeof<T>()) {
      sum = <f64>(<f32>(sum + load<f64>(leaves + leafOffset<T>(mask))));
      leaves += stride;
    }
    return sum;
  }
  const stride2 = stride << 1;
  const stride4 = stride << 2;
  const end4 = end - 3 * sizeof<T>();
  for (; mask < end4; mask += 4 * sizeof<T>()) {
    const third = leaves + stride2;
    sum += load<f64>(leaves + leafOffset<T>(mask));
    sum += load<f64>(leaves + stride + leafOffset<T>(mask + sizeof<T>()));
    sum += load<f64>(third + leafOffset<T>(mask + 2 * sizeof<T>()));
    sum += load<f64>(third + stride + leafOffset<T>(mask + 3 * sizeof<T>()));
    leaves += stride4;
  }
  for (; mask < end; mask += sizeof<T>()) {
    sum += load<f64>(leaves + leafOffset<T>(mask));
    leaves += stride;
  }
  return sum;
}

/** The link's first half: a mean divides, everything else is the sum itself. */
// @ts-ignore: decorator
@inline
export function finishSum(flags: u32, output: usize, sum: f64): f64 {
  if (!(flags & at.DETECTOR_FLAG_MEAN)) return sum;
  const mean = sum / load<f64>(output, at.OUTPUT_DIVISOR);
  return flags & at.DETECTOR_FLAG_F32_SUM ? <f64>(<f32>mean) : mean;
}

/** Runs one detector of kernel A and writes its slots. */
export function runRankRow(detector: usize): void {
  const rowBytes = load<u32>(detector, at.DETECTOR_ROW_BYTES);
  andRows(rankColumns(detector, rowBytes), <usize>rowBytes);
  const kernel = load<u32>(detector, at.DETECTOR_KERNEL);
  const flags = load<u32>(detector, at.DETECTOR_FLAGS);
  let slot = load<usize>(detector, at.DETECTOR_SLOT);
  let output = load<usize>(detector, at.DETECTOR_OUTPUTS);
  const end = load<usize>(detector, at.DETECTOR_OUTPUTS_END);
  while (output < end) {
    let sum: f64;
    if (kernel == at.KERNEL_A16) sum = sumTrees<u16>(detector, output);
    else if (kernel == at.KERNEL_A32) sum = sumTrees<u32>(detector, output);
    else sum = sumTrees<u64>(detector, output);
    store<f64>(slot, finishSum(flags, output, sum));
    slot += 8;
    output += <usize>at.OUTPUT_BYTES;
  }
}
