// Plots of the `behaviour` experiment: ROC, precision and recall, F1 by threshold, SHAP values. Data in, plots out.
// Called by behaviour-report.ts.
import { seededRandom } from '../../domain/random.ts';
import { Explainer } from '../../wasm-core/host/explainer.ts';
import type { BoostedModel } from '../booster.ts';
import type { Dataset } from '../dataset.ts';
import { ensembleOf } from '../export.ts';
import { confusionAt, curveOf, f1Of, precisionOf, recallOf, type ScoredRows } from '../metrics.ts';
import type { Plot, PlotPoint, PlotSeries } from '../report/svg.ts';
import type { BehaviourSplit } from './behaviour.ts';

type Curve = (scored: ScoredRows) => PlotPoint[];

/** All test parts as one. */
function pooledScores(splits: readonly BehaviourSplit[]): ScoredRows {
  return {
    scores: Float64Array.from(splits.flatMap(({ scored }) => [...scored.scores])),
    positives: Uint8Array.from(splits.flatMap(({ scored }) => [...scored.positives])),
  };
}

function curves(splits: readonly BehaviourSplit[], curve: Curve): PlotSeries[] {
  return [
    ...splits.map(({ seed, scored }) => ({
      label: `seed ${seed}`,
      style: 'thin' as const,
      points: curve(scored),
    })),
    { label: 'all splits', style: 'line', points: curve(pooledScores(splits)) },
  ];
}

export function rocPlot(splits: readonly BehaviourSplit[]): Plot {
  const curve: Curve = (scored) => {
    const points = curveOf(scored);
    const { truePositives, falsePositives } = points.at(-1)!;
    const shares = points.map((point) => ({
      x: point.falsePositives / falsePositives,
      y: point.truePositives / truePositives,
    }));
    return [{ x: 0, y: 0 }, ...shares];
  };
  const chance: PlotSeries = {
    label: 'chance',
    style: 'dashed',
    points: [
      { x: 0, y: 0 },
      { x: 1, y: 1 },
    ],
  };
  return {
    name: 'behaviour-roc',
    title: 'ROC curve, honest protocol',
    x: { label: 'false-positive rate', min: 0, max: 1 },
    y: { label: 'true-positive rate', min: 0, max: 1 },
    series: [...curves(splits, curve), chance],
  };
}

export function precisionRecallPlot(splits: readonly BehaviourSplit[]): Plot {
  const curve: Curve = (scored) => {
    const points = curveOf(scored);
    const all = points.at(-1)!.truePositives;
    return points.map(({ truePositives, falsePositives }) => ({
      x: truePositives / all,
      y: truePositives / (truePositives + falsePositives),
    }));
  };
  return {
    name: 'behaviour-precision-recall',
    title: 'Precision and recall, honest protocol',
    x: { label: 'recall', min: 0, max: 1 },
    y: { label: 'precision', min: 0, max: 1 },
    series: curves(splits, curve),
  };
}

/** F1, precision and recall of the pooled test parts by threshold, and the thresholds that were advised. */
export function thresholdPlot(name: string, splits: readonly BehaviourSplit[]): Plot {
  const scored = pooledScores(splits);
  const line = (label: string, style: 'line' | 'dashed', rate: typeof f1Of): PlotSeries => ({
    label,
    style,
    points: Array.from({ length: 99 }, (_, step) => ({
      x: (step + 1) / 100,
      y: rate(confusionAt(scored, (step + 1) / 100)),
    })),
  });
  const advised = splits.map((split) => ({ x: split.advised, y: split.figures.f1_at_advised }));
  return {
    name,
    title: `Thresholds, ${name.endsWith('published') ? 'published' : 'honest'} protocol`,
    x: { label: 'threshold', min: 0, max: 1 },
    y: { label: 'share', min: 0.5, max: 1 },
    series: [
      line('F1', 'line', f1Of),
      line('precision', 'dashed', precisionOf),
      line('recall', 'dashed', recallOf),
      { label: 'advised, F1 of its split', style: 'dots', points: advised },
    ],
  };
}

/** A dot a row and feature: its contribution to the margin, coloured by the rank of its value. */
export function shapPlot(model: BoostedModel, rows: Dataset): Plot {
  const explainer = new Explainer(ensembleOf(model, rows.names));
  const contributions = Array.from({ length: rows.rowCount }, (_, row) =>
    explainer.explain(rows.columns.map((column) => column[row]!)).contributions.slice(),
  );
  const size = (f: number) => contributions.reduce((sum, values) => sum + Math.abs(values[f]!), 0);
  // The axis counts from below: the largest feature comes last.
  const order = [...rows.names.keys()].sort((a, b) => size(a) - size(b) || a - b);
  const random = seededRandom(0);
  const points = order.flatMap((f, place) => {
    const shades = ranksOf(rows.columns[f]!);
    return contributions.map((values, row) => ({
      x: values[f]!,
      y: place + (random.next() - 0.5) * 0.6,
      ...(Number.isNaN(shades[row]!) ? {} : { shade: shades[row]! }),
    }));
  });
  return {
    name: 'behaviour-shap',
    title: 'SHAP values, first honest split',
    x: { label: 'contribution to the margin' },
    y: { label: '', names: order.map((f) => rows.names[f]!) },
    series: [{ label: 'one row', style: 'dots', points }],
  };
}

/** Share of the values below each value, 0..1; NaN stays. */
function ranksOf(column: Float64Array): Float64Array {
  const known = column.filter((value) => !Number.isNaN(value)).sort();
  return column.map((value) => {
    if (Number.isNaN(value)) return value;
    const below = known.findIndex((other) => other >= value);
    return known.length < 2 ? 0 : below / (known.length - 1);
  });
}
