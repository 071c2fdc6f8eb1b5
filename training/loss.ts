// The two losses of classification: half binomial (two classes) and half multinomial (more). From raw margins to gradients,
// hessians, mean loss, and the baseline margin of a model without trees. Same arithmetic as scikit-learn's _loss module,
// gradients and hessians stored as f32. Margins are one Float64Array for each output. Called by booster.ts.
import { pairwiseSum } from './pairwise-sum.ts';

/** What a loss reads: the class of each row and, if rows weigh differently, their weights. */
export interface LossTarget {
  readonly labels: Uint8Array;
  readonly weights?: Float64Array;
}

/** First and second derivative of one output's loss at each row. */
export interface Derivatives {
  readonly gradients: Float32Array;
  readonly hessians: Float32Array;
}

export interface Loss {
  /** Trees an iteration: 1 for two classes, else one a class. */
  readonly outputCount: number;
  /** Raw margins that fit the class shares best, one an output. */
  baseline(target: LossTarget): Float64Array;
  /** Fills `out[k]` for each output k from the raw margins. */
  derive(target: LossTarget, margins: readonly Float64Array[], out: readonly Derivatives[]): void;
  /** Weighted mean loss, natural logarithm. */
  mean(target: LossTarget, margins: readonly Float64Array[]): number;
}

export function lossFor(classCount: number): Loss {
  return classCount === 2 ? halfBinomial : halfMultinomial(classCount);
}

/** Weighted share of the rows of class `label`, in numpy's order of summation. */
function weightedShare(target: LossTarget, label: number): number {
  const { labels, weights } = target;
  const hits = new Float64Array(labels.length);
  for (let row = 0; row < labels.length; row++) {
    if (labels[row] === label) hits[row] = weights === undefined ? 1 : weights[row]!;
  }
  const total = weights === undefined ? labels.length : pairwiseSum(weights);
  return pairwiseSum(hits) / total;
}

function weightedMean(values: Float64Array, weights: Float64Array | undefined): number {
  if (weights === undefined) return pairwiseSum(values) / values.length;
  const products = new Float64Array(values.length);
  for (let row = 0; row < values.length; row++) products[row] = values[row]! * weights[row]!;
  return pairwiseSum(products) / pairwiseSum(weights);
}

function clamp(value: number, margin: number): number {
  return Math.min(1 - margin, Math.max(margin, value));
}

/** log(1 + exp(x)) without overflow (Maechler 2012, cut-offs as in scikit-learn). */
function log1pExp(x: number): number {
  if (x <= -37) return Math.exp(x);
  if (x <= -2) return Math.log1p(Math.exp(x));
  if (x <= 18) return Math.log(1 + Math.exp(x));
  if (x <= 33.3) return x + Math.exp(-x);
  return x;
}

const halfBinomial: Loss = {
  outputCount: 1,

  baseline(target) {
    const share = clamp(weightedShare(target, 1), 10 * Number.EPSILON);
    return Float64Array.of(Math.log(share / (1 - share)));
  },

  derive({ labels, weights }, margins, out) {
    const raw = margins[0]!;
    const { gradients, hessians } = out[0]!;
    for (let row = 0; row < raw.length; row++) {
      const margin = raw[row]!;
      const y = labels[row]!;
      const weight = weights === undefined ? 1 : weights[row]!;
      if (margin > -37) {
        const e = Math.exp(-margin);
        const whole = 1 + e;
        gradients[row] = weight * ((1 - y - y * e) / whole);
        hessians[row] = weight * (e / (whole * whole));
      } else {
        const e = Math.exp(margin);
        gradients[row] = weight * (e - y);
        hessians[row] = weight * e;
      }
    }
  },

  mean({ labels, weights }, margins) {
    const raw = margins[0]!;
    const losses = new Float64Array(raw.length);
    for (let row = 0; row < raw.length; row++) losses[row] = log1pExp(raw[row]!) - labels[row]! * raw[row]!;
    return weightedMean(losses, weights);
  },
};

/** exp(margin - largest margin) of one row into `out`; returns the largest margin. */
function softExponents(margins: readonly Float64Array[], row: number, out: Float64Array): number {
  let largest = margins[0]![row]!;
  for (let k = 1; k < margins.length; k++) {
    if (largest < margins[k]![row]!) largest = margins[k]![row]!;
  }
  for (let k = 0; k < margins.length; k++) out[k] = Math.exp(margins[k]![row]! - largest);
  return largest;
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k]!;
  return sum;
}

function halfMultinomial(classCount: number): Loss {
  const exponents = new Float64Array(classCount);
  return {
    outputCount: classCount,

    baseline(target) {
      const logs = new Float64Array(classCount);
      for (let k = 0; k < classCount; k++) logs[k] = clamp(weightedShare(target, k), Number.EPSILON);
      const geometricMean = Math.exp(pairwiseSum(logs.map(Math.log)) / classCount);
      return logs.map((share) => Math.log(share / geometricMean));
    },

    derive({ labels, weights }, margins, out) {
      for (let row = 0; row < labels.length; row++) {
        softExponents(margins, row, exponents);
        const sum = sumOf(exponents);
        const weight = weights === undefined ? 1 : weights[row]!;
        for (let k = 0; k < classCount; k++) {
          const p = exponents[k]! / sum;
          out[k]!.gradients[row] = (p - (labels[row] === k ? 1 : 0)) * weight;
          out[k]!.hessians[row] = p * (1 - p) * weight;
        }
      }
    },

    mean({ labels, weights }, margins) {
      const losses = new Float64Array(labels.length);
      for (let row = 0; row < labels.length; row++) {
        const largest = softExponents(margins, row, exponents);
        losses[row] = Math.log(sumOf(exponents)) + largest - margins[labels[row]!]![row]!;
      }
      return weightedMean(losses, weights);
    },
  };
}
