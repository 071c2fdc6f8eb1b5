// What every importer gives: canonical trees with named inputs, the link of its library, and what a reader of it should know.
// Also the one way in which importers refuse a file: with the place and the reason.
// Filled by lightgbm.ts, xgboost.ts, sklearn.ts and onnx.ts; packed by import-bundle.ts.
import { PicketError } from '../../domain/errors.ts';
import type { ModelLink } from '../../domain/model-manifest.ts';
import type { Ensemble } from '../../wasm-core/host/ensemble.ts';

export interface ImportedModel {
  /** Library or format with its version, as far as the file says it. */
  readonly library: string;
  /** Its inputs are 0, 1, ... in the order of `inputNames`. */
  readonly ensemble: Ensemble;
  readonly inputNames: readonly string[];
  readonly link: ModelLink;
  /** Names of the classes, in output order; one output of two classes has both names; empty for a regression. */
  readonly classes: readonly string[];
  /** Raw margin at which the library's own prediction turns, where it has one: flagged from `at` on, or below it. */
  readonly turn: { readonly at: number; readonly flags: 'from' | 'below' } | null;
  /** Things to say beside the result, a sentence each. */
  readonly notes: readonly string[];
}

/** Most bytes of a model file. */
export const MODEL_FILE_MAX_BYTES = 128 * 2 ** 20;

/** Refuses the file. `place` says where in it, e.g. `Tree=3, threshold 7`. */
export function malformed(place: string, reason: string): never {
  throw new PicketError('DATA_INVALID', `${place}: ${reason}`);
}

/** Refuses a well-formed model that the canonical form has no room for. */
export function unsupported(place: string, reason: string, hint?: string): never {
  throw new PicketError('DATA_INVALID', `${place}: ${reason}`, hint === undefined ? {} : { hint });
}

/** A text as it may stand in a message: bounded, on one line. */
export function shown(value: unknown): string {
  const isLarge = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
  const other = isLarge ? (Array.isArray(value) ? '[…]' : '{…}') : (JSON.stringify(value) ?? String(value));
  const text = typeof value === 'string' ? value : other;
  const line = [...text.slice(0, 60)].map((c) => (c < ' ' ? '?' : c)).join('');
  return text.length > 60 ? `${line}…` : line;
}

/** The caps of a bundle, met before memory is taken. */
export function checkCount(place: string, count: number, least: number, most: number): void {
  if (!Number.isInteger(count) || count < least || count > most) {
    malformed(place, `${count} is not a number from ${least} to ${most}`);
  }
}
