// Turns a feature engine's memory into a snapshot, piece by piece, on a thread that may read it while requests change it: small
// regions first, then rows, the best of every table before the next best, until the file would be larger than allowed. Between
// two pieces the caller may do other things. Writes no file. Called by proxy/state.

import type { Hmac } from 'node:crypto';
import {
  BLOCK_HEAD_WORDS,
  BLOCK_WORDS_MAX,
  bytesOf,
  END_NAME,
  END_WORDS,
  encodeHead,
  HEADER_WORDS,
  nameHash,
  newMac,
  type SnapshotHead,
  sealBlock,
} from './snapshot-format.ts';
import { ageOf, packRank, type RankedSlots, rankSlots, STEP_COUNT } from './snapshot-order.ts';
import { putRecord, recordWordsMax } from './sparse-words.ts';
import { type RegionView, type StateView, TableReader } from './state-view.ts';

/** Regions are cut into pieces of so many words; an all-zero piece is left out. */
export const PIECE_WORDS = 256;
/** Regions may fill this part of the file; one that does not fit is left out. */
const REGION_SHARE = 0.25;
const NO_LAYOUT = '0000000000000000';
/** Header, and the end with its head: always there. */
const FIXED_WORDS = HEADER_WORDS + BLOCK_HEAD_WORDS + END_WORDS;

export interface SnapshotTally {
  bytes: number;
  /** Records written, by table or region. */
  readonly written: Record<string, number>;
  /** Rows in use that found no room, or were too busy to be copied whole. */
  left: number;
  /** Regions that found no room. */
  readonly regionsLeft: string[];
}

export interface SnapshotOptions {
  readonly head: SnapshotHead;
  /** For the keyed hash of the file. */
  readonly macKey: Uint8Array;
  /** At least SNAPSHOT_BYTES_MIN. */
  readonly bytesMax: number;
}

/** One block under way: its head's place, then its records. */
class OpenBlock {
  readonly name: string;
  readonly layout: string;
  readonly words = new Uint32Array(BLOCK_HEAD_WORDS + BLOCK_WORDS_MAX);
  used = 0;
  records = 0;

  constructor(name: string, layout: string) {
    this.name = name;
    this.layout = layout;
  }

  hasRoom(words: number): boolean {
    return this.used + words <= BLOCK_WORDS_MAX;
  }

  add(first: number, row: Uint32Array): number {
    const words = putRecord(this.words, BLOCK_HEAD_WORDS + this.used, first, row);
    this.used += words;
    this.records++;
    return words;
  }

  /** A copy of the block as it goes to the file; empties it. */
  take(): Uint8Array {
    const { name, layout, records, used } = this;
    sealBlock(this.words, { name: nameHash(name), layout, records, words: used });
    const sealed = this.words.slice(0, BLOCK_HEAD_WORDS + used);
    this.used = 0;
    this.records = 0;
    return bytesOf(sealed);
  }
}

/** Counts what was written and hashes it on its way out. */
class Out {
  readonly tally: SnapshotTally = { bytes: 0, written: {}, left: 0, regionsLeft: [] };
  readonly mac: Hmac;
  readonly wordsMax: number;
  /** Words that blocks, written or open, take. */
  words = FIXED_WORDS;

  constructor(options: SnapshotOptions) {
    this.mac = newMac(options.macKey);
    this.wordsMax = Math.floor(options.bytesMax / 4);
  }

  piece(bytes: Uint8Array): Uint8Array {
    this.mac.update(bytes);
    this.tally.bytes += bytes.length;
    return bytes;
  }

  close(block: OpenBlock): Uint8Array {
    const { written } = this.tally;
    written[block.name] = (written[block.name] ?? 0) + block.records;
    return this.piece(block.take());
  }
}

/**
 * Yields the bytes of the snapshot in order, and null where nothing is to be written but other work should have its turn; each
 * turn is bounded (about a block, or some thousand slots). Returns what was written and left.
 */
export function* writeSnapshot(
  state: StateView,
  options: SnapshotOptions,
): Generator<Uint8Array | null, SnapshotTally> {
  const words = new Uint32Array(state.buffer);
  const out = new Out(options);
  yield out.piece(bytesOf(encodeHead(options.head)));
  for (const region of state.regions) yield* writeRegion(words, region, out);
  yield* writeTables(state, out);
  const end = new Uint32Array(BLOCK_HEAD_WORDS + END_WORDS);
  end.set(new Uint32Array(Uint8Array.from(out.mac.digest()).buffer), BLOCK_HEAD_WORDS);
  sealBlock(end, { name: nameHash(END_NAME), layout: NO_LAYOUT, records: 0, words: END_WORDS });
  out.tally.bytes += end.byteLength;
  yield bytesOf(end);
  return out.tally;
}

function* writeRegion(words: Uint32Array, region: RegionView, out: Out): Generator<Uint8Array | null> {
  const pieces = Math.ceil(region.words / PIECE_WORDS);
  const longest = BLOCK_HEAD_WORDS * Math.ceil(pieces / 100) + pieces * recordWordsMax(PIECE_WORDS);
  if (out.words + longest > out.wordsMax * REGION_SHARE) {
    out.tally.regionsLeft.push(region.name);
    return;
  }
  const block = new OpenBlock(region.name, region.layout);
  const piece = new Uint32Array(PIECE_WORDS);
  out.words += BLOCK_HEAD_WORDS;
  for (let index = 0; index < pieces; index++) {
    const from = region.at + index * PIECE_WORDS;
    piece.fill(0);
    for (let i = 0; i < Math.min(PIECE_WORDS, region.words - index * PIECE_WORDS); i++)
      piece[i] = words[from + i]!;
    if (!block.hasRoom(recordWordsMax(PIECE_WORDS))) {
      yield out.close(block);
      out.words += BLOCK_HEAD_WORDS;
    }
    if (piece.some((word) => word !== 0)) out.words += block.add(index, piece);
  }
  yield out.close(block);
}

interface TableOut {
  readonly ranked: RankedSlots;
  readonly block: OpenBlock;
  readonly row: Uint32Array;
}

/** Rows of all tables, step by step of their order, so that what is left out is the least of each. */
function* writeTables(state: StateView, out: Out): Generator<Uint8Array | null> {
  const tables: TableOut[] = [];
  for (const table of state.tables) {
    const ranked = yield* rankSlots(new TableReader(state.buffer, table));
    const row = new Uint32Array(table.rowWords);
    tables.push({ ranked, block: new OpenBlock(table.name, table.layout), row });
    out.words += BLOCK_HEAD_WORDS;
  }
  let full = false;
  for (let step = 0; step < STEP_COUNT; step++) {
    for (const table of tables) {
      const { starts } = table.ranked;
      if (full) out.tally.left += starts[step + 1]! - starts[step]!;
      else full = yield* writeStep(table, { step, out });
    }
  }
  for (const { block } of tables) if (block.records > 0) yield out.close(block);
}

/** True once a row found no room. */
function* writeStep(
  { ranked, block, row }: TableOut,
  { step, out }: { step: number; out: Out },
): Generator<Uint8Array | null, boolean> {
  const { table, slots, starts, tick } = ranked;
  const longest = recordWordsMax(table.view.rowWords);
  for (let i = starts[step]!; i < starts[step + 1]!; i++) {
    if (out.words + longest + BLOCK_HEAD_WORDS > out.wordsMax) {
      out.tally.left += starts[step + 1]! - i;
      return true;
    }
    if (!block.hasRoom(longest)) {
      yield out.close(block);
      out.words += BLOCK_HEAD_WORDS;
    }
    const slot = slots[i]!;
    if (table.copy(slot, row)) {
      const rank = packRank(table.good(slot), ageOf(tick, table.seen(slot)));
      out.words += block.add(rank, row);
    } else out.tally.left++;
  }
  return false;
}
