// The outer half of reading a bundle: length, magic, version, checksum, section table, digest, signature.
// Nothing here knows of trees. Work is linear in the size of the file. Called by parse.ts and sign.ts.

import type { KeyObject } from 'node:crypto';
import { createHash, verify } from 'node:crypto';
import { type ErrorCode, PicketError } from '../../domain/errors.ts';
import type { SectionName } from './bundle-format.ts';
import {
  BUNDLE_CAPS,
  BUNDLE_F32_INPUT,
  BUNDLE_HAS_CATEGORIES,
  BUNDLE_HAS_COVER,
  BUNDLE_MAGIC,
  BUNDLE_MAJOR,
  BUNDLE_RUNTIME,
  BUNDLE_SIGNED,
  HEADER,
  HEADER_BYTES,
  KEY_ID_BYTES,
  SECTION_ALIGN_BYTES,
  SECTION_BYTES,
  SECTION_CRITICAL,
  SECTION_NAMES,
  SECTIONS_REQUIRED,
  SIGN_BYTES,
  sectionType,
} from './bundle-format.ts';
import { crc32c } from './crc32c.ts';

/** A public key that bundles may be signed with. */
export interface TrustedKey {
  readonly keyId: string;
  readonly publicKey: KeyObject;
}

export interface Container {
  readonly header: DataView;
  readonly sections: ReadonlyMap<SectionName, Uint8Array>;
  /** Lower-case hex of the verified sha256: the bundle id. */
  readonly id: string;
}

function refuse(code: ErrorCode, message: string): never {
  throw new PicketError(code, `bundle: ${message}`);
}

function corrupt(message: string): never {
  return refuse('BUNDLE_CORRUPT', message);
}

/** Checks the fixed header: everything that can be said without the section table. */
function openHeader(bytes: Uint8Array): DataView {
  if (bytes.length < HEADER_BYTES) corrupt(`${bytes.length} bytes, shorter than the header`);
  if (bytes.length > BUNDLE_CAPS.bytes) {
    refuse('BUNDLE_TOO_LARGE', `${bytes.length} bytes, more than ${BUNDLE_CAPS.bytes}`);
  }
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if (BUNDLE_MAGIC.some((byte, i) => bytes[i] !== byte)) corrupt('the magic number is wrong: not a bundle');
  const crc = crc32c(bytes.subarray(0, HEADER.crc));
  if (crc !== header.getUint32(HEADER.crc, true)) corrupt('the checksum of the header is wrong');
  const major = header.getUint16(HEADER.major, true);
  if (major !== BUNDLE_MAJOR)
    refuse('BUNDLE_UNSUPPORTED', `format ${major}, this program reads ${BUNDLE_MAJOR}`);
  const runtime = header.getUint32(HEADER.minRuntime, true);
  if (runtime > BUNDLE_RUNTIME) {
    refuse('BUNDLE_UNSUPPORTED', `needs runtime ${runtime}, this program is ${BUNDLE_RUNTIME}`);
  }
  const known = BUNDLE_SIGNED | BUNDLE_F32_INPUT | BUNDLE_HAS_CATEGORIES | BUNDLE_HAS_COVER;
  const flags = header.getUint32(HEADER.flags, true);
  if (flags & ~known) refuse('BUNDLE_UNSUPPORTED', `unknown header flags 0x${flags.toString(16)}`);
  const total = header.getBigUint64(HEADER.totalBytes, true);
  if (total !== BigInt(bytes.length)) corrupt(`${bytes.length} bytes where the header says ${total}`);
  if (header.getUint8(HEADER.zero) !== 0) corrupt('a reserved header byte is not zero');
  return header;
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

interface Entry {
  readonly name: SectionName | null;
  readonly start: number;
  readonly end: number;
}

/** One entry of the section table; `after` is where the section before it ended. */
function readEntry(bytes: Uint8Array, index: number, after: number): Entry {
  const at = HEADER_BYTES + index * SECTION_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, SECTION_BYTES);
  const type = view.getUint32(0, true);
  const flags = view.getUint32(4, true);
  const offset = view.getBigUint64(8, true);
  const length = view.getBigUint64(16, true);
  const name = SECTION_NAMES.find((known) => sectionType(known) === type) ?? null;
  if (flags & ~SECTION_CRITICAL) refuse('BUNDLE_UNSUPPORTED', `section ${index} has unknown flags ${flags}`);
  if (name === null && flags & SECTION_CRITICAL) {
    refuse('BUNDLE_UNSUPPORTED', `section ${index} is critical and of unknown type 0x${type.toString(16)}`);
  }
  const total = BigInt(bytes.length);
  if (offset > total || length > total || offset + length > total) {
    corrupt(`section ${index} (${name ?? 'unknown'}) lies outside the file`);
  }
  const start = Number(offset);
  if (start % SECTION_ALIGN_BYTES !== 0) corrupt(`section ${index} is not aligned to ${SECTION_ALIGN_BYTES}`);
  if (start < after) corrupt(`section ${index} overlaps what stands before it`);
  if (!isZero(bytes.subarray(after, start))) corrupt(`the padding before section ${index} is not zero`);
  return { name, start, end: start + Number(length) };
}

/** Reads the section table; gives the sections by name. */
function openSections(bytes: Uint8Array, count: number): Map<SectionName, Uint8Array> {
  if (count > BUNDLE_CAPS.sections)
    refuse('BUNDLE_TOO_LARGE', `${count} sections, more than ${BUNDLE_CAPS.sections}`);
  let after = HEADER_BYTES + count * SECTION_BYTES;
  if (after > bytes.length) corrupt('the section table is cut off');
  const sections = new Map<SectionName, Uint8Array>();
  let last: Entry | undefined;
  for (let index = 0; index < count; index++) {
    last = readEntry(bytes, index, after);
    after = last.end;
    if (last.name === null) continue;
    if (sections.has(last.name)) corrupt(`section ${last.name} stands twice`);
    sections.set(last.name, bytes.subarray(last.start, last.end));
  }
  const missing = SECTIONS_REQUIRED.filter((name) => !sections.has(name));
  if (missing.length > 0) corrupt(`required sections are missing: ${missing.join(', ')}`);
  if (last?.name !== 'SIGN') corrupt('the last section is not SIGN');
  if (last.end !== bytes.length) corrupt('bytes follow the last section');
  if (last.end - last.start !== SIGN_BYTES) corrupt(`section SIGN is not ${SIGN_BYTES} bytes`);
  return sections;
}

/** The digest first: behind a right one nothing is damaged by chance. SIGN has a fixed size and stands last. */
function checkDigest(bytes: Uint8Array): string {
  const signAt = Math.max(HEADER_BYTES, bytes.length - SIGN_BYTES);
  const digest = createHash('sha256').update(bytes.subarray(HEADER_BYTES, signAt)).digest();
  if (!digest.equals(bytes.subarray(HEADER.sha256, HEADER.sha256 + 32))) {
    corrupt('the sha256 of the content is wrong');
  }
  return digest.toString('hex');
}

/** Checks everything but the signature. Throws PicketError BUNDLE_CORRUPT, _UNSUPPORTED or _TOO_LARGE. */
export function openContainer(bytes: Uint8Array): Container {
  const header = openHeader(bytes);
  const id = checkDigest(bytes);
  const sections = openSections(bytes, header.getUint32(HEADER.sectionCount, true));
  const schema = createHash('sha256').update(sections.get('SCHM')!).digest().subarray(0, 16);
  if (!schema.equals(bytes.subarray(HEADER.schemaId, HEADER.schemaId + 16)))
    corrupt('the schema id is wrong');
  return { header, sections, id };
}

/** Key id in a SIGN section: ASCII, padded with zeros. */
function readKeyId(sign: Uint8Array): string {
  const end = sign.indexOf(0);
  return Buffer.from(sign.subarray(0, end < 0 || end > KEY_ID_BYTES ? KEY_ID_BYTES : end)).toString('latin1');
}

/**
 * Checks the Ed25519 signature over the 128 header bytes; gives the key id, or null when there is none to check.
 * Without trusted keys and without `requireSigned` a signature is not looked at.
 */
export function checkSignature(
  container: Container,
  keys: readonly TrustedKey[],
  requireSigned: boolean,
): string | null {
  const { header, sections } = container;
  const sign = sections.get('SIGN')!;
  if (!(header.getUint32(HEADER.flags, true) & BUNDLE_SIGNED)) {
    if (!isZero(sign)) corrupt('the bundle says that it is unsigned and carries a signature');
    if (requireSigned) refuse('BUNDLE_UNSIGNED', 'no signature, and this sidecar asks for one');
    return null;
  }
  if (keys.length === 0 && !requireSigned) return null;
  const keyId = readKeyId(sign);
  const key = keys.find((trusted) => trusted.keyId === keyId);
  const shown = JSON.stringify(keyId);
  if (key === undefined) return refuse('BUNDLE_SIGNATURE', `signed with key ${shown}, which is not trusted`);
  const signed = new Uint8Array(header.buffer, header.byteOffset, HEADER_BYTES);
  if (!verify(null, signed, key.publicKey, sign.subarray(KEY_ID_BYTES))) {
    refuse('BUNDLE_SIGNATURE', `the signature of key ${shown} is wrong`);
  }
  return keyId;
}
