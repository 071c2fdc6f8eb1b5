// The trend layer of seed 002: an autoencoder over buckets of calm traffic; a bucket whose latent deviation is above the largest
// of calm buckets plus a buffer goes on to the in-depth layer, with its neighbours. Called by layers.ts.
import {
  type AutoencoderModel,
  type AutoencoderOptions,
  fitAutoencoder,
  latentDeviation,
} from '../autoencoder.ts';
import { rowOf } from '../matrix.ts';
import type { Buckets } from './layers-traffic.ts';

/** Buffer as a share of the largest calm deviation: the paper adds 10 to 22. */
export const TREND_BUFFER_SHARE = 10 / 22;

/** Widths of the encoder over the twelve columns of a bucket. */
const TREND_ENCODER: readonly number[] = [12, 8];

export interface TrendModel {
  readonly autoencoder: AutoencoderModel;
  readonly calmMax: number;
  readonly threshold: number;
}

export interface TrendOptions extends Partial<AutoencoderOptions> {
  /** 0 or more. */
  readonly bufferShare?: number;
}

/** @throws PicketError TRAINING_INVALID as fitAutoencoder. */
export function fitTrend(calm: Buckets, options: TrendOptions = {}): TrendModel {
  const { bufferShare = TREND_BUFFER_SHARE, ...rest } = options;
  const autoencoder = fitAutoencoder(calm.rows, { encoder: TREND_ENCODER, ...rest });
  let calmMax = 0;
  for (let row = 0; row < calm.rows.rowCount; row++) {
    calmMax = Math.max(calmMax, latentDeviation(autoencoder, rowOf(calm.rows, row)));
  }
  return { autoencoder, calmMax, threshold: calmMax * (1 + bufferShare) };
}

/** 1 for each bucket above the threshold. */
export function trendFlags({ autoencoder, threshold }: TrendModel, { rows }: Buckets): Uint8Array {
  return Uint8Array.from({ length: rows.rowCount }, (_, row) =>
    latentDeviation(autoencoder, rowOf(rows, row)) > threshold ? 1 : 0,
  );
}

/** Numbers of the flagged buckets and of those next to them. */
export function escalated(flags: Uint8Array, { numbers }: Buckets): Set<number> {
  const kept = new Set<number>();
  flags.forEach((flag, b) => {
    if (flag === 1) for (const step of [-1, 0, 1]) kept.add(numbers[b]! + step);
  });
  return kept;
}
