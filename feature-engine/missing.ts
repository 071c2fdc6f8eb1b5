// Writes "missing" into places of the vector. A plain loop: for a dozen places the built-in `fill` costs more than they do.
// Called by every file that writes features.

/** Marks out[start, end) as missing. */
export function putMissing(out: Float64Array, start: number, end: number): void {
  for (let i = start; i < end; i++) out[i] = Number.NaN;
}
