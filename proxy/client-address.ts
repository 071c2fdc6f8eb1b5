// Whose address a request counts under: the TCP peer, or, from trusted peers only, one configured forwarding field.
// Walks the field from the right over trusted addresses; the first untrusted one is the client (RFC 7239 section 5.2).
// One source, never a mix. Called by connection.ts and pipeline.ts; hashes the address once per connection.

import type { Socket } from 'node:net';
import { type Cidr, cidrContains, parseAddress } from '../domain/cidr.ts';
import { LIMITS } from '../domain/limits.ts';
import type { ClientIpSource } from './data-plane-config.ts';
import type { CertificateName } from './identify.ts';
import type { KeyedBytes, KeyedHash } from './keyed-hash.ts';
import { kindIndex } from './principal/compiled-source.ts';
import { peerNameOf } from './principal/peer-certificate.ts';

/** An address as text, as 16 bytes and as the keyed hash that rows are counted under. */
export interface ClientAddress extends KeyedBytes {
  readonly text: string;
}

const UNKNOWN = new Uint8Array(16);
/** Stands where a client address will be filled in. */
export const NOBODY: ClientAddress = {
  text: '',
  bytes: UNKNOWN,
  key: new Uint32Array(4),
  formerKey: new Uint32Array(4),
  epoch: 0,
};

export interface AddressBookOptions {
  readonly source: ClientIpSource;
  readonly trusted: readonly Cidr[];
  readonly hash: KeyedHash;
}

/** What the forwarding fields of one request said, already joined to one list. */
export interface ForwardedClaims {
  readonly forwardedFor: string;
  readonly forwarded: string;
}

export class AddressBook {
  readonly #options: AddressBookOptions;

  constructor(options: AddressBookOptions) {
    this.#options = options;
  }

  /** An address literal; one that cannot be read counts as the unspecified address. */
  addressOf(text: string): ClientAddress {
    const plain = text.startsWith('::ffff:') && text.includes('.') ? text.slice(7) : text;
    const bytes = parseAddress(plain) ?? UNKNOWN;
    return { text: plain, ...this.#options.hash.keyed(bytes) };
  }

  /** The name that a verified client certificate gives the peer; null without one. */
  certificateOf(socket: Socket): CertificateName | null {
    const name = peerNameOf(socket);
    return name === null ? null : { kind: kindIndex(name.kind), ...this.#options.hash.keyed(name.bytes) };
  }

  isTrusted(address: ClientAddress): boolean {
    return this.#contains(address.bytes);
  }

  /** Does the configured source read anything of a request beyond its peer? */
  get readsFields(): boolean {
    return this.#options.source !== 'peer';
  }

  /** The list that the configured source reads; empty if the request has none. */
  claimOf(claims: ForwardedClaims): string {
    return this.#options.source === 'xff' ? claims.forwardedFor : claims.forwarded;
  }

  /** The client behind a trusted peer, or null if the claim cannot be read (then the peer counts). */
  resolve(claim: string): ClientAddress | null {
    const entries = this.#options.source === 'xff' ? splitList(claim) : splitList(claim).map(forParameter);
    let client: string | null = null;
    const oldest = Math.max(0, entries.length - LIMITS.forwardedEntriesMax);
    for (let i = entries.length - 1; i >= oldest; i--) {
      const literal = addressLiteral(entries[i] ?? '');
      const bytes = literal === null ? null : parseAddress(literal);
      if (literal === null || bytes === null) return null;
      client = literal;
      if (!this.#contains(bytes)) break;
    }
    return client === null ? null : this.addressOf(client);
  }

  #contains(bytes: Uint8Array): boolean {
    for (const cidr of this.#options.trusted) if (cidrContains(cidr, bytes)) return true;
    return false;
  }
}

/** Splits at commas outside quoted strings. */
function splitList(text: string): string[] {
  return text.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [];
}

/** The `for` parameter of one element of Forwarded, unquoted; empty if there is none. */
function forParameter(element: string): string {
  const match = /(?:^|;)\s*for\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))\s*(?:;|$)/i.exec(element.trim());
  return match === null ? '' : (match[1]?.replace(/\\(.)/g, '$1') ?? match[2] ?? '');
}

/** An address without port and brackets, or null for obfuscated, unknown and empty entries. */
function addressLiteral(entry: string): string | null {
  const text = entry.trim();
  const bracketed = /^\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?$/.exec(text);
  if (bracketed !== null) return bracketed[1] ?? null;
  const v4 = /^(\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?$/.exec(text);
  if (v4 !== null) return v4[1] ?? null;
  return /^[0-9A-Fa-f:.]+$/.test(text) && text.includes(':') ? text : null;
}
