// Reads the directory and the trees of a bundle into canonical form. Checks that every range lies in its
// section and follows the one before it; whether the trees are trees is check-model.ts's question.
// Called by parse.ts only.

import type { SectionName } from './bundle-format.ts';
import {
  BUNDLE_CAPS,
  BUNDLE_NODE_BYTES,
  DETECTOR_F32_INPUT,
  DETECTOR_HAS_COVER,
  DETECTOR_NAME_BYTES,
  DETECTOR_ON_DEMAND,
  DIRECTORY,
  DIRECTORY_HEAD_BYTES,
  DIRECTORY_RECORD_BYTES,
  KIND_NUMBERS,
} from './bundle-format.ts';
import { checkCap, corruptSection, viewOf } from './decode-sections.ts';
import type { CategorySet, Detector, EnsembleKind, Tree } from './ensemble.ts';
import { NODE_CATEGORY, treeShape } from './ensemble.ts';

interface TreeSections {
  readonly roots: Uint32Array;
  readonly nodes: DataView;
  readonly bases: DataView;
  readonly covers: DataView | null;
  readonly categories: readonly CategorySet[];
}

function decodeRoots(bytes: Uint8Array, nodeCount: number): Uint32Array {
  if (bytes.length < 4 || bytes.length % 4 !== 0) corruptSection('ROOT', 'wrong length');
  const roots = new Uint32Array(bytes.length / 4);
  const view = viewOf(bytes);
  checkCap('trees', roots.length - 1, BUNDLE_CAPS.trees);
  for (let i = 0; i < roots.length; i++) {
    roots[i] = view.getUint32(i * 4, true);
    if (i > 0 && roots[i]! <= roots[i - 1]!) corruptSection('ROOT', `tree ${i - 1} has no nodes`);
  }
  if (roots[0] !== 0 || roots.at(-1) !== nodeCount) corruptSection('ROOT', 'does not cover the nodes');
  return roots;
}

function decodeCategories(bytes: Uint8Array | undefined): CategorySet[] {
  if (bytes === undefined) return [];
  if (bytes.length < 4 || bytes.length % 4 !== 0) corruptSection('CATS', 'wrong length');
  const view = viewOf(bytes);
  const count = view.getUint32(0, true);
  const sets: CategorySet[] = [];
  let at = 4;
  for (let i = 0; i < count; i++) {
    const words = at < bytes.length ? view.getUint32(at, true) : 0;
    if (words === 0) corruptSection('CATS', `set ${i} is empty or cut off`);
    checkCap('words of a category set', words, BUNDLE_CAPS.categoryWords);
    if (at + 4 + words * 8 > bytes.length) corruptSection('CATS', `set ${i} is cut off`);
    const word = (k: number) => view.getUint32(at + 4 + k * 4, true);
    sets.push({
      left: Uint32Array.from({ length: words }, (_, k) => word(k)),
      known: Uint32Array.from({ length: words }, (_, k) => word(words + k)),
    });
    at += 4 + words * 8;
  }
  if (at !== bytes.length) corruptSection('CATS', 'bytes follow the last set');
  return sets;
}

function openTrees(sections: ReadonlyMap<SectionName, Uint8Array>): TreeSections {
  const nodes = viewOf(sections.get('NODE')!);
  if (nodes.byteLength % BUNDLE_NODE_BYTES !== 0) corruptSection('NODE', 'wrong length');
  const nodeCount = nodes.byteLength / BUNDLE_NODE_BYTES;
  checkCap('nodes', nodeCount, BUNDLE_CAPS.nodes);
  const covers = sections.get('COVR');
  if (covers !== undefined && covers.length !== nodeCount * 8) corruptSection('COVR', 'wrong length');
  return {
    nodes,
    roots: decodeRoots(sections.get('ROOT')!, nodeCount),
    bases: viewOf(sections.get('BASE')!),
    covers: covers === undefined ? null : viewOf(covers),
    categories: decodeCategories(sections.get('CATS')),
  };
}

function decodeTree(source: TreeSections, index: number, firstCategory: number): Tree {
  const first = source.roots[index]!;
  const count = source.roots[index + 1]! - first;
  const { nodes } = source;
  const tree = {
    feature: new Uint16Array(count),
    threshold: new Float64Array(count),
    left: new Uint32Array(count),
    flags: new Uint8Array(count),
    value: new Float64Array(count),
    output: nodes.getUint8(first * BUNDLE_NODE_BYTES + 15),
    cover: source.covers === null ? null : new Float64Array(count),
  };
  for (let i = 0; i < count; i++) {
    const at = (first + i) * BUNDLE_NODE_BYTES;
    const left = nodes.getUint32(at + 8, true);
    const number = nodes.getFloat64(at, true);
    tree.flags[i] = nodes.getUint8(at + 14);
    tree.feature[i] = nodes.getUint16(at + 12, true);
    if (left === 0) tree.value[i] = number;
    else tree.threshold[i] = number - (tree.flags[i]! & NODE_CATEGORY ? firstCategory : 0);
    if (left !== 0 && left < first) corruptSection('NODE', `node ${first + i} points before its tree`);
    tree.left[i] = left === 0 ? 0 : left - first;
    if (nodes.getUint8(at + 15) !== tree.output) corruptSection('NODE', `tree ${index} has two outputs`);
    if (tree.cover !== null) tree.cover[i] = source.covers!.getFloat64((first + i) * 8, true);
  }
  return tree;
}

function decodeName(record: DataView): string {
  let name = '';
  for (let i = 0; i < DETECTOR_NAME_BYTES; i++) {
    const byte = record.getUint8(i);
    if (byte === 0) {
      for (let rest = i; rest < DETECTOR_NAME_BYTES; rest++) {
        if (record.getUint8(rest) !== 0) corruptSection('DIRY', 'a detector name is not zero-padded');
      }
      break;
    }
    name += String.fromCharCode(byte);
  }
  if (!/^[a-z][a-z0-9_]*$/.test(name)) corruptSection('DIRY', `detector name ${JSON.stringify(name)}`);
  return name;
}

/** Running totals: every range of a detector begins where the one before it ended. */
interface Reached {
  tree: number;
  input: number;
  category: number;
  slot: number;
}

function readRange(record: DataView, field: 'Tree' | 'Input' | 'Category', reached: number): number {
  const said = record.getUint32(DIRECTORY[`first${field}`], true);
  if (said !== reached) corruptSection('DIRY', `first ${field.toLowerCase()} is ${said}, not ${reached}`);
  const key = `${field.toLowerCase()}Count` as 'treeCount' | 'inputCount' | 'categoryCount';
  return record.getUint32(DIRECTORY[key], true);
}

function decodeDetector(
  record: DataView,
  inputs: Uint16Array,
  source: TreeSections,
  reached: Reached,
): Detector {
  const name = decodeName(record);
  const kindNumber = record.getUint8(DIRECTORY.kind);
  const kind = (Object.keys(KIND_NUMBERS) as EnsembleKind[]).find((k) => KIND_NUMBERS[k] === kindNumber);
  if (kind === undefined) return corruptSection('DIRY', `detector ${name} is of unknown kind ${kindNumber}`);
  const flags = record.getUint8(DIRECTORY.flags);
  const accum = record.getUint8(DIRECTORY.accum);
  if (flags > 7 || accum > 1 || record.getUint8(DIRECTORY.zero) !== 0) {
    corruptSection('DIRY', `detector ${name} has unknown flags`);
  }
  const treeCount = readRange(record, 'Tree', reached.tree);
  const inputCount = readRange(record, 'Input', reached.input);
  const setCount = readRange(record, 'Category', reached.category);
  const outputs = record.getUint16(DIRECTORY.outputs, true);
  const slot = record.getUint16(DIRECTORY.slot, true);
  if (slot !== reached.slot)
    corruptSection('DIRY', `detector ${name} begins at slot ${slot}, not ${reached.slot}`);
  checkCap(`outputs of detector ${name}`, outputs, BUNDLE_CAPS.outputs);
  if (reached.tree + treeCount > source.roots.length - 1)
    corruptSection('DIRY', `${name}: trees out of range`);
  if (reached.input + inputCount > inputs.length) corruptSection('DIRY', `${name}: inputs out of range`);
  if (reached.category + setCount > source.categories.length)
    corruptSection('DIRY', `${name}: sets out of range`);
  if ((slot + outputs) * 8 > source.bases.byteLength) corruptSection('BASE', `no base for detector ${name}`);
  const trees: Tree[] = [];
  const hasCover = (flags & DETECTOR_HAS_COVER) !== 0;
  if (hasCover && source.covers === null) corruptSection('DIRY', `${name} has covers and the file has none`);
  for (let t = 0; t < treeCount; t++) {
    const tree = decodeTree(source, reached.tree + t, reached.category);
    trees.push(hasCover ? tree : { ...tree, cover: null });
  }
  const ensemble = {
    kind,
    outputs,
    base: Float64Array.from({ length: outputs }, (_, i) => source.bases.getFloat64((slot + i) * 8, true)),
    trees,
    inputs: [...inputs.subarray(reached.input, reached.input + inputCount)],
    accum: accum === 1 ? ('f32' as const) : ('f64' as const),
    f32Input: (flags & DETECTOR_F32_INPUT) !== 0,
    categories: source.categories.slice(reached.category, reached.category + setCount),
  };
  checkShape(record, name, trees);
  reached.tree += treeCount;
  reached.input += inputCount;
  reached.category += setCount;
  reached.slot += outputs;
  return { name, onDemand: (flags & DETECTOR_ON_DEMAND) !== 0, slot, ensemble };
}

function checkShape(record: DataView, name: string, trees: readonly Tree[]): void {
  let depth = 0;
  let leaves = 0;
  for (const tree of trees) {
    const shape = treeShape(tree);
    depth = Math.max(depth, shape.depth);
    leaves = Math.max(leaves, shape.leaves);
  }
  if (record.getUint32(DIRECTORY.maxDepth, true) !== depth) corruptSection('DIRY', `${name}: wrong depth`);
  if (record.getUint32(DIRECTORY.maxLeaves, true) !== leaves)
    corruptSection('DIRY', `${name}: wrong leaf count`);
}

/** All detectors of a bundle, in running order. */
export function decodeDetectors(sections: ReadonlyMap<SectionName, Uint8Array>): Detector[] {
  const directory = viewOf(sections.get('DIRY')!);
  if (directory.byteLength < DIRECTORY_HEAD_BYTES) corruptSection('DIRY', 'cut off');
  const count = directory.getUint32(0, true);
  const inputCount = directory.getUint32(4, true);
  checkCap('detectors', count, BUNDLE_CAPS.detectors);
  checkCap('inputs', inputCount, BUNDLE_CAPS.inputs);
  const inputsAt = DIRECTORY_HEAD_BYTES + count * DIRECTORY_RECORD_BYTES;
  if (directory.byteLength !== inputsAt + inputCount * 2) corruptSection('DIRY', 'wrong length');
  const inputs = Uint16Array.from({ length: inputCount }, (_, i) =>
    directory.getUint16(inputsAt + i * 2, true),
  );
  const source = openTrees(sections);
  const reached: Reached = { tree: 0, input: 0, category: 0, slot: 0 };
  const detectors: Detector[] = [];
  for (let i = 0; i < count; i++) {
    const at = directory.byteOffset + DIRECTORY_HEAD_BYTES + i * DIRECTORY_RECORD_BYTES;
    const record = new DataView(directory.buffer, at, DIRECTORY_RECORD_BYTES);
    detectors.push(decodeDetector(record, inputs, source, reached));
  }
  checkCap('slots', reached.slot, BUNDLE_CAPS.slots);
  const rest = [
    reached.tree - (source.roots.length - 1),
    reached.input - inputCount,
    reached.category - source.categories.length,
    reached.slot * 8 - source.bases.byteLength,
  ];
  if (rest.some((n) => n !== 0)) corruptSection('DIRY', 'trees, inputs, sets or bases belong to no detector');
  return detectors;
}
