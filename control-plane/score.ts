// Scores rows of named features with a stored bundle: the same WASM core as in the sidecar, fed with the caller's values.
// Keeps the last few bundles ready. Knows no HTTP (score-http.ts) and checks no rows (score-rows.ts).

import { setImmediate } from 'node:timers/promises';
import { PicketError } from '../domain/errors.ts';
import type { Bundle } from '../wasm-core/host/bundle.ts';
import { Core } from '../wasm-core/host/core.ts';
import { type Detector, type Ensemble, SLOT_INPUT } from '../wasm-core/host/ensemble.ts';
import { Explainer } from '../wasm-core/host/explainer.ts';
import { answerOf, argMax, linked, marginOf, scoreOf } from '../wasm-core/host/link.ts';
import {
  OFFLINE_ARENA_BYTES,
  offeredByName,
  type PreparedBundle,
  prepareBundle,
} from '../wasm-core/host/prepare.ts';
import { CONTROL_LIMITS } from './limits.ts';
import type { Registry } from './registry.ts';

/** What moved one raw margin: bias and contributions add up to `margin` (path-dependent TreeSHAP). */
export interface Shap {
  readonly margin: number;
  readonly bias: number;
  /** By feature name; of a detector that reads others' slots, by their names. */
  readonly contributions: Readonly<Record<string, number>>;
}

export interface ScoredRow {
  /** 0..1, what `threshold` is compared with; the class's probability with three classes or more; a regression's value. */
  readonly score: number;
  /** Null for a regression. */
  readonly class: string | null;
  /** Score at and above which a row is of the second class; null with three classes or more, and for a regression. */
  readonly threshold: number | null;
  /** Of an imported model: what its own library says, by class or output. */
  readonly answer?: readonly number[];
  /** Null when it was not asked for, or the model does not say how many rows its nodes saw, or is too large. */
  readonly shap: Shap | null;
}

/** A bundle ready to score. */
export interface ReadyModel {
  readonly bundleId: string;
  readonly featureNames: readonly string[];
  /** Scores rows of values in the order of `featureNames`. Lets other work in between when it takes long. */
  score(rows: readonly Float64Array[], explain: boolean): Promise<readonly ScoredRow[]>;
}

/** Other work may run after so much scoring. */
const TURN_MS = 5;

/** Finds bundles and keeps the last used ones ready. */
export class ScoreDesk {
  readonly #registry: Registry;
  /** By digest, the last used one at the end. A failed one is not kept. */
  readonly #ready = new Map<string, Promise<ReadyModel>>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** The bundle of a digest or id, or the active one. Null when none is active; throws as Registry.find and BUNDLE_*. */
  async model(name: string | null): Promise<ReadyModel | null> {
    const record = name === null ? await this.#registry.active() : await this.#registry.find(name);
    if (record === null) return null;
    const ready = this.#ready.get(record.digest) ?? this.#registry.bundleOf(record).then(readyModel);
    this.#ready.delete(record.digest);
    this.#ready.set(record.digest, ready);
    if (this.#ready.size > CONTROL_LIMITS.scoreModelsMax)
      this.#ready.delete(this.#ready.keys().next().value!);
    ready.catch(() => this.#ready.delete(record.digest));
    return ready;
  }
}

/** Prepares a parsed bundle. Throws BUNDLE_MODEL, BUNDLE_TOO_LARGE, BUNDLE_SELF_TEST. */
export function readyModel(bundle: Bundle): ReadyModel {
  const featureNames = bundle.features.map(({ name }) => name);
  const prepared = prepareBundle(bundle, offeredByName(featureNames), { arenaBytes: OFFLINE_ARENA_BYTES });
  const core = new Core({ arenaBytes: prepared.image.byteLength });
  core.stage(prepared);
  core.activate();
  const rowScorer = new RowScorer(bundle, prepared, core);
  return {
    bundleId: bundle.id,
    featureNames,
    score: async (rows, explain) => {
      const out: ScoredRow[] = [];
      let turnEnds = performance.now() + TURN_MS;
      for (const row of rows) {
        out.push(rowScorer.score(row, explain));
        if (performance.now() < turnEnds) continue;
        await setImmediate();
        turnEnds = performance.now() + TURN_MS;
      }
      return out;
    },
  };
}

class RowScorer {
  readonly #bundle: Bundle;
  readonly #core: Core;
  readonly #prepared: PreparedBundle;
  readonly #answer: ReturnType<typeof answerOf>;
  readonly #classes: readonly string[];
  readonly #flagMargin: number;
  /** Made when first asked for: its tables may be large. Null when the model cannot be explained. */
  #explainer: Explainer | null | undefined;

  constructor(bundle: Bundle, prepared: PreparedBundle, core: Core) {
    this.#bundle = bundle;
    this.#core = core;
    this.#prepared = prepared;
    this.#answer = answerOf(bundle);
    const positive = bundle.manifest.data['positive'];
    this.#classes = bundle.manifest.answer?.classes ?? ['normal', String(positive ?? 'attack')];
    this.#flagMargin = marginOf(bundle.manifest.thresholds.flagAt);
  }

  score(values: Float64Array, explain: boolean): ScoredRow {
    const { detector, link } = this.#answer;
    this.#core.vector.set(values);
    const verdict = this.#core.score();
    const from = this.#prepared.slotsAt + detector.slot;
    const margins = this.#core.vector.slice(from, from + detector.ensemble.outputs);
    const numbers = linked(link, margins);
    const output = argMax(margins);
    const shap = explain ? this.#shapOf(detector, margins, output) : null;
    const answer = this.#bundle.manifest.answer === undefined ? {} : { answer: [...numbers] };
    if (this.#classes.length === 2) {
      const label = this.#classes[verdict >= this.#flagMargin ? 1 : 0]!;
      const { flagAt } = this.#bundle.manifest.thresholds;
      return { score: scoreOf(verdict), class: label, threshold: flagAt, ...answer, shap };
    }
    return {
      score: numbers[output]!,
      class: this.#classes[output] ?? null,
      threshold: null,
      ...answer,
      shap,
    };
  }

  #shapOf({ ensemble }: Detector, margins: Float64Array, output: number): Shap | null {
    const { places, slotsAt } = this.#prepared;
    if (this.#explainer === undefined) this.#explainer = explainerOf(ensemble);
    if (this.#explainer === null) return null;
    const { inputs } = ensemble;
    const values = inputs.map(
      (input) => this.#core.vector[input & SLOT_INPUT ? slotsAt + (input ^ SLOT_INPUT) : places[input]!]!,
    );
    const { bias, contributions } = this.#explainer.explain(values);
    const named = inputs.map((input, i) => [this.#nameOf(input), contributions[output * inputs.length + i]!]);
    return { margin: margins[output]!, bias: bias[output]!, contributions: Object.fromEntries(named) };
  }

  /** A slot is named after its detector, with its place where the detector has several. */
  #nameOf(input: number): string {
    if ((input & SLOT_INPUT) === 0) return this.#bundle.features[input]!.name;
    const slot = input ^ SLOT_INPUT;
    const from = this.#bundle.detectors.findLast((detector) => detector.slot <= slot)!;
    return from.ensemble.outputs === 1 ? from.name : `${from.name}_${slot - from.slot}`;
  }
}

/** Null for a model without row counts, or one whose tables are over the limit: it is scored all the same. */
function explainerOf(ensemble: Ensemble): Explainer | null {
  try {
    return new Explainer(ensemble);
  } catch (thrown) {
    const error = PicketError.from(thrown);
    if (error.code === 'BUNDLE_MODEL' || error.code === 'BUNDLE_TOO_LARGE') return null;
    throw error;
  }
}
