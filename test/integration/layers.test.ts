// The `layers` experiment (seed 002) on simulated traffic against what it must reach, at the supports of the paper: users who are
// learnt from and users who are judged share nothing, and the trend layer lets a calm day pass.
import { beforeAll, describe, expect, it } from 'vitest';
import { layersTraffic } from '../../cli/layers-traffic.ts';
import { placeOf } from '../../simulator/faithful/figures.ts';
import { type LayerResult, type LayersResult, runLayers } from '../../training/experiments/layers.ts';
import type { LayerFigures } from '../../training/experiments/layers-metrics.ts';
import type { ApiRequest } from '../../training/experiments/layers-traffic.ts';

const traffic = layersTraffic({ seed: 3, calmHours: 36 });
const mean = ({ draws }: LayerResult, of: (figures: LayerFigures) => number) =>
  draws.reduce((sum, one) => sum + of(one), 0) / draws.length;

describe('layers experiment', () => {
  let result: LayersResult;
  beforeAll(() => {
    result = runLayers(traffic, { seed: 3, placeOf });
  }, 600_000);

  it('flags the attacks in the trend layer and lets calm buckets pass', () => {
    expect(result.trend.calmBuckets).toBeGreaterThanOrEqual(8640);
    expect(result.trend.falsePositiveRate).toBeLessThanOrEqual(0.01);
    expect(result.trend.truePositiveRateAlone).toBeGreaterThanOrEqual(0.97);
  });

  it('classifies what the trend layer lets through', () => {
    const { inDepth } = result;
    expect(mean(inDepth, ({ accuracy }) => accuracy)).toBeGreaterThanOrEqual(0.93);
    expect(mean(inDepth, ({ classes }) => classes.stolen_token.f1)).toBeGreaterThanOrEqual(0.99);
    expect(mean(inDepth, ({ classes }) => classes.abnormal_usage.f1)).toBeGreaterThanOrEqual(0.93);
    expect(inDepth.draws[0]!.confusion.map((row) => row.reduce((sum, n) => sum + n, 0))).toEqual([
      138, 1495, 1495,
    ]);
  });

  it('classifies all requests in the background', () => {
    const { background } = result;
    expect(mean(background, ({ accuracy }) => accuracy)).toBeGreaterThanOrEqual(0.89);
    expect(mean(background, ({ classes }) => classes.stolen_token.f1)).toBeGreaterThanOrEqual(0.99);
    expect(mean(background, ({ classes }) => classes.abnormal_usage.f1)).toBeGreaterThanOrEqual(0.8);
    expect(background.draws[0]!.confusion.map((row) => row.reduce((sum, n) => sum + n, 0))).toEqual([
      4613, 2500, 2500,
    ]);
  });

  it('learns from nobody whom it judges', () => {
    const tokens = ({ stretches }: typeof traffic.learnt) =>
      new Set(stretches.flatMap((source) => Array.from(source(), ({ token }: ApiRequest) => token)));
    const judged = tokens(traffic.judged);
    expect([...tokens(traffic.learnt)].filter((token) => judged.has(token))).toEqual([]);
  });
});
