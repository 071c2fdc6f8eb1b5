// Seeded random ensembles and rows that meet every rule a node can have: all missing types, NaN splits,
// category sets, f32 input and sums, thresholds on special numbers. For tests and benchmarks only; nothing
// in the product imports this.

import type { Random } from '../../domain/random.ts';
import type { CategorySet, Ensemble, EnsembleKind, Tree } from '../host/ensemble.ts';
import {
  MISSING_NAN,
  NODE_CATEGORY,
  NODE_MISSING_LEFT,
  NODE_MISSING_TYPE_SHIFT,
  NODE_NAN_SPLIT,
  NODE_UNKNOWN_LEFT,
} from '../host/ensemble.ts';
import { nextDown, nextUp } from '../host/float.ts';

export interface EnsembleShape {
  readonly trees: number;
  /** Leaves of a tree are drawn from this range, both ends included. */
  readonly leaves: readonly [number, number];
  readonly inputs: readonly number[];
  readonly outputs?: number;
  readonly kind?: EnsembleKind;
  readonly accum?: 'f64' | 'f32';
  readonly f32Input?: boolean;
  /** Draw from all missing types, NaN splits and category sets; otherwise plain numeric nodes of type NaN. */
  readonly exotic?: boolean;
  /** Distinct thresholds an input; default unbounded. */
  readonly cuts?: number;
  readonly maxDepth?: number;
}

export const SPECIAL_VALUES: readonly number[] = [
  0,
  -0,
  Number.NaN,
  Infinity,
  -Infinity,
  Number.MIN_VALUE,
  -Number.MIN_VALUE,
  2.2250738585072014e-308,
  1e-35,
  -1e-35,
  1.0000000180025095e-35,
  -1.0000000180025095e-35,
  nextUp(1.0000000180025095e-35),
  nextDown(-1.0000000180025095e-35),
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  3.4028234663852886e38,
  -1,
  -0.5,
  0.5,
  1,
  31,
  31.9,
  32,
  63.5,
  64,
  95.99,
  96,
  4294967296,
  2147483648,
];

class Builder {
  readonly #random: Random;
  readonly #shape: EnsembleShape;
  readonly #pool: readonly (readonly number[])[] | null;
  readonly categories: CategorySet[] = [];

  constructor(random: Random, shape: EnsembleShape) {
    this.#random = random;
    this.#shape = shape;
    const { cuts } = shape;
    this.#pool =
      cuts === undefined
        ? null
        : shape.inputs.map(() => Array.from({ length: cuts }, () => this.#freshThreshold()));
  }

  #freshThreshold(): number {
    const random = this.#random;
    const special = this.#shape.exotic && random.int(6) === 0;
    const drawn = special ? SPECIAL_VALUES[random.int(SPECIAL_VALUES.length)]! : random.normal() * 10;
    const finite = Number.isFinite(drawn) ? drawn : random.normal();
    const rounded = Math.fround(finite);
    return this.#shape.f32Input && random.int(2) === 0 && Number.isFinite(rounded) ? rounded : finite;
  }

  #threshold(input: number): number {
    const pool = this.#pool?.[input];
    return pool === undefined ? this.#freshThreshold() : pool[this.#random.int(pool.length)]!;
  }

  #categorySet(): number {
    const random = this.#random;
    if (this.categories.length > 0 && random.int(3) === 0) return random.int(this.categories.length);
    const words = 1 + random.int(3);
    const left = Uint32Array.from({ length: words }, () => random.uint32() & random.uint32());
    const known = left.map((word) => (random.int(2) === 0 ? word | random.uint32() : random.uint32()));
    known[0] = known[0]! | 1;
    this.categories.push({ left, known });
    return this.categories.length - 1;
  }

  #split(tree: { threshold: Float64Array; flags: Uint8Array; feature: Uint16Array }, node: number): void {
    const random = this.#random;
    const input = random.int(this.#shape.inputs.length);
    tree.feature[node] = input;
    tree.threshold[node] = this.#threshold(input);
    const missingLeft = random.int(2) === 0 ? NODE_MISSING_LEFT : 0;
    const draw = this.#shape.exotic ? random.int(8) : 7;
    const type = draw < 6 ? random.int(3) : MISSING_NAN;
    tree.flags[node] = (type << NODE_MISSING_TYPE_SHIFT) | missingLeft;
    if (draw === 6) {
      tree.flags[node] = (MISSING_NAN << NODE_MISSING_TYPE_SHIFT) | NODE_NAN_SPLIT;
      tree.threshold[node] = Infinity;
    } else if (draw < 2) {
      tree.flags[node] |= NODE_CATEGORY | (random.int(2) === 0 ? NODE_UNKNOWN_LEFT : 0);
      tree.threshold[node] = this.#categorySet();
    }
  }

  /** Splits random leaves until there are enough; children are appended, so they come after their parent. */
  tree(output: number): Tree {
    const random = this.#random;
    const [fewest, most] = this.#shape.leaves;
    const leafCount = fewest + random.int(most - fewest + 1);
    const nodes = leafCount * 2 - 1;
    const tree = {
      feature: new Uint16Array(nodes),
      threshold: new Float64Array(nodes),
      left: new Uint32Array(nodes),
      flags: new Uint8Array(nodes),
      value: new Float64Array(nodes),
      output,
      cover: new Float64Array(nodes),
    };
    let open = [{ node: 0, depth: 0 }];
    let size = 1;
    while (size < nodes) {
      const splittable = open.filter(({ depth }) => depth < (this.#shape.maxDepth ?? 60));
      const chosen = splittable[random.int(splittable.length)]!;
      this.#split(tree, chosen.node);
      tree.left[chosen.node] = size;
      open = open.filter((leaf) => leaf !== chosen);
      for (const node of [size, size + 1]) open.push({ node, depth: chosen.depth + 1 });
      size += 2;
    }
    for (const { node } of open) {
      const value = random.int(20) === 0 ? -0 : random.normal() / 10;
      tree.value[node] = this.#shape.accum === 'f32' ? Math.fround(value) : value;
    }
    for (let node = nodes - 1; node >= 0; node--) {
      const left = tree.left[node]!;
      tree.cover[node] = left === 0 ? 1 + random.int(50) : tree.cover[left]! + tree.cover[left + 1]!;
    }
    return tree;
  }
}

/** A random ensemble of the given shape; the same stream gives the same ensemble. */
export function randomEnsemble(random: Random, shape: EnsembleShape): Ensemble {
  const builder = new Builder(random, shape);
  const outputs = shape.outputs ?? 1;
  const accum = shape.accum ?? 'f64';
  const trees = Array.from({ length: shape.trees }, () => builder.tree(random.int(outputs)));
  return {
    kind: shape.kind ?? 'gbdt_logit',
    outputs,
    base: Float64Array.from({ length: outputs }, () => {
      const base = random.normal();
      return accum === 'f32' ? Math.fround(base) : base;
    }),
    trees,
    inputs: shape.inputs,
    accum,
    f32Input: shape.f32Input ?? false,
    categories: builder.categories,
  };
}

/** All numeric thresholds that an ensemble compares one of its inputs with. */
function thresholdsOf(ensemble: Ensemble, input: number): number[] {
  return ensemble.trees.flatMap((tree) =>
    [...tree.threshold].filter(
      (_, node) =>
        tree.left[node] !== 0 && tree.feature[node] === input && !(tree.flags[node]! & NODE_CATEGORY),
    ),
  );
}

/** A row drawn where it hurts: special values, thresholds, their neighbours in f64 and f32, and plain numbers. */
export function hardRow(random: Random, ensemble: Ensemble): Float64Array {
  return Float64Array.from(ensemble.inputs, (_, input) => {
    const thresholds = thresholdsOf(ensemble, input);
    const threshold = thresholds[random.int(Math.max(1, thresholds.length))] ?? 0;
    switch (random.int(8)) {
      case 0:
        return SPECIAL_VALUES[random.int(SPECIAL_VALUES.length)]!;
      case 1:
        return threshold;
      case 2:
        return nextUp(threshold);
      case 3:
        return nextDown(threshold);
      case 4:
        return Math.fround(threshold);
      case 5:
        return random.int(100);
      case 6:
        return Number.NaN;
      default:
        return random.normal() * 10;
    }
  });
}
