// Who is asking: the first credential, in the policy's order, that the origin will see too; else the client address. And who
// stands behind it: a principal that a verified token, a trusted peer's header or a lasting cookie names; else the credential.
// Hashes secrets at once, in place, in the feature engine's memory; they are never copied to stay, stored or logged.
// Rows live in feature-engine, verification of tokens in principal/. Called by pipeline.ts, inside one synchronous call.

import { type Hash128, PRINCIPAL_SOURCES, type RequestIdentity } from '../domain/identity.ts';
import type { ClientAddress } from './client-address.ts';
import type { HeadReader } from './head.ts';
import type { KeyedBytes, KeyedHash } from './keyed-hash.ts';
import { type CompiledSource, type CompiledSources, kindIndex } from './principal/compiled-source.ts';
import { locate, newLocated } from './principal/locate.ts';
import { FOUND } from './principal/principal-table.ts';
import { isSpiffeId } from './principal/spiffe.ts';
import type { TokenDesk } from './principal/token-desk.ts';

/** What the client certificate of a connection names. `kind`: index into IDENTITY_KINDS. */
export interface CertificateName extends KeyedBytes {
  readonly kind: number;
}

/** One object per data thread, refilled for each request. */
export interface IdentifyInput {
  readonly reader: HeadReader;
  client: ClientAddress;
  /** The peer is a trusted proxy. */
  trusted: boolean;
  certificate: CertificateName | null;
  sources: CompiledSources;
  nowMs: number;
}

const ADDRESS = kindIndex('address');
const SPIFFE = kindIndex('spiffe');
const TRUSTED_HEADER = kindIndex('trusted_header');
/** So that one secret shown in two ways is two identities. */
const KIND_SALT = 0x9e3779b9;
const VERIFIED_JWT_KIND = 64;

const BY_JWT = PRINCIPAL_SOURCES.indexOf('verified_jwt');
const BY_HEADER = PRINCIPAL_SOURCES.indexOf('trusted_header');
const BY_COOKIE = PRINCIPAL_SOURCES.indexOf('cookie');

/** Makes a hash one of its kind, in place. `kind`: index into IDENTITY_KINDS. */
function saltKind(key: Hash128, kind: number): void {
  key[3] = key[3]! ^ Math.imul(kind + 1, KIND_SALT);
}

/** The same for the hash of a verified claim, which is no kind of credential. */
export function saltVerifiedClaim(key: Hash128): void {
  saltKind(key, VERIFIED_JWT_KIND);
}

function copy(from: Hash128, to: Hash128): void {
  for (let i = 0; i < 4; i++) to[i] = from[i]!;
}

export class Identifier {
  readonly #hash: KeyedHash;
  readonly #desk: TokenDesk | null;
  readonly #located = newLocated();
  /** What the former identity key makes of the request; `who` points here while there is one. */
  readonly #former = { key: new Uint32Array(4), principal: new Uint32Array(4), address: new Uint32Array(4) };
  /** Key of a token that is not the credential. */
  readonly #tokenKey = new Uint32Array(4);
  /** The source that the credential came from, and where it lay. */
  #credential: CompiledSource | null = null;
  #start = 0;
  #end = 0;
  #decoded = false;

  /** `desk`: null where no tokens are verified. */
  constructor(hash: KeyedHash, desk: TokenDesk | null) {
    this.#hash = hash;
    this.#desk = desk;
  }

  /** Fills `who`. Allocates nothing. */
  identify(input: IdentifyInput, who: RequestIdentity): void {
    const { client } = input;
    const { rotating } = this.#hash;
    who.formerKey = rotating ? this.#former.key : null;
    who.formerPrincipalKey = rotating ? this.#former.principal : null;
    who.formerAddressKey = rotating ? this.#former.address : null;
    this.#hash.refresh(client);
    copy(client.key, who.addressKey);
    if (rotating) copy(client.formerKey, this.#former.address);
    this.#credential = this.#findCredential(input, who);
    if (input.sources.namers.length > 0 && this.#namePrincipal(input, who)) return;
    who.principalSource = 0;
    copy(who.key, who.principalKey);
    if (rotating) copy(this.#former.key, this.#former.principal);
  }

  #findCredential(input: IdentifyInput, who: RequestIdentity): CompiledSource | null {
    const { all } = input.sources;
    for (let i = 0; i < all.length; i++) {
      const source = all[i]!;
      if (source.spot === 'address') break;
      if (source.trustedOnly && !input.trusted) continue;
      if (source.spot === 'certificate') {
        if (input.certificate === null) continue;
        this.#adopt(input.certificate, input.certificate.kind, who);
        return source;
      }
      if (!locate(source, input.reader, this.#located)) continue;
      this.#start = this.#located.start;
      this.#end = this.#located.end;
      this.#decoded = this.#located.decoded;
      who.kind = source.spot === 'xfcc' ? this.#xfccKind(input, source) : source.kind;
      this.#hashLocated(who.kind, who.key, who.formerKey);
      return source;
    }
    copy(input.client.key, who.key);
    if (who.formerKey !== null) copy(input.client.formerKey, who.formerKey);
    who.kind = ADDRESS;
    return null;
  }

  /** Takes a key that was made for the whole connection. */
  #adopt(keyed: KeyedBytes, kind: number, who: RequestIdentity): void {
    this.#hash.refresh(keyed);
    who.kind = kind;
    copy(keyed.key, who.key);
    saltKind(who.key, kind);
    if (who.formerKey === null) return;
    copy(keyed.formerKey, who.formerKey);
    saltKind(who.formerKey, kind);
  }

  #xfccKind(input: IdentifyInput, source: CompiledSource): number {
    const { start, end } = this.#located;
    return isSpiffeId(input.reader.view.bytes, start, end) ? SPIFFE : source.kind;
  }

  #hashLocated(kind: number, key: Hash128, former: Hash128 | null): void {
    const { start, end, decoded, scratch } = this.#located;
    if (decoded) this.#hash.ofBytes(scratch, end, key, former);
    else this.#hash.ofHead(start, end, key, former);
    saltKind(key, kind);
    if (former !== null) saltKind(former, kind);
  }

  /** The first source, in the policy's order, that names a principal. False if none does. */
  #namePrincipal(input: IdentifyInput, who: RequestIdentity): boolean {
    const { namers } = input.sources;
    for (let i = 0; i < namers.length; i++) {
      const source = namers[i]!;
      if (source.trustedOnly && !input.trusted) continue;
      if (
        source.names === 'token' ? this.#namedByToken(source, input, who) : this.#namedBy(source, input, who)
      ) {
        return true;
      }
    }
    return false;
  }

  /** A value that is itself the principal's name: the same key as when it is the credential. */
  #namedBy(source: CompiledSource, input: IdentifyInput, who: RequestIdentity): boolean {
    if (source === this.#credential) {
      copy(who.key, who.principalKey);
      if (who.formerKey !== null) copy(who.formerKey, this.#former.principal);
    } else {
      if (!locate(source, input.reader, this.#located)) return false;
      this.#hashLocated(source.kind, who.principalKey, who.formerPrincipalKey);
    }
    who.principalSource = source.kind === TRUSTED_HEADER ? BY_HEADER : BY_COOKIE;
    return true;
  }

  /** Known to be verified: its principal. Not known at all: handed over to be verified, for the requests after this one. */
  #namedByToken(source: CompiledSource, input: IdentifyInput, who: RequestIdentity): boolean {
    const located = this.#located;
    let key = who.key;
    if (source !== this.#credential) {
      if (!locate(source, input.reader, located)) return false;
      key = this.#tokenKey;
    } else {
      located.decoded = this.#decoded;
      located.start = this.#start;
      located.end = this.#end;
    }
    const { bytes } = input.reader.view;
    if (located.decoded || !looksLikeJwt(bytes, located.start, located.end)) return false;
    if (key === this.#tokenKey) this.#hashLocated(source.kind, key, null);
    const desk = this.#desk!;
    const nowSec = Math.floor(input.nowMs / 1000);
    const found = desk.find(key, nowSec, who);
    if (found === FOUND.verified) {
      who.principalSource = BY_JWT;
      return true;
    }
    if (found === FOUND.unknown) desk.submit(bytes, located, key, { source: source.index, nowSec });
    return false;
  }
}

/** Begins like base64url of `{"`, `{ ` or `{` and a line break, and is longer than any signature can leave it. */
function looksLikeJwt(bytes: Uint8Array, start: number, end: number): boolean {
  const second = bytes[start + 1];
  return end - start > 40 && bytes[start] === 0x65 && (second === 0x79 || second === 0x77);
}
