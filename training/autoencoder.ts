// Stacked autoencoder: ReLU layers, linear bottleneck and linear output, trained by Adam with early stopping, all in f64 (layers:
// dense-layers.ts). The deviation of a row is how far its latent values lie from those of the training rows (seed 002).
// Called by the `layers` experiment.
import { seededRandom } from '../domain/random.ts';
import { copyOf, type DenseLayer, firstLayers, outputOf, Trainer } from './dense-layers.ts';
import type { Estimator } from './estimator.ts';
import {
  checkMatrix,
  checkOptions,
  type Matrix,
  type OnProgress,
  type Row,
  refuseTraining,
  rowOf,
} from './matrix.ts';
import { fitPca, type PcaModel, projectRow } from './pca.ts';
import { fitScaler, type ScalerModel, scaleMatrix, scaleRow } from './standard-scaler.ts';

export interface AutoencoderOptions {
  /** Widths of the encoder's layers, the last one is the bottleneck; the decoder mirrors them. */
  readonly encoder: readonly number[];
  readonly seed: number;
  readonly epochsMax: number;
  /** Epochs without a better validation loss before the fit stops; the best weights are kept. */
  readonly patience: number;
  readonly batchRows: number;
  readonly learningRate: number;
  /** Share of the rows held back for early stopping, drawn by seed; above 0, below 1. */
  readonly validationShare: number;
  /** Called after every epoch. */
  readonly onProgress?: OnProgress;
}

export const AUTOENCODER_DEFAULTS: AutoencoderOptions = {
  encoder: [10, 6],
  seed: 0,
  epochsMax: 60,
  patience: 6,
  batchRows: 64,
  learningRate: 0.001,
  validationShare: 0.1,
};

/** Axes with less than this share of the largest latent variance are left out: rounding would decide. */
const LATENT_SHARE_MIN = 1e-9;

export interface AutoencoderModel {
  readonly kind: 'autoencoder';
  readonly scaler: ScalerModel;
  readonly layers: readonly DenseLayer[];
  /** Index of the layer whose outputs are the latent values. */
  readonly bottleneck: number;
  /** Where the latent values of the training rows lie: their axes, each with its standard deviation. */
  readonly latentSpace: PcaModel;
  readonly epochs: number;
  /** Mean squared error over the held back rows, in standardised units. */
  readonly validationLoss: number;
}

/**
 * Fits an autoencoder on rows of normal behaviour.
 * @throws PicketError TRAINING_INVALID: bad options, missing or infinite values, fewer than 10 rows.
 */
export function fitAutoencoder(matrix: Matrix, given: Partial<AutoencoderOptions> = {}): AutoencoderModel {
  const options = { ...AUTOENCODER_DEFAULTS, ...given };
  checkAutoencoderOptions(options);
  checkMatrix(matrix, 'autoencoder', 10);
  const random = seededRandom(options.seed);
  const scaler = fitScaler(matrix);
  const scaled = scaleMatrix(scaler, matrix);
  const order = random.shuffle(Uint32Array.from({ length: scaled.rowCount }, (_, row) => row));
  const heldBack = Math.max(1, Math.floor(order.length * options.validationShare));
  const judged = order.subarray(0, heldBack);
  const learnt = order.slice(heldBack);
  const layers = firstLayers([matrix.columnCount, ...options.encoder], random);
  const trainer = new Trainer(layers, options.learningRate);
  let kept = copyOf(layers);
  let best = lossOver(layers, scaled, judged);
  let bestEpoch = 0;
  let epoch = 0;
  while (epoch < options.epochsMax && epoch - bestEpoch < options.patience) {
    random.shuffle(learnt);
    for (let at = 0; at < learnt.length; at += options.batchRows) {
      trainer.step(scaled, learnt.subarray(at, at + options.batchRows));
    }
    epoch++;
    const loss = lossOver(layers, scaled, judged);
    if (!Number.isFinite(loss)) refuseTraining('autoencoder: the fit diverges; choose a lower learning rate');
    if (loss < best) {
      best = loss;
      bestEpoch = epoch;
      kept = copyOf(layers);
    }
    options.onProgress?.({ done: epoch, all: options.epochsMax });
  }
  const bottleneck = options.encoder.length - 1;
  const latentSpace = latentSpaceOf(kept, bottleneck, scaled);
  return {
    kind: 'autoencoder',
    scaler,
    layers: kept,
    bottleneck,
    latentSpace,
    epochs: epoch,
    validationLoss: best,
  };
}

function checkAutoencoderOptions(options: AutoencoderOptions): void {
  const { encoder, epochsMax, patience, batchRows, learningRate, validationShare } = options;
  const isCount = (value: number) => Number.isInteger(value) && value >= 1;
  const count = 'a whole number, 1 or more';
  checkOptions('autoencoder', [
    {
      field: 'encoder',
      value: encoder,
      ok: encoder.length > 0 && encoder.every(isCount),
      expected: 'widths',
    },
    { field: 'epochsMax', value: epochsMax, ok: isCount(epochsMax), expected: count },
    { field: 'patience', value: patience, ok: isCount(patience), expected: count },
    { field: 'batchRows', value: batchRows, ok: isCount(batchRows), expected: count },
    {
      field: 'learningRate',
      value: learningRate,
      ok: learningRate > 0 && learningRate < 1,
      expected: '0..1',
    },
    {
      field: 'validationShare',
      value: validationShare,
      ok: validationShare > 0 && validationShare < 1,
      expected: 'between 0 and 1',
    },
  ]);
}

function lossOver(layers: readonly DenseLayer[], matrix: Matrix, rows: Uint32Array): number {
  let sum = 0;
  for (const row of rows) {
    const values = rowOf(matrix, row);
    const made = outputOf(layers, layers.length - 1, values);
    for (let c = 0; c < made.length; c++) sum += (made[c]! - values[c]!) ** 2;
  }
  return sum / rows.length / matrix.columnCount;
}

function latentSpaceOf(layers: readonly DenseLayer[], bottleneck: number, matrix: Matrix): PcaModel {
  const columnCount = layers[bottleneck]!.outputs;
  const values = new Float64Array(matrix.rowCount * columnCount);
  for (let row = 0; row < matrix.rowCount; row++) {
    values.set(outputOf(layers, bottleneck, rowOf(matrix, row)), row * columnCount);
  }
  const options = { whiten: true, varianceShareMin: LATENT_SHARE_MIN };
  return fitPca({ values, rowCount: matrix.rowCount, columnCount }, options);
}

/** Latent values of a row in its own units. */
export function encodeRow(model: AutoencoderModel, row: Row): Float64Array {
  return outputOf(model.layers, model.bottleneck, scaled(model, row));
}

/** The row as the decoder gives it back, in standardised units. */
export function reconstructRow(model: AutoencoderModel, row: Row): Float64Array {
  return outputOf(model.layers, model.layers.length - 1, scaled(model, row));
}

function scaled(model: AutoencoderModel, row: Row): Float64Array {
  return scaleRow(model.scaler, row);
}

/**
 * Mahalanobis distance of the row's latent values from those of the training rows: in standard deviations along their own axes,
 * so that figures which always go together count as one. 0 or more.
 */
export function latentDeviation(model: AutoencoderModel, row: Row): number {
  return Math.hypot(...projectRow(model.latentSpace, encodeRow(model, row)));
}

export const autoencoder: Estimator<Matrix, AutoencoderOptions, AutoencoderModel> = {
  fit: fitAutoencoder,
  score: latentDeviation,
};
