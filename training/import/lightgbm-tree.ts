// One `Tree=` block of a LightGBM text model: its arrays, their lengths, and its nodes in canonical form.
// A child below 0 is ~leaf. Bits of decision_type: 0 category, 1 missing goes left, 2-3 missing type (None, Zero, NaN).
// Called by lightgbm.ts.
import { BUNDLE_CAPS } from '../../wasm-core/host/bundle-format.ts';
import {
  MISSING_NAN,
  MISSING_NONE,
  NODE_CATEGORY,
  NODE_MISSING_LEFT,
  NODE_MISSING_TYPE_SHIFT,
  NODE_NAN_SPLIT,
  ZERO_MAX,
} from '../../wasm-core/host/ensemble.ts';
import { nextDown } from '../../wasm-core/host/float.ts';
import type { CanonicalTrees, SourceNode } from './canonical-trees.ts';
import { checkCount, malformed, shown, unsupported } from './imported-model.ts';

/** The lines `key=value` of one block; a line without `=` is a switch. */
export type Block = ReadonlyMap<string, string>;

/** For inputs whose categories are stored by code: the category of each code. */
export type CategoryCodes = ReadonlyMap<number, readonly number[]>;

interface TreePlace {
  readonly place: string;
  readonly output: number;
  readonly codes: CategoryCodes;
}

/** A whole number from the block. */
export function countOf(
  block: Block,
  place: string,
  key: string,
  [least, most]: readonly [number, number],
): number {
  const text = block.get(key);
  if (text === undefined) return malformed(place, `"${key}" is missing`);
  const count = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(count)) return malformed(`${place}, ${key}`, `"${shown(text)}" is not a whole number`);
  checkCount(`${place}, ${key}`, count, least, most);
  return count;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The numbers of a line; empty text is no numbers. */
function numbersOf(block: Block, place: string, key: string, count: number): Float64Array {
  const text = block.get(key);
  if (text === undefined) return malformed(place, `"${key}" is missing`);
  const words = text === '' ? [] : text.split(' ', count + 1);
  if (words.length !== count)
    malformed(
      `${place}, ${key}`,
      `${words.length > count ? 'more' : words.length} numbers, expected ${count}`,
    );
  return Float64Array.from(words, (word, i) => {
    if (NUMBER.test(word)) return Number(word);
    if (word === 'inf' && key === 'threshold') return Infinity;
    return malformed(`${place}, ${key}[${i}]`, `"${shown(word)}" is not a number`);
  });
}

interface Splits {
  readonly feature: Float64Array;
  readonly threshold: Float64Array;
  readonly type: Float64Array;
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly count: Float64Array;
  readonly boundaries: Float64Array;
  readonly words: Float64Array;
  /** Category sets that a node has already: each belongs to one. */
  readonly used: Set<number>;
}

function splitsOf(block: Block, place: string, inner: number): Splits {
  const read = (key: string, count = inner) => numbersOf(block, place, key, count);
  const sets = countOf(block, place, 'num_cat', [0, inner]);
  const boundaries = sets === 0 ? new Float64Array(1) : read('cat_boundaries', sets + 1);
  for (let i = 0; i <= sets; i++) {
    const from = i === 0 ? 0 : boundaries[i - 1]!;
    const most = from + BUNDLE_CAPS.categoryWords;
    const grows = Number.isInteger(boundaries[i]) && boundaries[i]! >= from && boundaries[i]! <= most;
    if (!grows || (i === 0 && boundaries[0] !== 0)) {
      malformed(
        `${place}, cat_boundaries[${i}]`,
        `${boundaries[i]} does not fit, or a set is over ${most * 32} categories`,
      );
    }
  }
  return {
    feature: read('split_feature'),
    threshold: read('threshold'),
    type: read('decision_type'),
    left: read('left_child'),
    right: read('right_child'),
    count: block.has('internal_count') ? read('internal_count') : new Float64Array(inner),
    boundaries,
    used: new Set(),
    words: sets === 0 ? new Float64Array(0) : read('cat_threshold', boundaries[sets]!),
  };
}

/** Categories of set `set`, as the values that inputs hold. */
function* categoriesOf(splits: Splits, set: number, codes: readonly number[] | undefined): Generator<number> {
  const first = splits.boundaries[set]!;
  for (let word = first; word < splits.boundaries[set + 1]!; word++) {
    for (let bit = 0; bit < 32; bit++) {
      if ((splits.words[word]! & (1 << bit)) === 0) continue;
      const code = (word - first) * 32 + bit;
      if (codes === undefined) yield code;
      else if (code < codes.length) yield codes[code]!;
    }
  }
}

function addCategories(canonical: CanonicalTrees, splits: Splits, node: number, at: TreePlace): number {
  const place = `${at.place}, threshold[${node}]`;
  const set = splits.threshold[node]!;
  if (!Number.isInteger(set) || set < 0 || set >= splits.boundaries.length - 1) {
    malformed(place, `category set ${set} does not exist`);
  }
  if (splits.used.has(set)) malformed(place, `category set ${set} belongs to another node`);
  splits.used.add(set);
  const left = [...categoriesOf(splits, set, at.codes.get(splits.feature[node]!))];
  if (left.length === 0) unsupported(place, `category set ${set} is empty`);
  return canonical.setOf(place, left, left);
}

/**
 * LightGBM reads every |x| <= 1e-35f as zero before it compares. A threshold inside that interval moves to its end, so
 * that the whole interval goes where zero goes.
 */
function aroundZero(threshold: number): number {
  if (threshold >= -ZERO_MAX && threshold < 0) return nextDown(-ZERO_MAX);
  return threshold >= 0 && threshold < ZERO_MAX ? ZERO_MAX : threshold;
}

/**
 * `x <= inf` parts the missing values from all others. Where nothing is missing or these go left, too, the largest finite number
 * stands for it: only an infinite input could tell.
 */
function ordered(
  threshold: number,
  missing: number,
  missingLeft: boolean,
): { threshold: number; flags: number } {
  const flags = (missing << NODE_MISSING_TYPE_SHIFT) | (missingLeft ? NODE_MISSING_LEFT : 0);
  if (threshold !== Infinity) return { threshold: aroundZero(threshold), flags };
  if (missing === MISSING_NAN && !missingLeft) return { threshold, flags: flags | NODE_NAN_SPLIT };
  return { threshold: Number.MAX_VALUE, flags };
}

/** Adds the tree of a block. Throws DATA_INVALID naming array and index. */
export function addTree(canonical: CanonicalTrees, block: Block, at: TreePlace): void {
  const { place } = at;
  if ((block.get('is_linear') ?? '0') !== '0')
    unsupported(`${place}, is_linear`, 'linear trees have no canonical form');
  const leaves = countOf(block, place, 'num_leaves', [1, BUNDLE_CAPS.nodes]);
  const inner = leaves - 1;
  const values = numbersOf(block, place, 'leaf_value', leaves);
  const hasCounts = block.has('leaf_count') && block.get('leaf_count') !== '';
  const counts = hasCounts ? numbersOf(block, place, 'leaf_count', leaves) : null;
  const leaf = (i: number): SourceNode => ({ leaf: values[i]!, cover: counts?.[i] ?? (inner === 0 ? 1 : 0) });
  if (inner === 0) {
    canonical.add(
      { place, count: 1, root: 0, read: () => ({ leaf: values[0]!, cover: counts?.[0] || 1 }) },
      at.output,
    );
    return;
  }
  const splits = splitsOf(block, place, inner);
  const split = (node: number): SourceNode => {
    const type = splits.type[node]!;
    const missing = (type >>> 2) & 3;
    if (!Number.isInteger(type) || type < 0 || type > 15 || missing > MISSING_NAN) {
      malformed(`${place}, decision_type[${node}]`, `${type} is unknown`);
    }
    const isCategory = (type & 1) !== 0;
    const idOf = (child: number) => (child < 0 ? inner - child - 1 : child);
    return {
      feature: splits.feature[node]!,
      ...(isCategory
        ? {
            threshold: addCategories(canonical, splits, node, at),
            flags: NODE_CATEGORY | (MISSING_NONE << NODE_MISSING_TYPE_SHIFT),
          }
        : ordered(splits.threshold[node]!, missing, (type & 2) !== 0)),
      left: idOf(splits.left[node]!),
      right: idOf(splits.right[node]!),
      cover: splits.count[node]!,
    };
  };
  const read = (id: number) => (id < inner ? split(id) : leaf(id - inner));
  canonical.add({ place, count: inner + leaves, root: 0, read }, at.output);
}
