// Who is asking: the first credential, in the policy's order, that the origin will see too; else the client address.
// Hashes it at once, in place, in the feature engine's memory; the secret is never copied, stored or logged.
// Rows live in feature-engine. Called by pipeline.ts.

import type { HeadView } from '../domain/head-view.ts';
import {
  IDENTITY_KINDS,
  type IdentityKind,
  type IdentitySource,
  ownPrincipal,
  type RequestIdentity,
} from '../domain/identity.ts';
import type { ClientAddress } from './client-address.ts';
import type { HeadReader } from './head.ts';
import { FIELD } from './head-fields.ts';

/** Hashes bytes of the head where they lie. */
export interface HeadHasher {
  hash128(start: number, end: number, out: Uint32Array): void;
}

/** One object per data thread, refilled for each request. */
export interface IdentifyInput {
  readonly reader: HeadReader;
  rawHeaders: readonly string[];
  client: ClientAddress;
  sources: readonly IdentitySource[];
  readonly hasher: HeadHasher;
}

const KIND_INDEX = new Map<IdentityKind, number>(IDENTITY_KINDS.map((kind, i) => [kind, i]));
const ADDRESS = KIND_INDEX.get('address') as number;
/** So that one secret shown in two ways is two identities. */
const KIND_SALT = 0x9e3779b9;

/** Fills `who`. */
export function identify(input: IdentifyInput, who: RequestIdentity): void {
  identifyCredential(input, who);
  ownPrincipal(who);
}

function identifyCredential(input: IdentifyInput, who: RequestIdentity): void {
  const { key } = input.client;
  for (let i = 0; i < 4; i++) who.addressKey[i] = key[i] as number;
  for (const source of input.sources) {
    if (readCredential(input, source, who)) {
      who.kind = KIND_INDEX.get(source.kind) as number;
      who.key[3] = (who.key[3] as number) ^ Math.imul(who.kind + 1, KIND_SALT);
      return;
    }
  }
  who.kind = ADDRESS;
  for (let i = 0; i < 4; i++) who.key[i] = key[i] as number;
}

function readCredential(input: IdentifyInput, source: IdentitySource, who: RequestIdentity): boolean {
  switch (source.kind) {
    case 'bearer':
      return readBearer(input, who);
    case 'api_key':
      return readApiKey(input, source.header, who);
    case 'cookie':
      return readCookie(input, source.name, who);
  }
}

/** A field that Connection named does not reach the origin: it identifies nobody. */
function isDropped(reader: HeadReader, name: string): boolean {
  return reader.named?.has(name) ?? false;
}

function readBearer({ reader, hasher }: IdentifyInput, who: RequestIdentity): boolean {
  const { view, kinds } = reader;
  for (let i = 0; i < view.fieldCount; i++) {
    if (kinds[i] !== FIELD.AUTHORIZATION) continue;
    const start = view.valueStart(i) + 7;
    const end = view.valueEnd(i);
    if (start >= end || !isBearer(view, start - 7) || isDropped(reader, 'authorization')) return false;
    hasher.hash128(start, end, who.key);
    return true;
  }
  return false;
}

const BEARER = [0x62, 0x65, 0x61, 0x72, 0x65, 0x72];

/** "Bearer " in any case (RFC 6750 section 2.1, RFC 9110 section 11.1). */
function isBearer(view: HeadView, at: number): boolean {
  for (let i = 0; i < 6; i++) if (((view.bytes[at + i] as number) | 0x20) !== BEARER[i]) return false;
  return view.bytes[at + 6] === 0x20;
}

function readApiKey(
  { reader, rawHeaders, hasher }: IdentifyInput,
  header: string,
  who: RequestIdentity,
): boolean {
  const { view } = reader;
  for (let i = 0; i < view.fieldCount; i++) {
    const name = rawHeaders[2 * i] as string;
    if (name.length !== header.length) continue;
    if (name !== header && name.toLowerCase() !== header.toLowerCase()) continue;
    const start = view.valueStart(i);
    const end = view.valueEnd(i);
    if (start === end || isDropped(reader, name.toLowerCase())) return false;
    hasher.hash128(start, end, who.key);
    return true;
  }
  return false;
}

function readCookie({ reader, hasher }: IdentifyInput, name: string, who: RequestIdentity): boolean {
  const { view, kinds } = reader;
  for (let i = 0; i < view.fieldCount; i++) {
    if (kinds[i] !== FIELD.COOKIE || isDropped(reader, 'cookie')) continue;
    const end = view.valueEnd(i);
    for (let at = view.valueStart(i); at < end; ) {
      while (at < end && (view.bytes[at] === 0x20 || view.bytes[at] === 0x09)) at++;
      let stop = at;
      while (stop < end && view.bytes[stop] !== 0x3b) stop++;
      const value = at + name.length + 1;
      if (value < stop && startsWith(view, at, name)) {
        hasher.hash128(value, stop, who.key);
        return true;
      }
      at = stop + 1;
    }
  }
  return false;
}

/** Does `name=` stand at `at`? */
function startsWith(view: HeadView, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if (view.bytes[at + i] !== name.charCodeAt(i)) return false;
  return view.bytes[at + name.length] === 0x3d;
}
