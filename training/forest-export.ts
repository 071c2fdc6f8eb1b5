// A forest as a bundle of its own: the forest in one detector, and a verdict that steps through its score, so that a sidecar
// flags where the forest decides. Forests beside other detectors go through export.ts as they are. Called by experiments.
import type { ModelLink, ModelManifest } from '../domain/model-manifest.ts';
import { VERDICT } from '../wasm-core/host/ensemble.ts';
import { nextUp } from '../wasm-core/host/float.ts';
import { OFFLINE_ARENA_BYTES } from '../wasm-core/host/prepare.ts';
import type { FeatureTable } from './dataset.ts';
import { exportBundle } from './export.ts';
import type { ImportedModel } from './import/imported-model.ts';
import { stepVerdict } from './import/step-verdict.ts';
import type { IsolationForestModel } from './isolation-forest.ts';
import type { RandomForestModel } from './random-forest.ts';
import { ensembleOf } from './tree-model.ts';

export interface ForestExport {
  /** Lower-case words joined by `_`, not `verdict`. */
  readonly name: string;
  readonly model: RandomForestModel | IsolationForestModel;
  /** Thresholds, classes and answer are filled in. */
  readonly manifest: Omit<ModelManifest, 'thresholds' | 'classes' | 'answer'>;
  readonly rows: FeatureTable;
}

/**
 * Packs one forest. Two classes are flagged when the second has more than half, outliers as the model decides; a forest of three
 * classes or more has no single score, and its verdict never flags.
 * @throws PicketError as `exportBundle` does.
 */
export function exportForest({ name, model, manifest, rows }: ForestExport): Uint8Array {
  const { link, turn, classes } = answerOf(model);
  const verdict = stepVerdict({ ensemble: ensembleOf(model, model.featureNames), link, turn });
  const made = {
    kind: 'made' as const,
    featureNames: verdict.flags ? [name] : [],
    ensemble: verdict.ensemble,
  };
  return exportBundle({
    detectors: [
      { name, onDemand: false, model },
      { name: VERDICT, onDemand: false, model: made },
    ],
    manifest: {
      ...manifest,
      thresholds: { flagAt: verdict.flagAt, blockAt: verdict.flagAt, method: 'given' },
      classes: [],
      answer: { detector: name, link, classes },
    },
    rows,
    arenaBytes: OFFLINE_ARENA_BYTES,
  });
}

interface Answer {
  readonly link: ModelLink;
  readonly turn: ImportedModel['turn'];
  readonly classes: readonly string[];
}

function answerOf(model: RandomForestModel | IsolationForestModel): Answer {
  if (model.kind === 'isolation_forest') {
    const turn = { at: model.normalFrom, flags: 'below' as const };
    return { link: { kind: 'depth', divisor: model.divisor }, turn, classes: ['normal', 'outlier'] };
  }
  const turn = model.classNames.length === 2 ? { at: nextUp(0.5), flags: 'from' as const } : null;
  return { link: { kind: 'identity' }, turn, classes: model.classNames };
}
