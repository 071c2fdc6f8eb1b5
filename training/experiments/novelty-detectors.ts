// The four detectors of the BETH notebook (seed 003) with its settings, behind one form: fit on standardised rows, then judge
// rows by score (higher is more of an outlier) and by the detector's own yes or no. Called by novelty.ts.
import { seededRandom } from '../../domain/random.ts';
import type { FeatureTable } from '../dataset.ts';
import { decideDoseSvm, fitDoseSvm } from '../dose-svm.ts';
import { decideEnvelope, fitEnvelope } from '../elliptic-envelope.ts';
import { outlierScores, trainIsolationForest } from '../isolation-forest.ts';
import { type Matrix, scoreRows } from '../matrix.ts';
import { decideSgdOneClass, fitSgdOneClass } from '../sgd-one-class.ts';

export interface Judgement {
  /** One a row, higher is more of an outlier. */
  readonly scores: Float64Array;
  /** 1 where the detector itself says outlier. */
  readonly flags: Uint8Array;
}

export interface FittedDetector {
  readonly judge: (rows: Matrix) => Judgement;
  /** What a reader of the figures should know about this fit. */
  readonly warning?: string;
}

export interface NoveltyDetector {
  readonly name: NoveltyDetectorName;
  /** Fits on standardised rows. */
  readonly fit: (train: Matrix, seed: number) => FittedDetector;
}

export const NOVELTY_DETECTOR_NAMES = [
  'isolation_forest',
  'sgd_one_class',
  'dose_svm',
  'elliptic_envelope',
] as const;
export type NoveltyDetectorName = (typeof NOVELTY_DETECTOR_NAMES)[number];

const FLAT =
  'elliptic envelope: most training rows lie in a plane (repeats), so chance picks its half of the rows';

/** The notebook's share of outliers for forest and envelope; its SVMs keep nu = 0.5. */
const CONTAMINATION = 0.1;

/** Flags where a decision value is below 0, and its negative as score. */
export function byDecision(decide: (row: Float64Array) => number): (rows: Matrix) => Judgement {
  return (rows) => {
    const decisions = scoreRows(rows, decide);
    return {
      scores: decisions.map((decision) => -decision),
      flags: Uint8Array.from(decisions, (decision) => (decision < 0 ? 1 : 0)),
    };
  };
}

function asTable({ values, rowCount, columnCount }: Matrix): FeatureTable {
  const columns = Array.from({ length: columnCount }, (_, c) =>
    Float64Array.from({ length: rowCount }, (_, row) => values[row * columnCount + c]!),
  );
  return { names: columns.map((_, c) => `column ${c}`), columns, rowCount };
}

/** The shuffle of the rows is all that a seed changes in the SVMs. */
function shuffleSeedOf(seed: number): number {
  return seededRandom(seed).uint32();
}

export const NOVELTY_DETECTORS: readonly NoveltyDetector[] = [
  {
    name: 'isolation_forest',
    fit: (train, seed) => {
      const model = trainIsolationForest(asTable(train), { trees: 100, contamination: CONTAMINATION, seed });
      const judge = (rows: Matrix) => {
        const scores = outlierScores(model, asTable(rows));
        return { scores, flags: Uint8Array.from(scores, (score) => (score > model.scoreThreshold ? 1 : 0)) };
      };
      return { judge };
    },
  },
  {
    name: 'sgd_one_class',
    fit: (train, seed) => {
      const model = fitSgdOneClass(train, { shuffleSeed: shuffleSeedOf(seed) });
      return { judge: byDecision((row) => decideSgdOneClass(model, row)) };
    },
  },
  {
    name: 'dose_svm',
    fit: (train, seed) => {
      const model = fitDoseSvm(train, { svm: { shuffleSeed: shuffleSeedOf(seed) } });
      return { judge: byDecision((row) => decideDoseSvm(model, row)) };
    },
  },
  {
    name: 'elliptic_envelope',
    fit: (train, seed) => {
      const model = fitEnvelope(train, { contamination: CONTAMINATION, seed });
      const judge = byDecision((row) => decideEnvelope(model, row));
      return model.isFlat ? { judge, warning: FLAT } : { judge };
    },
  },
];
