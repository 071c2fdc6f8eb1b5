// The two spellings of ONNX tree ensembles as one table: TreeEnsembleClassifier and -Regressor (nodes with ids, leaves among
// them) and TreeEnsemble of ai.onnx.ml 5 (inner nodes and leaves apart). Checks lengths, ids and modes; the comparisons are
// onnx-nodes.ts's. Called by onnx.ts.
import { BUNDLE_CAPS } from '../../wasm-core/host/bundle-format.ts';
import { checkCount, malformed, shown, unsupported } from './imported-model.ts';
import { type Attributes, TYPE_DOUBLE } from './onnx-values.ts';

export const MODES = ['LEQ', 'LT', 'GTE', 'GT', 'EQ', 'NEQ', 'MEMBER'] as const;
export type Mode = (typeof MODES)[number];

export interface OnnxSplit {
  readonly feature: number;
  readonly mode: Mode;
  readonly value: number;
  /** For MEMBER: the set. */
  readonly members: readonly number[];
  /** A NaN takes the way of `yes`. */
  readonly missingYes: boolean;
  /** Node numbers. */
  readonly yes: number;
  readonly no: number;
}

export interface OnnxForest {
  /** A split, or null for a leaf. */
  readonly nodes: readonly (OnnxSplit | null)[];
  readonly roots: readonly number[];
  /** Weights of leaf `node` by target. */
  readonly weights: ReadonlyMap<number, ReadonlyMap<number, number>>;
  /** Different splits may name the same leaf. */
  readonly sharedLeaves: boolean;
  /** Type of the stored values: thresholds and weights. */
  readonly isWide: boolean;
}

/** What the leaves of the older operators are called: `class` or `target`. */
export type LeafPrefix = 'class' | 'target';

type Weights = Map<number, Map<number, number>>;

interface Weight {
  readonly leaf: number;
  readonly target: number;
  readonly weight: number;
}

function addWeight(weights: Weights, { leaf, target, weight }: Weight, place: string): void {
  const mine = weights.get(leaf) ?? new Map<number, number>();
  if (mine.has(target)) malformed(place, `the leaf has two weights for target ${target}`);
  mine.set(target, weight);
  weights.set(leaf, mine);
}

/** Number of a node by its tree and id. */
class NodeIds {
  readonly #trees = new Map<number, Map<number, number>>();

  add(tree: number, id: number, node: number, place: string): void {
    const ids = this.#trees.get(tree) ?? new Map<number, number>();
    if (ids.has(id)) malformed(place, `node ${id} of tree ${tree} stands twice`);
    ids.set(id, node);
    this.#trees.set(tree, ids);
  }

  of(tree: number, id: number, place: string): number {
    const node = this.#trees.get(tree)?.get(id);
    return node === undefined ? malformed(place, `tree ${tree} has no node ${id}`) : node;
  }
}

function readWeights(
  attributes: Attributes,
  prefix: LeafPrefix,
  ids: NodeIds,
  isLeaf: (node: number) => boolean,
): Weights {
  const weights: Weights = new Map();
  const trees = attributes.ints(`${prefix}_treeids`);
  const nodes = attributes.ints(`${prefix}_nodeids`, trees.length);
  const targets = attributes.ints(`${prefix}_ids`, trees.length);
  const values = attributes.numbers(`${prefix}_weights`, trees.length).values;
  for (let i = 0; i < trees.length; i++) {
    const place = `${attributes.place}, ${prefix}_nodeids[${i}]`;
    const node = ids.of(trees[i]!, nodes[i]!, place);
    if (!isLeaf(node)) malformed(place, 'the node is no leaf');
    addWeight(weights, { leaf: node, target: targets[i]!, weight: values[i]! }, place);
  }
  return weights;
}

/** The nodes_* and class_* or target_* attributes of the operators of ai.onnx.ml 1 and 3. */
export function readNodesWithIds(attributes: Attributes, prefix: LeafPrefix): OnnxForest {
  const { place } = attributes;
  const trees = attributes.ints('nodes_treeids');
  const count = trees.length;
  checkCount(`${place}, nodes_treeids`, count, 1, BUNDLE_CAPS.nodes);
  const nodeIds = attributes.ints('nodes_nodeids', count);
  const features = attributes.ints('nodes_featureids', count);
  const yes = attributes.ints('nodes_truenodeids', count);
  const no = attributes.ints('nodes_falsenodeids', count);
  const missing = attributes.intsOrZeros('nodes_missing_value_tracks_true', count);
  const values = attributes.numbers('nodes_values', count);
  const modes = attributes.strings('nodes_modes');
  if (modes.length !== count) malformed(`${place}, nodes_modes`, `${modes.length} values, expected ${count}`);
  const ids = new NodeIds();
  const roots: number[] = [];
  const seen = new Set<number>();
  for (let i = 0; i < count; i++) {
    ids.add(trees[i]!, nodeIds[i]!, i, `${place}, nodes_nodeids[${i}]`);
    if (i > 0 && trees[i] === trees[i - 1]) continue;
    if (seen.has(trees[i]!))
      malformed(`${place}, nodes_treeids[${i}]`, `tree ${trees[i]} is not in one piece`);
    seen.add(trees[i]!);
    roots.push(i);
  }
  const nodes = Array.from({ length: count }, (_, i): OnnxSplit | null => {
    if (modes[i] === 'LEAF') return null;
    const where = `${place}, node ${nodeIds[i]} of tree ${trees[i]}`;
    return {
      feature: features[i]!,
      mode: modeNamed(modes[i]!.replace(/^BRANCH_/, ''), where),
      value: values.values[i]!,
      members: [],
      missingYes: missing[i] === 1,
      yes: ids.of(trees[i]!, yes[i]!, where),
      no: ids.of(trees[i]!, no[i]!, where),
    };
  });
  const weights = readWeights(attributes, prefix, ids, (node) => nodes[node] === null);
  return { nodes, roots, weights, sharedLeaves: false, isWide: values.type === TYPE_DOUBLE };
}

function modeNamed(name: string, place: string): Mode {
  const mode = MODES.find((known) => known === name);
  if (mode === undefined || mode === 'MEMBER')
    return malformed(place, `its mode "${shown(name)}" is unknown`);
  return mode;
}

/** Sets of the MEMBER nodes, in node order: the values up to the next NaN. */
function membersOf(attributes: Attributes, modes: ArrayLike<number>): Map<number, number[]> {
  const place = `${attributes.place}, membership_values`;
  const { values } = attributes.numbers('membership_values');
  const sets = new Map<number, number[]>();
  let at = 0;
  for (let node = 0; node < modes.length; node++) {
    if (MODES[modes[node]!] !== 'MEMBER') continue;
    const set: number[] = [];
    while (at < values.length && !Number.isNaN(values[at])) set.push(values[at++]!);
    if (set.length === 0) malformed(place, `no values for node ${node}`);
    at++;
    sets.set(node, set);
  }
  if (at < values.length) malformed(place, `${values.length - at} values are left over`);
  return sets;
}

/** The attributes of TreeEnsemble, ai.onnx.ml 5. Leaf i becomes node `splits + i`. */
export function readSplitsAndLeaves(attributes: Attributes): OnnxForest {
  const { place } = attributes;
  const features = attributes.ints('nodes_featureids');
  const count = features.length;
  checkCount(`${place}, nodes_featureids`, count, 1, BUNDLE_CAPS.nodes);
  const splits = attributes.numbers('nodes_splits', count);
  const modes = attributes.numbers('nodes_modes', count).values;
  const missing = attributes.intsOrZeros('nodes_missing_value_tracks_true', count);
  const leafTargets = attributes.ints('leaf_targetids');
  const leafWeights = attributes.numbers('leaf_weights', leafTargets.length);
  checkCount(`${place}, leaf_targetids`, leafTargets.length, 1, BUNDLE_CAPS.nodes);
  if (leafWeights.type !== splits.type) unsupported(place, 'splits and leaf weights of different types');
  const members = membersOf(attributes, modes);
  const links = (side: 'true' | 'false') => {
    const ids = attributes.ints(`nodes_${side}nodeids`, count);
    const leafs = attributes.ints(`nodes_${side}leafs`, count);
    return (node: number): number => {
      const most = leafs[node] === 1 ? leafTargets.length : count;
      checkCount(`${place}, nodes_${side}nodeids[${node}]`, ids[node]!, 0, most - 1);
      return leafs[node] === 1 ? count + ids[node]! : ids[node]!;
    };
  };
  const [yes, no] = [links('true'), links('false')];
  const nodes: (OnnxSplit | null)[] = Array.from({ length: count }, (_, i) => ({
    feature: features[i]!,
    mode: MODES[modes[i]!] ?? malformed(`${place}, nodes_modes[${i}]`, `${modes[i]} is unknown`),
    value: splits.values[i]!,
    members: members.get(i) ?? [],
    missingYes: missing[i] === 1,
    yes: yes(i),
    no: no(i),
  }));
  const weights: Weights = new Map();
  for (let i = 0; i < leafTargets.length; i++) {
    nodes.push(null);
    const weight = leafWeights.values[i]!;
    addWeight(weights, { leaf: count + i, target: leafTargets[i]!, weight }, `${place}, leaf ${i}`);
  }
  const roots = attributes.ints('tree_roots');
  checkCount(`${place}, tree_roots`, roots.length, 1, BUNDLE_CAPS.trees);
  return {
    nodes,
    roots: Array.from(roots, (root, i) => {
      checkCount(`${place}, tree_roots[${i}]`, root, 0, count - 1);
      return root;
    }),
    weights,
    sharedLeaves: true,
    isWide: splits.type === TYPE_DOUBLE,
  };
}
