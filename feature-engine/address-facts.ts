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

const CAPACITY = 32_768;
const SLOT_BYTES = 8 + 4 + 8 + 2 + 4 + 4 + 1;

function slotsFor(capacity: number): number {
  return Math.ceil(capacity / WAYS) * WAYS;
}

/** What an AddressBook of this capacity takes. */
export function addressBookBytes(capacity = CAPACITY): number {
  return slotsFor(capacity) * SLOT_BYTES;
}

export class AddressBook {
  readonly facts: AddressFacts = { latitude: 0, longitude: 0, country: 0, asn: 0, subnet: 0, kind: 0 };
  readonly bytes: number;
  /** Addresses that were looked up in the databases. */
  lookups = 0;
  readonly #sets: number;
  readonly #keys: Uint32Array;
  readonly #generations: Uint32Array;
  readonly #places: Float32Array;
  readonly #countries: Uint16Array;
  readonly #asns: Uint32Array;
  readonly #subnets: Int32Array;
  readonly #kinds: Uint8Array;
  readonly #v4 = new Uint8Array(16);
  #sources: AddressSources = {};
  #generation = 1;
  #next = 0;

  /** @param capacity addresses kept, rounded up to a multiple of 4. */
  constructor(capacity = CAPACITY) {
    const slots = slotsFor(capacity);
    this.#sets = slots / WAYS;
    this.#keys = new Uint32Array(slots * 2);
    this.#generations = new Uint32Array(slots);
    this.#places = new Float32Array(slots * 2);
    this.#countries = new Uint16Array(slots);
    this.#asns = new Uint32Array(slots);
    this.#subnets = new Int32Array(slots);
    this.#kinds = new Uint8Array(slots);
    this.bytes = slots * SLOT_BYTES;
  }

  /** Uses these databases from now on; what was cached is looked up anew. */
  use(sources: AddressSources): void {
    this.#sources = sources;
    this.#generation++;
  }

  /** Fills `facts` for an address: its keyed hash and its text, which is read only if the hash is not cached. */
  look(hash: Uint32Array, text: string): AddressFacts {
    const first = Math.floor((hash[0]! / 4294967296) * this.#sets) * WAYS;
    let slot = -1;
    for (let i = first; i < first + WAYS; i++) {
      if (this.#generations[i] === this.#generation && this.#isKey(i, hash)) return this.#read(i);
      if (this.#generations[i] !== this.#generation) slot = i;
    }
    if (slot < 0) slot = first + (this.#next++ & (WAYS - 1));
    this.#keys[slot * 2] = hash[1]!;
    this.#keys[slot * 2 + 1] = hash[2]!;
    this.#generations[slot] = this.#generation;
    this.#lookUp(slot, text);
    return this.#read(slot);
  }

  #isKey(slot: number, hash: Uint32Array): boolean {
    return this.#keys[slot * 2] === hash[1] && this.#keys[slot * 2 + 1] === hash[2];
  }

  #read(slot: number): AddressFacts {
    const facts = this.facts;
    facts.latitude = this.#places[slot * 2]!;
    facts.longitude = this.#places[slot * 2 + 1]!;
    facts.country = this.#countries[slot]!;
    facts.asn = this.#asns[slot]!;
    facts.subnet = this.#subnets[slot]!;
    facts.kind = this.#kinds[slot]!;
    return facts;
  }

  #lookUp(slot: number, text: string): void {
    this.lookups++;
    const address = readV4(text, this.#v4) ? this.#v4 : parseAddress(text);
    const { geo, asn, datacenters } = this.#sources;
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
    this.#places[slot * 2] = known ? latitude : Number.NaN;
    this.#places[slot * 2 + 1] = known ? longitude : Number.NaN;
    this.#countries[slot] = country;
    const network = address === null ? -1 : (asn?.find(address) ?? -1);
    const number = asn === undefined ? Number.NaN : asn.data.number(asn.data.child(network, ASN));
    this.#asns[slot] = Number.isNaN(number) ? 0 : number;
    this.#subnets[slot] = address === null ? 0 : subnetHash(address);
    if (address === null) this.#kinds[slot] = KIND_UNKNOWN;
    else if (isPrivate(address)) this.#kinds[slot] = KIND_PRIVATE;
    else if (datacenters?.has(address) === true || isHosting(asn, network))
      this.#kinds[slot] = KIND_DATACENTER;
    else this.#kinds[slot] = KIND_DEFAULT;
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
