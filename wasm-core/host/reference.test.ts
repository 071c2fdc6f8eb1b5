// The oracle itself, by hand: each trainer's rule on missing values, zeros, categories and widths, one row
// of a table each. Sources: section 2 of the tree-scoring reference; LightGBM's and scikit-learn's
// predictors as described there.

import { describe, expect, test } from 'vitest';
import type { Ensemble } from './ensemble.ts';
import {
  MISSING_NAN,
  MISSING_NONE,
  MISSING_ZERO,
  NODE_CATEGORY,
  NODE_MISSING_LEFT,
  NODE_MISSING_TYPE_SHIFT,
  NODE_NAN_SPLIT,
  NODE_UNKNOWN_LEFT,
} from './ensemble.ts';
import { nextDownF32, nextUp } from './float.ts';
import { referenceMargins } from './reference.ts';

const LEFT = -1;
const RIGHT = 1;

/** One split: value -1 on the left, +1 on the right; categories 1 and 33 go left, 2 and 34 are known, the rest is unknown. */
function stump(threshold: number, flags: number, more: Partial<Ensemble> = {}): Ensemble {
  return {
    kind: 'gbdt_logit',
    outputs: 1,
    base: Float64Array.of(0),
    trees: [
      {
        feature: Uint16Array.of(0, 0, 0),
        threshold: Float64Array.of(threshold, 0, 0),
        left: Uint32Array.of(1, 0, 0),
        flags: Uint8Array.of(flags, 0, 0),
        value: Float64Array.of(0, LEFT, RIGHT),
        output: 0,
        cover: null,
      },
    ],
    inputs: [0],
    accum: 'f64',
    f32Input: false,
    categories: [{ left: Uint32Array.of(2, 2), known: Uint32Array.of(6, 4) }],
    ...more,
  };
}

const type = (missing: number) => missing << NODE_MISSING_TYPE_SHIFT;

describe.each([
  [
    'sklearn, missing right',
    1,
    type(MISSING_NAN),
    [
      [1, LEFT],
      [nextUp(1), RIGHT],
      [Number.NaN, RIGHT],
    ],
  ],
  [
    'sklearn, missing left',
    1,
    type(MISSING_NAN) | NODE_MISSING_LEFT,
    [
      [Number.NaN, LEFT],
      [2, RIGHT],
    ],
  ],
  [
    'a zero has no sign',
    0,
    type(MISSING_NAN),
    [
      [0, LEFT],
      [-0, LEFT],
      [Number.MIN_VALUE, RIGHT],
    ],
  ],
  [
    'infinities compare',
    1,
    type(MISSING_NAN),
    [
      [Infinity, RIGHT],
      [-Infinity, LEFT],
    ],
  ],
  [
    'NaN split',
    Infinity,
    type(MISSING_NAN) | NODE_NAN_SPLIT,
    [
      [Infinity, LEFT],
      [0, LEFT],
      [Number.NaN, RIGHT],
    ],
  ],
  [
    'LightGBM None: NaN is 0',
    0.5,
    type(MISSING_NONE),
    [
      [Number.NaN, LEFT],
      [1, RIGHT],
    ],
  ],
  [
    'LightGBM None: NaN is 0, above the threshold',
    -0.5,
    type(MISSING_NONE) | NODE_MISSING_LEFT,
    [[Number.NaN, RIGHT]],
  ],
  [
    'LightGBM Zero, default left',
    -5,
    type(MISSING_ZERO) | NODE_MISSING_LEFT,
    [
      [0, LEFT],
      [-1e-36, LEFT],
      [Number.NaN, LEFT],
      [1, RIGHT],
      [1e-34, RIGHT],
    ],
  ],
  [
    'LightGBM Zero, default right',
    5,
    type(MISSING_ZERO),
    [
      [0, RIGHT],
      [1.0000000180025095e-35, RIGHT],
      [1e-34, LEFT],
    ],
  ],
  [
    'HGB categories, unknown and missing left',
    0,
    type(MISSING_NAN) | NODE_CATEGORY | NODE_MISSING_LEFT | NODE_UNKNOWN_LEFT,
    [
      [1, LEFT],
      [33.9, LEFT],
      [2, RIGHT],
      [34, RIGHT],
      [5, LEFT],
      [64, LEFT],
      [-0.5, LEFT],
      [Number.NaN, LEFT],
    ],
  ],
  [
    'LightGBM categories: only the set goes left',
    0,
    type(MISSING_NONE) | NODE_CATEGORY,
    [
      [1, LEFT],
      [33, LEFT],
      [2, RIGHT],
      [5, RIGHT],
      [-1, RIGHT],
      [Infinity, RIGHT],
      [Number.NaN, RIGHT],
    ],
  ],
] as const)('%s', (_, threshold, flags, rows) => {
  test.each(rows.map(([x, way]) => [x, way === LEFT ? 'left' : 'right'] as const))('%d goes %s', (x, way) => {
    expect(referenceMargins(stump(threshold, flags), [x])[0]).toBe(way === 'left' ? LEFT : RIGHT);
  });
});

test('type None truncates (-1, 0) to category 0, type NaN takes it for unknown', () => {
  const categories = [{ left: Uint32Array.of(1), known: Uint32Array.of(1) }];
  const none = stump(0, type(MISSING_NONE) | NODE_CATEGORY, { categories });
  const nan = stump(0, type(MISSING_NAN) | NODE_CATEGORY, { categories });
  expect(referenceMargins(none, [-0.5])[0]).toBe(LEFT);
  expect(referenceMargins(nan, [-0.5])[0]).toBe(RIGHT);
  expect(referenceMargins(nan, [-0])[0]).toBe(LEFT);
});

test("f32 input: what rounds onto the threshold goes left; XGBoost's x < t is x <= the f32 below t", () => {
  const third = Math.fround(1 / 3);
  const above = nextUp(third);
  expect(referenceMargins(stump(third, type(MISSING_NAN)), [above])[0]).toBe(RIGHT);
  expect(referenceMargins(stump(third, type(MISSING_NAN), { f32Input: true }), [above])[0]).toBe(LEFT);
  const strict = stump(nextDownF32(third), type(MISSING_NAN), { f32Input: true });
  expect(referenceMargins(strict, [third])[0]).toBe(RIGHT);
  expect(referenceMargins(strict, [nextDownF32(third)])[0]).toBe(LEFT);
});

test('f32 sums round after every tree; a mean divides by the trees of its output', () => {
  const [tree] = stump(0, type(MISSING_NAN)).trees;
  const leaf = (value: number, output = 0) => ({ ...tree!, value: Float64Array.of(0, value, value), output });
  const trees = [leaf(16777216), leaf(1), leaf(1)];
  expect(referenceMargins(stump(0, 0, { trees, accum: 'f32' }), [0])[0]).toBe(16777216);
  expect(referenceMargins(stump(0, 0, { trees }), [0])[0]).toBe(16777218);
  const mean = {
    trees: [leaf(1), leaf(4, 1), leaf(2)],
    kind: 'rf_mean',
    outputs: 3,
    base: new Float64Array(3),
  } as const;
  expect([...referenceMargins(stump(0, 0, mean), [0])]).toEqual([1.5, 4, 0]);
});
