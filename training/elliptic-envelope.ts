// Elliptic envelope: rows outside the ellipse that holds all but a share of the training rows, by robust Mahalanobis distance,
// as scikit-learn has it. For one cloud of rows without constant columns. Called by experiments/novelty-detectors.ts.
import { seededRandom } from '../domain/random.ts';
import { type Permutation, quadratic } from './fast-mcd.ts';
import { checkMatrix, checkOptions, type Matrix, type OnProgress, percentile, type Row } from './matrix.ts';
import { fitRobustCovariance } from './robust-covariance.ts';

export interface EnvelopeOptions {
  /** Share of the training rows outside the envelope, (0, 0.5]. */
  readonly contamination: number;
  /** As in RobustOptions; a share from 0.5 to 1. */
  readonly supportShare: number | null;
  readonly seed: number;
  /** Draws the random orders instead of the seed: for runs paired with another implementation. */
  readonly permutation: Permutation | null;
  readonly onProgress?: OnProgress;
}

export const ENVELOPE_DEFAULTS: Omit<EnvelopeOptions, 'seed'> = {
  contamination: 0.1,
  supportShare: null,
  permutation: null,
};

export interface EnvelopeModel {
  readonly kind: 'elliptic_envelope';
  readonly location: Float64Array;
  /** Row-major. */
  readonly covariance: Float64Array;
  readonly precision: Float64Array;
  /** Squared distance at the edge. */
  readonly edge: number;
  /** As in RobustCovariance: the model hangs on the seed and on ties. */
  readonly isFlat: boolean;
}

/** @throws PicketError TRAINING_INVALID: bad options or data, or rows without spread. */
export function fitEnvelope(
  matrix: Matrix,
  given: Partial<EnvelopeOptions> & Pick<EnvelopeOptions, 'seed'>,
): EnvelopeModel {
  const options = { ...ENVELOPE_DEFAULTS, ...given };
  const { contamination, supportShare, onProgress } = options;
  checkOptions('elliptic envelope', [
    {
      field: 'contamination',
      value: contamination,
      ok: contamination > 0 && contamination <= 0.5,
      expected: 'above 0, at most 0.5',
    },
    {
      field: 'supportShare',
      value: supportShare,
      ok: supportShare === null || (supportShare >= 0.5 && supportShare <= 1),
      expected: '0.5 to 1, or null',
    },
  ]);
  checkMatrix(matrix, 'elliptic envelope', matrix.columnCount + 2);
  const { location, covariance, precision, distances, isFlat } = fitRobustCovariance(matrix, {
    supportShare,
    permutation: options.permutation ?? seededPermutation(options.seed),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const edge = -percentile(
    distances.map((distance) => -distance),
    contamination,
  );
  return { kind: 'elliptic_envelope', location, covariance, precision, edge, isFlat };
}

function seededPermutation(seed: number): Permutation {
  const random = seededRandom(seed);
  return (n) => random.shuffle(Uint32Array.from({ length: n }, (_, i) => i));
}

/** Squared robust distance of a row, 0 or more. */
export function scoreEnvelope(model: EnvelopeModel, row: Row): number {
  const { location, precision } = model;
  return quadratic(
    Float64Array.from(location, (centre, c) => row[c]! - centre),
    precision,
  );
}

/** Below 0 is an outlier. */
export function decideEnvelope(model: EnvelopeModel, row: Row): number {
  return model.edge - scoreEnvelope(model, row);
}
