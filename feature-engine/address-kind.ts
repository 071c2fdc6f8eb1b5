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

export function isPrivate(address: Uint8Array): boolean {
  return PRIVATE.some((block) => cidrContains(block, address));
}

/** Is it a network of servers, by its number or the words of its name? */
export function isDatacenterNetwork(asn: number, organisation: string): boolean {
  return DATACENTER_ASNS.has(asn) || DATACENTER_NAME.test(organisation);
}

/** Many CIDR blocks, looked up in as many steps as there are prefix lengths among them. */
export class CidrList {
  readonly #byBits = new Map<number, Set<string>>();

  constructor(blocks: readonly Cidr[]) {
    for (const { bits, bytes } of blocks) {
      const known = this.#byBits.get(bits) ?? new Set<string>();
      known.add(prefixOf(bytes, bits));
      this.#byBits.set(bits, known);
    }
  }

  has(address: Uint8Array): boolean {
    for (const [bits, known] of this.#byBits) if (known.has(prefixOf(address, bits))) return true;
    return false;
  }
}

/** The first bits as text, one character a byte, the last one masked. */
function prefixOf(bytes: Uint8Array, bits: number): string {
  let text = '';
  for (let i = 0; i < bits >> 3; i++) text += String.fromCharCode(bytes[i]!);
  const rest = bits & 7;
  return rest === 0 ? text : text + String.fromCharCode(bytes[bits >> 3]! & (0xff00 >> rest));
}
