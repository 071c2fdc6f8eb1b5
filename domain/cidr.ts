// Addresses and CIDR blocks, IPv4 and IPv6, as 16 bytes (IPv4 mapped). Pure; no name look-ups.
// An IPv4-mapped IPv6 address equals the IPv4 address it carries.

export interface Cidr {
  readonly text: string;
  readonly bytes: Uint8Array;
  /** Prefix length over the 128 bits. */
  readonly bits: number;
}

const V4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** 16 bytes of an address literal (no brackets, no port, no zone), or null. */
export function parseAddress(text: string): Uint8Array | null {
  const v4 = V4.exec(text);
  if (v4 !== null) return mapped(v4.slice(1).map(Number), v4.slice(1));
  if (!text.includes(':') || text.length > 45) return null;
  return parseV6(text);
}

function mapped(octets: readonly number[], texts: readonly string[]): Uint8Array | null {
  if (octets.some((octet, i) => octet > 255 || (texts[i] ?? '').replace(/^0+(?=\d)/, '') !== texts[i]))
    return null;
  const bytes = new Uint8Array(16);
  bytes[10] = 0xff;
  bytes[11] = 0xff;
  bytes.set(octets, 12);
  return bytes;
}

function parseV6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = groups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? groups(halves[1] ?? '', true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const all = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const bytes = new Uint8Array(16);
  all.forEach((group, i) => {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group & 0xff;
  });
  return bytes;
}

/** 16-bit groups of one side of "::"; the last may be dotted IPv4 where `v4Allowed`. */
function groups(text: string, v4Allowed: boolean): number[] | null {
  if (text === '') return [];
  const out: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    const v4 = i === parts.length - 1 && v4Allowed ? V4.exec(part) : null;
    if (v4 !== null) {
      const bytes = mapped(v4.slice(1).map(Number), v4.slice(1));
      if (bytes === null) return null;
      out.push(((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0), ((bytes[14] ?? 0) << 8) | (bytes[15] ?? 0));
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      out.push(Number.parseInt(part, 16));
    } else {
      return null;
    }
  }
  return out;
}

/** A block such as `10.0.0.0/8`, `fd00::/8` or a single address; null if malformed or with host bits set. */
export function parseCidr(text: string): Cidr | null {
  const [address = '', prefix, ...rest] = text.split('/');
  const bytes = parseAddress(address);
  if (bytes === null || rest.length > 0) return null;
  if (prefix === undefined) return { text, bytes, bits: 128 };
  if (!/^\d{1,3}$/.test(prefix)) return null;
  const offset = address.includes(':') ? 0 : 96;
  const bits = Number(prefix) + offset;
  if (bits > 128 || !hostBitsClear(bytes, bits)) return null;
  return { text, bytes, bits };
}

function hostBitsClear(bytes: Uint8Array, bits: number): boolean {
  for (let bit = bits; bit < 128; bit++) if (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) return false;
  return true;
}

export function cidrContains(cidr: Cidr, address: Uint8Array): boolean {
  const whole = cidr.bits >> 3;
  for (let i = 0; i < whole; i++) if (cidr.bytes[i] !== address[i]) return false;
  const rest = cidr.bits & 7;
  if (rest === 0) return true;
  const shift = 8 - rest;
  return (cidr.bytes[whole] ?? 0) >> shift === (address[whole] ?? 0) >> shift;
}
