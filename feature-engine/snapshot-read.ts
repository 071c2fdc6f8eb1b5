// Reads a snapshot back: first all of it is checked (checksums, keyed hash, whose it is, how old), then rows and regions are put
// back, the least of them first, so that the best are the last seen and what a smaller table has no room for is the least.
// A file that is refused changes nothing. Opens no file: bytes come through a reader. Called at the start of a data thread.

import {
  BLOCK_HEAD_WORDS,
  type BlockHead,
  bytesOf,
  checkBlock,
  decodeBlockHead,
  decodeHead,
  END_NAME,
  END_WORDS,
  HEADER_WORDS,
  nameHash,
  newMac,
  type SnapshotHead,
  SnapshotRefused,
} from './snapshot-format.ts';
import { unpackRank } from './snapshot-order.ts';
import { PIECE_WORDS } from './snapshot-write.ts';
import { bitmapWords, takeRecord } from './sparse-words.ts';

/** Bytes from `at`, valid until the next call; fewer at the end of the file. */
export type ReadBytes = (at: number, bytes: number) => Uint8Array;

/** A key that rows may have been hashed with: the one in force, or the former one during its last day. */
export interface SnapshotKey {
  readonly keyId: string;
  readonly macKey: Uint8Array;
}

export interface SnapshotExpectation {
  readonly keys: readonly SnapshotKey[];
  readonly owner: string;
  readonly nowMs: number;
}

/** A row that comes back: `words` is refilled for the next one. */
export interface RestoredRow {
  readonly words: Uint32Array;
  /** Good answers of the origin. */
  readonly good: number;
  /** Look-ups since it was seen, nearly. */
  readonly age: number;
}

/** A table of the engine that takes rows back. */
export interface TableSink {
  readonly name: string;
  readonly layout: string;
  readonly rowWords: number;
  /** False: this row makes no sense, or found no room. */
  restore(ranked: RestoredRow): boolean;
}

export interface RegionSink {
  readonly name: string;
  readonly layout: string;
  /** The region itself. */
  readonly words: Uint32Array;
}

export interface RestoreTally {
  /** Rows put back, by table. */
  readonly rows: Record<string, number>;
  /** Rows that were not: unsound, or no room. */
  left: number;
  /** Tables and regions that this build lays out differently, or does not have. */
  readonly otherLayout: string[];
}

export interface CheckedSnapshot {
  readonly head: SnapshotHead;
  readonly bytes: number;
  readonly blocks: readonly { readonly at: number; readonly head: BlockHead }[];
}

const UNKNOWN = 'a part that this version does not know';
/** A clock that was set back by more than this makes a snapshot one of the future. */
const SKEW_MAX_MS = 5 * 60_000;

function takeWords(read: ReadBytes, at: number, words: number): Uint32Array {
  const bytes = read(at, words * 4);
  if (bytes.length !== words * 4) throw new SnapshotRefused('damaged', 'it ends too early');
  if (bytes.byteOffset % 4 === 0) return new Uint32Array(bytes.buffer, bytes.byteOffset, words);
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}

/** Checks all of it. Throws SnapshotRefused and has changed nothing then. */
export function checkSnapshot(read: ReadBytes, expected: SnapshotExpectation): CheckedSnapshot {
  const header = takeWords(read, 0, HEADER_WORDS);
  const head = decodeHead(header);
  const key = expected.keys.find(({ keyId }) => keyId === head.keyId);
  if (key === undefined) throw new SnapshotRefused('key', 'it was written with another identity key');
  if (head.owner !== expected.owner) throw new SnapshotRefused('owner', 'it belongs to another workload');
  checkTimes(head, expected.nowMs);
  const mac = newMac(key.macKey);
  mac.update(bytesOf(header));
  const blocks: { at: number; head: BlockHead }[] = [];
  let at = HEADER_WORDS * 4;
  for (;;) {
    const words = takeWords(read, at, BLOCK_HEAD_WORDS);
    const block = decodeBlockHead(words);
    const isEnd = block.name === nameHash(END_NAME);
    if (!isEnd) mac.update(bytesOf(words));
    const content = takeWords(read, at + BLOCK_HEAD_WORDS * 4, block.words);
    checkBlock(block, content);
    const end = at + (BLOCK_HEAD_WORDS + block.words) * 4;
    if (isEnd) {
      if (block.words !== END_WORDS || !Buffer.from(bytesOf(content)).equals(mac.digest()))
        throw new SnapshotRefused('damaged', 'its keyed hash is wrong');
      if (read(end, 1).length !== 0) throw new SnapshotRefused('damaged', 'something follows its end');
      return { head, bytes: end, blocks };
    }
    mac.update(bytesOf(content));
    blocks.push({ at, head: block });
    at = end;
  }
}

function checkTimes({ takenMs, startedMs }: SnapshotHead, nowMs: number): void {
  if (!(startedMs > 0 && startedMs <= takenMs))
    throw new SnapshotRefused('damaged', 'its times make no sense');
  if (takenMs > nowMs + SKEW_MAX_MS)
    throw new SnapshotRefused('time', `it is of the future: ${new Date(takenMs).toISOString()}`);
}

export interface SnapshotSinks {
  readonly tables: readonly TableSink[];
  readonly regions: readonly RegionSink[];
  /** Names of what is left out on purpose where it has no sink, and so is not reported. */
  readonly ignored?: readonly string[];
}

/** Puts a checked snapshot back. Throws SnapshotRefused only if the file changed since it was checked. */
export function restoreSnapshot(
  read: ReadBytes,
  checked: CheckedSnapshot,
  sinks: SnapshotSinks,
): RestoreTally {
  const tally: RestoreTally = { rows: {}, left: 0, otherLayout: [] };
  for (const { at, head } of checked.blocks.toReversed()) {
    const content = takeWords(read, at + BLOCK_HEAD_WORDS * 4, head.words);
    checkBlock(head, content);
    const table = sinks.tables.find(({ name }) => nameHash(name) === head.name);
    const region = sinks.regions.find(({ name }) => nameHash(name) === head.name);
    if (table !== undefined && table.layout === head.layout) restoreRows(content, head, { table, tally });
    else if (region !== undefined && region.layout === head.layout) restorePieces(content, head, region);
    else if (table !== undefined || region !== undefined) leaveOut(table?.name ?? region!.name, tally);
    else if (!sinks.ignored?.some((name) => nameHash(name) === head.name)) leaveOut(UNKNOWN, tally);
  }
  return tally;
}

function leaveOut(name: string, tally: RestoreTally): void {
  if (!tally.otherLayout.includes(name)) tally.otherLayout.push(name);
}

/** The records of a block, last first. */
function restoreRows(
  content: Uint32Array,
  head: BlockHead,
  { table, tally }: { table: TableSink; tally: RestoreTally },
): void {
  const row = new Uint32Array(table.rowWords);
  const starts = recordStarts(content, head, row);
  let restored = 0;
  for (const at of starts.toReversed()) {
    takeRecord(content, at, row);
    if (table.restore({ words: row, ...unpackRank(content[at]!) })) restored++;
    else tally.left++;
  }
  tally.rows[table.name] = (tally.rows[table.name] ?? 0) + restored;
}

function recordStarts(content: Uint32Array, head: BlockHead, row: Uint32Array): number[] {
  const starts: number[] = [];
  const least = 1 + bitmapWords(row.length);
  let at = 0;
  for (let i = 0; i < head.records && at + least <= content.length; i++) {
    const words = takeRecord(content, at, row);
    if (words < 0) break;
    starts.push(at);
    at += words;
  }
  if (starts.length !== head.records || at !== content.length)
    throw new SnapshotRefused('damaged', 'the records of a block do not fill it');
  return starts;
}

function restorePieces(content: Uint32Array, head: BlockHead, region: RegionSink): void {
  const piece = new Uint32Array(PIECE_WORDS);
  for (const at of recordStarts(content, head, piece)) {
    takeRecord(content, at, piece);
    const from = content[at]! * PIECE_WORDS;
    for (let i = 0; i < PIECE_WORDS && from + i < region.words.length; i++)
      region.words[from + i] = piece[i]!;
  }
}
