// XGBoost models as JSON or UBJSON (the same document) to canonical trees. The library rounds inputs to f32, compares with
// `<` and adds in f32 from the base margin on, so does the ensemble. Boosters gbtree and dart; all rounds. Vector leaves and
// gblinear are refused. Single trees are read by xgboost-tree.ts. Called by import-bundle.ts.
import type { ModelLink } from '../../domain/model-manifest.ts';
import { BUNDLE_CAPS } from '../../wasm-core/host/bundle-format.ts';
import { CanonicalTrees, evenCovers } from './canonical-trees.ts';
import { type ImportedModel, malformed, shown, unsupported } from './imported-model.ts';
import {
  asNode,
  child,
  countOf,
  listOf,
  member,
  type Node,
  numberOf,
  numbersOf,
  optional,
  parseJson,
  textOf,
  textsOf,
} from './json-members.ts';
import { parseUbjson } from './ubjson.ts';
import { addTree } from './xgboost-tree.ts';

interface Objective {
  readonly link: ModelLink;
  /** From the stored base score to the margin that sums start from, in f32. */
  readonly marginOf: (score: number) => number;
  readonly isBinary: boolean;
}

const f32 = Math.fround;
const same = (score: number): number => score;
const logit = (score: number): number => f32(-f32(Math.log(f32(f32(1 / score) - 1))));
const log = (score: number): number => f32(Math.log(score));

const PLAIN = [
  'reg:squarederror',
  'reg:squaredlogerror',
  'reg:pseudohubererror',
  'reg:absoluteerror',
  'reg:quantileerror',
];
const RANKING = ['rank:pairwise', 'rank:ndcg', 'rank:map'];
const COUNTING = ['count:poisson', 'reg:gamma', 'reg:tweedie', 'survival:cox', 'survival:aft'];

function objectiveOf(name: string): Objective {
  const plain = { link: { kind: 'identity' } as const, marginOf: same, isBinary: false };
  const logistic = { kind: 'logistic', scale: 1 } as const;
  if (name === 'binary:logistic') return { link: logistic, marginOf: logit, isBinary: true };
  if (name === 'binary:logitraw') return { link: logistic, marginOf: same, isBinary: true };
  if (name === 'binary:hinge') return { link: logistic, marginOf: same, isBinary: true };
  if (name === 'reg:logistic') return { link: logistic, marginOf: logit, isBinary: false };
  if (name === 'multi:softprob' || name === 'multi:softmax') return { ...plain, link: { kind: 'softmax' } };
  if (COUNTING.includes(name)) return { ...plain, link: { kind: 'exp' }, marginOf: log };
  if (PLAIN.includes(name) || RANKING.includes(name)) return plain;
  return unsupported(
    'learner.objective.name',
    `"${shown(name)}" is an objective whose base margin is not known`,
  );
}

/** One base margin an output: `base_score` is a number as text, or since 3.x a list of them. */
function basesOf(params: Node, outputs: number, objective: Objective): Float64Array {
  const place = `${params.place}.base_score`;
  const text = textOf(params, 'base_score').trim();
  const list = text.startsWith('[') ? text.slice(1, text.endsWith(']') ? -1 : 0).split(',') : [text];
  if (list.length !== 1 && list.length !== outputs)
    malformed(place, `${list.length} values for ${outputs} outputs`);
  return Float64Array.from({ length: outputs }, (_, i) => {
    const word = list[list.length === 1 ? 0 : i]!;
    const score = numberOf({ value: { word }, place }, 'word');
    const margin = objective.marginOf(f32(score));
    return Number.isFinite(margin) ? margin + 0 : malformed(place, `"${shown(word)}" has no margin`);
  });
}

/** The trees' document, and for dart their weights. */
function boosterOf(learner: Node): { model: Node; weights: ArrayLike<number> | null } {
  const booster = child(learner, 'gradient_booster');
  const name = textOf(booster, 'name');
  if (name === 'gbtree') return { model: child(booster, 'model'), weights: null };
  if (name !== 'dart') unsupported(`${booster.place}.name`, `"${shown(name)}" is not a booster of trees`);
  const model = child(child(booster, 'gbtree'), 'model');
  return { model, weights: numbersOf(booster, 'weight_drop', listOf(model, 'trees').length) };
}

function namesOf(learner: Node, inputs: number): readonly string[] {
  const names = textsOf(learner, 'feature_names');
  if (names.length === 0) return Array.from({ length: inputs }, (_, i) => `f${i}`);
  return names.length === inputs
    ? names
    : malformed(`${learner.place}.feature_names`, `${names.length} names for ${inputs} inputs`);
}

function notesOf(learner: Node, covered: boolean, trees: number): string[] {
  const attributes = asNode(optional(learner, 'attributes') ?? {}, `${learner.place}.attributes`);
  const best = optional(attributes, 'best_iteration');
  return [
    ...(covered ? [] : ['Some nodes have no weight, so contributions (--explain) are not available.']),
    ...(best === undefined
      ? []
      : [`All ${trees} trees are taken, as Booster.predict does; the best round was ${shown(best)}.`]),
  ];
}

function documentOf(bytes: Uint8Array): Node {
  const first = bytes.findIndex((byte) => byte > 0x20);
  const next = bytes.subarray(first + 1).find((byte) => byte > 0x20);
  const isText = bytes[first] === 0x7b && (next === 0x22 || next === 0x7d);
  return asNode(isText ? parseJson(bytes, 'XGBoost model') : parseUbjson(bytes), 'document');
}

/** Reads a model saved as JSON or UBJSON. Throws DATA_INVALID with place and reason; never anything else. */
export function importXgboost(bytes: Uint8Array): ImportedModel {
  const document = documentOf(bytes);
  const learner = asNode(member(document, 'learner'), 'learner');
  const params = child(learner, 'learner_model_param');
  const inputs = countOf(params, 'num_feature', 1, BUNDLE_CAPS.features);
  const outputs = Math.max(1, countOf(params, 'num_class', 0, BUNDLE_CAPS.outputs));
  if (optional(params, 'num_target') !== undefined && countOf(params, 'num_target', 0, 1e6) > 1) {
    unsupported(`${params.place}.num_target`, 'several targets have no canonical form');
  }
  const name = textOf(child(learner, 'objective'), 'name');
  const objective = objectiveOf(name);
  const { model, weights } = boosterOf(learner);
  const trees = listOf(model, 'trees');
  const info = numbersOf(model, 'tree_info', trees.length);
  const canonical = new CanonicalTrees(inputs);
  trees.forEach((value, i) => {
    const output = info[i]!;
    if (!(output >= 0 && output < outputs))
      malformed(`${model.place}.tree_info[${i}]`, `${output} is no output`);
    addTree(canonical, asNode(value, `${model.place}.trees[${i}]`), { output, weight: weights?.[i] ?? null });
  });
  const even = evenCovers(canonical.trees);
  const version = optional(document, 'version');
  const numbered = Array.isArray(version) ? version.slice(0, 3).map(shown).join('.') : 'of unknown version';
  return {
    library: `XGBoost ${numbered}`,
    ensemble: {
      kind: 'gbdt_logit',
      outputs,
      base: basesOf(params, outputs, objective),
      trees: even.trees,
      inputs: Array.from({ length: inputs }, (_, i) => i),
      accum: 'f32',
      f32Input: true,
      categories: canonical.categories,
    },
    inputNames: namesOf(learner, inputs),
    link: objective.link,
    classes: Array.from({ length: objective.isBinary ? 2 : outputs > 1 ? outputs : 0 }, (_, i) => String(i)),
    turn: objective.isBinary ? { at: 0, flags: 'from' } : null,
    notes: notesOf(learner, even.covered, trees.length),
  };
}
