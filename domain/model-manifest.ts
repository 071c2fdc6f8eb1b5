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
}
