// The sections of a bundle, each as its bytes. Little-endian, fixed widths; the order inside is the order
// of the model.
// Called by pack.ts only; decode-sections.ts is the other direction.

import type { ModelManifest } from '../../domain/model-manifest.ts';
import type { BundleSpec } from './bundle.ts';
import {
  BUNDLE_NODE_BYTES,
  DETECTOR_F32_INPUT,
  DETECTOR_HAS_COVER,
  DETECTOR_ON_DEMAND,
  DIRECTORY,
  DIRECTORY_HEAD_BYTES,
  DIRECTORY_RECORD_BYTES,
  GOLDEN_HEAD_BYTES,
  KIND_NUMBERS,
  setCanonicalFloat64,
} from './bundle-format.ts';
import type { Detector, FeatureRef, Tree } from './ensemble.ts';
import { NODE_CATEGORY, slotCount, treeShape } from './ensemble.ts';
import { referenceSlots } from './reference.ts';

function treesOf(detectors: readonly Detector[]): readonly Tree[] {
  return detectors.flatMap((d) => d.ensemble.trees);
}

function nodeCount(detectors: readonly Detector[]): number {
  return treesOf(detectors).reduce((sum, tree) => sum + tree.left.length, 0);
}

/** JSON with sorted keys and no spaces: one text for one value. Undefined members are left out. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

export function encodeManifest(manifest: ModelManifest): Uint8Array {
  return new TextEncoder().encode(canonicalJson(manifest));
}

/** u32 count, then for each: u32 id, u16 name bytes, name, u8 type (0 number), u8 missing policy (2: NaN). */
export function encodeSchema(features: readonly FeatureRef[]): Uint8Array {
  const names = features.map((feature) => new TextEncoder().encode(feature.name));
  const bytes = new Uint8Array(4 + names.reduce((sum, name) => sum + 8 + name.length, 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, features.length, true);
  let at = 4;
  names.forEach((name, i) => {
    view.setUint32(at, features[i]!.id, true);
    view.setUint16(at + 4, name.length, true);
    bytes.set(name, at + 6);
    bytes[at + 7 + name.length] = 2;
    at += 8 + name.length;
  });
  return bytes;
}

function encodeDetector(view: DataView, detector: Detector, first: Record<string, number>): void {
  const { name, onDemand, slot, ensemble } = detector;
  const shapes = ensemble.trees.map(treeShape);
  const hasCover = ensemble.trees.length > 0 && ensemble.trees.every((tree) => tree.cover !== null);
  for (let i = 0; i < name.length; i++) view.setUint8(i, name.charCodeAt(i));
  view.setUint8(DIRECTORY.kind, KIND_NUMBERS[ensemble.kind]);
  view.setUint8(DIRECTORY.accum, ensemble.accum === 'f32' ? 1 : 0);
  view.setUint8(
    DIRECTORY.flags,
    (onDemand ? DETECTOR_ON_DEMAND : 0) |
      (ensemble.f32Input ? DETECTOR_F32_INPUT : 0) |
      (hasCover ? DETECTOR_HAS_COVER : 0),
  );
  view.setUint32(DIRECTORY.firstTree, first['tree']!, true);
  view.setUint32(DIRECTORY.treeCount, ensemble.trees.length, true);
  view.setUint32(DIRECTORY.firstInput, first['input']!, true);
  view.setUint32(DIRECTORY.inputCount, ensemble.inputs.length, true);
  view.setUint32(DIRECTORY.firstCategory, first['category']!, true);
  view.setUint32(DIRECTORY.categoryCount, ensemble.categories.length, true);
  view.setUint16(DIRECTORY.slot, slot, true);
  view.setUint16(DIRECTORY.outputs, ensemble.outputs, true);
  view.setUint32(DIRECTORY.maxDepth, Math.max(0, ...shapes.map((shape) => shape.depth)), true);
  view.setUint32(DIRECTORY.maxLeaves, Math.max(0, ...shapes.map((shape) => shape.leaves)), true);
}

/** u32 detectors, u32 inputs, one record each, then the inputs of all as u16. */
export function encodeDirectory(detectors: readonly Detector[]): Uint8Array {
  const inputs = detectors.flatMap((d) => d.ensemble.inputs);
  const inputsAt = DIRECTORY_HEAD_BYTES + detectors.length * DIRECTORY_RECORD_BYTES;
  const bytes = new Uint8Array(inputsAt + inputs.length * 2);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, detectors.length, true);
  view.setUint32(4, inputs.length, true);
  const first = { tree: 0, input: 0, category: 0 };
  detectors.forEach((detector, i) => {
    const at = DIRECTORY_HEAD_BYTES + i * DIRECTORY_RECORD_BYTES;
    encodeDetector(new DataView(bytes.buffer, at, DIRECTORY_RECORD_BYTES), detector, first);
    first.tree += detector.ensemble.trees.length;
    first.input += detector.ensemble.inputs.length;
    first.category += detector.ensemble.categories.length;
  });
  for (const [i, input] of inputs.entries()) view.setUint16(inputsAt + i * 2, input, true);
  return bytes;
}

/** u32 first node of each tree, and the end. */
export function encodeRoots(detectors: readonly Detector[]): Uint8Array {
  const trees = treesOf(detectors);
  const view = new DataView(new ArrayBuffer((trees.length + 1) * 4));
  let at = 0;
  trees.forEach((tree, i) => {
    view.setUint32(i * 4, at, true);
    at += tree.left.length;
  });
  view.setUint32(trees.length * 4, at, true);
  return new Uint8Array(view.buffer);
}

/** 16 bytes a node: f64 threshold, leaf value or set number | u32 left | u16 feature | u8 flags | u8 output. */
export function encodeNodes(detectors: readonly Detector[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(nodeCount(detectors) * BUNDLE_NODE_BYTES));
  let first = 0;
  let firstCategory = 0;
  for (const { ensemble } of detectors) {
    for (const tree of ensemble.trees) {
      for (let i = 0; i < tree.left.length; i++) {
        const at = (first + i) * BUNDLE_NODE_BYTES;
        const left = tree.left[i]!;
        const split = tree.threshold[i]! + (tree.flags[i]! & NODE_CATEGORY ? firstCategory : 0);
        setCanonicalFloat64(view, at, left === 0 ? tree.value[i]! : split);
        view.setUint32(at + 8, left === 0 ? 0 : first + left, true);
        view.setUint16(at + 12, tree.feature[i]!, true);
        view.setUint8(at + 14, tree.flags[i]!);
        view.setUint8(at + 15, tree.output);
      }
      first += tree.left.length;
    }
    firstCategory += ensemble.categories.length;
  }
  return new Uint8Array(view.buffer);
}

/** f64 for each slot. */
export function encodeBases(detectors: readonly Detector[]): Uint8Array {
  const bases = detectors.flatMap((d) => [...d.ensemble.base]);
  const view = new DataView(new ArrayBuffer(bases.length * 8));
  for (const [i, base] of bases.entries()) setCanonicalFloat64(view, i * 8, base);
  return new Uint8Array(view.buffer);
}

/** u32 count, then for each set: u32 words, the left words, the known words. */
export function encodeCategories(detectors: readonly Detector[]): Uint8Array {
  const sets = detectors.flatMap((d) => d.ensemble.categories);
  const words = [sets.length, ...sets.flatMap((set) => [set.left.length, ...set.left, ...set.known])];
  const view = new DataView(new ArrayBuffer(words.length * 4));
  for (const [i, word] of words.entries()) view.setUint32(i * 4, word, true);
  return new Uint8Array(view.buffer);
}

/** f64 for each node; 0 where a tree does not know its cover. */
export function encodeCovers(detectors: readonly Detector[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(nodeCount(detectors) * 8));
  let at = 0;
  for (const tree of treesOf(detectors)) {
    for (let i = 0; i < tree.left.length; i++, at += 8) setCanonicalFloat64(view, at, tree.cover?.[i] ?? 0);
  }
  return new Uint8Array(view.buffer);
}

/** u32 rows, features, slots, 0; then f64 features and f64 slots of each row. */
export function encodeGolden(spec: BundleSpec, detectors: readonly Detector[]): Uint8Array {
  const slots = slotCount(detectors);
  const rowBytes = (spec.features.length + slots) * 8;
  const view = new DataView(new ArrayBuffer(GOLDEN_HEAD_BYTES + spec.golden.length * rowBytes));
  const counts = [spec.golden.length, spec.features.length, slots];
  for (const [i, count] of counts.entries()) view.setUint32(i * 4, count, true);
  spec.golden.forEach((row, r) => {
    const values = [...Array.from(row), ...referenceSlots(detectors, row)];
    const rowAt = GOLDEN_HEAD_BYTES + r * rowBytes;
    for (const [i, value] of values.entries()) setCanonicalFloat64(view, rowAt + i * 8, value);
  });
  return new Uint8Array(view.buffer);
}
