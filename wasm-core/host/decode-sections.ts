// Reads the small sections of a bundle: features, manifest, golden vectors. Bounds are checked before
// anything is read.
// decode-trees.ts reads the large ones. Called by parse.ts only.

import { PicketError } from '../../domain/errors.ts';
import type { ModelManifest, ThresholdAdvice } from '../../domain/model-manifest.ts';
import type { GoldenVectors } from './bundle.ts';
import { BUNDLE_CAPS, GOLDEN_HEAD_BYTES } from './bundle-format.ts';
import type { FeatureRef } from './ensemble.ts';

/** Throws BUNDLE_CORRUPT: what is wrong with the encoding of a section. */
export function corruptSection(section: string, message: string): never {
  throw new PicketError('BUNDLE_CORRUPT', `bundle, section ${section}: ${message}`);
}

/** Throws BUNDLE_TOO_LARGE when a count is over its cap. */
export function checkCap(what: string, count: number, cap: number): void {
  if (count > cap) throw new PicketError('BUNDLE_TOO_LARGE', `bundle: ${count} ${what}, more than ${cap}`);
}

/** A view of a section, wherever it lies in its file. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function decodeSchema(bytes: Uint8Array): FeatureRef[] {
  const view = viewOf(bytes);
  if (bytes.length < 4) corruptSection('SCHM', 'cut off');
  const count = view.getUint32(0, true);
  checkCap('features', count, BUNDLE_CAPS.features);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const features: FeatureRef[] = [];
  const ids = new Set<number>();
  let at = 4;
  for (let i = 0; i < count; i++) {
    if (at + 8 > bytes.length) corruptSection('SCHM', `feature ${i} is cut off`);
    const id = view.getUint32(at, true);
    const nameBytes = view.getUint16(at + 4, true);
    if (at + 8 + nameBytes > bytes.length) corruptSection('SCHM', `the name of feature ${i} is cut off`);
    if (id !== 0 && ids.has(id)) corruptSection('SCHM', `feature id ${id} stands twice`);
    ids.add(id);
    let name: string;
    try {
      name = decoder.decode(bytes.subarray(at + 6, at + 6 + nameBytes));
    } catch (error) {
      throw new PicketError('BUNDLE_CORRUPT', `bundle: the name of feature ${i} is not UTF-8`, {
        cause: error,
      });
    }
    if (bytes[at + 6 + nameBytes]! > 2) corruptSection('SCHM', `feature ${i} has an unknown type`);
    if (bytes[at + 7 + nameBytes]! > 2) corruptSection('SCHM', `feature ${i} has an unknown missing policy`);
    features.push({ id, name });
    at += 8 + nameBytes;
  }
  if (at !== bytes.length) corruptSection('SCHM', 'bytes follow the last feature');
  return features;
}

export function decodeGolden(bytes: Uint8Array, features: number, slots: number): GoldenVectors {
  const view = viewOf(bytes);
  if (bytes.length < GOLDEN_HEAD_BYTES) corruptSection('TVEC', 'cut off');
  const rows = view.getUint32(0, true);
  checkCap('golden rows', rows, BUNDLE_CAPS.goldenRows);
  if (rows === 0) corruptSection('TVEC', 'no golden rows');
  if (view.getUint32(4, true) !== features || view.getUint32(8, true) !== slots) {
    corruptSection('TVEC', 'its width is not that of the model');
  }
  if (view.getUint32(12, true) !== 0) corruptSection('TVEC', 'a reserved field is not zero');
  if (bytes.length !== GOLDEN_HEAD_BYTES + rows * (features + slots) * 8)
    corruptSection('TVEC', 'wrong length');
  const golden = { rows, features: new Float64Array(rows * features), slots: new Float64Array(rows * slots) };
  let at = GOLDEN_HEAD_BYTES;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < features; i++, at += 8)
      golden.features[row * features + i] = view.getFloat64(at, true);
    for (let i = 0; i < slots; i++, at += 8) golden.slots[row * slots + i] = view.getFloat64(at, true);
  }
  return golden;
}

type Json = { readonly [key: string]: unknown };

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '{' || c === '[') deepest = Math.max(deepest, ++depth);
    else if (c === '}' || c === ']') depth--;
  }
  return deepest;
}

function parseJson(bytes: Uint8Array): unknown {
  checkCap('bytes of META', bytes.length, BUNDLE_CAPS.metaBytes);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    checkCap('levels of JSON in META', depthOf(text), BUNDLE_CAPS.metaDepth);
    return JSON.parse(text, (key, value: unknown) => (key === '__proto__' ? undefined : value));
  } catch (error) {
    if (error instanceof PicketError) throw error;
    throw new PicketError('BUNDLE_CORRUPT', 'bundle, section META: not JSON in UTF-8', { cause: error });
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMapOf(value: unknown, types: readonly string[]): boolean {
  return isObject(value) && Object.values(value).every((member) => types.includes(typeof member));
}

const METHODS = ['max_f1', 'max_recall_at_fpr', 'given'];

function isAdvice(value: unknown): value is ThresholdAdvice {
  if (!isObject(value)) return false;
  const { flagAt, blockAt, method, fprMax } = value;
  if (typeof flagAt !== 'number' || typeof blockAt !== 'number') return false;
  if (!(flagAt >= 0 && flagAt <= blockAt && blockAt <= 1)) return false;
  if (fprMax !== undefined && typeof fprMax !== 'number') return false;
  return METHODS.includes(method as string);
}

const LINKS: Readonly<Record<string, string | null>> = {
  logistic: 'scale',
  identity: null,
  exp: null,
  softmax: null,
  depth: 'divisor',
};

function isAnswer(value: unknown): boolean {
  if (!isObject(value) || typeof value['detector'] !== 'string' || !isObject(value['link'])) return false;
  const { classes, link } = value;
  if (!Array.isArray(classes) || !classes.every((name) => typeof name === 'string')) return false;
  const kind = String(link['kind']);
  if (!Object.hasOwn(LINKS, kind)) return false;
  const factor = LINKS[kind] ?? null;
  if (factor === null) return true;
  const said = link[factor];
  return typeof said === 'number' && said > 0 && Number.isFinite(said);
}

/** The manifest, member by member; members that this build does not know are kept out of no check and left as they are. */
export function decodeManifest(bytes: Uint8Array): ModelManifest {
  const meta = parseJson(bytes);
  if (!isObject(meta)) return corruptSection('META', 'not an object');
  const isText = (value: unknown) => typeof value === 'string';
  const checks: readonly [string, boolean][] = [
    ['name', isText(meta['name'])],
    ['description', isText(meta['description'])],
    ['createdMs', Number.isSafeInteger(meta['createdMs'])],
    ['seed', Number.isFinite(meta['seed'])],
    ['data', isMapOf(meta['data'], ['string', 'number'])],
    ['metrics', isMapOf(meta['metrics'], ['number'])],
    ['thresholds', isAdvice(meta['thresholds'])],
    ['classes', Array.isArray(meta['classes']) && meta['classes'].every(isText)],
    ['answer', meta['answer'] === undefined || isAnswer(meta['answer'])],
  ];
  const wrong = checks.filter(([, right]) => !right).map(([name]) => name);
  if (wrong.length > 0) corruptSection('META', `missing or malformed: ${wrong.join(', ')}`);
  return meta as unknown as ModelManifest;
}
