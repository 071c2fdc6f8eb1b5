// Figures of the `layers` experiment: draws of the paper's supports, confusion of three classes, precision, recall, F1, and the
// true and false positives of each anomaly model (Tables 3 to 6 of seed 002). Pure. Called by layers.ts.
import type { Random } from '../../domain/random.ts';
import { CATEGORIES } from './layers-requests.ts';

export const REQUEST_CLASSES = ['normal', 'stolen_token', 'abnormal_usage'] as const;
export type RequestClass = (typeof REQUEST_CLASSES)[number];
/** Requests of each class, in the order of REQUEST_CLASSES. */
export type Supports = readonly [number, number, number];

/** A request with what the four models (score above 1 is an anomaly) and the classifier say. */
export interface JudgedRequest {
  /** Index of REQUEST_CLASSES. */
  readonly truth: number;
  readonly predicted: number;
  readonly scores: ArrayLike<number>;
}

export interface ClassFigures {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly support: number;
}

export interface LayerFigures {
  /** `confusion[truth][predicted]`. */
  readonly confusion: readonly (readonly number[])[];
  readonly classes: Readonly<Record<RequestClass, ClassFigures>>;
  readonly accuracy: number;
  readonly models: readonly ModelFigures[];
}

export interface ModelFigures {
  readonly category: (typeof CATEGORIES)[number];
  readonly truePositives: number;
  readonly falseNegatives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
}

/** As many requests of each class as asked for: each at most once where there are enough, else drawn with replacement. */
export function drawSupports(
  judged: readonly JudgedRequest[],
  supports: Supports,
  random: Random,
): JudgedRequest[] {
  return supports.flatMap((support, truth) => {
    const own = judged.filter((request) => request.truth === truth);
    if (own.length === 0) return [];
    if (own.length >= support) return random.shuffle(own).slice(0, support);
    return Array.from({ length: support }, () => own[random.int(own.length)]!);
  });
}

const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);

export function layerFigures(judged: readonly JudgedRequest[]): LayerFigures {
  const confusion = REQUEST_CLASSES.map(() => REQUEST_CLASSES.map(() => 0));
  for (const { truth, predicted } of judged) confusion[truth]![predicted]!++;
  const figuresOf = (c: number): ClassFigures => {
    const support = confusion[c]!.reduce((sum, count) => sum + count, 0);
    const named = confusion.reduce((sum, row) => sum + row[c]!, 0);
    const right = confusion[c]![c]!;
    const [precision, recall] = [share(right, named), share(right, support)];
    return { precision, recall, f1: share(2 * precision * recall, precision + recall), support };
  };
  const right = confusion.reduce((sum, row, c) => sum + row[c]!, 0);
  return {
    confusion,
    classes: { normal: figuresOf(0), stolen_token: figuresOf(1), abnormal_usage: figuresOf(2) },
    accuracy: share(right, judged.length),
    models: CATEGORIES.map((category, c) => {
      const count = (isAnomaly: boolean, isFlagged: boolean) =>
        judged.filter(({ truth, scores }) => truth > 0 === isAnomaly && scores[c]! > 1 === isFlagged).length;
      return {
        category,
        truePositives: count(true, true),
        falseNegatives: count(true, false),
        falsePositives: count(false, true),
        trueNegatives: count(false, false),
      };
    }),
  };
}
