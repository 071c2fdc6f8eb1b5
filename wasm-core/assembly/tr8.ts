// Kernel B, "tr8": eight trees walked side by side without a branch, for models whose rows would not stay
// in the cache.
// First the features are copied with their missing values replaced, so that a node compares and never asks.
// Called by index.ts only.

import * as at from '../layout';
import { finishSum } from './rank-row';

/** 1 when x goes right at a set node, 0 when it goes left. The known bit set follows the left one. */
// @ts-ignore: decorator
@inline
function rightOfSet(x: f64, words: usize, packed: u32): f64 {
  if (x != x) return packed & at.SET_FLAG_MISSING_LEFT ? 0 : 1;
  const unknown: f64 = packed & at.SET_FLAG_UNKNOWN_LEFT ? 0 : 1;
  const lowest: f64 = packed & at.SET_FLAG_TRUNCATE ? -1 : 0;
  const wordCount = packed >> 8;
  // -1 itself truncates to -1, which is no category; -0.0 is category 0.
  if (x < lowest || (lowest < 0 && x <= -1) || x >= <f64>(wordCount << 5)) return unknown;
  const code = <u32>(<i32>x);
  const bit: u32 = 1 << (code & 31);
  const word = words + ((code >> 5) << 2);
  if (load<u32>(word) & bit) return 0;
  return load<u32>(word + (wordCount << 2)) & bit ? 1 : unknown;
}

// @ts-ignore: decorator
@inline
function copyOf(record: usize, x: f64): f64 {
  const kind = load<u32>(record, 0);
  if (kind == at.COPY_NAN_LEFT) return x != x ? -Infinity : x;
  if (kind == at.COPY_NAN_RIGHT) return x != x ? Infinity : x;
  if (kind == at.COPY_NAN_ZERO) return x != x ? 0 : x;
  if (kind == at.COPY_ZERO_LEFT) return x != x || abs(x) <= at.ZERO_MAX ? -Infinity : x;
  if (kind == at.COPY_ZERO_RIGHT) return x != x || abs(x) <= at.ZERO_MAX ? Infinity : x;
  if (kind == at.COPY_IS_NAN) return x != x ? 1 : 0;
  return rightOfSet(x, load<usize>(record, 8), load<u32>(record, 12));
}

/** Fills the copies that the record of a detector (or of an explanation) lists. */
export function fillCopies(detector: usize, asF32: bool): void {
  let record = load<usize>(detector, at.DETECTOR_COPIES);
  const end = load<usize>(detector, at.DETECTOR_COPIES_END);
  let out: usize = at.COPY_PTR;
  store<f64>(out, -Infinity);
  while (record < end) {
    out += 8;
    let x = load<f64>(load<usize>(record, 4));
    if (asF32) x = <f64>(<f32>x);
    store<f64>(out, copyOf(record, x));
    record += <usize>at.COPY_BYTES;
  }
}

/** The child of n; a leaf is its own child, because copy 0 (-Infinity) is above no value. */
// @ts-ignore: decorator
@inline
function step(n: usize): usize {
  assert(n >= <usize>at.ARENA_BASE && n < <usize>(memory.size() << 16));
  const right = load<f64>(load<usize>(n, 8), at.COPY_PTR) > load<f64>(n);
  return load<usize>(n, 12) + (<usize>right << 4);
}

// @ts-ignore: decorator
@inline
function add(sum: f64, leaf: usize, asF32: bool): f64 {
  const next = sum + load<f64>(leaf);
  return asF32 ? <f64>(<f32>next) : next;
}

function sumGroups(output: usize, asF32: bool): f64 {
  let group = load<usize>(output, at.OUTPUT_BEGIN);
  const end = load<usize>(output, at.OUTPUT_END);
  let sum = load<f64>(output, at.OUTPUT_BASE);
  while (group < end) {
    let n0 = load<usize>(group, 4);
    let n1 = load<usize>(group, 8);
    let n2 = load<usize>(group, 12);
    let n3 = load<usize>(group, 16);
    let n4 = load<usize>(group, 20);
    let n5 = load<usize>(group, 24);
    let n6 = load<usize>(group, 28);
    let n7 = load<usize>(group, 32);
    for (let depth = load<u32>(group); depth > 0; --depth) {
      n0 = step(n0);
      n1 = step(n1);
      n2 = step(n2);
      n3 = step(n3);
      n4 = step(n4);
      n5 = step(n5);
      n6 = step(n6);
      n7 = step(n7);
    }
    sum = add(sum, n0, asF32);
    sum = add(sum, n1, asF32);
    sum = add(sum, n2, asF32);
    sum = add(sum, n3, asF32);
    sum = add(sum, n4, asF32);
    sum = add(sum, n5, asF32);
    sum = add(sum, n6, asF32);
    sum = add(sum, n7, asF32);
    group += <usize>at.GROUP_BYTES;
  }
  return sum;
}

/** Runs one detector of kernel B and writes its slots. */
export function runTr8(detector: usize): void {
  const flags = load<u32>(detector, at.DETECTOR_FLAGS);
  fillCopies(detector, (flags & at.DETECTOR_FLAG_F32_INPUT) != 0);
  const f32Sum = (flags & at.DETECTOR_FLAG_F32_SUM) != 0;
  let slot = load<usize>(detector, at.DETECTOR_SLOT);
  let output = load<usize>(detector, at.DETECTOR_OUTPUTS);
  const end = load<usize>(detector, at.DETECTOR_OUTPUTS_END);
  while (output < end) {
    const sum = f32Sum ? sumGroups(output, true) : sumGroups(output, false);
    store<f64>(slot, finishSum(flags, output, sum));
    slot += 8;
    output += <usize>at.OUTPUT_BYTES;
  }
}
