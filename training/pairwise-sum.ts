// Summation in the order of numpy's pairwise sum (blocks of 128 values, 8 accumulators), so that sums of weights and of
// root histograms equal scikit-learn's to the last bit. Used by histogram.ts and loss.ts; plain loops are fine elsewhere.

const BLOCK_COUNT = 128;

/** Sum of `values[start .. start + count * stride)` by `stride`, in numpy's order. Empty sums are 0. */
export function pairwiseSum(values: Float64Array, start = 0, count = values.length, stride = 1): number {
  if (count < 8) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += values[start + i * stride]!;
    return sum;
  }
  if (count <= BLOCK_COUNT) return blockSum(values, start, count, stride);
  let half = count >> 1;
  half -= half % 8;
  return (
    pairwiseSum(values, start, half, stride) +
    pairwiseSum(values, start + half * stride, count - half, stride)
  );
}

function blockSum(values: Float64Array, start: number, count: number, stride: number): number {
  const r = new Float64Array(8);
  for (let k = 0; k < 8; k++) r[k] = values[start + k * stride]!;
  let i = 8;
  for (; i < count - (count % 8); i += 8) {
    for (let k = 0; k < 8; k++) r[k] = r[k]! + values[start + (i + k) * stride]!;
  }
  let sum = r[0]! + r[1]! + (r[2]! + r[3]!) + (r[4]! + r[5]! + (r[6]! + r[7]!));
  for (; i < count; i++) sum += values[start + i * stride]!;
  return sum;
}
