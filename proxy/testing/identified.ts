// The identity stage on requests made of raw fields, with a real engine and real token memory: what tests of it build on.
// Holds no expectation but that the head is a good one.

import {
  DEFAULT_IDENTITY_SOURCES,
  hashHex,
  IDENTITY_KINDS,
  type IdentitySource,
  newRequestIdentity,
  PRINCIPAL_SOURCES,
} from '../../domain/identity.ts';
import { FeatureEngine } from '../../feature-engine/engine.ts';
import { Counters } from '../counters.ts';
import { HeadReader, RequestHead } from '../head.ts';
import { type CertificateName, Identifier } from '../identify.ts';
import { KeyedHash } from '../keyed-hash.ts';
import { compileSources, kindIndex } from '../principal/compiled-source.ts';
import { PrincipalTable, principalTableBytes } from '../principal/principal-table.ts';
import { TokenDesk } from '../principal/token-desk.ts';
import { TokenQueue } from '../principal/token-queue.ts';

export const KEY = new Uint32Array([1, 2, 3, 4]);
export const FORMER = new Uint32Array([5, 6, 7, 8]);
const NOW_MS = 1_760_000_000_000;
export const NOW_SEC = NOW_MS / 1000;
export const engine = new FeatureEngine({ identities: 8, startedMs: 0 });
export const table = new PrincipalTable(new SharedArrayBuffer(principalTableBytes(64)));
export const queue = new TokenQueue();
const desk = new TokenDesk({ table: table.buffer, queue: queue.buffer }, new Counters());

export interface Asked {
  readonly sources?: readonly IdentitySource[];
  readonly target?: string;
  readonly trusted?: boolean;
  readonly former?: Uint32Array | null;
  readonly key?: Uint32Array;
  readonly certificate?: { kind: 'spiffe' | 'client_cert'; text: string };
  readonly verifies?: boolean;
}

/** What the identity stage makes of a request with these fields. */
export function who(fields: readonly string[], asked: Asked = {}) {
  const hash = new KeyedHash(engine, { current: asked.key ?? KEY, former: asked.former ?? null, keyId: 1 });
  const view = engine.headView;
  const reader = new HeadReader(view);
  const rawHeaders = ['Host', 'a', ...fields];
  const raw = {
    method: 'GET',
    url: asked.target ?? '/',
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    rawHeaders,
  };
  const refused = reader.read(raw, new RequestHead(), false);
  if (refused !== null) throw new Error(refused.code);
  const tokens = asked.verifies === true ? desk : null;
  const certificate: CertificateName | null =
    asked.certificate === undefined
      ? null
      : { kind: kindIndex(asked.certificate.kind), ...hash.keyed(Buffer.from(asked.certificate.text)) };
  const out = newRequestIdentity();
  const client = { text: '9.9.9.9', ...hash.keyed(new Uint8Array(16).fill(9)) };
  new Identifier(hash, tokens).identify(
    {
      reader,
      client,
      trusted: asked.trusted ?? false,
      certificate,
      sources: compileSources(asked.sources ?? DEFAULT_IDENTITY_SOURCES, tokens !== null),
      nowMs: NOW_MS,
    },
    out,
  );
  return {
    kind: IDENTITY_KINDS[out.kind],
    key: hashHex(out.key),
    principal: hashHex(out.principalKey),
    by: PRINCIPAL_SOURCES[out.principalSource],
    address: hashHex(out.addressKey),
    former: out.formerKey === null ? null : hashHex(out.formerKey),
    formerPrincipal: out.formerPrincipalKey === null ? null : hashHex(out.formerPrincipalKey),
    formerAddress: out.formerAddressKey === null ? null : hashHex(out.formerAddressKey),
    raw: out.key.slice(),
  };
}

export const bearer = (token: string): string[] => ['Authorization', `Bearer ${token}`];
export const JWT = `eyJhbGciOiJSUzI1NiJ9.${'eyJzdWIiOiJhbGljZSJ9'.repeat(2)}.c2lnbmF0dXJl`;
