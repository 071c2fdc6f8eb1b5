// What kind of place an address is: private, a data centre (hosting, cloud, VPN exit), or default. By the address itself, a CIDR
// list, the number and name of its network (ASN database) or the hosting mark of an anonymous-IP database.
// Called by address-facts.ts, once per address that is new to its cache.

import { type Cidr, cidrContains, parseCidr } from '../domain/cidr.ts';

/** No address was given. */
export const KIND_UNKNOWN = 255;
export const KIND_DEFAULT = 0;
export const KIND_PRIVATE = 1;
export const KIND_DATACENTER = 2;

/** RFC 1918, RFC 6598 (carrier NAT), RFC 3927, RFC 4193, RFC 4291 (link-local, loopback), RFC 1122 (loopback). */
const PRIVATE: readonly Cidr[] = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '127.0.0.0/8',
  'fc00::/7',
  'fe80::/10',
  '::1/128',
].map((text) => parseCidr(text) as Cidr);

/** Networks of large clouds, hosting companies and their content networks; names change, numbers seldom do. */
const DATACENTER_ASNS: ReadonlySet<number> = new Set([
  16509, 14618, 8987, 15169, 396982, 19527, 8075, 8068, 31898, 36351, 45102, 37963, 132203, 45090, 55990,
  136907, 16276, 24940, 213230, 14061, 63949, 20473, 12876, 51167, 60781, 28753, 9009, 13335, 54113, 20940,
  47583, 197540, 26496, 53667, 36352, 8100, 62240, 212238, 40021, 34549, 29802, 46606, 19318, 32244, 22612,
  55286, 202425, 200019,
]);
const DATACENTER_NAME =
  /\b(hosting|host|cloud|data ?cent(er|re)s?|datacenter|servers?|vps|colo(cation)?|vpn|cdn)\b/i;

/** 16 bytes, IPv4 mapped. */
export function isPrivate(address: Uint8Array): boolean {
  for (const block of PRIVATE) if (cidrContains(block, address)) return true;
  return false;
}

/** Is it a network of servers, by its number or the words of its name? */
export function isDatacenterNetwork(asn: number, organisation: string): boolean {
  return DATACENTER_ASNS.has(asn) || DATACENTER_NAME.test(organisation);
}

const ADDRESS_BYTES = 16;
const RANGE_BYTES = 2 * ADDRESS_BYTES;

/*
 * Many CIDR blocks as sorted ranges that do not touch, in memory that threads may share:
 *   0 first address of range 0, 16 bytes   16 its last address   32 first address of range 1 ...
 */
export class CidrList {
  readonly bytes: SharedArrayBuffer;
  readonly #ranges: Uint8Array;

  /** @param blocks in any order; they may overlap. Or the `bytes` of another list. */
  constructor(blocks: readonly Cidr[] | SharedArrayBuffer) {
    this.bytes = blocks instanceof SharedArrayBuffer ? blocks : packRanges(blocks);
    this.#ranges = new Uint8Array(this.bytes);
  }

  /** Is the address (16 bytes) in one of the blocks? By halving: about 17 steps for 100,000 blocks. */
  has(address: Uint8Array): boolean {
    const ranges = this.#ranges;
    let low = 0;
    let high = ranges.length / RANGE_BYTES;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareAt(ranges, middle * RANGE_BYTES + ADDRESS_BYTES, address) < 0) low = middle + 1;
      else high = middle;
    }
    return low * RANGE_BYTES < ranges.length && compareAt(ranges, low * RANGE_BYTES, address) <= 0;
  }
}

function packRanges(blocks: readonly Cidr[]): SharedArrayBuffer {
  const sorted = [...blocks].sort((a, b) => compareAt(a.bytes, 0, b.bytes) || a.bits - b.bits);
  const kept: Cidr[] = [];
  for (const block of sorted) {
    // Blocks nest or are apart: one that begins inside the last one kept lies in it whole.
    const last = kept.at(-1);
    if (last === undefined || compareAt(lastAddress(last), 0, block.bytes) < 0) kept.push(block);
  }
  const packed = new SharedArrayBuffer(kept.length * RANGE_BYTES);
  const bytes = new Uint8Array(packed);
  for (const [i, block] of kept.entries()) {
    bytes.set(block.bytes, i * RANGE_BYTES);
    bytes.set(lastAddress(block), i * RANGE_BYTES + ADDRESS_BYTES);
  }
  return packed;
}

function lastAddress({ bytes, bits }: Cidr): Uint8Array {
  const last = Uint8Array.from(bytes);
  for (let bit = bits; bit < 128; bit++) last[bit >> 3]! |= 0x80 >> (bit & 7);
  return last;
}

/** Order of the 16 bytes at `at` and an address: negative if they come first. */
function compareAt(bytes: Uint8Array, at: number, address: Uint8Array): number {
  for (let i = 0; i < ADDRESS_BYTES; i++) {
    const difference = bytes[at + i]! - address[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
