// The recipe's counts and labels against the published description, and the bar of the experiment on fewer splits than it runs.
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../domain/random.ts';
import { f1Of, falsePositiveRateOf, meanAndSd } from '../metrics.ts';
import { FLIP_SHARES, pooled, runVolume } from './volume.ts';
import { drawVolumeTable, volumeLabel } from './volume-recipe.ts';

describe('recipe', () => {
  it.each([
    [29, 4, 1],
    [29, 6, null],
    [31, 101, 1],
    [50, 400, 1],
    [31, 99, 0],
    [44, 6, 0],
    [45, 50, null],
    [30, 400, null],
    [31, 100, null],
  ])('labels %i requests at %i Mbps as %s', (count, bandwidth, label) => {
    expect(volumeLabel(count, bandwidth)).toBe(label);
  });

  it('keeps as many rows of each class as 200 repetitions of the original did', () => {
    const tables = Array.from({ length: 100 }, (_, seed) => drawVolumeTable(seededRandom(seed)));
    const abnormal = tables.map(({ labels }) => labels.reduce((sum, label) => sum + label, 0));
    const dropped = tables.map((table) => table.dropped);
    // 187 ± 7 abnormal, 34 ± 5 dropped; the mean of 100 has a tenth of that deviation, and the original's mean a fourteenth.
    expect(Math.abs(meanAndSd(abnormal).mean - 187)).toBeLessThan(3);
    expect(Math.abs(meanAndSd(dropped).mean - 34)).toBeLessThan(3);
    for (const table of tables) {
      expect(table.labels.length + table.dropped).toBe(256);
      expect(table.matrix.rowCount).toBe(table.labels.length);
    }
  });
});

describe('runVolume', () => {
  it('reaches the published F1 at 2 % flips, beats the constant answer, and repeats itself', () => {
    const seeds = [0, 1, 2, 3, 4, 5];
    const done: number[] = [];
    const runs = runVolume(seeds, (progress) => done.push(progress.done));
    expect(done).toEqual([1, 2, 3, 4, 5, 6]);
    const flips = FLIP_SHARES.indexOf(0.02);
    const counts = pooled(runs.map((one) => one.runs[flips]!.chosen));
    const always = pooled(runs.map((one) => one.alwaysAbnormal));
    expect(f1Of(counts)).toBeGreaterThanOrEqual(0.964);
    expect(falsePositiveRateOf(counts)).toBeLessThanOrEqual(0.073);
    expect(f1Of(always)).toBeLessThan(f1Of(counts));
    expect(falsePositiveRateOf(always)).toBe(1);
    expect(runVolume([3])).toEqual([runs[3]]);
  });

  it('refuses to run without seeds', () => {
    expect(() => runVolume([])).toThrow('at least one seed');
  });
});
