// What a bundle says of itself (its META section): where it came from and how it may be used.
// Pure data; packing and validation live in wasm-core/host.

/** How thresholds were advised: the best F1, or the best recall under a bound on false positives. */
export interface ThresholdAdvice {
  /** Score (0..1) at and above which a request is flagged. */
  readonly flagAt: number;
  /** Score (0..1) at and above which a request is refused in block mode; never below flagAt. */
  readonly blockAt: number;
  readonly method: 'max_f1' | 'max_recall_at_fpr' | 'given';
  /** The bound on the false-positive rate, for `max_recall_at_fpr`. */
  readonly fprMax?: number;
}

/** From raw margins to the scores of the library that a model comes from. */
export type ModelLink =
  /** 1 / (1 + exp(-scale * margin)), each output for itself. */
  | { readonly kind: 'logistic'; readonly scale: number }
  /** The margin is the score: probabilities of a forest, values of a regression. */
  | { readonly kind: 'identity' }
  /** exp(margin): counts, positive amounts. */
  | { readonly kind: 'exp' }
  | { readonly kind: 'softmax' }
  /** 2 ** (-margin / divisor): isolation forests, whose margin is a sum of path lengths. */
  | { readonly kind: 'depth'; readonly divisor: number };

/** For imported models: which detector answers, and how its raw margins read. */
export interface ModelAnswer {
  readonly detector: string;
  readonly link: ModelLink;
  /** In output order; one output of two classes has both names; empty for a regression. */
  readonly classes: readonly string[];
}

export interface ModelManifest {
  readonly name: string;
  readonly description: string;
  readonly createdMs: number;
  readonly seed: number;
  /** What it was trained on: rows, positives, source. */
  readonly data: Readonly<Record<string, string | number>>;
  /** Figures seen in training, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly thresholds: ThresholdAdvice;
  /** Class names of the `attack_class` detector, in output order. */
  readonly classes: readonly string[];
  /** Set where the answer of the source library is not the logistic of `verdict`; offline scoring gives this one. */
  readonly answer?: ModelAnswer;
}
