// Class weights as row weights, by scikit-learn's rule for `balanced`. Pure; checks of the weights stand in option-rules.ts.
// Called by booster.ts and random-forest.ts.
import { classCounts, type Dataset } from './dataset.ts';

/** `balanced`: rows / (classes * rows of the class); or one weight a class. */
export type ClassWeight = 'none' | 'balanced' | readonly number[];

/** The data set with row weights times class weights. Plain rows and classes stay without weights. */
export function classWeighted(data: Dataset, classWeight: ClassWeight): Dataset {
  if (classWeight === 'none') return data;
  const perClass =
    classWeight === 'balanced'
      ? Array.from(classCounts(data), (count) => data.rowCount / (data.classNames.length * count))
      : classWeight;
  const weights = new Float64Array(data.rowCount);
  for (let row = 0; row < data.rowCount; row++) {
    weights[row] = (data.weights === undefined ? 1 : data.weights[row]!) * perClass[data.labels[row]!]!;
  }
  return { ...data, weights };
}
