// Writes a bundle: sections from canonical trees, then table, digest and header. Same spec, same bytes.
// What it writes it reads back with parse.ts, so a spec that breaks a rule fails here with the loader's own
// words.
// Called by training's export and by tests. Signing stands in sign.ts.

import { createHash } from 'node:crypto';
import type { BundleSpec } from './bundle.ts';
import {
  alignUp,
  BUNDLE_F32_INPUT,
  BUNDLE_HAS_CATEGORIES,
  BUNDLE_HAS_COVER,
  BUNDLE_MAGIC,
  BUNDLE_MAJOR,
  BUNDLE_MINOR,
  BUNDLE_RUNTIME,
  HEADER,
  HEADER_BYTES,
  KIND_NUMBERS,
  SECTION_ALIGN_BYTES,
  SECTION_BYTES,
  SECTION_CRITICAL,
  SIGN_BYTES,
  sectionType,
} from './bundle-format.ts';
import { checkModel } from './check-model.ts';
import { checkSpec } from './check-spec.ts';
import { crc32c } from './crc32c.ts';
import {
  encodeBases,
  encodeCategories,
  encodeCovers,
  encodeDirectory,
  encodeGolden,
  encodeManifest,
  encodeNodes,
  encodeRoots,
  encodeSchema,
} from './encode-sections.ts';
import type { Detector } from './ensemble.ts';
import { placeDetectors, slotCount, treeShape, VERDICT } from './ensemble.ts';
import { parseBundle } from './parse.ts';

interface Section {
  readonly name: string;
  readonly bytes: Uint8Array;
}

function sectionsOf(spec: BundleSpec, detectors: readonly Detector[]): Section[] {
  const hasCategories = detectors.some((d) => d.ensemble.categories.length > 0);
  const hasCover = detectors.some((d) => d.ensemble.trees.some((tree) => tree.cover !== null));
  return [
    { name: 'SCHM', bytes: encodeSchema(spec.features) },
    { name: 'DIRY', bytes: encodeDirectory(detectors) },
    { name: 'ROOT', bytes: encodeRoots(detectors) },
    { name: 'NODE', bytes: encodeNodes(detectors) },
    { name: 'BASE', bytes: encodeBases(detectors) },
    ...(hasCategories ? [{ name: 'CATS', bytes: encodeCategories(detectors) }] : []),
    ...(hasCover ? [{ name: 'COVR', bytes: encodeCovers(detectors) }] : []),
    { name: 'META', bytes: encodeManifest(spec.manifest) },
    { name: 'TVEC', bytes: encodeGolden(spec, detectors) },
    { name: 'SIGN', bytes: new Uint8Array(SIGN_BYTES) },
  ];
}

/** Places the sections and writes their table; the header is still empty. */
function layOut(sections: readonly Section[]): { bytes: Uint8Array; signAt: number } {
  let at = HEADER_BYTES + sections.length * SECTION_BYTES;
  const offsets = sections.map((section) => {
    const offset = alignUp(at, SECTION_ALIGN_BYTES);
    at = offset + section.bytes.length;
    return offset;
  });
  const bytes = new Uint8Array(at);
  const view = new DataView(bytes.buffer);
  sections.forEach((section, i) => {
    const entry = HEADER_BYTES + i * SECTION_BYTES;
    view.setUint32(entry, sectionType(section.name), true);
    view.setUint32(entry + 4, section.name === 'COVR' ? 0 : SECTION_CRITICAL, true);
    view.setBigUint64(entry + 8, BigInt(offsets[i]!), true);
    view.setBigUint64(entry + 16, BigInt(section.bytes.length), true);
    bytes.set(section.bytes, offsets[i]!);
  });
  return { bytes, signAt: offsets.at(-1)! };
}

function flagsOf(detectors: readonly Detector[], sections: readonly Section[]): number {
  const has = (name: string) => sections.some((section) => section.name === name);
  return (
    (detectors.some((d) => d.ensemble.f32Input) ? BUNDLE_F32_INPUT : 0) |
    (has('CATS') ? BUNDLE_HAS_CATEGORIES : 0) |
    (has('COVR') ? BUNDLE_HAS_COVER : 0)
  );
}

function writeHeader(bytes: Uint8Array, spec: BundleSpec, detectors: readonly Detector[]): void {
  const view = new DataView(bytes.buffer);
  const trees = detectors.flatMap((d) => d.ensemble.trees);
  const verdict = detectors.find((d) => d.name === VERDICT)!.ensemble;
  let maxDepth = 0;
  let maxLeaves = 0;
  let nodes = 0;
  for (const tree of trees) {
    const shape = treeShape(tree);
    maxDepth = Math.max(maxDepth, shape.depth);
    maxLeaves = Math.max(maxLeaves, shape.leaves);
    nodes += tree.left.length;
  }
  bytes.set(BUNDLE_MAGIC, 0);
  view.setUint16(HEADER.major, BUNDLE_MAJOR, true);
  view.setUint16(HEADER.minor, BUNDLE_MINOR, true);
  view.setBigUint64(HEADER.totalBytes, BigInt(bytes.length), true);
  view.setUint8(HEADER.kind, KIND_NUMBERS[verdict.kind]);
  view.setUint8(HEADER.objective, 1);
  view.setUint8(HEADER.accum, verdict.accum === 'f32' ? 1 : 0);
  view.setUint32(HEADER.treeCount, trees.length, true);
  view.setUint32(HEADER.nodeCount, nodes, true);
  view.setUint32(HEADER.featureCount, spec.features.length, true);
  view.setUint32(HEADER.slotCount, slotCount(detectors), true);
  view.setUint32(HEADER.maxDepth, maxDepth, true);
  view.setUint32(HEADER.maxLeaves, maxLeaves, true);
  view.setFloat64(HEADER.base, verdict.base[0]!, true);
  view.setBigUint64(HEADER.createdMs, BigInt(spec.manifest.createdMs), true);
  view.setUint32(HEADER.minRuntime, BUNDLE_RUNTIME, true);
}

/** The bytes of an unsigned bundle. Throws PicketError BUNDLE_* naming the place when the spec breaks a rule. */
export function packBundle(spec: BundleSpec): Uint8Array {
  checkSpec(spec);
  const detectors = placeDetectors(spec.detectors);
  checkModel(detectors, spec.features.length);
  const sections = sectionsOf(spec, detectors);
  const { bytes, signAt } = layOut(sections);
  writeHeader(bytes, spec, detectors);
  const view = new DataView(bytes.buffer);
  view.setUint32(HEADER.sectionCount, sections.length, true);
  view.setUint32(HEADER.flags, flagsOf(detectors, sections), true);
  bytes.set(createHash('sha256').update(bytes.subarray(HEADER_BYTES, signAt)).digest(), HEADER.sha256);
  bytes.set(createHash('sha256').update(sections[0]!.bytes).digest().subarray(0, 16), HEADER.schemaId);
  view.setUint32(HEADER.crc, crc32c(bytes.subarray(0, HEADER.crc)), true);
  parseBundle(bytes, { requireSigned: false, trustedKeys: [] });
  return bytes;
}
