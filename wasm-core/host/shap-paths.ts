// Path-dependent TreeSHAP (Lundberg et al. 2020), the part that no row changes: for each leaf the distinct features of its
// path, the share of training weight that each lets through, and a table over subsets of them.
// Reads covers; evaluates nothing. Called by shap-reference.ts and shap-image.ts, which so read the same numbers.

import { PicketError } from '../../domain/errors.ts';
import type { Ensemble, Tree } from './ensemble.ts';

/** Leaves with more distinct features than this never have a table (2^d values); they are integrated instead. */
const TABLE_FEATURES_MAX = 8;
/** Leaves with no more than this always have one. */
const TABLE_FEATURES_MIN = 4;
/** Beyond this, tables miss the caches so often that integrating costs no more: large forests get tables for short paths only. */
const TABLES_MAX_BYTES = 8 * 2 ** 20;
/** Bits of the set of features whose conditions a row meets. */
const PATH_FEATURES_MAX = 31;

/** How the paths of one tree run: each node's parent (-1: the root), and the place of an inner node's feature in the lists. */
export interface TreeWays {
  readonly parents: Int32Array;
  readonly bits: Uint8Array;
}

export interface LeafPath {
  readonly tree: Tree;
  readonly ways: TreeWays;
  readonly leaf: number;
  readonly output: number;
  readonly value: number;
  /** Distinct inputs of the path (index into the ensemble's inputs), in order from the root. */
  readonly features: readonly number[];
  /** For each: product over its splits of cover(child) / cover(parent), in (0, 1]. */
  readonly shares: Float64Array;
}

/** Leaves with up to this many features get a table: as many as the memory for tables allows. */
export function tableFeatures(paths: readonly LeafPath[]): number {
  const bytes = new Float64Array(TABLE_FEATURES_MAX + 1);
  for (const { features } of paths) {
    if (features.length <= TABLE_FEATURES_MAX) bytes[features.length]! += 8 * 2 ** features.length;
  }
  let most = TABLE_FEATURES_MAX;
  let all = bytes.reduce((sum, part) => sum + part, 0);
  while (most > TABLE_FEATURES_MIN && all > TABLES_MAX_BYTES) all -= bytes[most--]!;
  return most;
}

/** All leaves of an ensemble with at least one split above them, tree by tree. Throws BUNDLE_MODEL without covers. */
export function leafPaths(ensemble: Ensemble): LeafPath[] {
  return ensemble.trees.flatMap((tree, number) => {
    if (tree.cover === null) {
      throw new PicketError(
        'BUNDLE_MODEL',
        `tree ${number} has no covers, so its scores cannot be explained`,
        {
          hint: 'export the model with the training weight of each node',
        },
      );
    }
    return pathsOf(tree, tree.cover);
  });
}

/** Mean value of a tree over its training weight: what every row starts from. */
export function treeMean(tree: Tree): number {
  const cover = tree.cover!;
  let mean = 0;
  for (const { node, share } of leafShares(tree, cover)) mean += tree.value[node]! * share;
  return mean;
}

function leafShares(tree: Tree, cover: Float64Array): { node: number; share: number }[] {
  const share = new Float64Array(tree.left.length).fill(1);
  const leaves: { node: number; share: number }[] = [];
  for (let node = 0; node < share.length; node++) {
    const left = tree.left[node]!;
    if (left === 0) leaves.push({ node, share: share[node]! });
    else for (const child of [left, left + 1]) share[child] = share[node]! * (cover[child]! / cover[node]!);
  }
  return leaves;
}

function pathsOf(tree: Tree, cover: Float64Array): LeafPath[] {
  const parents = new Int32Array(tree.left.length).fill(-1);
  tree.left.forEach((left, node) => {
    if (left === 0) return;
    parents[left] = node;
    parents[left + 1] = node;
  });
  const ways = { parents, bits: new Uint8Array(tree.left.length) };
  const paths: LeafPath[] = [];
  tree.left.forEach((left, leaf) => {
    if (left === 0 && leaf !== 0) paths.push(pathTo(tree, leaf, ways, cover));
  });
  return paths;
}

function pathTo(tree: Tree, leaf: number, ways: TreeWays, cover: Float64Array): LeafPath {
  const { parents, bits } = ways;
  const nodes: number[] = [];
  for (let node = leaf; node > 0; node = parents[node]!) nodes.push(node);
  const features: number[] = [];
  const shares: number[] = [];
  for (const child of nodes.reverse()) {
    const node = parents[child]!;
    const feature = tree.feature[node]!;
    let bit = features.indexOf(feature);
    if (bit < 0) {
      bit = features.push(feature) - 1;
      shares.push(1);
    }
    shares[bit] = shares[bit]! * (cover[child]! / cover[node]!);
    bits[node] = bit;
  }
  if (features.length > PATH_FEATURES_MAX) {
    throw new PicketError('BUNDLE_TOO_LARGE', `a path of ${features.length} features cannot be explained`);
  }
  const value = tree.value[leaf]!;
  return { tree, ways, leaf, output: tree.output, value, features, shares: Float64Array.from(shares) };
}

/**
 * The subset table of a leaf: T[H] for every set H of features whose conditions are met, 2^d values. With it feature j gets
 * (1 / z_j - 1) T[H without j] if j is in H, and -T[H] if not. All terms have one sign, so nothing cancels.
 */
export function subsetTable({ value, shares }: LeafPath): Float64Array {
  const d = shares.length;
  const weights = subsetWeights(d);
  const table = new Float64Array(2 ** d);
  // sums[m] is the elementary symmetric polynomial of degree m of the shares taken into H so far.
  const fill = (feature: number, set: number, outside: number, sums: readonly number[]) => {
    if (feature === d) {
      const size = sums.length - 1;
      let sum = 0;
      for (let k = 0; k <= Math.min(size, d - 1); k++) sum += weights[k]! * sums[size - k]!;
      table[set] = value * outside * sum;
      return;
    }
    const z = shares[feature]!;
    fill(feature + 1, set, outside * z, sums);
    const wider = [...sums, 0];
    for (let m = wider.length - 1; m > 0; m--) wider[m] = wider[m]! + z * wider[m - 1]!;
    fill(feature + 1, set | (1 << feature), outside, wider);
  };
  fill(0, 0, 1, [1]);
  return table;
}

/** k! (d - k - 1)! / d! for k = 0 .. d - 1. */
function subsetWeights(d: number): Float64Array {
  const weights = new Float64Array(d);
  weights[0] = 1 / d;
  for (let k = 1; k < d; k++) weights[k] = (weights[k - 1]! * k) / (d - k);
  return weights;
}

/** Points and weights of Gauss-Legendre quadrature on [0, 1], exact for degree 2n - 1. Newton's method on Legendre's P_n. */
export function gaussLegendre(n: number): { readonly points: Float64Array; readonly weights: Float64Array } {
  const points = new Float64Array(n);
  const weights = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 1;
    for (let round = 0; round < 100; round++) {
      const { value, derivative } = legendre(n, x);
      slope = derivative;
      const next = x - value / derivative;
      if (Math.abs(next - x) <= 1e-16) break;
      x = next;
    }
    points[i] = (1 - x) / 2;
    weights[i] = 1 / ((1 - x * x) * slope * slope);
  }
  return { points, weights };
}

function legendre(n: number, x: number): { value: number; derivative: number } {
  let before = 1;
  let value = x;
  for (let k = 2; k <= n; k++) {
    const next = ((2 * k - 1) * x * value - (k - 1) * before) / k;
    before = value;
    value = next;
  }
  if (n === 1) return { value: x, derivative: 1 };
  return { value, derivative: (n * (x * value - before)) / (x * x - 1) };
}
