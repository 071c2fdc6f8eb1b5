// Holds values that a leaf wrote against the range and the "when missing" of its features.
// Never used outside tests.

import type { Feature } from '../../domain/feature.ts';

/** `name: value` for every value outside its range, or missing where it never may be. */
export function outOfRange(features: readonly Feature[], values: ArrayLike<number>): string[] {
  const found: string[] = [];
  for (const [place, { name, range, missing }] of features.entries()) {
    const value = values[place] ?? Number.NaN;
    const bad = Number.isNaN(value)
      ? missing === 'never'
      : value < range[0] || value > range[1] || value !== Math.fround(value);
    if (bad) found.push(`${name}: ${value}`);
  }
  return found;
}
