// The made data of seed 001 (Baye et al. 2021): requests an address in a log of 10,000 lines, a bandwidth drawn apart from it,
// and the labels of the notebook's "Gaussian outlier" limits. Only what the model reads is made: the other 25 columns of the
// notebook's log are constant or noise. Called by volume.ts.
import type { Random } from '../../domain/random.ts';
import { type Matrix, matrixFromRows } from '../matrix.ts';

/** Rows that got a label; column 0 is requests an address, column 1 bandwidth in Mbps. */
export interface VolumeTable {
  readonly matrix: Matrix;
  /** 1 is abnormal. */
  readonly labels: Uint8Array;
  /** Rows that no rule labels. */
  readonly dropped: number;
  /** Mean and standard deviation of the requests an address, before rows are dropped. */
  readonly countMean: number;
  readonly countSd: number;
}

const LOG_LINES = 10_000;
const ADDRESSES = 256;
/** The notebook draws its bandwidths from 1, 4, ..., 499. */
const BANDWIDTH_STEPS = 167;

/** The limits of the notebook: of counts in rows, of bandwidth in Mbps. */
export const VOLUME_LIMITS = { countLow: 30, countHigh: 45, bandwidthLow: 5, bandwidthHigh: 100 } as const;

/** 1 abnormal, 0 normal, null where the notebook drops the row. */
export function volumeLabel(count: number, bandwidth: number): 0 | 1 | null {
  const { countLow, countHigh, bandwidthLow, bandwidthHigh } = VOLUME_LIMITS;
  if (count < countLow && bandwidth < bandwidthLow) return 1;
  if (count > countLow && bandwidth > bandwidthHigh) return 1;
  const isUsual = count > countLow && count < countHigh;
  return isUsual && bandwidth > bandwidthLow && bandwidth < bandwidthHigh ? 0 : null;
}

/** Draws one table: a row an address in order of first appearance, paired with a bandwidth each. */
export function drawVolumeTable(random: Random): VolumeTable {
  const counts = new Map<number, number>();
  for (let line = 0; line < LOG_LINES; line++) {
    const address = random.int(ADDRESSES);
    counts.set(address, (counts.get(address) ?? 0) + 1);
  }
  const rows: [number, number][] = [];
  const labels: number[] = [];
  for (const count of counts.values()) {
    const bandwidth = 1 + 3 * random.int(BANDWIDTH_STEPS);
    const label = volumeLabel(count, bandwidth);
    if (label === null) continue;
    rows.push([count, bandwidth]);
    labels.push(label);
  }
  const mean = LOG_LINES / counts.size;
  const squares = [...counts.values()].reduce((sum, count) => sum + (count - mean) ** 2, 0);
  return {
    matrix: matrixFromRows(rows),
    labels: Uint8Array.from(labels),
    dropped: counts.size - rows.length,
    countMean: mean,
    countSd: Math.sqrt(squares / (counts.size - 1)),
  };
}
