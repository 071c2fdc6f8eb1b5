// Reads zip archives (stored and deflated entries) with nothing but node:zlib, for the tools that ship as .zip or .whl.
// It does not read zip64, encrypted or multi-disk archives: it refuses them in words. Called by tool-recipes.ts.
// Format: PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (end record).
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { crc32, inflateRawSync } from 'node:zlib';

const END_MAGIC = 0x06054b50;
const ENTRY_MAGIC = 0x02014b50;
const LOCAL_MAGIC = 0x04034b50;
const END_BYTES = 22;
const COMMENT_MAX_BYTES = 0xffff;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const ENCRYPTED_FLAG = 1;

export interface ZipEntry {
  readonly name: string;
  /** Bytes after inflating. */
  readonly sizeBytes: number;
  /** Inflates and checks length and CRC-32; throws an Error that names the entry. */
  readonly read: () => Buffer;
}

function endOffset(zip: Buffer): number {
  const last = zip.length - END_BYTES;
  for (let at = last; at >= 0 && at >= last - COMMENT_MAX_BYTES; at--) {
    if (zip.readUInt32LE(at) === END_MAGIC) return at;
  }
  throw new Error('not a zip archive: no end-of-central-directory record');
}

interface Place {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly sizeBytes: number;
  readonly localAt: number;
}

function inflateEntry(zip: Buffer, place: Place): Buffer {
  const { name, method, localAt } = place;
  if (localAt + LOCAL_BYTES > zip.length || zip.readUInt32LE(localAt) !== LOCAL_MAGIC) {
    throw new Error(`zip entry ${name}: its local header is missing`);
  }
  const start = localAt + LOCAL_BYTES + zip.readUInt16LE(localAt + 26) + zip.readUInt16LE(localAt + 28);
  const packed = zip.subarray(start, start + place.packedBytes);
  if (packed.length !== place.packedBytes) throw new Error(`zip entry ${name}: the archive is cut`);
  if (method !== 0 && method !== 8) throw new Error(`zip entry ${name}: method ${method} is not supported`);
  const bytes = method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: place.sizeBytes + 1 });
  if (bytes.length !== place.sizeBytes) throw new Error(`zip entry ${name}: wrong length`);
  if (crc32(bytes) !== place.crc) throw new Error(`zip entry ${name}: wrong checksum`);
  return bytes;
}

/** Lists the files of a zip archive; directories are left out. Throws an Error when it is not a plain zip archive. */
export function readZip(zip: Buffer): ZipEntry[] {
  const end = endOffset(zip);
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  if (count === 0xffff || at === 0xffffffff) throw new Error('zip64 archives are not supported');
  const entries: ZipEntry[] = [];
  for (let index = 0; index < count; index++) {
    if (at + ENTRY_BYTES > zip.length || zip.readUInt32LE(at) !== ENTRY_MAGIC) {
      throw new Error(`zip archive: entry ${index} of ${count} is missing`);
    }
    const nameBytes = zip.readUInt16LE(at + 28);
    const place: Place = {
      name: zip.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes),
      method: zip.readUInt16LE(at + 10),
      crc: zip.readUInt32LE(at + 16),
      packedBytes: zip.readUInt32LE(at + 20),
      sizeBytes: zip.readUInt32LE(at + 24),
      localAt: zip.readUInt32LE(at + 42),
    };
    if ((zip.readUInt16LE(at + 8) & ENCRYPTED_FLAG) !== 0)
      throw new Error(`zip entry ${place.name}: encrypted`);
    if (!place.name.endsWith('/')) {
      entries.push({ name: place.name, sizeBytes: place.sizeBytes, read: () => inflateEntry(zip, place) });
    }
    at += ENTRY_BYTES + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return entries;
}

/**
 * Writes those entries below `folder` for which `target` gives a relative path; returns how many were written.
 * A path that would leave the folder is refused.
 */
export function extractZip(
  zip: Buffer,
  folder: string,
  target: (name: string) => string | undefined,
): number {
  let written = 0;
  for (const entry of readZip(zip)) {
    const path = target(entry.name);
    if (path === undefined) continue;
    const relative = normalize(path);
    if (relative.startsWith('..') || relative.startsWith(sep))
      throw new Error(`zip entry ${entry.name}: leaves its folder`);
    const file = join(folder, relative);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, entry.read());
    written++;
  }
  return written;
}
