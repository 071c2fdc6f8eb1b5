// Who a request is counted under. A raw secret is hashed at once (keyed, 128 bits) and never stored, logged or sent.
// Credential and principal are two keys: windows of minutes belong to what was shown, longer histories to who stands behind it.
// The client address is a second axis of its own: every request has an identity and an address.

/**
 * Kinds of credential; `address` always exists and stands last. New kinds go right before it: the place of a kind is part of
 * its keys, and a changed place would make strangers of all identities of that kind.
 */
export const IDENTITY_KINDS = [
  'bearer',
  'api_key',
  'cookie',
  'jwt',
  'spiffe',
  'client_cert',
  'trusted_header',
  'address',
] as const;
export type IdentityKind = (typeof IDENTITY_KINDS)[number];

/**
 * Who said which principal a request belongs to: the credential itself (nothing better is known), a JWT whose signature was
 * verified, a header of a trusted peer, or a cookie that survives refresh. Unverified claims never do.
 */
export const PRINCIPAL_SOURCES = ['credential', 'verified_jwt', 'trusted_header', 'cookie'] as const;
export type PrincipalSource = (typeof PRINCIPAL_SOURCES)[number];

/** 128 bits as four little-endian 32-bit words; compare word by word. */
export type Hash128 = Uint32Array;

/**
 * What the identity stage fills for each request; one object per data thread, reused. Credential is what was shown, principal
 * who stands behind it: a token lives an hour, its owner stays. Where nothing trustworthy names an owner, both are the same.
 */
export interface RequestIdentity {
  /** Kind of the credential: index into IDENTITY_KINDS. */
  kind: number;
  /** The credential's key. */
  readonly key: Hash128;
  /** The principal's key, equal to `key` where none is known. Windows of 1 h and more and profiles belong to it. */
  readonly principalKey: Hash128;
  readonly addressKey: Hash128;
  /** Who named the principal: index into PRINCIPAL_SOURCES. */
  principalSource: number;
  /** While the identity key is rotated: what the one before makes of the same request, so that rows can move over; else null. */
  formerKey: Hash128 | null;
  formerPrincipalKey: Hash128 | null;
  formerAddressKey: Hash128 | null;
}

export function newRequestIdentity(): RequestIdentity {
  return {
    kind: IDENTITY_KINDS.length - 1,
    key: new Uint32Array(4),
    principalKey: new Uint32Array(4),
    addressKey: new Uint32Array(4),
    principalSource: 0,
    formerKey: null,
    formerPrincipalKey: null,
    formerAddressKey: null,
  };
}

/** The credential stands for itself: nothing names who is behind it. */
export function ownPrincipal(who: RequestIdentity): void {
  who.principalSource = 0;
  for (let i = 0; i < 4; i++) who.principalKey[i] = who.key[i]!;
}

/** Which part of an X-Forwarded-Client-Cert element is the identity. */
export const XFCC_PARTS = ['uri', 'subject', 'hash'] as const;
export type XfccPart = (typeof XFCC_PARTS)[number];

/** Where an identity is looked for, in the order of a policy's list. docs/identity.md says what each one means. */
export type IdentitySource =
  /** The token of `Authorization: Bearer`; with --jwks a verified `sub` names the principal. */
  | { readonly kind: 'bearer' }
  /** A JWT (of Authorization, else of one header or cookie) whose verified `claim` names the principal. */
  | {
      readonly kind: 'jwt_claim';
      readonly claim: string;
      readonly header?: string | undefined;
      readonly cookie?: string | undefined;
    }
  /** Exactly one of the two. */
  | {
      readonly kind: 'api_key';
      readonly header?: string | undefined;
      readonly query?: string | undefined;
    }
  | { readonly kind: 'cookie'; readonly name: string; readonly survivesRefresh?: boolean | undefined }
  /** SPIFFE id, else subject, of the client certificate of this connection. */
  | { readonly kind: 'client_certificate' }
  /** X-Forwarded-Client-Cert of a trusted peer; `by` is `uri` if absent. */
  | { readonly kind: 'xfcc'; readonly by?: XfccPart | undefined }
  /** A header in which a trusted peer names the principal. */
  | { readonly kind: 'trusted_header'; readonly header: string }
  /** Nothing after it is looked at. */
  | { readonly kind: 'address' };

export const DEFAULT_IDENTITY_SOURCES: readonly IdentitySource[] = [
  { kind: 'bearer' },
  { kind: 'api_key', header: 'x-api-key' },
  { kind: 'cookie', name: 'JSESSIONID' },
  { kind: 'cookie', name: 'session' },
];

/** What a token must say before its claim may name a principal. Signature, expiry and algorithm are always checked. */
export interface JwtRules {
  /** Accepted `iss`; without the list any issuer whose key is known. */
  readonly issuers?: readonly string[] | undefined;
  /** One of them must be in `aud`; without the list any audience. */
  readonly audiences?: readonly string[] | undefined;
  /** Tolerance for `exp` and `nbf`, seconds, 0..300; 60 if absent. */
  readonly leewaySec?: number | undefined;
}

export const JWT_LEEWAY_DEFAULT_SEC = 60;

/** 32 lower-case hex digits, words in order, each written big-endian. */
export function hashHex(key: Hash128, start = 0): string {
  let text = '';
  for (let i = start; i < start + 4; i++) text += (key[i] ?? 0).toString(16).padStart(8, '0');
  return text;
}
