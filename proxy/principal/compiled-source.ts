// Identity sources as the hot path wants them: names as bytes, kinds as numbers, and which of them may name a principal.
// Made when a policy is swapped in; a request reads them only. Called by pipeline.ts; read by identify.ts and locate.ts.

import {
  IDENTITY_KINDS,
  type IdentityKind,
  type IdentitySource,
  type XfccPart,
} from '../../domain/identity.ts';

const KIND_INDEX = new Map<IdentityKind, number>(IDENTITY_KINDS.map((kind, i) => [kind, i]));

/** Place of a kind in IDENTITY_KINDS. */
export function kindIndex(kind: IdentityKind): number {
  return KIND_INDEX.get(kind)!;
}

/** Where a source is read. */
export type Spot = 'authorization' | 'header' | 'query' | 'cookie' | 'certificate' | 'xfcc' | 'address';

/** What a source may say of the principal, beyond being its own. */
export type Names = 'nothing' | 'token' | 'itself';

export interface CompiledSource {
  /** Place in the policy's list. */
  readonly index: number;
  readonly spot: Spot;
  /** Kind of credential, index into IDENTITY_KINDS. */
  readonly kind: number;
  /** Name of the header, parameter or cookie: lower case for headers, as it is written for the others; else empty. */
  readonly name: string;
  readonly nameBytes: Uint8Array;
  /** Read only if the peer of the connection is a trusted proxy. */
  readonly trustedOnly: boolean;
  readonly names: Names;
  readonly part: XfccPart;
}

export interface CompiledSources {
  readonly all: readonly CompiledSource[];
  /** Those that may name a principal that is not the credential. Mostly none: then nothing is looked for twice. */
  readonly namers: readonly CompiledSource[];
}

/** `tokens`: tokens are verified here (--jwks), so that their claims may name principals. */
export function compileSources(sources: readonly IdentitySource[], tokens: boolean): CompiledSources {
  const all = sources.map((source, index) => compile(source, index));
  const namers = all.filter((source) => source.names === 'itself' || (source.names === 'token' && tokens));
  return { all, namers };
}

function compile(source: IdentitySource, index: number): CompiledSource {
  const make = (spot: Spot, kind: IdentityKind, more: Partial<CompiledSource> = {}): CompiledSource => {
    const name = more.name ?? '';
    const rest = { trustedOnly: false, names: 'nothing', part: 'uri', ...more } as const;
    return { index, spot, kind: kindIndex(kind), ...rest, name, nameBytes: Buffer.from(name, 'latin1') };
  };
  switch (source.kind) {
    case 'bearer':
      return make('authorization', 'bearer', { name: 'authorization', names: 'token' });
    case 'jwt_claim': {
      const { header, cookie } = source;
      if (header !== undefined) return make('header', 'jwt', { name: header.toLowerCase(), names: 'token' });
      if (cookie !== undefined) return make('cookie', 'jwt', { name: cookie, names: 'token' });
      return make('authorization', 'jwt', { name: 'authorization', names: 'token' });
    }
    case 'api_key':
      if (source.query !== undefined) return make('query', 'api_key', { name: source.query });
      return make('header', 'api_key', { name: (source.header ?? '').toLowerCase() });
    case 'cookie':
      return make('cookie', 'cookie', {
        name: source.name,
        names: source.survivesRefresh === true ? 'itself' : 'nothing',
      });
    case 'client_certificate':
      return make('certificate', 'client_cert');
    case 'xfcc':
      return make('xfcc', 'client_cert', {
        name: 'x-forwarded-client-cert',
        trustedOnly: true,
        part: source.by ?? 'uri',
      });
    case 'trusted_header': {
      const name = source.header.toLowerCase();
      return make('header', 'trusted_header', { name, trustedOnly: true, names: 'itself' });
    }
    case 'address':
      return make('address', 'address');
  }
}
