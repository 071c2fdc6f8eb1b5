// Model bundle format v1 in constants: header offsets, section names, record sizes and caps. docs/model-
// bundle.md explains them.
// Layout only; pack.ts writes it, parse.ts and model-sections.ts read it.

import type { EnsembleKind } from './ensemble.ts';

export const BUNDLE_MAGIC = Uint8Array.of(0x89, 0x50, 0x4b, 0x54, 0x0d, 0x0a, 0x1a, 0x0a);
export const BUNDLE_MAJOR = 1;
export const BUNDLE_MINOR = 0;
/** What this code can run; a bundle that needs more is refused as BUNDLE_UNSUPPORTED. */
export const BUNDLE_RUNTIME = 1;

export const HEADER_BYTES = 128;
export const HEADER = {
  major: 8,
  minor: 10,
  flags: 12,
  totalBytes: 16,
  sectionCount: 24,
  kind: 28,
  objective: 29,
  accum: 30,
  zero: 31,
  treeCount: 32,
  nodeCount: 36,
  featureCount: 40,
  slotCount: 44,
  maxDepth: 48,
  maxLeaves: 52,
  base: 56,
  sha256: 64,
  schemaId: 96,
  createdMs: 112,
  minRuntime: 120,
  crc: 124,
} as const;

export const BUNDLE_SIGNED = 1;
export const BUNDLE_F32_INPUT = 2;
export const BUNDLE_HAS_CATEGORIES = 4;
export const BUNDLE_HAS_COVER = 8;

export const SECTION_BYTES = 24;
export const SECTION_ALIGN_BYTES = 64;
export const SECTION_CRITICAL = 1;
export const SECTION_NAMES = [
  'SCHM',
  'DIRY',
  'ROOT',
  'NODE',
  'BASE',
  'CATS',
  'COVR',
  'META',
  'TVEC',
  'SIGN',
] as const;
export type SectionName = (typeof SECTION_NAMES)[number];
export const SECTIONS_REQUIRED: readonly SectionName[] = [
  'SCHM',
  'DIRY',
  'ROOT',
  'NODE',
  'BASE',
  'META',
  'TVEC',
  'SIGN',
];

export const DIRECTORY_HEAD_BYTES = 8;
export const DIRECTORY_RECORD_BYTES = 64;
export const DIRECTORY = {
  name: 0,
  kind: 24,
  accum: 25,
  flags: 26,
  zero: 27,
  firstTree: 28,
  treeCount: 32,
  firstInput: 36,
  inputCount: 40,
  firstCategory: 44,
  categoryCount: 48,
  slot: 52,
  outputs: 54,
  maxDepth: 56,
  maxLeaves: 60,
} as const;
export const DETECTOR_NAME_BYTES = 24;
export const DETECTOR_ON_DEMAND = 1;
export const DETECTOR_F32_INPUT = 2;
export const DETECTOR_HAS_COVER = 4;

export const BUNDLE_NODE_BYTES = 16;
export const GOLDEN_HEAD_BYTES = 16;
export const KEY_ID_BYTES = 32;
export const SIGNATURE_BYTES = 64;
export const SIGN_BYTES = KEY_ID_BYTES + SIGNATURE_BYTES;

export const KIND_NUMBERS: Readonly<Record<EnsembleKind, number>> = { gbdt_logit: 1, rf_mean: 2, iforest: 3 };

/** Caps of section 11 of the reference, rule 3. */
export const BUNDLE_CAPS = {
  bytes: 64 * 1024 * 1024,
  sections: 16,
  detectors: 64,
  trees: 4096,
  nodes: 4_000_000,
  features: 4096,
  inputs: 8192,
  outputs: 64,
  slots: 256,
  depth: 64,
  categoryWords: 128,
  metaBytes: 64 * 1024,
  metaDepth: 8,
  goldenRows: 256,
} as const;

/** Four ASCII letters as the u32 that stands in the section table. */
export function sectionType(name: string): number {
  return (
    name.charCodeAt(0) | (name.charCodeAt(1) << 8) | (name.charCodeAt(2) << 16) | (name.charCodeAt(3) << 24)
  );
}

/** Next multiple of `align` (a power of two). */
export function alignUp(bytes: number, align: number): number {
  return Math.ceil(bytes / align) * align;
}

/** A NaN has one form in a bundle, so that the same input gives the same bytes. */
export function setCanonicalFloat64(view: DataView, at: number, value: number): void {
  if (Number.isNaN(value)) view.setBigUint64(at, 0x7ff8000000000000n, true);
  else view.setFloat64(at, value, true);
}
