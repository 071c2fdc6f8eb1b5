// The snapshot's file: replaced as a whole (written beside, synced, renamed) a piece at a time, and read where it lies. After a
// crash at any moment the file holds the old state or the new one. Does not know what is in it. Called by state-keeper.ts on the
// control thread and by restore-state.ts on a data thread.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { BLOCK_BYTES_MAX } from '../../feature-engine/snapshot-format.ts';
import type { ReadBytes } from '../../feature-engine/snapshot-read.ts';

/** What stands beside while it is written. One process writes a state folder, so a left-over is nobody's. */
function besideOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.new`);
}

/**
 * Replaces the file by the pieces of the writer, readable by this user only; other work has its turn after each piece. Returns
 * what the writer returned. Throws what the file system throws, and leaves the old file then.
 */
export async function replaceFile<T>(path: string, pieces: Iterator<Uint8Array | null, T>): Promise<T> {
  const beside = besideOf(path);
  try {
    await rm(beside, { force: true });
    const result = await writeAll(beside, pieces);
    await rename(beside, path);
    const folder = await open(dirname(path), 'r');
    try {
      // The rename itself must be on disk too.
      await folder.sync();
    } finally {
      await folder.close();
    }
    return result;
  } catch (thrown) {
    await rm(beside, { force: true });
    throw thrown;
  }
}

async function writeAll<T>(path: string, pieces: Iterator<Uint8Array | null, T>): Promise<T> {
  const file = await open(path, 'wx', 0o600);
  try {
    for (;;) {
      const { value, done } = pieces.next();
      if (done === true) {
        await file.sync();
        return value;
      }
      if (value === null) await setImmediate();
      else await file.writeFile(value);
    }
  } finally {
    await file.close();
  }
}

export interface OpenSnapshot {
  readonly read: ReadBytes;
  readonly bytes: number;
  close(): void;
}

/** Opens the file for reading where it lies; null if there is none. Throws what the file system throws. */
export function openSnapshot(path: string): OpenSnapshot | null {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw thrown;
  }
  // One buffer for all reads: 32 MiB of garbage would stay with the process as resident memory.
  const scratch = Buffer.allocUnsafeSlow(BLOCK_BYTES_MAX);
  return {
    bytes: fstatSync(file).size,
    read: (at, bytes) => readAt(file, at, scratch.subarray(0, bytes)),
    close: () => closeSync(file),
  };
}

function readAt(file: number, at: number, buffer: Uint8Array): Uint8Array {
  let have = 0;
  while (have < buffer.length) {
    const more = readSync(file, buffer, have, buffer.length - have, at + have);
    if (more === 0) break;
    have += more;
  }
  return buffer.subarray(0, have);
}
