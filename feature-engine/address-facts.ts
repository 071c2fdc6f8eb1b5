// What the address databases say of a client address: coordinates, country, network, kind. A fixed cache in sets of four by the
// address's keyed hash, so that a request pays for a look-up only when its address is new here; a reload empties it by
// generation. Holds no address, only its hash. Called by the engine with the address as text; geo-files.ts brings the databases.

import { parseAddress } from '../domain/cidr.ts';
import {
  type CidrList,
  isDatacenterNetwork,
  isPrivate,
  KIND_DATACENTER,
  KIND_DEFAULT,
  KIND_PRIVATE,
  KIND_UNKNOWN,
} from './address-kind.ts';
import type { Mmdb } from './mmdb.ts';
import { hashBytes } from './sketch.ts';

const WAYS = 4;
const key = (text: string) => new TextEncoder().encode(text);
const LOCATION = key('location');
const LATITUDE = key('latitude');
const LONGITUDE = key('longitude');
const COUNTRY = key('country');
const REGISTERED = key('registered_country');
const ISO_CODE = key('iso_code');
/** Free databases without maps inside: country, coordinates and network lie side by side. */
const COUNTRY_CODE = key('country_code');
const ASN = key('autonomous_system_number');
const ORGANISATION = key('autonomous_system_organization');
const HOSTING = key('is_hosting_provider');

export interface AddressSources {
  /** A city or country database: coordinates and country. */
  readonly geo?: Mmdb | undefined;
  /** An ASN database: network number and name; an anonymous-IP database will do too. */
  readonly asn?: Mmdb | undefined;
  /** Further blocks that count as data centres. */
  readonly datacenters?: CidrList | undefined;
}

/** Facts of one address; one object, refilled by `look`. */
export interface AddressFacts {
  /** Degrees; NaN if unknown. */
  latitude: number;
  longitude: number;
  /** Two letters, first one in the high byte; 0 if unknown. */
  country: number;
  /** 0 if unknown. */
  asn: number;
  /** Signed 32-bit hash of the /24 (IPv6: /56), 0 if there is no address. */
  subnet: number;
  /** KIND_DEFAULT, KIND_PRIVATE or KIND_DATACENTER; KIND_UNKNOWN without an address. */
  kind: number;
}

/** The facts of a request that came without an address. */
export const NO_FACTS: AddressFacts = {
  ...{ latitude: Number.NaN, longitude: Number.NaN },
  ...{ country: 0, asn: 0, subnet: 0, kind: KIND_UNKNOWN },
};

const CAPACITY = 32_768;
/*
 * A slot is half a cache line, a set two of them:
 *   0, 1 words 1 and 2 of the address's hash   2 generation   3, 4 latitude and longitude, f32   5 ASN   6 subnet
 *   7 country, kind in the third byte
 */
const SLOT_WORDS = 8;
const GENERATION = 2;
const LATITUDE_WORD = 3;
const LONGITUDE_WORD = 4;
const ASN_WORD = 5;
const SUBNET = 6;
const COUNTRY_KIND = 7;

/** Sets for so many addresses: a power of two. */
function setsFor(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, capacity / WAYS)));
}

/** What an AddressBook of this capacity takes. */
export function addressBookBytes(capacity = CAPACITY): number {
  return setsFor(capacity) * WAYS * SLOT_WORDS * 4;
}

export class AddressBook {
  readonly facts: AddressFacts = { latitude: 0, longitude: 0, country: 0, asn: 0, subnet: 0, kind: 0 };
  readonly bytes: number;
  /** Addresses that were looked up in the databases. */
  lookups = 0;
  readonly #setMask: number;
  readonly #words: Int32Array;
  readonly #floats: Float32Array;
  readonly #v4 = new Uint8Array(16);
  #sources: AddressSources = {};
  #generation = 1;
  #next = 0;

  /** @param capacity addresses kept, rounded up to 4 times a power of two. */
  constructor(capacity = CAPACITY) {
    this.#setMask = setsFor(capacity) - 1;
    this.bytes = addressBookBytes(capacity);
    this.#words = new Int32Array(this.bytes / 4);
    this.#floats = new Float32Array(this.#words.buffer);
  }

  /** Uses these databases from now on; what was cached is looked up anew. */
  use(sources: AddressSources): void {
    this.#sources = sources;
    this.#generation++;
  }

  /** Fills `facts` for an address: its keyed hash and its text, which is read only if the hash is not cached. */
  look(hash: Uint32Array, text: string): AddressFacts {
    const words = this.#words;
    const generation = this.#generation;
    const first = hash[1]! | 0;
    const second = hash[2]! | 0;
    const set = (hash[0]! & this.#setMask) * WAYS * SLOT_WORDS;
    let free = -1;
    for (let at = set; at < set + WAYS * SLOT_WORDS; at += SLOT_WORDS) {
      if (words[at + GENERATION] !== generation) free = at;
      else if (words[at] === first && words[at + 1] === second) return this.#read(at);
    }
    const at = free >= 0 ? free : set + (this.#next++ & (WAYS - 1)) * SLOT_WORDS;
    words[at] = first;
    words[at + 1] = second;
    words[at + GENERATION] = generation;
    this.#lookUp(at, text);
    return this.#read(at);
  }

  #read(at: number): AddressFacts {
    const words = this.#words;
    const facts = this.facts;
    facts.latitude = this.#floats[at + LATITUDE_WORD]!;
    facts.longitude = this.#floats[at + LONGITUDE_WORD]!;
    facts.country = words[at + COUNTRY_KIND]! & 0xffff;
    facts.asn = words[at + ASN_WORD]! >>> 0;
    facts.subnet = words[at + SUBNET]!;
    facts.kind = words[at + COUNTRY_KIND]! >>> 16;
    return facts;
  }

  #lookUp(at: number, text: string): void {
    const words = this.#words;
    this.lookups++;
    const address = readV4(text, this.#v4) ? this.#v4 : parseAddress(text);
    const { geo, asn } = this.#sources;
    let latitude = Number.NaN;
    let longitude = Number.NaN;
    let country = 0;
    if (geo !== undefined && address !== null) {
      const { data } = geo;
      const place = geo.find(address);
      const nested = data.child(place, LOCATION);
      const location = nested < 0 ? place : nested;
      latitude = data.number(data.child(location, LATITUDE));
      longitude = data.number(data.child(location, LONGITUDE));
      country = countryCode(geo, place);
    }
    const known = latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180;
    this.#floats[at + LATITUDE_WORD] = known ? latitude : Number.NaN;
    this.#floats[at + LONGITUDE_WORD] = known ? longitude : Number.NaN;
    const network = address === null ? -1 : (asn?.find(address) ?? -1);
    const number = asn === undefined ? Number.NaN : asn.data.number(asn.data.child(network, ASN));
    words[at + ASN_WORD] = Number.isNaN(number) ? 0 : number;
    words[at + SUBNET] = address === null ? 0 : subnetHash(address);
    words[at + COUNTRY_KIND] = country | (this.#kindOf(address, network) << 16);
  }

  /** `network`: the address's record in the ASN database, -1 without. */
  #kindOf(address: Uint8Array | null, network: number): number {
    if (address === null) return KIND_UNKNOWN;
    if (isPrivate(address)) return KIND_PRIVATE;
    const { asn, datacenters } = this.#sources;
    return datacenters?.has(address) === true || isHosting(asn, network) ? KIND_DATACENTER : KIND_DEFAULT;
  }
}

/** Reads plain dotted decimals into `out`, IPv4 mapped; false: whatever it is, parseAddress knows. Makes no garbage. */
function readV4(text: string, out: Uint8Array): boolean {
  out[10] = 0xff;
  out[11] = 0xff;
  let at = 12;
  let value = -1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      if (value < 0 || at === 15) return false;
      out[at++] = value;
      value = -1;
      continue;
    }
    // No leading zero: some read it as octal.
    if (code < 48 || code > 57 || value === 0) return false;
    value = Math.max(value, 0) * 10 + code - 48;
    if (value > 255) return false;
  }
  out[at] = value;
  return value >= 0 && at === 15;
}

/** 24 bits of an IPv4 address (16 bytes, mapped), 56 of an IPv6 one: what one household, office or server commonly has. */
function subnetHash(address: Uint8Array): number {
  let v4 = address[10] === 0xff && address[11] === 0xff;
  for (let i = 0; i < 10; i++) if (address[i] !== 0) v4 = false;
  return hashBytes(address, 0, v4 ? 15 : 7, 0) | 1;
}

function countryCode({ data }: Mmdb, place: number): number {
  let at = data.child(data.child(place, COUNTRY), ISO_CODE);
  if (at < 0) at = data.child(data.child(place, REGISTERED), ISO_CODE);
  return data.letters(at < 0 ? data.child(place, COUNTRY_CODE) : at);
}

function isHosting(asn: Mmdb | undefined, network: number): boolean {
  if (asn === undefined || network < 0) return false;
  const { data } = asn;
  if (data.number(data.child(network, HOSTING)) === 1) return true;
  return isDatacenterNetwork(
    data.number(data.child(network, ASN)),
    data.text(data.child(network, ORGANISATION)),
  );
}
