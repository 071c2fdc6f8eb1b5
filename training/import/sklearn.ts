// What training/python/picket_export.py writes (JSON, format `picket-trees` 1) to canonical trees: scikit-learn's histogram
// gradient boosters, random forests, extra trees and isolation forests. The exporter copies numbers; this side checks all of
// them. Called by import-bundle.ts.
import type { ModelLink } from '../../domain/model-manifest.ts';
import { BUNDLE_CAPS } from '../../wasm-core/host/bundle-format.ts';
import {
  type EnsembleKind,
  NODE_CATEGORY,
  NODE_MISSING_LEFT,
  NODE_NAN_SPLIT,
  NODE_UNKNOWN_LEFT,
  NUMERIC_NODE,
} from '../../wasm-core/host/ensemble.ts';
import { CanonicalTrees, evenCovers, type SourceNode } from './canonical-trees.ts';
import { checkCount, type ImportedModel, malformed, shown, unsupported } from './imported-model.ts';
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

const KINDS: readonly EnsembleKind[] = ['gbdt_logit', 'rf_mean', 'iforest'];

function linkOf(document: Node): ModelLink {
  const link = child(document, 'link');
  const kind = textOf(link, 'kind');
  if (kind === 'identity' || kind === 'exp' || kind === 'softmax') return { kind };
  const positive = (key: string): number => {
    const number = numberOf(link, key);
    return number > 0 ? number : malformed(`${link.place}.${key}`, `${number} is not above 0`);
  };
  if (kind === 'logistic') return { kind, scale: positive('scale') };
  if (kind === 'depth') return { kind, divisor: positive('divisor') };
  return malformed(`${link.place}.kind`, `"${shown(kind)}" is unknown`);
}

function turnOf(document: Node): ImportedModel['turn'] {
  if ((optional(document, 'turn') ?? null) === null) return null;
  const turn = child(document, 'turn');
  const flags = textOf(turn, 'flags');
  if (flags !== 'from' && flags !== 'below') malformed(`${turn.place}.flags`, `"${shown(flags)}" is unknown`);
  return { at: numberOf(turn, 'at'), flags };
}

/** Category sets of the document, as numbers in the canonical list. */
function setsOf(canonical: CanonicalTrees, document: Node): number[] {
  return listOf(document, 'category_sets').map((value, i) => {
    const set = asNode(value, `category_sets[${i}]`);
    const known = [...Array.prototype.slice.call(numbersOf(set, 'known'))] as number[];
    if (known.length === 0) malformed(set.place, 'no category is known');
    return canonical.setOf(set.place, Array.prototype.slice.call(numbersOf(set, 'left')) as number[], known);
  });
}

function addTree(canonical: CanonicalTrees, tree: Node, outputs: number, sets: readonly number[]): void {
  const left = numbersOf(tree, 'left');
  const nodes = left.length;
  checkCount(`${tree.place}.left`, nodes, 1, BUNDLE_CAPS.nodes);
  const right = numbersOf(tree, 'right', nodes);
  const feature = numbersOf(tree, 'feature', nodes);
  const threshold = numbersOf(tree, 'threshold', nodes);
  const missingLeft = numbersOf(tree, 'missing_left', nodes);
  const category = numbersOf(tree, 'category', nodes);
  const value = numbersOf(tree, 'value', nodes);
  const cover = numbersOf(tree, 'cover', nodes);
  const nanSplits = new Set(Array.prototype.slice.call(numbersOf(tree, 'nan_split')) as number[]);
  const read = (node: number): SourceNode => {
    if (left[node] === -1) return { leaf: value[node]!, cover: cover[node]! };
    const links = { feature: feature[node]!, left: left[node]!, right: right[node]!, cover: cover[node]! };
    if (nanSplits.has(node)) return { ...links, threshold: Infinity, flags: NUMERIC_NODE | NODE_NAN_SPLIT };
    const missing = missingLeft[node] ? NODE_MISSING_LEFT : 0;
    if (category[node] === -1)
      return { ...links, threshold: threshold[node]!, flags: NUMERIC_NODE | missing };
    const set =
      sets[category[node]!] ?? malformed(`${tree.place}.category[${node}]`, `no set ${category[node]}`);
    const unknown = missingLeft[node] ? NODE_UNKNOWN_LEFT : 0;
    return { ...links, threshold: set, flags: NUMERIC_NODE | NODE_CATEGORY | missing | unknown };
  };
  const output = countOf(tree, 'output', 0, outputs - 1);
  canonical.add({ place: tree.place, count: nodes, root: 0, read }, output);
}

/** Reads the exporter's document. Throws DATA_INVALID with place and reason; never anything else. */
export function importSklearn(bytes: Uint8Array): ImportedModel {
  const document = asNode(parseJson(bytes, 'scikit-learn export'), 'document');
  const hint = 'write the file with training/python/picket_export.py';
  if (optional(document, 'format') !== 'picket-trees')
    unsupported('format', 'not a picket-trees document', hint);
  if (member(document, 'version') !== 1) unsupported('version', 'not version 1', hint);
  const kind = textOf(document, 'kind') as EnsembleKind;
  if (!KINDS.includes(kind)) malformed('kind', `"${shown(kind)}" is unknown`);
  const names = textsOf(document, 'feature_names');
  checkCount('feature_names', names.length, 1, BUNDLE_CAPS.features);
  const base = Float64Array.from(numbersOf(document, 'base'));
  checkCount('base', base.length, 1, BUNDLE_CAPS.outputs);
  const classes = textsOf(document, 'classes');
  const expected = base.length === 1 ? [0, 1, 2] : [base.length];
  if (!expected.includes(classes.length))
    malformed('classes', `${classes.length} for ${base.length} outputs`);
  const canonical = new CanonicalTrees(names.length);
  const sets = setsOf(canonical, document);
  listOf(document, 'trees').forEach((tree, i) => {
    addTree(canonical, asNode(tree, `trees[${i}]`), base.length, sets);
  });
  if (canonical.trees.length === 0) malformed('trees', 'there are none');
  const even = evenCovers(canonical.trees);
  return {
    library: textOf(document, 'library').slice(0, 200),
    ensemble: {
      kind,
      outputs: base.length,
      base,
      trees: even.trees,
      inputs: names.map((_, i) => i),
      accum: 'f64',
      f32Input: optional(document, 'f32_input') === true,
      categories: canonical.categories,
    },
    inputNames: names,
    link: linkOf(document),
    classes,
    turn: turnOf(document),
    notes: even.covered ? [] : ['Some nodes have no weight, so contributions (--explain) are not available.'],
  };
}
