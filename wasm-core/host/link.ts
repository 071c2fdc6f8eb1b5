// Link functions: from raw margin to score and back, and from raw margins to class probabilities.
// The promise "same bits" is made on raw margins; what comes out of exp is good to 2 ulp. Decisions compare
// margins.

/** Score (0..1) of a raw margin: the logistic function, without overflow at either end. */
export function scoreOf(margin: number): number {
  if (margin >= 0) return 1 / (1 + Math.exp(-margin));
  const e = Math.exp(margin);
  return e / (1 + e);
}

/** Raw margin of a score: the logit. 0 gives -Infinity and 1 gives +Infinity, so both ends stay usable as thresholds. */
export function marginOf(score: number): number {
  return Math.log(score) - Math.log1p(-score);
}

/** Probabilities of raw margins: softmax, shifted by the largest so that nothing overflows. */
export function softmax(margins: ArrayLike<number>): Float64Array {
  const out = Float64Array.from(margins);
  const largest = out.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.exp(out[i]! - largest);
    sum += out[i]!;
  }
  for (let i = 0; i < out.length; i++) out[i] = out[i]! / sum;
  return out;
}

/** Index of the largest margin, the first one on a tie. */
export function argMax(margins: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < margins.length; i++) if (margins[i]! > margins[best]!) best = i;
  return best;
}
