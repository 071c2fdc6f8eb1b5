// The files behind an AddressBook: databases and a list of hosting blocks. Reads and checks them at start and whenever they
// change, on a thread that may wait; whoever answers requests gets checked bytes that it opens at once. A damaged or missing new
// file is reported and the last good one stays. Called by the sidecar's control thread and by offline runs.

import { open as openFile, stat } from 'node:fs/promises';
import { parseCidr } from '../domain/cidr.ts';
import { PicketError, type Problem } from '../domain/errors.ts';
import type { AddressSources } from './address-facts.ts';
import { CidrList } from './address-kind.ts';
import { Mmdb } from './mmdb.ts';

export const GEO_FILE_ROLES = ['geo', 'asn', 'hostingCidrs'] as const;
export type GeoFileRole = (typeof GEO_FILE_ROLES)[number];
/** `geo`: city or country database; `asn`: ASN or anonymous-IP database; `hostingCidrs`: text, one block a line. */
export type GeoPaths = Readonly<Partial<Record<GeoFileRole, string | undefined>>>;

/** Checked bytes by role; they can be posted to another thread without being copied. */
export type AddressData = Readonly<Partial<Record<GeoFileRole, SharedArrayBuffer>>>;

/** What is known of one file, for status and log. */
export interface GeoFileReport {
  readonly role: GeoFileRole;
  readonly file: string;
  /** As the database calls itself; `CIDR list` for the list. */
  readonly type: string;
  /** When it was made: as the database says, or the date of the list's file. ms since the epoch, 0 if unknown. */
  readonly builtMs: number;
  readonly bytes: number;
  /** Why what stands at the path now is not used; null if all is well. */
  readonly problem: string | null;
}

interface Loaded {
  readonly type: string;
  readonly builtMs: number;
  readonly bytes: SharedArrayBuffer;
}

interface Watched {
  readonly role: GeoFileRole;
  readonly path: string;
  readonly bytesMax: number;
  loaded: Loaded;
  /** What the file looked like when it was last read, and when it was last looked at. */
  readStamp: string;
  seenStamp: string;
  problem: string | null;
}

const PROBLEMS_MAX = 10;
const LIST_MAX_BYTES = 64 * 2 ** 20;
/** A list's line of 8 bytes (1.2.3.4) can become a range of 32. */
const LIST_GROWTH = 4;

/** Room for a file that was `size` bytes at start: it may grow by a quarter until the next start. */
export function geoFileRoom(role: GeoFileRole, size: number): number {
  const room = Math.ceil(size * 1.25) + 2 ** 20;
  return role === 'hostingCidrs' ? room * LIST_GROWTH : room;
}

export class GeoFiles {
  /** Told of a changed file that cannot be used; the old one stays. */
  onProblem: (problem: PicketError) => void = () => {};
  readonly #files: readonly Watched[];

  private constructor(files: readonly Watched[]) {
    this.#files = files;
  }

  /** @throws PicketError DATA_INVALID if a file cannot be read or is damaged: at start that is the operator's mistake. */
  static async open(paths: GeoPaths): Promise<GeoFiles> {
    const files: Watched[] = [];
    for (const role of GEO_FILE_ROLES) {
      const path = paths[role];
      if (path === undefined) continue;
      const stamp = await stampOf(path);
      const { loaded, size } = await load(role, path, Number.POSITIVE_INFINITY);
      const bytesMax = geoFileRoom(role, size);
      files.push({ role, path, bytesMax, loaded, readStamp: stamp, seenStamp: stamp, problem: null });
    }
    return new GeoFiles(files);
  }

  get data(): AddressData {
    return Object.fromEntries(this.#files.map(({ role, loaded }) => [role, loaded.bytes]));
  }

  get reports(): GeoFileReport[] {
    return this.#files.map(({ role, path, loaded, problem }) => {
      const { type, builtMs, bytes } = loaded;
      return { role, file: path, type, builtMs, bytes: bytes.byteLength, problem };
    });
  }

  /**
   * Looks whether the files have changed; true if one was brought in. Call it every few seconds: a file counts when it looks the
   * same twice, so that one that is still being written is not read; `now` reads it at once. Never throws.
   */
  async refresh(now = false): Promise<boolean> {
    let changed = false;
    for (const file of this.#files) if (await this.#look(file, now)) changed = true;
    return changed;
  }

  async #look(file: Watched, now: boolean): Promise<boolean> {
    const stamp = await stampOf(file.path);
    const settled = now || stamp === file.seenStamp;
    file.seenStamp = stamp;
    if (stamp === file.readStamp || !settled) return false;
    file.readStamp = stamp;
    try {
      file.loaded = (await load(file.role, file.path, file.bytesMax)).loaded;
      file.problem = null;
      return true;
    } catch (thrown) {
      const problem = PicketError.from(thrown, 'DATA_INVALID');
      file.problem = problem.message;
      this.onProblem(problem);
      return false;
    }
  }
}

/** Opens what GeoFiles has checked, for `AddressBook.use`: takes microseconds, whatever the size. */
export function addressSources(data: AddressData): AddressSources {
  const database = (role: 'geo' | 'asn') => {
    const bytes = data[role];
    return bytes === undefined ? undefined : Mmdb.checked(new Uint8Array(bytes), role);
  };
  const datacenters = data.hostingCidrs === undefined ? undefined : new CidrList(data.hostingCidrs);
  return { geo: database('geo'), asn: database('asn'), datacenters };
}

async function load(
  role: GeoFileRole,
  path: string,
  bytesMax: number,
): Promise<{ loaded: Loaded; size: number }> {
  const { bytes, modifiedMs } = await readShared(path);
  const size = bytes.byteLength;
  if (role === 'hostingCidrs') return { loaded: { ...parseList(bytes, path), builtMs: modifiedMs }, size };
  if (size > bytesMax)
    throw new PicketError(
      'DATA_INVALID',
      `${path} has ${size} bytes, the memory plan has room for ${bytesMax}`,
      {
        hint: 'start the sidecar again: it plans its memory anew',
      },
    );
  const { type, builtMs } = await Mmdb.parseInTurns(new Uint8Array(bytes), path);
  return { loaded: { type, builtMs, bytes }, size };
}

/** The whole file in memory that threads share, read without a second copy. */
async function readShared(path: string): Promise<{ bytes: SharedArrayBuffer; modifiedMs: number }> {
  try {
    await using file = await openFile(path);
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error('it is no file');
    const bytes = new SharedArrayBuffer(stats.size);
    const view = new Uint8Array(bytes);
    let at = 0;
    while (at < view.length) {
      const { bytesRead } = await file.read(view, at, view.length - at, at);
      if (bytesRead === 0) throw new Error('it became shorter while it was read');
      at += bytesRead;
    }
    return { bytes, modifiedMs: Math.round(stats.mtimeMs) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PicketError('DATA_INVALID', `${path} cannot be read: ${why}`, {
      cause,
      hint: 'check the path',
    });
  }
}

/** One block or address a line; `#` begins a comment. Throws DATA_INVALID with the first bad lines. */
function parseList(bytes: SharedArrayBuffer, path: string): Omit<Loaded, 'builtMs'> {
  if (bytes.byteLength > LIST_MAX_BYTES)
    throw new PicketError('DATA_INVALID', `${path} has more than ${LIST_MAX_BYTES} bytes`, {
      hint: 'give a list of hosting blocks, one a line',
    });
  const problems: Problem[] = [];
  const blocks = [];
  for (const [i, line] of Buffer.from(bytes).toString('utf8').split('\n').entries()) {
    const text = line.replace(/#.*/, '').trim();
    if (text === '') continue;
    const block = parseCidr(text);
    if (block !== null) blocks.push(block);
    else if (problems.length < PROBLEMS_MAX)
      problems.push({
        field: `line ${i + 1}`,
        value: text.slice(0, 60),
        expected: 'a CIDR block without host bits',
      });
  }
  if (problems.length > 0)
    throw new PicketError('DATA_INVALID', `${path} is no list of CIDR blocks: ${problems[0]!.field}`, {
      problems,
      hint: 'one block such as 203.0.113.0/24 a line',
    });
  return { type: 'CIDR list', bytes: new CidrList(blocks).bytes };
}

/** Changes when the file does, links followed; '' if it is away. */
async function stampOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return '';
  }
}
