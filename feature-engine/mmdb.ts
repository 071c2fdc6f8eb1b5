// Reads databases in the MaxMind DB format (specification 2.0): who is an address, as a tree over its bits and typed records.
// Strict: all of a file is checked before use, in time linear in its size, so that a damaged one is refused and look-ups need no
// guard. Look-ups allocate nothing. Does not open files and does not know what the records mean: address-facts.ts does.

import { PicketError } from '../domain/errors.ts';
import { MmdbData } from './mmdb-data.ts';

const MARK = Uint8Array.from([0xab, 0xcd, 0xef, ...new TextEncoder().encode('MaxMind.com')]);
/** The metadata stand in the last 128 KiB. */
const METADATA_MAX_BYTES = 128 * 1024;
const SEPARATOR_BYTES = 16;
const RECORD_BITS = [24, 28, 32];
const V4_START_BIT = 96;
/** Nodes that are checked before the thread may do something else: a few milliseconds' worth. */
const NODES_PER_TURN = 16_384;

export class Mmdb {
  /** As the file calls itself, such as `GeoLite2-City`. */
  readonly type: string;
  /** When it was made, ms since the epoch; 0 if it does not say. */
  readonly builtMs: number;
  readonly data: MmdbData;
  readonly #bytes: Uint8Array;
  readonly #nodeCount: number;
  readonly #recordBits: number;
  /** Node where IPv4 addresses begin: after 96 zero bits, or the root of an IPv4 tree. */
  readonly #v4Start: number;
  readonly #v6: boolean;

  private constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    const metadata = readMetadata(bytes, name);
    this.type = metadata.type;
    this.builtMs = metadata.builtMs;
    this.#nodeCount = metadata.nodeCount;
    this.#recordBits = metadata.recordBits;
    this.#v6 = metadata.v6;
    const treeBytes = (this.#nodeCount * this.#recordBits) / 4;
    const dataStart = treeBytes + SEPARATOR_BYTES;
    if (dataStart > metadata.start) throw broken(name, 'its tree is longer than the file');
    this.data = new MmdbData(bytes, dataStart, metadata.start - MARK.length);
    this.#v4Start = this.#findV4(name);
  }

  /**
   * @param bytes the file; kept, and must not change.
   * @param name how errors call it.
   * @throws PicketError DATA_INVALID if anything in it breaks the format.
   */
  static parse(bytes: Uint8Array, name: string): Mmdb {
    const database = new Mmdb(bytes, name);
    database.#checkNodes(0, database.#nodeCount, name);
    database.data.endChecks();
    return database;
  }

  /** The same as `parse`, in turns: whatever else the thread has to do is not kept waiting. */
  static async parseInTurns(bytes: Uint8Array, name: string): Promise<Mmdb> {
    const database = new Mmdb(bytes, name);
    for (let node = 0; node < database.#nodeCount; node += NODES_PER_TURN) {
      database.#checkNodes(node, Math.min(database.#nodeCount, node + NODES_PER_TURN), name);
      await new Promise((resolve) => setImmediate(resolve));
    }
    database.data.endChecks();
    return database;
  }

  /** Bytes that `parse` found good, on this thread or another: opened at once, nothing is checked again. */
  static checked(bytes: Uint8Array, name: string): Mmdb {
    return new Mmdb(bytes, name);
  }

  /** Place of the record of an address (16 bytes, IPv4 mapped as domain/cidr.ts gives it), -1 if there is none. */
  find(address: Uint8Array): number {
    const v4 = isV4(address);
    if (!v4 && !this.#v6) return -1;
    let node = v4 ? this.#v4Start : 0;
    for (let bit = v4 ? V4_START_BIT : 0; bit < 128 && node < this.#nodeCount; bit++) {
      node = this.#child(node, ((address[bit >> 3] as number) >> (7 - (bit & 7))) & 1);
    }
    return node > this.#nodeCount ? this.#placeOf(node) : -1;
  }

  #placeOf(record: number): number {
    return this.data.start + record - this.#nodeCount - SEPARATOR_BYTES;
  }

  #child(node: number, side: number): number {
    const bytes = this.#bytes;
    if (this.#recordBits === 24) {
      const at = node * 6 + side * 3;
      return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    }
    if (this.#recordBits === 28) {
      const at = node * 7;
      const middle = bytes[at + 3]!;
      return side === 0
        ? ((middle >> 4) << 24) | (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
        : ((middle & 15) << 24) | (bytes[at + 4]! << 16) | (bytes[at + 5]! << 8) | bytes[at + 6]!;
    }
    const at = node * 8 + side * 4;
    return bytes[at]! * 0x1000000 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
  }

  /** Every record of every node leads to a node, to nothing, or to data that can be read whole. */
  #checkNodes(from: number, to: number, name: string): void {
    for (let node = from; node < to; node++) {
      for (let side = 0; side < 2; side++) {
        const record = this.#child(node, side);
        if (record <= this.#nodeCount) continue;
        const problem = this.data.check(this.#placeOf(record));
        if (problem !== '') throw broken(name, `record ${side} of node ${node}: ${problem}`);
      }
    }
  }

  #findV4(name: string): number {
    if (!this.#v6) return 0;
    let node = 0;
    for (let bit = 0; bit < V4_START_BIT && node < this.#nodeCount; bit++) node = this.#child(node, 0);
    if (node >= this.#nodeCount) throw broken(name, 'its tree has no place for IPv4 addresses');
    return node;
  }
}

interface Metadata {
  readonly type: string;
  readonly builtMs: number;
  readonly nodeCount: number;
  readonly recordBits: number;
  readonly v6: boolean;
  /** First byte after the mark. */
  readonly start: number;
}

function readMetadata(bytes: Uint8Array, name: string): Metadata {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    throw broken(name, 'it is compressed', 'unpack it first, with gunzip or tar');
  const start = findMark(bytes);
  if (start < 0) throw broken(name, 'it holds no MaxMind metadata', 'give a file that ends in .mmdb');
  const data = new MmdbData(bytes, start, bytes.length);
  const problem = data.check(start);
  if (problem !== '') throw broken(name, `metadata: ${problem}`);
  const number = (key: string) => data.number(data.child(start, new TextEncoder().encode(key)));
  const nodeCount = number('node_count');
  const recordBits = number('record_size');
  const version = number('ip_version');
  if (number('binary_format_major_version') !== 2) throw broken(name, 'its format is not version 2');
  if (!(nodeCount >= 1)) throw broken(name, 'metadata: node_count is missing or 0');
  if (!RECORD_BITS.includes(recordBits)) throw broken(name, `metadata: record_size is ${recordBits}`);
  if (version !== 4 && version !== 6) throw broken(name, `metadata: ip_version is ${version}`);
  const builtSec = number('build_epoch');
  return {
    type: data.text(data.child(start, new TextEncoder().encode('database_type'))),
    builtMs: Number.isNaN(builtSec) ? 0 : builtSec * 1000,
    nodeCount,
    recordBits,
    v6: version === 6,
    start,
  };
}

/** First byte after the last mark, -1 if there is none. */
function findMark(bytes: Uint8Array): number {
  const last = bytes.length - MARK.length;
  for (let at = last; at >= 0 && last - at < METADATA_MAX_BYTES; at--) {
    if (MARK.every((byte, i) => bytes[at + i] === byte)) return at + MARK.length;
  }
  return -1;
}

function isV4(address: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return false;
  return address[10] === 0xff && address[11] === 0xff;
}

function broken(name: string, what: string, hint = 'fetch the file again'): PicketError {
  return new PicketError('DATA_INVALID', `${name} is no usable address database: ${what}`, { hint });
}
