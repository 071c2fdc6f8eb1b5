// Checks that the options of several estimators share: numbers within bounds, and class weights. All wrong values are reported
// together by the caller. Called by the option files of the estimators.
import type { Problem } from '../domain/errors.ts';
import type { Dataset } from './dataset.ts';

/** A value (null: not set, always fine), its bounds, both included, and whether it must be a whole number. */
export type NumberRule = readonly [value: number | null, low: number, high: number, whole: boolean];

/** A problem for each number that breaks its rule, by option name. */
export function numberProblems(rules: Readonly<Record<string, NumberRule>>): Problem[] {
  const problems: Problem[] = [];
  for (const [field, [value, low, high, whole]] of Object.entries(rules)) {
    if (value === null) continue;
    if (value >= low && value <= high && (!whole || Number.isInteger(value))) continue;
    const kind = whole ? 'a whole number' : 'a number';
    problems.push({ field, value: String(value), expected: `${kind} from ${low} to ${high}` });
  }
  return problems;
}

/** A problem for each class weight that is not a finite number above 0, or one for a wrong number of them. */
export function classWeightProblems(weights: readonly number[], data: Dataset): Problem[] {
  const field = 'classWeight';
  if (weights.length !== data.classNames.length) {
    return [
      { field, value: `${weights.length} weights`, expected: `${data.classNames.length}, one a class` },
    ];
  }
  return weights
    .filter((weight) => !(weight > 0 && weight < Infinity))
    .map((weight) => ({ field, value: String(weight), expected: 'a finite number above 0' }));
}
