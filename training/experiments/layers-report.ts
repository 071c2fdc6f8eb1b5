// Figures, notes and tables of the `layers` experiment: Tables 3 to 6 of seed 002, both confusion matrices, the trend layer, and
// attacks 5b and 3b apart. Runs one world of users a seed. Called by cli/layers-experiment.ts, which brings the traffic.
import type { ExperimentReport, ExperimentRequest, ReportSection, ReportTable } from './experiment.ts';
import { figuresOver } from './experiment.ts';
import { type LayerResult, type LayersResult, type LayersTraffic, runLayers } from './layers.ts';
import { type LayerFigures, REQUEST_CLASSES } from './layers-metrics.ts';
import type { RequestModelOptions } from './layers-requests.ts';

export interface LayersSources {
  readonly trafficOf: (seed: number) => LayersTraffic;
  readonly placeOf: RequestModelOptions['placeOf'];
}

/** Accuracy of the trend layer, and Tables 4 and 6. */
const PUBLISHED = {
  trend_accuracy: 0.97,
  in_depth_accuracy: 0.93,
  in_depth_f1_normal: 0.25,
  in_depth_f1_stolen_token: 1,
  in_depth_f1_abnormal_usage: 0.93,
  background_accuracy: 0.89,
  background_f1_normal: 0.88,
  background_f1_stolen_token: 1,
  background_f1_abnormal_usage: 0.8,
} as const;

/** Runs the experiment on one world a seed. Throws PicketError TRAINING_INVALID for traffic that teaches nothing. */
export async function layersExperiment(
  request: ExperimentRequest,
  { trafficOf, placeOf }: LayersSources,
): Promise<ExperimentReport> {
  const { seeds, onProgress } = request;
  const results = seeds.map((seed, s) =>
    runLayers(trafficOf(seed), {
      seed,
      placeOf,
      onProgress: ({ done, all }) => onProgress?.({ done: s * all + done, all: seeds.length * all }),
    }),
  );
  const first = results[0]!;
  return {
    result: {
      name: 'layers',
      seeds: seeds.length,
      rows: results.reduce((sum, { background }) => sum + countOf(background.all), 0),
      published: PUBLISHED,
      ours: figuresOver(results.map(oursOf)),
      honest: figuresOver(results.map(honestOf)),
      notes: notesOf(first),
    },
    sections: [
      trendSection(first),
      layerSection('In-depth layer', ['Table 3', 'Table 4'], first.inDepth),
      layerSection('Background layer', ['Table 5', 'Table 6'], first.background),
      layerSection(
        'Attacks 5b and 3b: in-depth layer',
        ['as Table 3', 'as Table 4'],
        first.realistic.inDepth,
      ),
      layerSection(
        'Attacks 5b and 3b: background layer',
        ['as Table 5', 'as Table 6'],
        first.realistic.background,
      ),
    ],
    files: {},
  };
}

const countOf = ({ confusion }: LayerFigures) => confusion.flat().reduce((sum, count) => sum + count, 0);

function summary(name: string, figures: readonly LayerFigures[]): Record<string, number> {
  const mean = (of: (one: LayerFigures) => number) =>
    figures.reduce((sum, one) => sum + of(one), 0) / figures.length;
  const perClass = REQUEST_CLASSES.map((kind) => [`${name}_f1_${kind}`, mean((one) => one.classes[kind].f1)]);
  return { [`${name}_accuracy`]: mean(({ accuracy }) => accuracy), ...Object.fromEntries(perClass) };
}

/** By the paper's protocol: attacks alone for the trend layer, its supports for the others. */
function oursOf({ trend, inDepth, background }: LayersResult): Record<string, number> {
  return {
    trend_accuracy: trendAccuracy(trend, 'alone'),
    trend_true_positive_rate: trend.truePositiveRateAlone,
    trend_false_positive_rate: trend.falsePositiveRate,
    ...summary('in_depth', inDepth.draws),
    ...summary('background', background.draws),
  };
}

/** As traffic comes: attacks among normal requests, all requests, and the attacks that the tool lacks. */
function honestOf({ trend, inDepth, background, realistic }: LayersResult): Record<string, number> {
  return {
    trend_accuracy: trendAccuracy(trend, 'amongNormal'),
    trend_true_positive_rate: trend.truePositiveRateAmongNormal,
    trend_false_positive_rate: trend.falsePositiveRate,
    ...summary('in_depth', [inDepth.all]),
    ...summary('background', [background.all]),
    ...summary('realistic_in_depth', realistic.inDepth.draws),
    ...summary('realistic_background', realistic.background.draws),
  };
}

function trendAccuracy(trend: LayersResult['trend'], kind: 'alone' | 'amongNormal'): number {
  const sum = (of: 'buckets' | 'flagged') => trend.attacks.reduce((all, attack) => all + attack[kind][of], 0);
  const passed = trend.calmBuckets * (1 - trend.falsePositiveRate);
  return (passed + sum('flagged')) / (trend.calmBuckets + sum('buckets'));
}

function notesOf({ notes }: LayersResult): string[] {
  return [
    ...notes,
    '"ours": the trend layer sees attacks alone, as the tool writes them; the other layers stand at the ' +
      'supports of the paper, means over random draws.',
    '"honest": attacks among all normal traffic for the trend layer; all requests as they came.',
    'In-depth layer: one user in twenty sends normal traffic meanwhile ("very few normal requests were ' +
      'used"); buckets then deviate by what is missing as much as by what is there. ' +
      'What the trend layer finds among all traffic is trend_true_positive_rate, honest.',
    'The paper names data extraction among the attacks on the trend layer; the tool has none.',
    'The threshold of the trend layer is the largest calm deviation times 32/22, the proportion of the ' +
      'paper: its units cannot be known. Counts enter as ln(1 + x).',
    'DOS and DDOS last 20 s an API instead of 900 s; all their buckets are alike.',
    'Where an address lies comes from an invented registry: the tool draws addresses, not places.',
    'Users of this world never change their address, so an unknown address gives a thief away, 5b too.',
  ];
}

function trendSection({ trend }: LayersResult): ReportSection {
  const rate = ({ buckets, flagged }: { buckets: number; flagged: number }) => `${flagged} of ${buckets}`;
  return {
    title: 'Trend layer',
    paragraphs: [
      `Largest calm deviation ${trend.calmMax.toFixed(2)}, threshold ${trend.threshold.toFixed(2)}; ` +
        `${(trend.falsePositiveRate * 100).toFixed(3)} % of ${trend.calmBuckets} calm buckets are flagged.`,
    ],
    tables: [
      {
        caption: 'Buckets with attack requests that are flagged (first seed)',
        head: ['attack', 'alone', 'among normal traffic'],
        rows: trend.attacks.map(({ name, alone, amongNormal }) => [name, rate(alone), rate(amongNormal)]),
      },
    ],
  };
}

function layerSection(
  title: string,
  [models, classes]: readonly [string, string],
  layer: LayerResult,
): ReportSection {
  const figures = layer.draws[0]!;
  return {
    title,
    paragraphs: [`First draw of the first seed; ${countOf(layer.all)} requests to draw from.`],
    tables: [modelTable(models, figures), classTable(classes, figures), confusionTable(figures)],
  };
}

function modelTable(caption: string, { models }: LayerFigures): ReportTable {
  return {
    caption: `${caption}: anomaly models`,
    head: ['model', 'TP', 'FN', 'FP', 'TN'],
    rows: models.map(({ category, truePositives, falseNegatives, falsePositives, trueNegatives }) => [
      category,
      ...[truePositives, falseNegatives, falsePositives, trueNegatives].map(String),
    ]),
  };
}

function classTable(caption: string, { classes, accuracy }: LayerFigures): ReportTable {
  return {
    caption: `${caption}: classification report, accuracy ${accuracy.toFixed(4)}`,
    head: ['class', 'precision', 'recall', 'F1', 'support'],
    rows: REQUEST_CLASSES.map((kind) => {
      const { precision, recall, f1, support } = classes[kind];
      return [kind, ...[precision, recall, f1].map((value) => value.toFixed(4)), String(support)];
    }),
  };
}

function confusionTable({ confusion }: LayerFigures): ReportTable {
  return {
    caption: 'Confusion matrix',
    head: ['truth', ...REQUEST_CLASSES],
    rows: REQUEST_CLASSES.map((kind, truth) => [kind, ...confusion[truth]!.map(String)]),
  };
}
