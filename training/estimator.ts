// What every estimator of the lab offers beside its own functions: fit a model of plain data, score a row by it.
// A model holds numbers, texts and typed arrays only; the same data, options and seed give the same model.
// The interface and nothing else. Used where code is written for any estimator: experiments and the bundle export.

/** `Score` is what one row gets: a number, or one for each class. */
export interface Estimator<Data, Options, Model, Score = number> {
  /** Throws PicketError TRAINING_INVALID for data or options that cannot give a model. */
  fit(data: Data, options?: Partial<Options>): Model;
  /** `row` holds a value for each of the model's features, in their order; NaN = missing. */
  score(model: Model, row: ArrayLike<number>): Score;
}

/** How far a long fit has come. */
export interface FitProgress {
  /** Trees, epochs or rounds done, counted from 1. */
  readonly done: number;
  readonly all: number;
}
