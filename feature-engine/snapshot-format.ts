// The file that keeps a feature engine's state over a restart: header, blocks, end. Little-endian words of 32 bits. Written and
// read as a stream of blocks, each with its checksum; the last one carries a keyed hash of all before it, so that a file that
// was cut, changed or made by someone without the identity key is told apart. Bytes only: what rows are is not known here.
// Used by snapshot-write.ts and snapshot-read.ts; docs/state.md describes the file.

import { createHmac, type Hmac } from 'node:crypto';
import { crc32 } from 'node:zlib';

/*
 *  header, 16 words: 0 magic "PICKETST"   2 version   3 words of the header   4 key id   6 owner   8 taken, f64 ms
 *                   10 state began, f64 ms   12 replica   14 zero   15 CRC-32 of words 0..14
 *  block, 8 words:   0 "PBLK"   1 table or region, from its name   2 layout   4 records   5 words that follow   6 CRC-32 of them
 *                    7 CRC-32 of words 0..6
 *  end:              a block of name "end" whose eight words are the HMAC-SHA-256 of all before it
 */
export const SNAPSHOT_VERSION = 1;
export const HEADER_WORDS = 16;
export const BLOCK_HEAD_WORDS = 8;
export const END_WORDS = 8;
/** Words of a block at most, so that neither side ever holds more: 64 KiB. */
export const BLOCK_WORDS_MAX = 16_384;
export const BLOCK_BYTES_MAX = (BLOCK_HEAD_WORDS + BLOCK_WORDS_MAX) * 4;
const MAGIC = [0x4b434950, 0x54535445];
const BLOCK_MAGIC = 0x4b4c4250;
/** A file that is smaller holds nothing worth keeping. */
export const SNAPSHOT_BYTES_MIN = 65_536;
export const END_NAME = 'end';

/** Ids of 64 bits are 16 lower-case hex digits. */
export interface SnapshotHead {
  /** Of the key that all hashes inside were made with. */
  readonly keyId: string;
  /** Of the namespace and workload whose state it is. */
  readonly owner: string;
  /** Whoever wrote it, as it is known where windows are shared. */
  readonly replica: string;
  /** Milliseconds since the epoch. */
  readonly takenMs: number;
  /** When counting began. */
  readonly startedMs: number;
}

export interface BlockHead {
  /** 32-bit hash of the table's or region's name: `nameHash`. */
  readonly name: number;
  readonly layout: string;
  readonly records: number;
  readonly words: number;
  readonly crc: number;
}

/** Why a file is not taken. `version` and `key` are no damage. */
export type RefusalKind = 'damaged' | 'version' | 'key' | 'owner' | 'time';

export class SnapshotRefused extends Error {
  readonly kind: RefusalKind;

  constructor(kind: RefusalKind, message: string) {
    super(message);
    this.name = 'SnapshotRefused';
    this.kind = kind;
  }
}

export function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

/** 32 bits of a name: CRC-32, which the few names of one build do not share. */
export function nameHash(name: string): number {
  return crc32(name);
}

export function newMac(macKey: Uint8Array): Hmac {
  return createHmac('sha256', macKey);
}

function putId(words: Uint32Array, at: number, id: string): void {
  words[at] = Number.parseInt(id.slice(0, 8), 16);
  words[at + 1] = Number.parseInt(id.slice(8, 16), 16);
}

function idAt(words: Uint32Array, at: number): string {
  return hex(words[at]!) + hex(words[at + 1]!);
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0');
}

export function encodeHead(head: SnapshotHead): Uint32Array {
  const words = new Uint32Array(HEADER_WORDS);
  words.set(MAGIC);
  words[2] = SNAPSHOT_VERSION;
  words[3] = HEADER_WORDS;
  putId(words, 4, head.keyId);
  putId(words, 6, head.owner);
  new Float64Array(words.buffer).set([head.takenMs, head.startedMs], 4);
  putId(words, 12, head.replica);
  words[15] = crc32(bytesOf(words.subarray(0, 15)));
  return words;
}

/** Throws SnapshotRefused (`damaged`, `version`). `words`: HEADER_WORDS of them, in a buffer of their own. */
export function decodeHead(words: Uint32Array): SnapshotHead {
  if (words[0] !== MAGIC[0] || words[1] !== MAGIC[1])
    throw new SnapshotRefused('damaged', 'it does not begin like a snapshot');
  if (words[15] !== crc32(bytesOf(words.subarray(0, 15))))
    throw new SnapshotRefused('damaged', 'the checksum of its header is wrong');
  if (words[2] !== SNAPSHOT_VERSION || words[3] !== HEADER_WORDS)
    throw new SnapshotRefused('version', `its format is version ${words[2]}, known is ${SNAPSHOT_VERSION}`);
  const [takenMs, startedMs] = new Float64Array(words.slice().buffer).subarray(4, 6);
  return {
    keyId: idAt(words, 4),
    owner: idAt(words, 6),
    replica: idAt(words, 12),
    takenMs: takenMs!,
    startedMs: startedMs!,
  };
}

/** Writes the head of a block whose words follow it in `block`: BLOCK_HEAD_WORDS, then `words` words. */
export function sealBlock(block: Uint32Array, head: Omit<BlockHead, 'crc'>): void {
  block[0] = BLOCK_MAGIC;
  block[1] = head.name;
  putId(block, 2, head.layout);
  block[4] = head.records;
  block[5] = head.words;
  block[6] = crc32(bytesOf(block.subarray(BLOCK_HEAD_WORDS, BLOCK_HEAD_WORDS + head.words)));
  block[7] = crc32(bytesOf(block.subarray(0, 7)));
}

/** Throws SnapshotRefused (`damaged`). */
export function decodeBlockHead(words: Uint32Array): BlockHead {
  if (words[0] !== BLOCK_MAGIC || words[7] !== crc32(bytesOf(words.subarray(0, 7))))
    throw new SnapshotRefused('damaged', 'the head of a block is wrong');
  if (words[5]! > BLOCK_WORDS_MAX) throw new SnapshotRefused('damaged', 'a block is longer than blocks are');
  return {
    name: words[1]!,
    layout: idAt(words, 2),
    records: words[4]!,
    words: words[5]!,
    crc: words[6]!,
  };
}

export function checkBlock(head: BlockHead, words: Uint32Array): void {
  if (crc32(bytesOf(words)) !== head.crc)
    throw new SnapshotRefused('damaged', 'the checksum of a block is wrong');
}
