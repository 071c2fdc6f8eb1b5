// Binning beyond the parity fixtures: every value lands in its bin, samples of long columns, weights, absent values.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../domain/random.ts';
import { type BinningOptions, binTable, ROWS_SAMPLED_MAX } from './binning.ts';

const OPTIONS: BinningOptions = { binsMax: 255, percentiles: 'averaged_inverted_cdf', seed: 1 };

function binColumn(values: ArrayLike<number>, options: Partial<BinningOptions> = {}) {
  const column = Float64Array.from(values);
  const table = binTable(
    { names: ['x'], columns: [column], rowCount: column.length },
    { ...OPTIONS, ...options },
  );
  return { edges: table.edges[0]!, bins: table.bins[0]!, missingBin: table.missingBins[0]!, table };
}

describe('binTable', () => {
  it('puts every value between its edges, in both percentile modes and any number of bins', () => {
    const values = fc.array(
      fc.oneof(fc.double({ noDefaultInfinity: true }), fc.integer({ min: 0, max: 5 })),
      {
        minLength: 1,
        maxLength: 80,
      },
    );
    const mode = fc.constantFrom('midpoint', 'averaged_inverted_cdf');
    fc.assert(
      fc.property(values, fc.integer({ min: 2, max: 40 }), mode, (column, binsMax, percentiles) => {
        const { edges, bins, missingBin, table } = binColumn(column, { binsMax, percentiles });
        expect(edges.length).toBeLessThan(binsMax);
        column.forEach((value, row) => {
          const bin = bins[row]!;
          if (Number.isNaN(value)) expect(bin).toBe(missingBin);
          else {
            expect(value > (edges[bin - 1] ?? -Infinity)).toBe(true);
            expect(value <= (edges[bin] ?? Infinity)).toBe(true);
          }
        });
        expect(table.hasMissing[0]).toBe(column.some(Number.isNaN) ? 1 : 0);
      }),
    );
  });

  it('samples long columns by the seed, and comes close to the true percentiles', () => {
    const random = seededRandom(2);
    const long = Float64Array.from({ length: ROWS_SAMPLED_MAX + 5000 }, () => random.next());
    const { edges } = binColumn(long);
    expect(edges).toEqual(binColumn(long).edges);
    expect(edges).not.toEqual(binColumn(long, { seed: 2 }).edges);
    expect(edges.length).toBe(254);
    edges.forEach((edge, i) => {
      expect(Math.abs(edge - (i + 1) / 255)).toBeLessThan(0.01);
    });
  });

  it('draws by weight when it samples: rows without weight are never seen', () => {
    const long = Float64Array.from({ length: ROWS_SAMPLED_MAX + 10 }, (_, row) => row);
    const weights = long.map((row) => (row < 1000 ? 1 : 0));
    const { edges } = binColumn(long, { weights });
    expect(edges.at(-1)).toBeLessThan(1000);
  });

  it('ignores rows of weight 0 when it looks for distinct values', () => {
    const weights = Float64Array.of(1, 1, 0, 1);
    expect([...binColumn([1, 2, 2.5, 3], { weights }).edges]).toEqual([1.5, 2.5]);
    expect([...binColumn([1, 2, 2.5, 3], { weights, percentiles: 'midpoint' }).edges]).toEqual([
      1.5, 2.25, 2.75,
    ]);
  });

  it('has no edges for a column that is constant or missing throughout', () => {
    expect(binColumn([4, 4, 4]).edges.length).toBe(0);
    expect([...binColumn([Number.NaN, Number.NaN]).bins]).toEqual([1, 1]);
  });
});
