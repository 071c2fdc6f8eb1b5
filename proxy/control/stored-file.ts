// One file in the state folder that is either whole or absent: written beside, synced, renamed; a checksum before its content.
// A damaged file is told apart from a missing one, so that it can be said. Used by last-good.ts.
//
//   line 1: "picket-state 1 <sha256 of the rest, hex> <length of the rest>\n", then the content

import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const MAGIC = 'picket-state 1';
const HEADER_MAX_BYTES = 128;

export type StoredContent =
  | { readonly state: 'good'; readonly content: Buffer }
  | { readonly state: 'absent' }
  | { readonly state: 'damaged'; readonly why: string };

/** Replaces the file as a whole: after a crash at any moment it holds the old content or the new one. */
export async function writeStored(path: string, content: Uint8Array): Promise<void> {
  const digest = createHash('sha256').update(content).digest('hex');
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}`);
  try {
    const file = await open(beside, 'wx', 0o600);
    try {
      await file.writeFile(Buffer.concat([Buffer.from(`${MAGIC} ${digest} ${content.length}\n`), content]));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
    await syncFolder(dirname(path));
  } catch (thrown) {
    await rm(beside, { force: true });
    throw thrown;
  }
}

/** The rename itself must be on disk too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export async function readStored(path: string): Promise<StoredContent> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    return code === 'ENOENT' ? { state: 'absent' } : { state: 'damaged', why: message };
  }
  const end = bytes.subarray(0, HEADER_MAX_BYTES).indexOf(10);
  const header = /^picket-state 1 ([0-9a-f]{64}) (\d{1,15})$/.exec(
    bytes.subarray(0, Math.max(0, end)).toString('latin1'),
  );
  if (header === null) return { state: 'damaged', why: 'its first line is no header' };
  const content = bytes.subarray(end + 1);
  if (content.length !== Number(header[2])) {
    return { state: 'damaged', why: `${content.length} bytes where ${header[2]} were written` };
  }
  const digest = createHash('sha256').update(content).digest('hex');
  return digest === header[1]
    ? { state: 'good', content }
    : { state: 'damaged', why: 'its checksum is wrong' };
}
