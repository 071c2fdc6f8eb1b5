// The canonical form of a tree ensemble: what trainers and importers give, what bundles store, what both
// kernels are built from.
// Every numeric split says "go right iff x > threshold" in f64; importers bring other comparisons to that
// form.
// Pure types and flag bits; scoring stands in reference.ts, storage in pack.ts and parse.ts.

/** `gbdt_logit`: base + sum. `rf_mean`: (base + sum) / trees of the output. `iforest`: base + sum of depth terms. */
export type EnsembleKind = 'gbdt_logit' | 'rf_mean' | 'iforest';

/** Flag bits of an inner node (0 in a leaf). Bits 2 and 3 hold the missing type. */
export const NODE_MISSING_LEFT = 1;
export const NODE_CATEGORY = 2;
export const NODE_MISSING_TYPE_SHIFT = 2;
export const NODE_NAN_SPLIT = 16;
export const NODE_UNKNOWN_LEFT = 32;
export const NODE_FLAGS_KNOWN = 63;

/** NaN counts as 0.0 (on a category node: a value in (-1, 0) counts as category 0; NaN takes the missing direction). */
export const MISSING_NONE = 0;
/** The largest value that counts as zero. */
export { ZERO_MAX } from '../layout.ts';

/** NaN and |x| <= 1e-35f take the missing direction. */
export const MISSING_ZERO = 1;
/** NaN takes the missing direction: scikit-learn, XGBoost, Picket's own trainer. */
export const MISSING_NAN = 2;

/** Flag bits of a plain numeric node of missing type NaN, the kind that Picket's own trainer makes. */
export const NUMERIC_NODE = MISSING_NAN << NODE_MISSING_TYPE_SHIFT;

/** An input that is not a feature but the slot of an earlier detector. */
export const SLOT_INPUT = 0x8000;

/** The input that reads slot `slot`. */
export function slotInput(slot: number): number {
  return SLOT_INPUT | slot;
}

/** Two bit sets of 32-bit words, bit k of word j = category 32 j + k. In neither set: unknown. */
export interface CategorySet {
  /** These go left. */
  readonly left: Uint32Array;
  /** Of these, those not in `left` go right. Same length as `left`. */
  readonly known: Uint32Array;
}

/** One tree as parallel arrays, node 0 the root; children are adjacent and come after their parent. */
export interface Tree {
  /** Index into the ensemble's `inputs`; 0 in leaves. */
  readonly feature: Uint16Array;
  /** Right iff x > threshold. Category nodes: index into `categories`. NaN splits: +Infinity. Leaves: 0. */
  readonly threshold: Float64Array;
  /** Node number of the left child, the right one is next to it; 0 = leaf. */
  readonly left: Uint32Array;
  readonly flags: Uint8Array;
  /** Leaf value; 0 in inner nodes. */
  readonly value: Float64Array;
  /** Which sum the tree belongs to, 0 .. outputs-1. */
  readonly output: number;
  /** Training weight that reached each node, for explanations; null when it is not known. */
  readonly cover: Float64Array | null;
}

export interface Ensemble {
  readonly kind: EnsembleKind;
  readonly outputs: number;
  /** One start value an output. */
  readonly base: Float64Array;
  /** Added in this order. */
  readonly trees: readonly Tree[];
  /** What a node's `feature` points at: an index into the bundle's features, or `slotInput(slot)`. */
  readonly inputs: readonly number[];
  /** Width of the sum: XGBoost adds in f32. Leaves of an f32 sum must be f32 values. */
  readonly accum: 'f64' | 'f32';
  /** Inputs are rounded to f32 before they are compared: XGBoost, random forests, isolation forests. */
  readonly f32Input: boolean;
  readonly categories: readonly CategorySet[];
}

/** A feature by its permanent id; id 0 means that it is known by name only. */
export interface FeatureRef {
  readonly id: number;
  readonly name: string;
}

/** One small model of a bundle. */
export interface Detector {
  /** Lower-case words joined by `_`, at most 24 bytes. `verdict` is the one that decides. */
  readonly name: string;
  /** Run only when asked for, e.g. the attack class of flagged requests. */
  readonly onDemand: boolean;
  /** Its first slot; it has `ensemble.outputs` of them. Slots are given out in detector order. */
  readonly slot: number;
  readonly ensemble: Ensemble;
}

export const VERDICT = 'verdict';

/** Gives detectors their slots, in order. */
export function placeDetectors(detectors: readonly Omit<Detector, 'slot'>[]): Detector[] {
  let slot = 0;
  return detectors.map((detector) => {
    const placed = { ...detector, slot };
    slot += detector.ensemble.outputs;
    return placed;
  });
}

/** How many slots all detectors have together. */
export function slotCount(detectors: readonly Detector[]): number {
  return detectors.reduce((sum, detector) => sum + detector.ensemble.outputs, 0);
}

/** Depth of the deepest leaf and number of leaves; children come after their parent, so one pass is enough. */
export function treeShape(tree: Tree): { depth: number; leaves: number } {
  const depths = new Uint32Array(tree.left.length);
  let depth = 0;
  let leaves = 0;
  for (let node = 0; node < depths.length; node++) {
    const left = tree.left[node]!;
    if (left === 0) leaves++;
    else {
      depths[left] = depths[node]! + 1;
      depths[left + 1] = depths[node]! + 1;
    }
    if (depths[node]! > depth) depth = depths[node]!;
  }
  return { depth, leaves };
}
