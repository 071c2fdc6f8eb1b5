// Neighbours of floating-point numbers: what turns `x < t` into `x <= nextDown(t)` without losing a bit.
// Used by the table builder, by importers and by tests.

const float64 = new Float64Array(1);
const bits64 = new BigInt64Array(float64.buffer);
const float32 = new Float32Array(1);
const bits32 = new Int32Array(float32.buffer);

/** Largest f64 below x; -Infinity and NaN stay. */
export function nextDown(x: number): number {
  if (Number.isNaN(x) || x === -Infinity) return x;
  if (x === 0) return -Number.MIN_VALUE;
  float64[0] = x;
  bits64[0] = bits64[0]! + (x > 0 ? -1n : 1n);
  return float64[0];
}

/** Smallest f64 above x; +Infinity and NaN stay. */
export function nextUp(x: number): number {
  return -nextDown(-x);
}

/** Largest f32 below x, which must be an f32 number. */
export function nextDownF32(x: number): number {
  if (Number.isNaN(x) || x === -Infinity) return x;
  if (x === 0) return -1.401298464324817e-45;
  float32[0] = x;
  bits32[0] = bits32[0]! + (x > 0 ? -1 : 1);
  return float32[0];
}
