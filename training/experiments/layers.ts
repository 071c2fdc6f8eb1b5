// The `layers` experiment (seed 002): trend layer over 10 s buckets, in-depth layer over the requests it lets through, background
// layer over all requests. The classifier learns from one world of users and is judged on another. Pure: traffic in, figures out.
// Traffic is made elsewhere, since this part of the code knows no simulator; reports are the `experiment` command's.
import { seededRandom } from '../../domain/random.ts';
import type { FitProgress } from '../estimator.ts';
import { predictShares, type RandomForestModel, trainRandomForest } from '../random-forest.ts';
import {
  drawSupports,
  type JudgedRequest,
  type LayerFigures,
  layerFigures,
  REQUEST_CLASSES,
  type Supports,
} from './layers-metrics.ts';
import { CLASSIFIER_INPUTS, type RequestModelOptions, RequestModels } from './layers-requests.ts';
import { type ApiRequest, bucketNumber, bucketsOf } from './layers-traffic.ts';
import { escalated, fitTrend, type TrendModel, type TrendOptions, trendFlags } from './layers-trend.ts';

/** Sources are functions, so that traffic may be made as it is read. */
export type TrafficSource = () => Iterable<ApiRequest>;

/** Users with calm traffic of more than a day, and stretches that each follow it, with attacks among normal requests. */
export interface LayersWorld {
  readonly calm: TrafficSource;
  readonly stretches: readonly TrafficSource[];
}

/** `fewNormal`: attacks with hardly any normal traffic around them, as the paper tried its in-depth layer. */
export interface LayersTraffic {
  /** Calm traffic that the trend layer learns from, and other calm traffic that it must let pass. */
  readonly trendCalm: TrafficSource;
  readonly trendCalmTest: TrafficSource;
  /** Attacks by name, alone and with normal traffic around them. */
  readonly trendAttacks: readonly {
    readonly name: string;
    readonly alone: TrafficSource;
    readonly amongNormal: TrafficSource;
  }[];
  readonly learnt: LayersWorld;
  readonly judged: LayersWorld & { readonly fewNormal: readonly TrafficSource[] };
  /** Stretches with attacks 5b and 3b that follow the calm traffic of `judged`; reported apart. */
  readonly realistic: Pick<LayersTraffic['judged'], 'stretches' | 'fewNormal'>;
}

export interface LayersOptions {
  readonly seed: number;
  readonly placeOf: RequestModelOptions['placeOf'];
  readonly trend?: TrendOptions;
  /** Random draws of the paper's supports that the figures are means over. */
  readonly draws?: number;
  readonly trees?: number;
  readonly onProgress?: (progress: FitProgress) => void;
}

/** Supports of Tables 4 and 6. */
export const IN_DEPTH_SUPPORTS: Supports = [138, 1495, 1495];
export const BACKGROUND_SUPPORTS: Supports = [4613, 2500, 2500];

export interface TrendRates {
  readonly calmBuckets: number;
  readonly falsePositiveRate: number;
  readonly calmMax: number;
  readonly threshold: number;
  /** Share of the buckets with attack requests that are flagged. */
  readonly attacks: readonly {
    readonly name: string;
    readonly alone: { readonly buckets: number; readonly flagged: number };
    readonly amongNormal: { readonly buckets: number; readonly flagged: number };
  }[];
  /** Over all attacks, alone as the tool writes them, and with normal traffic around them. */
  readonly truePositiveRateAlone: number;
  readonly truePositiveRateAmongNormal: number;
}

export interface LayerResult {
  /** One for each draw of the paper's supports. */
  readonly draws: readonly LayerFigures[];
  /** All requests, as they came. */
  readonly all: LayerFigures;
}

export interface LayersResult {
  readonly trend: TrendRates;
  readonly inDepth: LayerResult;
  readonly background: LayerResult;
  readonly realistic: { readonly inDepth: LayerResult; readonly background: LayerResult };
  readonly notes: readonly string[];
}

/** @throws PicketError TRAINING_INVALID for traffic that nothing can be learnt from. */
export function runLayers(traffic: LayersTraffic, options: LayersOptions): LayersResult {
  const { seed, placeOf, onProgress } = options;
  const all = 6;
  let done = 0;
  const step = <T>(value: T): T => {
    onProgress?.({ done: ++done, all });
    return value;
  };
  const trend = step(fitTrend(bucketsOf(traffic.trendCalm()), { seed, ...options.trend }));
  const rates = step(trendRates(trend, traffic));
  const learnt = new RequestModels(traffic.learnt.calm(), { seed, placeOf });
  const forest = step(fitClassifier(learnt, traffic.learnt.stretches, options));
  const models = step(new RequestModels(traffic.judged.calm(), { seed: seed + 1, placeOf }));
  const judges = { models, forest, trend };
  const judgeAll = ({ stretches, fewNormal }: LayersTraffic['realistic']): JudgedStretches => {
    const { background, inDepth: amongNormal } = judgeStretches(stretches, judges);
    return { background, amongNormal, inDepth: judgeStretches(fewNormal, judges).inDepth };
  };
  const faithful = step(judgeAll(traffic.judged));
  const realistic = step(judgeAll(traffic.realistic));
  const draws = options.draws ?? 20;
  const layers = ({ background, inDepth }: JudgedStretches) => ({
    inDepth: layerResult(inDepth, IN_DEPTH_SUPPORTS, { seed, draws }),
    background: layerResult(background, BACKGROUND_SUPPORTS, { seed, draws }),
  });
  return {
    trend: rates,
    ...layers(faithful),
    realistic: layers(realistic),
    notes: notesOn(faithful, realistic),
  };
}

function trendRates(model: TrendModel, traffic: LayersTraffic): TrendRates {
  const calm = trendFlags(model, bucketsOf(traffic.trendCalmTest()));
  const flaggedOf = (source: TrafficSource) => {
    const buckets = bucketsOf(source());
    const flags = trendFlags(model, buckets).filter((_, b) => buckets.attackRequests[b]! > 0);
    return { buckets: flags.length, flagged: count(flags) };
  };
  const attacks = traffic.trendAttacks.map(({ name, alone, amongNormal }) => ({
    name,
    alone: flaggedOf(alone),
    amongNormal: flaggedOf(amongNormal),
  }));
  const rate = (kind: 'alone' | 'amongNormal') =>
    attacks.reduce((sum, attack) => sum + attack[kind].flagged, 0) /
    attacks.reduce((sum, attack) => sum + attack[kind].buckets, 0);
  return {
    calmBuckets: calm.length,
    falsePositiveRate: count(calm) / calm.length,
    calmMax: model.calmMax,
    threshold: model.threshold,
    attacks,
    truePositiveRateAlone: rate('alone'),
    truePositiveRateAmongNormal: rate('amongNormal'),
  };
}

const count = (flags: Uint8Array) => flags.reduce((sum, flag) => sum + flag, 0);

function classOf({ label }: ApiRequest): number {
  return (REQUEST_CLASSES as readonly string[]).indexOf(label);
}

/** Columns of the classifier's inputs, and the class of each row; other labels are left out. */
function tableOf(models: RequestModels, stretches: readonly TrafficSource[]) {
  const rows: { inputs: Float64Array; truth: number; bucket: number }[] = [];
  for (const source of stretches) {
    for (const { request, inputs } of models.judge(source())) {
      const truth = classOf(request);
      if (truth >= 0) rows.push({ inputs, truth, bucket: bucketNumber(request) });
    }
  }
  const columns = CLASSIFIER_INPUTS.map((_, c) => Float64Array.from(rows, ({ inputs }) => inputs[c]!));
  return { rows, table: { names: CLASSIFIER_INPUTS, columns, rowCount: rows.length } };
}

function fitClassifier(
  models: RequestModels,
  stretches: readonly TrafficSource[],
  { seed, trees = 100 }: LayersOptions,
): RandomForestModel {
  const { rows, table } = tableOf(models, stretches);
  const labels = Uint8Array.from(rows, ({ truth }) => truth);
  return trainRandomForest(
    { ...table, labels, classNames: REQUEST_CLASSES },
    { trees, seed, classWeight: 'balanced', minSamplesLeaf: 20, maxFeatures: 2 },
  );
}

interface JudgedStretches {
  readonly background: readonly JudgedRequest[];
  readonly inDepth: readonly JudgedRequest[];
  /** What the trend layer lets through of the background's stretches. */
  readonly amongNormal: readonly JudgedRequest[];
}

interface Judges {
  readonly models: RequestModels;
  readonly forest: RandomForestModel;
  readonly trend: TrendModel;
}

function judgeStretches(
  stretches: readonly TrafficSource[],
  { models, forest, trend }: Judges,
): Pick<JudgedStretches, 'background' | 'inDepth'> {
  const background: JudgedRequest[] = [];
  const inDepth: JudgedRequest[] = [];
  for (const source of stretches) {
    const requests = [...source()];
    const buckets = bucketsOf(requests);
    const suspicious = escalated(trendFlags(trend, buckets), buckets);
    const { rows, table } = tableOf(models, [() => requests]);
    const shares = predictShares(forest, table);
    rows.forEach(({ inputs, truth, bucket }, row) => {
      const judged = { truth, predicted: likeliest(shares, row), scores: inputs };
      background.push(judged);
      if (suspicious.has(bucket)) inDepth.push(judged);
    });
  }
  return { background, inDepth };
}

function likeliest(shares: readonly Float64Array[], row: number): number {
  let best = 0;
  for (let c = 1; c < shares.length; c++) if (shares[c]![row]! > shares[best]![row]!) best = c;
  return best;
}

function layerResult(
  judged: readonly JudgedRequest[],
  supports: Supports,
  { seed, draws }: { readonly seed: number; readonly draws: number },
): LayerResult {
  const random = seededRandom(seed);
  return {
    draws: Array.from({ length: draws }, (_, d) =>
      layerFigures(drawSupports(judged, supports, random.fork(d))),
    ),
    all: layerFigures(judged),
  };
}

function notesOn(faithful: JudgedStretches, realistic: JudgedStretches): string[] {
  const cases = [
    ['in-depth layer', faithful.inDepth, IN_DEPTH_SUPPORTS],
    ['background layer', faithful.background, BACKGROUND_SUPPORTS],
    ['in-depth layer on 5b and 3b', realistic.inDepth, IN_DEPTH_SUPPORTS],
    ['background layer on 5b and 3b', realistic.background, BACKGROUND_SUPPORTS],
  ] as const;
  const short = cases.flatMap(([name, judged, supports]) =>
    supports.flatMap((support, truth) => {
      const own = judged.filter((request) => request.truth === truth).length;
      const kind = REQUEST_CLASSES[truth];
      if (own >= support) return [];
      const what = own === 0 ? 'left out' : `drawn ${support} times with replacement`;
      return [`${name}: ${own} ${kind} requests, ${what}`];
    }),
  );
  const attacksOf = (judged: readonly JudgedRequest[]) => judged.filter(({ truth }) => truth > 0).length;
  return [
    `among all normal traffic ${attacksOf(faithful.amongNormal)} of ${attacksOf(faithful.background)} ` +
      'requests of stolen tokens and abnormal usage reach the in-depth layer',
    'the figures owe stolen tokens to the tool: it changes address, cookie and agent with every request',
    ...short,
  ];
}
