// Who a request is counted under. A raw secret is hashed at once (keyed, 128 bits) and never stored, logged or sent.
// The client address is a second axis of its own: every request has an identity and an address.

/** In order of trust: the first kind that a request shows is its identity; `address` always exists. */
export const IDENTITY_KINDS = ['bearer', 'api_key', 'cookie', 'address'] as const;
export type IdentityKind = (typeof IDENTITY_KINDS)[number];

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
}

export function newRequestIdentity(): RequestIdentity {
  return {
    kind: IDENTITY_KINDS.length - 1,
    key: new Uint32Array(4),
    principalKey: new Uint32Array(4),
    addressKey: new Uint32Array(4),
  };
}

/** The credential stands for itself: nothing names who is behind it. */
export function ownPrincipal(who: RequestIdentity): void {
  for (let i = 0; i < 4; i++) who.principalKey[i] = who.key[i]!;
}

/** Where an identity is looked for, in the order of a policy's list. */
export type IdentitySource =
  | { readonly kind: 'bearer' }
  | { readonly kind: 'api_key'; readonly header: string }
  | { readonly kind: 'cookie'; readonly name: string };

export const DEFAULT_IDENTITY_SOURCES: readonly IdentitySource[] = [
  { kind: 'bearer' },
  { kind: 'api_key', header: 'x-api-key' },
  { kind: 'cookie', name: 'JSESSIONID' },
  { kind: 'cookie', name: 'session' },
];

/** 32 lower-case hex digits, words in order, each written big-endian. */
export function hashHex(key: Hash128, start = 0): string {
  let text = '';
  for (let i = start; i < start + 4; i++) text += (key[i] ?? 0).toString(16).padStart(8, '0');
  return text;
}
