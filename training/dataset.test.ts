// Data sets from logged vectors, and what is refused; the booster's tests cover the rest of the checks.
import { describe, expect, it } from 'vitest';
import { classCounts, datasetFromVectors, takeRows } from './dataset.ts';

const REST = { names: ['a', 'b'], labels: Uint8Array.of(0, 1, 1), classNames: ['no', 'yes'] };

describe('datasetFromVectors', () => {
  it('turns rows of f32 or f64 values into columns', () => {
    const data = datasetFromVectors(Float32Array.of(1, 2, 3, Number.NaN, 5, 6), REST);
    expect(data.columns).toEqual([Float64Array.of(1, 3, 5), Float64Array.of(2, Number.NaN, 6)]);
    expect([...classCounts(data)]).toEqual([1, 2]);
  });

  it('refuses vectors that do not fill their rows', () => {
    expect(() => datasetFromVectors(new Float64Array(5), REST)).toThrow(
      '5 values are not 3 rows of 2 features',
    );
  });
});

describe('takeRows', () => {
  it('takes rows in the order given, weights too', () => {
    const weights = Float64Array.of(1, 2, 3);
    const data = datasetFromVectors(Float64Array.of(1, 2, 3, 4, 5, 6), { ...REST, weights });
    const taken = takeRows(data, [2, 0, 2]);
    expect(taken.columns[0]).toEqual(Float64Array.of(5, 1, 5));
    expect([...taken.labels]).toEqual([1, 0, 1]);
    expect([...taken.weights!]).toEqual([3, 1, 3]);
  });
});
