// What each field name means to the head rules: framing, hop-by-hop, managed by Picket, or none of our business.
// A table and a bounded cache, so that one look-up per field decides. Judges no values. Called by head.ts and the
// response side of forward/.

/** Kinds of field. PLAIN ones pass untouched. */
export const FIELD = {
  PLAIN: 0,
  HOST: 1,
  CONTENT_LENGTH: 2,
  TRANSFER_ENCODING: 3,
  CONNECTION: 4,
  /** Hop-by-hop (RFC 9110 section 7.6.1): never passed on. */
  HOP: 5,
  UPGRADE: 6,
  EXPECT: 7,
  /** `Transfer_Encoding`, `Content_Length`: origins of the CGI family read them as the framing field. */
  FRAMING_ALIAS: 8,
  /** A client's own `x-picket-*`, or the `_` spelling of a managed field: removed. */
  UNWANTED: 9,
  AUTHORIZATION: 10,
  COOKIE: 11,
  USER_AGENT: 12,
  FORWARDED_FOR: 13,
  FORWARDED_PROTO: 14,
  FORWARDED_HOST: 15,
  REAL_IP: 16,
  REQUEST_ID: 17,
  FORWARDED: 18,
  MAX_FORWARDS: 19,
} as const;

const KINDS = new Map<string, number>([
  ['host', FIELD.HOST],
  ['content-length', FIELD.CONTENT_LENGTH],
  ['transfer-encoding', FIELD.TRANSFER_ENCODING],
  ['connection', FIELD.CONNECTION],
  ['keep-alive', FIELD.HOP],
  ['proxy-connection', FIELD.HOP],
  ['proxy-authenticate', FIELD.HOP],
  ['proxy-authorization', FIELD.HOP],
  ['te', FIELD.HOP],
  ['trailer', FIELD.HOP],
  ['http2-settings', FIELD.HOP],
  ['upgrade', FIELD.UPGRADE],
  ['expect', FIELD.EXPECT],
  ['authorization', FIELD.AUTHORIZATION],
  ['cookie', FIELD.COOKIE],
  ['user-agent', FIELD.USER_AGENT],
  ['x-forwarded-for', FIELD.FORWARDED_FOR],
  ['x-forwarded-proto', FIELD.FORWARDED_PROTO],
  ['x-forwarded-host', FIELD.FORWARDED_HOST],
  ['x-real-ip', FIELD.REAL_IP],
  ['x-request-id', FIELD.REQUEST_ID],
  ['forwarded', FIELD.FORWARDED],
  ['max-forwards', FIELD.MAX_FORWARDS],
]);

/** Fields that Picket sets or reads for trust: their `_` spelling would reach an origin as the same variable. */
const MANAGED = new Set<number>([
  FIELD.FORWARDED_FOR,
  FIELD.FORWARDED_PROTO,
  FIELD.FORWARDED_HOST,
  FIELD.REAL_IP,
  FIELD.REQUEST_ID,
]);

const CACHE_NAMES_MAX = 1024;
const CACHE_NAME_MAX_LENGTH = 48;
const cache = new Map<string, number>();

interface Guess {
  readonly lower: string;
  /** `Content-Length`: how most senders write it. */
  readonly title: string;
  readonly kind: number;
}

/** Known fields by length and first letter: comparing with one or two names is quicker than hashing a fresh one. */
const GUESSES: (Guess[] | undefined)[] = new Array(32 * 32).fill(undefined);
const INITIAL_X = 'x'.charCodeAt(0) & 31;
for (const [lower, kind] of KINDS) {
  const title = lower.replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
  const slot = lower.length * 32 + (lower.charCodeAt(0) & 31);
  GUESSES[slot] = [...(GUESSES[slot] ?? []), { lower, title, kind }];
}

/** Kind of a field by its name as received, in any case. */
export function fieldKind(name: string): number {
  const initial = name.charCodeAt(0) & 31;
  const guesses = name.length < 32 ? GUESSES[name.length * 32 + initial] : undefined;
  if (guesses !== undefined) {
    for (const guess of guesses) if (name === guess.lower || name === guess.title) return guess.kind;
  } else if (initial !== INITIAL_X && !name.includes('_')) {
    return FIELD.PLAIN;
  }
  return lookUp(name);
}

function lookUp(name: string): number {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const kind = workOut(name.toLowerCase());
  if (cache.size < CACHE_NAMES_MAX && name.length <= CACHE_NAME_MAX_LENGTH) cache.set(name, kind);
  return kind;
}

function workOut(lower: string): number {
  const kind = KINDS.get(lower);
  if (kind !== undefined) return kind;
  if (lower.startsWith('x-picket-')) return FIELD.UNWANTED;
  if (!lower.includes('_')) return FIELD.PLAIN;
  const dashed = lower.replaceAll('_', '-');
  const alias = KINDS.get(dashed) ?? FIELD.PLAIN;
  if (alias === FIELD.TRANSFER_ENCODING || alias === FIELD.CONTENT_LENGTH) return FIELD.FRAMING_ALIAS;
  return MANAGED.has(alias) || dashed.startsWith('x-picket-') ? FIELD.UNWANTED : FIELD.PLAIN;
}

/** Is a response field, by its name as received, for this connection only (RFC 9110 section 7.6.1)? */
export function isHopByHop(name: string): boolean {
  const kind = fieldKind(name);
  return (
    kind === FIELD.HOP ||
    kind === FIELD.CONNECTION ||
    kind === FIELD.TRANSFER_ENCODING ||
    kind === FIELD.UPGRADE
  );
}

/**
 * Lower-case names that `Connection` values list, read leniently (RFC 9110 section 7.6.1), or null if they list none
 * beyond `close`, `keep-alive` and `upgrade`. `host` and `content-length` are never among them.
 */
export function connectionNames(value: string): Set<string> | null {
  if (value === 'keep-alive' || value === 'close' || value === 'Keep-Alive' || value === 'Upgrade')
    return null;
  let names: Set<string> | null = null;
  for (const part of value.toLowerCase().split(/[\s,;]+/)) {
    if (part === '' || part === 'close' || part === 'keep-alive' || part === 'upgrade') continue;
    if (part === 'host' || part === 'content-length') continue;
    names ??= new Set();
    names.add(part);
  }
  return names;
}

const CLEAN_LIST = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*,[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*$/;

/** Is a `Connection` value a clean list of tokens that names neither `host` nor `content-length`? */
export function isCleanConnection(value: string): boolean {
  if (value === 'keep-alive' || value === 'close') return true;
  return CLEAN_LIST.test(value) && !/(?:^|[\s,])(?:host|content-length)(?:$|[\s,])/i.test(value);
}
