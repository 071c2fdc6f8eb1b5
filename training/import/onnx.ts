// ONNX tree ensembles (TreeEnsembleClassifier and -Regressor of ai.onnx.ml 1 and 3, TreeEnsemble of 5) to canonical trees.
// Sums are those of onnxruntime with one thread: leaves in tree order in the operator's width, base values added last. The
// protobuf is read by onnx-graph.ts, the trees by onnx-forest.ts and onnx-nodes.ts. Called by import-bundle.ts.
import type { ModelLink } from '../../domain/model-manifest.ts';
import { BUNDLE_CAPS } from '../../wasm-core/host/bundle-format.ts';
import { nextUp } from '../../wasm-core/host/float.ts';
import { CanonicalTrees } from './canonical-trees.ts';
import { checkCount, type ImportedModel, malformed, shown, unsupported } from './imported-model.ts';
import { type OnnxForest, readNodesWithIds, readSplitsAndLeaves } from './onnx-forest.ts';
import { readTreeGraph, type TreeGraph } from './onnx-graph.ts';
import { belowIn, expandedSource, hasEqualities, hasWholeSets, plainSource } from './onnx-nodes.ts';

interface Sums {
  readonly forest: OnnxForest;
  /** Targets of the leaves, by output. */
  readonly targets: readonly number[];
  readonly aggregate: string;
  /** Added to each output at the end; empty for none. */
  readonly base: ArrayLike<number>;
  readonly post: string;
  readonly classes: readonly string[];
  /** One output for two classes. */
  readonly isBinary: boolean;
}

const POSTS = ['NONE', 'SOFTMAX', 'LOGISTIC', 'SOFTMAX_ZERO', 'PROBIT'];
const AGGREGATES = ['AVERAGE', 'SUM', 'MIN', 'MAX'];

function targetsUpTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function allWeights(forest: OnnxForest): number[] {
  return [...forest.weights.values()].flatMap((byTarget) => [...byTarget.values()]);
}

function regressorSums({ attributes }: TreeGraph): Sums {
  const outputs = attributes.int('n_targets', 1);
  checkCount(`${attributes.place}, n_targets`, outputs, 1, BUNDLE_CAPS.outputs);
  return {
    forest: readNodesWithIds(attributes, 'target'),
    targets: targetsUpTo(outputs),
    aggregate: attributes.text('aggregate_function', 'SUM'),
    base: attributes.numbers('base_values').values,
    post: attributes.text('post_transform', 'NONE'),
    classes: [],
    isBinary: false,
  };
}

function ensembleSums({ attributes }: TreeGraph): Sums {
  const outputs = attributes.int('n_targets', 1);
  checkCount(`${attributes.place}, n_targets`, outputs, 1, BUNDLE_CAPS.outputs);
  return {
    forest: readSplitsAndLeaves(attributes),
    targets: targetsUpTo(outputs),
    aggregate: AGGREGATES[attributes.int('aggregate_function', 1)] ?? 'unknown',
    base: [],
    post: POSTS[attributes.int('post_transform', 0)] ?? 'unknown',
    classes: [],
    isBinary: false,
  };
}

function classesOf({ attributes }: TreeGraph): string[] {
  const names = attributes.strings('classlabels_strings');
  if (names.length > 0) return names.map((name) => name.slice(0, 200));
  return Array.from(attributes.ints('classlabels_int64s'), String);
}

/** With two classes and weights for one of them only, onnxruntime keeps one sum, that of the second class. */
function classifierSums(graph: TreeGraph): Sums {
  const { attributes } = graph;
  const classes = classesOf(graph);
  checkCount(`${attributes.place}, classlabels`, classes.length, 2, BUNDLE_CAPS.outputs);
  const forest = readNodesWithIds(attributes, 'class');
  const used = new Set([...forest.weights.values()].flatMap((byTarget) => [...byTarget.keys()]));
  const base = attributes.numbers('base_values').values;
  const post = attributes.text('post_transform', 'NONE');
  const shared = { forest, aggregate: 'SUM', post, classes };
  if (classes.length !== 2) return { ...shared, targets: targetsUpTo(classes.length), base, isBinary: false };
  if (used.size === 1)
    return { ...shared, targets: [...used], base: base.length === 2 ? [base[1]!] : base, isBinary: true };
  if (Array.from(base).some((value) => value !== 0)) {
    unsupported(attributes.place, 'base values beside weights for both of two classes');
  }
  if (post === 'NONE') return { ...shared, targets: [1], base: [], isBinary: true };
  return { ...shared, targets: [0, 1], base: [], isBinary: false };
}

function sumsOf(graph: TreeGraph): Sums {
  if (graph.operator === 'TreeEnsembleClassifier') return classifierSums(graph);
  return graph.operator === 'TreeEnsembleRegressor' ? regressorSums(graph) : ensembleSums(graph);
}

function inputNamesOf({ attributes, inputs }: TreeGraph, forest: OnnxForest): string[] {
  const used = forest.nodes.reduce((most, split) => Math.max(most, split?.feature ?? 0), 0) + 1;
  const widths = inputs.map(({ width }) => (width > 0 ? width : inputs.length === 1 ? used : 1));
  const columns = widths.reduce((sum, width) => sum + width, 0);
  checkCount(`${attributes.place}, number of inputs`, Math.max(columns, used), 1, BUNDLE_CAPS.features);
  if (columns < used) malformed(attributes.place, `input ${used - 1} is read, there are ${columns}`);
  if (inputs.length === 1 && widths[0]! > 1) return Array.from({ length: columns }, (_, i) => `f${i}`);
  return inputs.flatMap(({ name }, i) =>
    Array.from({ length: widths[i]! }, (_, k) => (widths[i] === 1 ? name : `${name}_${k}`)),
  );
}

/** Stands in for the sets while a tree is only walked through. */
class WalkedTrees extends CanonicalTrees {
  override setOf(): number {
    return 0;
  }
}

/** Goes through a tree once, so that cycles show before anything is copied; gives the targets that it adds to. */
function targetsReached(
  forest: OnnxForest,
  tree: { root: number; place: string; below: (x: number) => number },
  walked: WalkedTrees,
): Set<number> {
  const reached = new Set<number>();
  const leaf = (node: number): number => {
    for (const target of forest.weights.get(node)?.keys() ?? []) reached.add(target);
    return 0;
  };
  walked.add(plainSource(forest, { ...tree, leaf, canonical: walked }), 0);
  return reached;
}

/** Adds all trees to all outputs that they have leaves for; null when equalities would grow a tree too large. */
function addTrees(graph: TreeGraph, sums: Sums, inputs: number, expand: boolean): CanonicalTrees | null {
  const { forest, targets, aggregate } = sums;
  const canonical = new CanonicalTrees(inputs);
  const walked = new WalkedTrees(inputs);
  for (const [t, root] of forest.roots.entries()) {
    const tree = { root, place: `${graph.attributes.place}, tree ${t}`, below: belowIn(graph.isWide) };
    const reached = targetsReached(forest, tree, walked);
    for (const [output, target] of targets.entries()) {
      if (aggregate === 'SUM' && !reached.has(target)) continue;
      const leaf = (node: number): number => forest.weights.get(node)?.get(target) ?? 0;
      const source = expand
        ? expandedSource(forest, { ...tree, leaf })
        : plainSource(forest, { ...tree, leaf, canonical });
      if (source === null) return null;
      canonical.add(source, output);
    }
  }
  return canonical;
}

/** Equalities are expanded, or, where that is too much, kept as sets. */
function assemble(
  graph: TreeGraph,
  sums: Sums,
  inputs: number,
): { canonical: CanonicalTrees; asSets: boolean } {
  const equalities = hasEqualities(sums.forest);
  const expanded = equalities ? addTrees(graph, sums, inputs, true) : null;
  if (expanded !== null) return { canonical: expanded, asSets: false };
  if (equalities && !hasWholeSets(sums.forest)) {
    unsupported(
      graph.attributes.place,
      'more equality tests with fractions or large numbers than trees can hold',
    );
  }
  return { canonical: addTrees(graph, sums, inputs, false)!, asSets: equalities };
}

function addBases(canonical: CanonicalTrees, sums: Sums, graph: TreeGraph): void {
  const { base, targets, aggregate } = sums;
  const { place } = graph.attributes;
  if (base.length !== 0 && base.length !== targets.length) {
    malformed(`${place}, base_values`, `${base.length} values for ${targets.length} outputs`);
  }
  for (let output = 0; output < base.length; output++) {
    const leaf = base[output]!;
    if (leaf === 0) continue;
    if (aggregate === 'AVERAGE') unsupported(`${place}, base_values`, 'base values beside an average');
    canonical.add({ place: `${place}, base_values`, count: 1, root: 0, read: () => ({ leaf }) }, output);
  }
}

function linkOf(
  sums: Sums,
  graph: TreeGraph,
): { link: ModelLink; turn: ImportedModel['turn']; notes: string[] } {
  const { post, isBinary, forest } = sums;
  const { after } = graph;
  const notes: string[] = [];
  const logistic = { kind: 'logistic', scale: 1 } as const;
  const from = (at: number) => (isBinary ? ({ at, flags: 'from' } as const) : null);
  if (post === 'LOGISTIC' || after.includes('Sigmoid'))
    return { link: logistic, turn: from(nextUp(0)), notes };
  if (post === 'SOFTMAX' || after.includes('Softmax')) {
    return { link: { kind: sums.targets.length > 1 ? 'softmax' : 'identity' }, turn: null, notes };
  }
  if (post !== 'NONE') {
    notes.push(`The transform ${shown(post)} after the sum is not carried over: scores are raw margins.`);
    return { link: { kind: 'identity' }, turn: null, notes };
  }
  if (!isBinary) return { link: { kind: 'identity' }, turn: null, notes };
  const isShare = allWeights(forest).every((weight) => weight >= 0);
  if (isShare) return { link: { kind: 'identity' }, turn: from(nextUp(0.5)), notes };
  return { link: logistic, turn: from(nextUp(0)), notes };
}

function checkSums(graph: TreeGraph, sums: Sums): void {
  const { place } = graph.attributes;
  const { forest, aggregate, targets, classes } = sums;
  if (aggregate !== 'SUM' && aggregate !== 'AVERAGE') {
    unsupported(`${place}, aggregate_function`, `${shown(aggregate)} is neither SUM nor AVERAGE`);
  }
  if (forest.isWide && !graph.isWide) unsupported(place, 'double thresholds beside float inputs');
  const most = classes.length > 0 ? classes.length : targets.length;
  for (const byTarget of forest.weights.values()) {
    for (const target of byTarget.keys()) checkCount(`${place}, target of a leaf`, target, 0, most - 1);
  }
}

const FILE_BYTES_MAX = 64 * 2 ** 20;

/** Reads an ONNX model. Throws DATA_INVALID with place and reason; never anything else. */
export function importOnnx(bytes: Uint8Array): ImportedModel {
  if (bytes.length > FILE_BYTES_MAX) {
    unsupported('ONNX model', `${bytes.length} bytes, more than ${FILE_BYTES_MAX}`);
  }
  const graph = readTreeGraph(bytes);
  const sums = sumsOf(graph);
  checkSums(graph, sums);
  const inputNames = inputNamesOf(graph, sums.forest);
  const { canonical, asSets } = assemble(graph, sums, inputNames.length);
  addBases(canonical, sums, graph);
  if (canonical.trees.length === 0) malformed(graph.attributes.place, 'no leaf adds to any output');
  const { link, turn, notes } = linkOf(sums, graph);
  notes.push('ONNX keeps no row counts, so contributions (--explain) are not available.');
  if (asSets)
    notes.push(
      'Equality tests became category sets: an input between two whole numbers counts as the lower one.',
    );
  const outputs = sums.targets.length;
  return {
    library: `ONNX ${shown(graph.operator)}${graph.producer === '' ? '' : ` by ${shown(graph.producer)}`}`,
    ensemble: {
      kind: sums.aggregate === 'AVERAGE' ? 'rf_mean' : 'gbdt_logit',
      outputs,
      base: new Float64Array(outputs),
      trees: canonical.trees,
      inputs: inputNames.map((_, i) => i),
      accum: graph.isWide ? 'f64' : 'f32',
      f32Input: graph.isRounded,
      categories: canonical.categories,
    },
    inputNames,
    link,
    classes: sums.classes,
    turn,
    notes,
  };
}
