// Tables of kernel A: for each used input its sorted cut points, and for each interval between them a row
// of leaf masks.
// Any predicate that is piecewise constant becomes rows by asking the reference scorer once per interval,
// so exactness is settled here.
// Called by prepare.ts; the drawing stands in docs/memory-map.md.

import * as at from '../layout.ts';
import { ZERO_MAX } from '../layout.ts';
import { alignUp } from './bundle-format.ts';
import type { Ensemble, Tree } from './ensemble.ts';
import {
  MISSING_NONE,
  MISSING_ZERO,
  NODE_CATEGORY,
  NODE_MISSING_TYPE_SHIFT,
  NODE_NAN_SPLIT,
  treeShape,
} from './ensemble.ts';
import { nextDown } from './float.ts';
import type { Image } from './image.ts';
import { goesLeft } from './reference.ts';

interface ColumnNode {
  /** Position of the tree in kernel order (trees of output 0 first, then output 1 ...). */
  readonly position: number;
  readonly tree: Tree;
  readonly node: number;
  /** Leaves of the left subtree: [first, end) in in-order numbering. */
  readonly first: number;
  readonly end: number;
}

interface Column {
  readonly input: number;
  readonly cuts: Float64Array;
  readonly nodes: readonly ColumnNode[];
}

export interface RankRowPlan {
  readonly ensemble: Ensemble;
  /** Trees grouped by output, tree order kept within each. */
  readonly trees: readonly (Tree | null)[];
  /** Columns of the 8+8 form first. */
  readonly columns: readonly Column[];
  readonly maskBytes: 2 | 4 | 8;
  readonly rowBytes: number;
  readonly tableBytes: number;
}

/**
 * Trees of output 0 in their order, then those of output 1, and so on. Each output is filled up with null to whole units of 8
 * mask bytes; a filling tree has one leaf of value -0.0, which no sum notices.
 */
function treesByOutput(ensemble: Ensemble, maskBytes: number): (Tree | null)[] {
  return Array.from({ length: ensemble.outputs }, (_, output) => {
    const trees: (Tree | null)[] = ensemble.trees.filter((tree) => tree.output === output);
    while ((trees.length * maskBytes) % 8 !== 0) trees.push(null);
    return trees;
  }).flat();
}

/** Left-subtree leaf range of each inner node; leaves get their own number in `first`. */
function leafRanges(tree: Tree): { first: Uint32Array; end: Uint32Array } {
  const nodes = tree.left.length;
  const leaves = new Uint32Array(nodes);
  for (let node = nodes - 1; node >= 0; node--) {
    const left = tree.left[node]!;
    leaves[node] = left === 0 ? 1 : leaves[left]! + leaves[left + 1]!;
  }
  const first = new Uint32Array(nodes);
  const end = new Uint32Array(nodes);
  for (let node = 0; node < nodes; node++) {
    const left = tree.left[node]!;
    if (left === 0) continue;
    end[node] = first[node]! + leaves[left]!;
    first[left] = first[node]!;
    first[left + 1] = end[node]!;
  }
  return { first, end };
}

/** Category numbers at which the direction changes, as cuts: x > nextDown(k) means category k or above. */
function categoryCuts(ensemble: Ensemble, { tree, node }: ColumnNode): number[] {
  const truncates = ((tree.flags[node]! >>> NODE_MISSING_TYPE_SHIFT) & 3) === MISSING_NONE;
  const size = ensemble.categories[tree.threshold[node]!]!.left.length * 32;
  const cuts: number[] = [];
  let before = goesLeft(ensemble, tree, node, -1);
  for (let category = 0; category <= size; category++) {
    const now = goesLeft(ensemble, tree, node, category);
    if (now !== before) cuts.push(category === 0 && truncates ? -1 : nextDown(category));
    before = now;
  }
  return cuts;
}

/** Cut points of one node: its predicate is constant on every interval (cut, next cut]. */
function cutsOf(ensemble: Ensemble, place: ColumnNode): number[] {
  const flags = place.tree.flags[place.node]!;
  if (flags & NODE_NAN_SPLIT) return [];
  if (flags & NODE_CATEGORY) return categoryCuts(ensemble, place);
  const threshold = place.tree.threshold[place.node]!;
  if (((flags >>> NODE_MISSING_TYPE_SHIFT) & 3) !== MISSING_ZERO) return [threshold];
  return [threshold, nextDown(-ZERO_MAX), ZERO_MAX];
}

function gatherColumns(ensemble: Ensemble, trees: readonly (Tree | null)[]): Column[] | null {
  const byInput = new Map<number, ColumnNode[]>();
  trees.forEach((tree, position) => {
    if (tree === null) return;
    const { first, end } = leafRanges(tree);
    for (let node = 0; node < tree.left.length; node++) {
      if (tree.left[node] === 0) continue;
      const input = tree.feature[node]!;
      const nodes = byInput.get(input) ?? [];
      if (nodes.length === 0) byInput.set(input, nodes);
      nodes.push({ position, tree, node, first: first[node]!, end: end[node]! });
    }
  });
  const columns: Column[] = [];
  for (const [input, nodes] of byInput) {
    const distinct = new Set<number>();
    for (const node of nodes) {
      // -0 and 0 compare alike: one cut.
      for (const cut of cutsOf(ensemble, node)) distinct.add(cut === 0 ? 0 : cut);
      if (distinct.size > at.RANK16_MAX) return null;
    }
    columns.push({ input, cuts: Float64Array.from(distinct).sort(), nodes });
  }
  const wide = (column: Column) => (column.cuts.length > at.RANK8_MAX ? 1 : 0);
  return columns.sort((a, b) => wide(a) - wide(b) || a.input - b.input);
}

/** Kernel A's plan for an ensemble, or null when kernel A cannot hold it: leaves, cuts or table too many. */
export function planRankRow(ensemble: Ensemble, tableMaxBytes: number): RankRowPlan | null {
  const leafCount = ensemble.trees.reduce((max, tree) => Math.max(max, treeShape(tree).leaves), 0);
  if (leafCount > 64) return null;
  const maskBytes = leafCount <= 16 ? 2 : leafCount <= 32 ? 4 : 8;
  const trees = treesByOutput(ensemble, maskBytes);
  const columns = gatherColumns(ensemble, trees);
  if (columns === null || columns.length === 0 || columns.length > at.ROWS_COLUMNS) return null;
  const rowBytes = alignUp(trees.length * maskBytes, at.ALIGN_BYTES);
  const tableBytes = columns.reduce((sum, column) => sum + (column.cuts.length + 2) * rowBytes, 0);
  if (tableBytes > tableMaxBytes || rowBytes > at.ACC_BYTES) return null;
  return { ensemble, trees, columns, maskBytes, rowBytes, tableBytes };
}

/** Clears bits [first, end) of the mask that begins at `byte`. */
function clearBits(view: DataView, byte: number, first: number, end: number): void {
  for (let bit = first; bit < end; ) {
    const inByte = bit & 7;
    const count = Math.min(8 - inByte, end - bit);
    const place = byte + (bit >>> 3);
    view.setUint8(place, view.getUint8(place) & ~(((1 << count) - 1) << inByte));
    bit += count;
  }
}

/** One row: the leaves of each tree that remain possible when this column's value is `x`. */
function writeRow(plan: RankRowPlan, column: Column, x: number, view: DataView): void {
  for (let i = 0; i < view.byteLength; i++) view.setUint8(i, 0xff);
  for (const { position, tree, node, first, end } of column.nodes) {
    if (!goesLeft(plan.ensemble, tree, node, x)) clearBits(view, position * plan.maskBytes, first, end);
  }
}

function writeRows(image: Image, plan: RankRowPlan, column: Column): { row0: number; missDelta: number } {
  const { cuts } = column;
  const row0 = image.reserve((cuts.length + 2) * plan.rowBytes);
  const row = (i: number) => new DataView(image.view.buffer, row0 + i * plan.rowBytes, plan.rowBytes);
  for (let i = 0; i < cuts.length; i++) writeRow(plan, column, cuts[i]!, row(i));
  writeRow(plan, column, Infinity, row(cuts.length));
  writeRow(plan, column, Number.NaN, row(cuts.length + 1));
  return { row0, missDelta: (cuts.length + 1) * plan.rowBytes };
}

/** Two levels of `width`: pivots first, then width + 1 blocks; +Infinity where thresholds end. */
function writeCuts(image: Image, cuts: Float64Array, width: 8 | 16): number {
  const start = image.reserve(width === 8 ? at.RANK8_BYTES : at.RANK16_BYTES);
  const cut = (i: number) => cuts[i] ?? Infinity;
  for (let b = 0; b < width; b++) image.f64(start + b * 8, cut((width + 1) * b + width));
  for (let b = 0; b <= width; b++) {
    const block = start + width * 8 + b * width * 8;
    for (let i = 0; i < width; i++) image.f64(block + i * 8, cut((width + 1) * b + i));
  }
  return start;
}

function writeLeaves(image: Image, plan: RankRowPlan): number {
  const stride = plan.maskBytes * 8 * 8;
  const start = image.reserve(plan.trees.length * stride);
  plan.trees.forEach((tree, position) => {
    if (tree === null) {
      image.f64(start + position * stride, -0);
      return;
    }
    const { first } = leafRanges(tree);
    for (let node = 0; node < tree.left.length; node++) {
      if (tree.left[node] === 0) image.f64(start + position * stride + first[node]! * 8, tree.value[node]!);
    }
  });
  return start;
}

/** Writes kernel A's tables and fills the detector record; `placeOf` gives the vector address of an input. */
export function writeRankRow(
  image: Image,
  plan: RankRowPlan,
  record: number,
  addressOf: (input: number) => number,
): void {
  const narrow = plan.columns.filter((column) => column.cuts.length <= at.RANK8_MAX).length;
  const columns = image.reserve(plan.columns.length * at.COLUMN_BYTES);
  plan.columns.forEach((column, i) => {
    const place = columns + i * at.COLUMN_BYTES;
    const cuts = writeCuts(image, column.cuts, i < narrow ? 8 : 16);
    const { row0, missDelta } = writeRows(image, plan, column);
    image.u32(place, addressOf(column.input));
    image.address(place + 4, cuts);
    image.address(place + 8, row0);
    image.u32(place + 12, missDelta);
  });
  const kernels = { 2: at.KERNEL_A16, 4: at.KERNEL_A32, 8: at.KERNEL_A64 };
  image.u32(record + at.DETECTOR_KERNEL, kernels[plan.maskBytes]);
  image.address(record + at.DETECTOR_COLUMNS8, columns);
  image.address(record + at.DETECTOR_COLUMNS16, columns + narrow * at.COLUMN_BYTES);
  image.address(record + at.DETECTOR_COLUMNS_END, columns + plan.columns.length * at.COLUMN_BYTES);
  image.u32(record + at.DETECTOR_ROW_BYTES, plan.rowBytes);
  image.address(record + at.DETECTOR_LEAVES, writeLeaves(image, plan));
  const outputs = image.view.getUint32(record + at.DETECTOR_OUTPUTS, true);
  let unit = 0;
  for (let output = 0; output < plan.ensemble.outputs; output++) {
    const trees = plan.ensemble.trees.filter((tree) => tree.output === output).length;
    image.u32(outputs + output * at.OUTPUT_BYTES + at.OUTPUT_BEGIN, unit);
    unit += Math.ceil((trees * plan.maskBytes) / 8);
    image.u32(outputs + output * at.OUTPUT_BYTES + at.OUTPUT_END, unit);
  }
}
