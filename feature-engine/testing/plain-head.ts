// The head's features once more, as plain as can be: byte by byte, one text after the other, no caches. The oracle of the head
// kernels, to the last bit; nothing else calls it.

import type { HeadView } from '../../domain/head-view.ts';
import { LEXICON_WORDS, PLAIN_HEADERS } from '../lexicon.ts';
import { looksLikeId } from '../route-template.ts';
import { hashBytes, mix32 } from '../sketch.ts';

export interface PlainTarget {
  readonly segments: number;
  readonly queryParams: number;
  readonly encodedBytes: number;
  readonly oddBytes: number;
  readonly rewritten: boolean;
}

const isHex = (text: string) => /^[0-9a-f]{2}$/i.test(text);

/** A part of the target as units: single bytes and whole escapes. */
function units(text: string): string[] {
  const found: string[] = [];
  for (let i = 0; i < text.length; i++) {
    const isEscape = text[i] === '%' && isHex(text.slice(i + 1, i + 3));
    found.push(isEscape ? text.slice(i, i + 3) : (text[i] as string));
    if (isEscape) i += 2;
  }
  return found;
}

/** Shape of a target, as the meanings in domain/features.ts say it. */
export function plainTarget(path: string, query: string): PlainTarget {
  const inPath = units(path);
  const all = [...inPath, ...units(query)];
  const segments = path.split('/').map(units);
  const isDots = (segment: string[]) =>
    (segment.length === 1 || segment.length === 2) && segment.every((unit) => /^(\.|%2e)$/i.test(unit));
  return {
    segments: segments.filter((segment) => segment.length > 0).length,
    queryParams: query.split('&').filter((param) => param !== '').length,
    encodedBytes: 3 * all.filter((unit) => unit.length === 3).length,
    oddBytes: all.filter((unit) => unit.length === 1 && !/[A-Za-z0-9\-._~/?=&%]/.test(unit)).length,
    rewritten:
      path.slice(1).includes('//') ||
      path.startsWith('//') ||
      inPath.some((unit) => /^(;|\\|%2f|%5c)$/i.test(unit)) ||
      segments.some(isDots),
  };
}

/** Hash and number of the last segment that looks like an id; keys and values of the first 8 parameters. */
export function plainObject(head: HeadView, seed: number) {
  const { bytes } = head;
  const path = head.text(head.targetStart, head.pathEnd);
  let end = path.length;
  let hash = 0;
  let number = Number.NaN;
  for (let at = path.length - 1; at >= 0 && hash === 0; at--) {
    if (path[at] !== '/') continue;
    const start = head.targetStart + at + 1;
    const id = path.slice(at + 1, end);
    if (looksLikeId(bytes, start, start + id.length)) {
      hash = hashBytes(bytes, start, start + id.length, seed) || 1;
      if (/^[0-9]{1,15}$/.test(id)) number = Number(id);
    }
    end = at;
  }
  const params: { key: number; value: number }[] = [];
  let start = head.pathEnd + 1;
  for (const param of head.text(start, head.targetEnd).split('&')) {
    const equals = param.indexOf('=') < 0 ? param.length : param.indexOf('=');
    const stop = start + param.length;
    if (param !== '' && params.length < 8)
      params.push({
        key: hashBytes(bytes, start, start + equals, seed) || 1,
        value: hashBytes(bytes, Math.min(start + equals + 1, stop), stop, seed),
      });
    start = stop + 1;
  }
  return { hash, number, params };
}

/** Family of a user agent. */
export function plainFamily(agent: string): number {
  let hash = 0x811c9dc5;
  for (const char of agent
    .slice(0, 256)
    .replace(/[0-9._]/g, '')
    .replace(/[A-Z]/g, (c) => c.toLowerCase()))
    hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return mix32(hash) || 1;
}

/** Percent-decoding of up to three layers, from the left; depth: the deepest layer that changed something. */
export function plainDecode(text: string): { text: string; depth: number } {
  let depth = 0;
  const decoded = text.replace(/%(?:(?:25){0,2}(?!25)[0-9a-f]{2}|(?:25){1,3})/gi, (whole) => {
    const codes = (whole.slice(1).match(/../g) as string[]).slice(0, 3);
    depth = Math.max(depth, codes.length);
    return String.fromCharCode(Number.parseInt(codes.at(-1) as string, 16));
  });
  return { text: decoded, depth };
}

export interface PlainText {
  /** The eight features, in the order of the list. */
  readonly features: readonly number[];
  readonly traversals: number;
  readonly longestToken: number;
}

/** Features of one text (latin-1). */
export function plainText(raw: string): PlainText {
  const { text, depth } = plainDecode(raw);
  const per = text.length === 0 ? 0 : 1 / text.length;
  const share = (pattern: RegExp) => Math.fround((text.match(pattern)?.length ?? 0) * per);
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  const nLogN = (n: number) => (n === 0 ? 0 : n * Math.log2(n));
  let sum = 0;
  for (const n of counts.values()) sum += nLogN(n);
  return {
    features: [
      Math.fround(Math.max(0, (nLogN(text.length) - sum) * per)),
      share(/[0-9]/g),
      share(/[A-Z]/g),
      share(/[\x20-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]/g),
      share(/[^\x20-\x7e]/g),
      text.match(/['";<>()|`\x24{}\\]/g)?.length ?? 0,
      (text.match(/[A-Za-z_]+/g) ?? []).filter((word) => LEXICON_WORDS.includes(word.toLowerCase())).length,
      depth,
    ],
    traversals: text.match(/\.\.(?=[/\\])/g)?.length ?? 0,
    longestToken: Math.max(0, ...(text.match(/[A-Za-z0-9]+/g) ?? []).map((token) => token.length)),
  };
}

/** The 18 lexical features of a head, in the order of domain/features-lexical.ts. */
export function plainLexical(head: HeadView): number[] {
  const target = plainText(head.text(head.targetStart, head.targetEnd));
  const texts: PlainText[] = [];
  for (let field = 0, start = head.targetEnd; field < head.fieldCount; field++) {
    const name = head.text(start, head.valueStart(field));
    const value = head.text(head.valueStart(field), head.valueEnd(field));
    if (value !== '' && !PLAIN_HEADERS.some((plain) => plain === lower(name))) texts.push(plainText(value));
    start = head.valueEnd(field);
  }
  const joined = Array.from({ length: 8 }, (_, i) => {
    const all = texts.map(({ features }) => features[i] as number);
    if (all.length === 0) return Number.NaN;
    return i === 5 || i === 6 ? all.reduce((a, b) => a + b, 0) : Math.max(...all);
  });
  const traversals = [target, ...texts].reduce((n, text) => n + text.traversals, 0);
  return [...target.features, ...joined, target.longestToken, traversals];
}

/** As names are compared: bit 5 set in every byte, which makes letters lower case and leaves "-" alone. */
function lower(name: string): string {
  return [...name].map((char) => String.fromCharCode(char.charCodeAt(0) | 0x20)).join('');
}
