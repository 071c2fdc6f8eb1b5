// Tables of kernel B: nodes of 16 bytes, groups of eight trees, and the list of feature copies with missing
// values replaced.
// A copy stands for (input, rule for what is missing); NaN splits and category sets become copies that hold
// 0 or 1. Called by prepare.ts.

import { PicketError } from '../../domain/errors.ts';
import * as at from '../layout.ts';
import type { Ensemble, Tree } from './ensemble.ts';
import {
  MISSING_NONE,
  MISSING_ZERO,
  NODE_CATEGORY,
  NODE_MISSING_LEFT,
  NODE_MISSING_TYPE_SHIFT,
  NODE_NAN_SPLIT,
  NODE_UNKNOWN_LEFT,
  treeShape,
} from './ensemble.ts';
import type { Image } from './image.ts';

interface Copy {
  readonly kind: number;
  readonly input: number;
  readonly set: number;
  readonly packed: number;
}

/** What a node compares: a copy's number (1, 2, ...) and a threshold. */
interface Comparison {
  readonly copy: Copy;
  readonly threshold: number;
}

/** Between the 0 and the 1 of a copy that already holds the answer. */
const HALF = 0.5;

/** The comparison that decides an inner node. */
export function comparisonOf(ensemble: Ensemble, tree: Tree, node: number): Comparison {
  const flags = tree.flags[node]!;
  const input = tree.feature[node]!;
  const threshold = tree.threshold[node]!;
  const missingType = (flags >>> NODE_MISSING_TYPE_SHIFT) & 3;
  const copy = (kind: number): Copy => ({ kind, input, set: 0, packed: 0 });
  if (flags & NODE_NAN_SPLIT) return { copy: copy(at.COPY_IS_NAN), threshold: HALF };
  if (flags & NODE_CATEGORY) {
    const packed =
      (ensemble.categories[threshold]!.left.length << 8) |
      (flags & NODE_MISSING_LEFT ? at.SET_FLAG_MISSING_LEFT : 0) |
      (flags & NODE_UNKNOWN_LEFT ? at.SET_FLAG_UNKNOWN_LEFT : 0) |
      (missingType === MISSING_NONE ? at.SET_FLAG_TRUNCATE : 0);
    return { copy: { kind: at.COPY_SET, input, set: threshold, packed }, threshold: HALF };
  }
  if (missingType === MISSING_NONE) return { copy: copy(at.COPY_NAN_ZERO), threshold };
  const left = (flags & NODE_MISSING_LEFT) !== 0;
  if (missingType === MISSING_ZERO) {
    return { copy: copy(left ? at.COPY_ZERO_LEFT : at.COPY_ZERO_RIGHT), threshold };
  }
  return { copy: copy(left ? at.COPY_NAN_LEFT : at.COPY_NAN_RIGHT), threshold };
}

/** The distinct copies of an ensemble, numbered in order of first use; number 0 is the constant -Infinity. */
export class Copies {
  readonly list: Copy[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(copy: Copy): number {
    const key = `${copy.kind}/${copy.input}/${copy.set}/${copy.packed}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    if (this.list.length + 1 >= at.COPY_SLOTS) {
      throw new PicketError('BUNDLE_TOO_LARGE', `bundle: over ${at.COPY_SLOTS} inputs and category sets`);
    }
    this.list.push(copy);
    this.#numbers.set(key, this.list.length);
    return this.list.length;
  }
}

function writeTree(image: Image, ensemble: Ensemble, tree: Tree, copies: Copies): number {
  const count = tree.left.length;
  const start = image.reserve(count * at.NODE_BYTES);
  for (let node = 0; node < count; node++) {
    const place = start + node * at.NODE_BYTES;
    const left = tree.left[node]!;
    if (left === 0) {
      image.f64(place, tree.value[node]!);
      image.u32(place + 12, place);
      continue;
    }
    const { copy, threshold } = comparisonOf(ensemble, tree, node);
    image.f64(place, threshold);
    image.u32(place + 8, copies.numberOf(copy) * 8);
    image.u32(place + 12, start + left * at.NODE_BYTES);
  }
  image.relocate(start + 12, at.NODE_BYTES, count);
  return start;
}

/** A leaf of value -0.0, which no sum notices: it fills the last group. */
function writePadding(image: Image): number {
  const place = image.reserve(at.NODE_BYTES);
  image.f64(place, -0);
  image.address(place + 12, place);
  return place;
}

function writeGroups(
  image: Image,
  trees: readonly { root: number; depth: number }[],
  padding: number,
): { begin: number; end: number } {
  const count = Math.ceil(trees.length / at.GROUP_TREES);
  const begin = image.reserve(count * at.GROUP_BYTES);
  for (let group = 0; group < count; group++) {
    const place = begin + group * at.GROUP_BYTES;
    const members = trees.slice(group * at.GROUP_TREES, (group + 1) * at.GROUP_TREES);
    image.u32(
      place,
      members.reduce((depth, tree) => Math.max(depth, tree.depth), 0),
    );
    for (let i = 0; i < at.GROUP_TREES; i++) image.u32(place + 4 + i * 4, members[i]?.root ?? padding);
    image.relocate(place + 4, 4, at.GROUP_TREES);
  }
  return { begin, end: begin + count * at.GROUP_BYTES };
}

export function writeSets(image: Image, ensemble: Ensemble): number[] {
  return ensemble.categories.map(({ left, known }) => {
    const start = image.reserve(left.length * 8);
    [...left, ...known].forEach((word, i) => {
      image.u32(start + i * 4, word);
    });
    return start;
  });
}

export function writeCopies(
  image: Image,
  copies: readonly Copy[],
  sets: readonly number[],
  addressOf: (input: number) => number,
): number {
  const start = image.reserve(copies.length * at.COPY_BYTES);
  copies.forEach((copy, i) => {
    const place = start + i * at.COPY_BYTES;
    image.u32(place, copy.kind);
    image.u32(place + 4, addressOf(copy.input));
    if (copy.kind !== at.COPY_SET) return;
    image.address(place + 8, sets[copy.set]!);
    image.u32(place + 12, copy.packed);
  });
  return start;
}

/** Writes kernel B's tables and fills the detector record; `addressOf` gives the vector address of an input. */
export function writeTr8(
  image: Image,
  ensemble: Ensemble,
  record: number,
  addressOf: (input: number) => number,
): void {
  const copies = new Copies();
  const trees = ensemble.trees.map((tree) => ({
    output: tree.output,
    root: writeTree(image, ensemble, tree, copies),
    depth: treeShape(tree).depth,
  }));
  const padding = writePadding(image);
  const outputs = image.view.getUint32(record + at.DETECTOR_OUTPUTS, true);
  for (let output = 0; output < ensemble.outputs; output++) {
    const place = outputs + output * at.OUTPUT_BYTES;
    const mine = trees.filter((tree) => tree.output === output);
    const { begin, end } = writeGroups(image, mine, padding);
    image.address(place + at.OUTPUT_BEGIN, begin);
    image.address(place + at.OUTPUT_END, end);
  }
  const start = writeCopies(image, copies.list, writeSets(image, ensemble), addressOf);
  image.u32(record + at.DETECTOR_KERNEL, at.KERNEL_B);
  image.address(record + at.DETECTOR_COPIES, start);
  image.address(record + at.DETECTOR_COPIES_END, start + copies.list.length * at.COPY_BYTES);
}
