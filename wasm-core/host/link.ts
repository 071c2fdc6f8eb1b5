// Link functions: from raw margin to score and back, and from raw margins to class probabilities.
// The promise "same bits" is made on raw margins; what comes out of exp is good to 2 ulp. Decisions compare
// margins.

import { PicketError } from '../../domain/errors.ts';
import type { ModelLink } from '../../domain/model-manifest.ts';
import type { Bundle } from './bundle.ts';
import { type Detector, VERDICT } from './ensemble.ts';

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

/** What a model's own library would say for these raw margins, one an output. */
export function linked(link: ModelLink, margins: Float64Array): Float64Array {
  switch (link.kind) {
    case 'logistic':
      return margins.map((margin) => scoreOf(link.scale * margin));
    case 'exp':
      return margins.map((margin) => Math.exp(margin));
    case 'softmax':
      return softmax(margins);
    case 'depth':
      return margins.map((margin) => 2 ** -(margin / link.divisor));
    default:
      return margins;
  }
}

/**
 * The detector that answers offline and how its margins read: what an imported model says of itself, else the logistic
 * of the verdict. Throws BUNDLE_MODEL when the manifest names a detector that is not there or runs only when asked for.
 */
export function answerOf({ detectors, manifest }: Pick<Bundle, 'detectors' | 'manifest'>): {
  detector: Detector;
  link: ModelLink;
} {
  const { detector: name, link } = manifest.answer ?? {
    detector: VERDICT,
    link: { kind: 'logistic', scale: 1 },
  };
  const detector = detectors.find((one) => one.name === name && !one.onDemand);
  if (detector === undefined) throw new PicketError('BUNDLE_MODEL', `bundle: no detector ${name} answers`);
  return { detector, link };
}
