// Explanations against the shap package's tree_path_dependent values, on forests that scikit-learn fitted: contributions and bias
// within 1e-9. The fixtures were made by scripts/fixtures/shap_fit.py; nothing but npm is needed here.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Ensemble,
  MISSING_NAN,
  NODE_MISSING_LEFT,
  NODE_MISSING_TYPE_SHIFT,
  NODE_NAN_SPLIT,
  type Tree,
} from '../../wasm-core/host/ensemble.ts';
import { Explainer } from '../../wasm-core/host/explainer.ts';
import { referenceMargins } from '../../wasm-core/host/reference.ts';

interface StoredTree {
  readonly left: readonly number[];
  readonly feature: readonly number[];
  readonly threshold: readonly (number | 'inf')[];
  readonly missing_left: readonly number[];
  readonly value: readonly number[];
  readonly cover: readonly number[];
}

interface StoredCase {
  readonly name: string;
  readonly kind: 'gbdt_logit' | 'rf_mean';
  readonly base: number;
  readonly f32_input: boolean;
  readonly trees: readonly StoredTree[];
  readonly rows: readonly (readonly (number | null)[])[];
  readonly bias: number;
  readonly values: readonly (readonly number[])[];
}

const STORED = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/shap/shap-0.51.0.json'), 'utf8'),
) as { readonly cases: readonly StoredCase[] };

function treeOf(stored: StoredTree): Tree {
  const flags = stored.left.map((left, node) => {
    if (left === 0) return 0;
    const missing = stored.missing_left[node] === 1 ? NODE_MISSING_LEFT : 0;
    const nan = stored.threshold[node] === 'inf' ? NODE_NAN_SPLIT : 0;
    return (MISSING_NAN << NODE_MISSING_TYPE_SHIFT) | missing | nan;
  });
  return {
    feature: Uint16Array.from(stored.feature),
    threshold: Float64Array.from(stored.threshold, (t) => (t === 'inf' ? Infinity : t)),
    left: Uint32Array.from(stored.left),
    flags: Uint8Array.from(flags),
    value: Float64Array.from(stored.value),
    output: 0,
    cover: Float64Array.from(stored.cover),
  };
}

function ensembleOf(stored: StoredCase): Ensemble {
  return {
    kind: stored.kind,
    outputs: 1,
    base: Float64Array.of(stored.base),
    trees: stored.trees.map(treeOf),
    inputs: stored.rows[0]!.map((_, i) => i),
    accum: 'f64',
    f32Input: stored.f32_input,
    categories: [],
  };
}

describe.each(STORED.cases)('$name', (stored) => {
  const ensemble = ensembleOf(stored);
  const explainer = new Explainer(ensemble);

  it('gives the contributions of the shap package', () => {
    stored.rows.forEach((row, r) => {
      const inputs = row.map((value) => value ?? Number.NaN);
      const margin = referenceMargins(ensemble, inputs)[0]!;
      const { bias, contributions } = explainer.explain(inputs);
      const near = 1e-9 * Math.max(1, Math.abs(margin));
      expect(Math.abs(bias[0]! - stored.bias)).toBeLessThanOrEqual(near);
      stored.values[r]!.forEach((value, i) => {
        expect(Math.abs(contributions[i]! - value), `row ${r}, input ${i}`).toBeLessThanOrEqual(near);
      });
      const sum = contributions.reduce((all, part) => all + part, bias[0]!);
      expect(Math.abs(sum - margin)).toBeLessThanOrEqual(near);
    });
  });
});
