// Who a request is counted under. A raw secret is hashed at once (keyed, 128 bits) and never stored, logged or sent.
// The client address is a second axis of its own: every request has an identity and an address.

/** In order of trust: the first kind that a request shows is its identity; `address` always exists. */
export const IDENTITY_KINDS = ['bearer', 'api_key', 'cookie', 'address'] as const;
export type IdentityKind = (typeof IDENTITY_KINDS)[number];

/** 128 bits as four little-endian 32-bit words; compare word by word. */
export type Hash128 = Uint32Array;

/** What the identity stage fills for each request; one object per data thread, reused. */
export interface RequestIdentity {
  /** Index into IDENTITY_KINDS. */
  kind: number;
  readonly key: Hash128;
  readonly addressKey: Hash128;
}

export function newRequestIdentity(): RequestIdentity {
  return { kind: IDENTITY_KINDS.length - 1, key: new Uint32Array(4), addressKey: new Uint32Array(4) };
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
