// Path-dependent TreeSHAP for one row: for each leaf the set of features whose conditions the row misses, then a look-up in the
// leaf's subset table, or for deep paths an exact quadrature. Leaves in order, so the bits are those of shap-reference.ts.
// The tables were built by host/shap-image.ts. Called by index.ts only.

import * as at from '../layout';
import { fillCopies } from './tr8';

/** Evaluates each inner node once: hands both children the set of features missed on the way to them. */
function fillMissed(record: usize): void {
  const end = load<usize>(record, at.EXPLAIN_CONDITIONS_END);
  for (let node = load<usize>(record, at.EXPLAIN_CONDITIONS); node < end; node += <usize>at.CONDITION_BYTES) {
    const right = <u32>(load<f64>(load<usize>(node, 8), at.COPY_PTR) > load<f64>(node));
    const bit = load<u32>(node, 12);
    const missed = load<u32>(node, at.CONDITION_MISSED);
    store<u32>(load<usize>(node, 20), missed | (right << bit));
    store<u32>(load<usize>(node, 24), missed | ((right ^ 1) << bit));
  }
}

// @ts-ignore: decorator
@inline
function add(feature: usize, part: f64): void {
  const out = load<usize>(feature, 16);
  store<f64>(out, load<f64>(out) + part);
}

function addFromTable(leaf: usize, table: usize): void {
  let feature = load<usize>(leaf, at.LEAF_FEATURES);
  const end = load<usize>(leaf, at.LEAF_FEATURES_END);
  const count = <u32>((end - feature) / <usize>at.PATH_FEATURE_BYTES);
  const met = ~load<u32>(leaf, at.LEAF_MISSED) & ((1 << count) - 1);
  const whole = -load<f64>(table + (<usize>met << 3));
  for (let bit: u32 = 1; feature < end; bit <<= 1, feature += <usize>at.PATH_FEATURE_BYTES) {
    add(feature, met & bit ? load<f64>(feature, 8) * load<f64>(table + (<usize>(met ^ bit) << 3)) : whole);
  }
}

/** At each point: its weight times the product over all features of the leaf, left in the point's third place. */
function fillProducts(leaf: usize, met: u32): void {
  const first = load<usize>(leaf, at.LEAF_FEATURES);
  const end = load<usize>(leaf, at.LEAF_FEATURES_END);
  const last = load<usize>(leaf, at.LEAF_POINTS_END);
  for (let point = load<usize>(leaf, at.LEAF_POINTS); point < last; point += <usize>at.POINT_BYTES) {
    const t = load<f64>(point);
    let product = load<f64>(point, 8);
    let bits = met;
    for (let feature = first; feature < end; feature += <usize>at.PATH_FEATURE_BYTES, bits >>= 1) {
      const rest = (1 - t) * load<f64>(feature);
      product *= bits & 1 ? t + rest : rest;
    }
    store<f64>(point, product, 16);
  }
}

/** Sum over the points of the product without the factor of a feature that is met. */
// @ts-ignore: decorator
@inline
function integralOf(leaf: usize, share: f64): f64 {
  let integral: f64 = 0;
  const last = load<usize>(leaf, at.LEAF_POINTS_END);
  for (let point = load<usize>(leaf, at.LEAF_POINTS); point < last; point += <usize>at.POINT_BYTES) {
    const t = load<f64>(point);
    integral += load<f64>(point, 16) / (t + (1 - t) * share);
  }
  return integral;
}

/** What each feature that is not met gets, before the leaf's value: one for all of them. */
// @ts-ignore: decorator
@inline
function integralUnmet(leaf: usize): f64 {
  let integral: f64 = 0;
  const last = load<usize>(leaf, at.LEAF_POINTS_END);
  for (let point = load<usize>(leaf, at.LEAF_POINTS); point < last; point += <usize>at.POINT_BYTES) {
    integral += load<f64>(point, 16) / (1 - load<f64>(point));
  }
  return -integral;
}

function addIntegrated(leaf: usize): void {
  const met = ~load<u32>(leaf, at.LEAF_MISSED);
  fillProducts(leaf, met);
  const value = load<f64>(leaf);
  const unmet = value * integralUnmet(leaf);
  const end = load<usize>(leaf, at.LEAF_FEATURES_END);
  let bits = met;
  for (
    let feature = load<usize>(leaf, at.LEAF_FEATURES);
    feature < end;
    feature += <usize>at.PATH_FEATURE_BYTES, bits >>= 1
  ) {
    const share = load<f64>(feature);
    add(feature, bits & 1 ? value * ((1 - share) * integralOf(leaf, share)) : unmet);
  }
}

/** Writes the contributions of the row in the vector. */
export function explainRow(record: usize): void {
  const flags = load<u32>(record, at.DETECTOR_FLAGS);
  fillCopies(record, (flags & at.DETECTOR_FLAG_F32_INPUT) != 0);
  fillMissed(record);
  const outEnd = load<usize>(record, at.EXPLAIN_OUT_END);
  for (let out = load<usize>(record, at.EXPLAIN_OUT); out < outEnd; out += 8) store<f64>(out, 0);
  const end = load<usize>(record, at.EXPLAIN_LEAVES_END);
  for (let leaf = load<usize>(record, at.EXPLAIN_LEAVES); leaf < end; leaf += <usize>at.LEAF_BYTES) {
    const table = load<usize>(leaf, at.LEAF_TABLE);
    if (table != 0) addFromTable(leaf, table);
    else addIntegrated(leaf);
  }
}
