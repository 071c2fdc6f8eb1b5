// Lexical kernels over the head's bytes: entropy, classes of bytes, delimiters, keywords, depth of percent-encoding. Linear in the
// bytes whatever they are: decoding happens in one pass, a byte of three "%25" layers costs three steps. Allocates nothing.
// One object per thread; judges nothing. Called by the engine once per request.

import type { HeadView } from '../domain/head-view.ts';
import { isKeyword, wordBasis, wordStep } from './lexicon.ts';

const DEPTH_MAX = 3;
const PERCENT = 0x25;
const DOT = 0x2e;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;

const LETTER = 1;
const UPPER = 2;
const DIGIT = 3;
const SYMBOL = 4;
const HIGH = 5;
const CLASS = new Uint8Array(256).fill(HIGH);
for (let byte = 0x20; byte < 0x7f; byte++) CLASS[byte] = SYMBOL;
for (let byte = 0x30; byte <= 0x39; byte++) CLASS[byte] = DIGIT;
for (let byte = 0x41; byte <= 0x5a; byte++) CLASS[byte] = UPPER;
for (let byte = 0x61; byte <= 0x7a; byte++) CLASS[byte] = LETTER;
const IS_DELIMITER = new Uint8Array(256);
for (const char of '\'";<>()|`\x24{}\\') IS_DELIMITER[char.charCodeAt(0)] = 1;
const HEX = new Uint8Array(256).fill(255);
for (let i = 0; i < 16; i++) {
  HEX['0123456789abcdef'.charCodeAt(i)] = i;
  HEX['0123456789ABCDEF'.charCodeAt(i)] = i;
}

/** n * log2(n) of small counts; entropy needs nothing else. */
const N_LOG_N = Float64Array.from({ length: 1025 }, (_, n) => (n === 0 ? 0 : n * Math.log2(n)));

/** Headers that are part of every request and say nothing of its text, by length and first letters. */
const PLAIN_HEADERS = [
  'host connection content-length transfer-encoding date authorization x-api-key traceparent tracestate x-request-id',
  'te upgrade keep-alive if-none-match if-modified-since sec-websocket-key range',
]
  .join(' ')
  .split(' ')
  .map((name) => Uint8Array.from(name, (char) => char.charCodeAt(0)));
/** Plain headers by the length of their name. */
const PLAIN_BY_LENGTH = Array.from({ length: 32 }, (_, length) =>
  PLAIN_HEADERS.filter((name) => name.length === length),
);

/** Features of one text. */
const TEXT_FEATURES = 8;
/** Places that `write` fills. */
export const LEXICAL_FEATURES_COUNT = 2 * TEXT_FEATURES + 2;

export class Lexical {
  readonly #histogram = new Uint32Array(256);
  /** Distinct byte values of the text so far, so that clearing and summing cost no more than the text. */
  readonly #values = new Uint8Array(256);
  #valueCount = 0;
  #length = 0;
  #digits = 0;
  #upper = 0;
  #symbols = 0;
  #high = 0;
  #delimiters = 0;
  #keywords = 0;
  #depth = 0;
  #traversals = 0;
  #longest = 0;
  // The decoded byte that #next read, and how many bytes it stood for.
  #byte = 0;
  #taken = 0;

  /** Reads the head and writes the 18 features from out[place]; order of domain/features-lexical.ts. */
  write(head: HeadView, out: Float64Array, place: number): void {
    const { bytes } = head;
    this.#traversals = 0;
    this.#begin();
    this.#read(bytes, head.targetStart, head.targetEnd);
    this.#finish(out, place);
    const longest = this.#longest;
    this.#begin();
    for (let field = 0, start = head.targetEnd; field < head.fieldCount; field++) {
      const nameEnd = head.valueStart(field);
      if (!isPlain(bytes, start, nameEnd)) this.#read(bytes, nameEnd, head.valueEnd(field));
      start = head.valueEnd(field);
    }
    if (this.#length === 0) out.fill(Number.NaN, place + TEXT_FEATURES, place + 2 * TEXT_FEATURES);
    else this.#finish(out, place + TEXT_FEATURES);
    out[place + 2 * TEXT_FEATURES] = longest;
    out[place + 2 * TEXT_FEATURES + 1] = this.#traversals;
  }

  #begin(): void {
    for (let i = 0; i < this.#valueCount; i++) this.#histogram[this.#values[i]!] = 0;
    this.#valueCount = 0;
    this.#length = 0;
    this.#digits = 0;
    this.#upper = 0;
    this.#symbols = 0;
    this.#high = 0;
    this.#delimiters = 0;
    this.#keywords = 0;
    this.#depth = 0;
    this.#longest = 0;
  }

  /** Takes in one text; words do not join over its ends. */
  #read(bytes: Uint8Array, start: number, end: number): void {
    const histogram = this.#histogram;
    let word = wordBasis;
    let wordBytes = 0;
    let token = 0;
    let before = 0;
    let beforeThat = 0;
    for (let at = start; at < end; ) {
      let byte = bytes[at]!;
      if (byte === PERCENT) {
        this.#next(bytes, at, end);
        byte = this.#byte;
        at += this.#taken;
      } else at++;
      if (histogram[byte]!++ === 0) this.#values[this.#valueCount++] = byte;
      this.#length++;
      const kind = CLASS[byte]!;
      if (kind <= UPPER || byte === 0x5f) {
        word = wordStep(word, kind === UPPER ? byte | 0x20 : byte);
        wordBytes++;
      } else if (wordBytes > 0) {
        if (isKeyword(word)) this.#keywords++;
        word = wordBasis;
        wordBytes = 0;
      }
      if (kind <= DIGIT) {
        token++;
        if (token > this.#longest) this.#longest = token;
      } else token = 0;
      this.#classify(kind, byte);
      if ((byte === SLASH || byte === BACKSLASH) && before === DOT && beforeThat === DOT) this.#traversals++;
      beforeThat = before;
      before = byte;
    }
    if (wordBytes > 0 && isKeyword(word)) this.#keywords++;
  }

  #classify(kind: number, byte: number): void {
    if (kind === DIGIT) this.#digits++;
    else if (kind === UPPER) this.#upper++;
    else if (kind === SYMBOL) this.#symbols++;
    else if (kind === HIGH) this.#high++;
    this.#delimiters += IS_DELIMITER[byte]!;
  }

  /** Decodes at a "%": "%41", "%2541" and "%252541" are all "A", in 3, 5 and 7 bytes; a stray "%" is itself. */
  #next(bytes: Uint8Array, at: number, end: number): void {
    let byte = PERCENT;
    let taken = 1;
    for (let depth = 1; depth <= DEPTH_MAX; depth++) {
      if (at + taken + 1 >= end) break;
      const high = HEX[bytes[at + taken]!]!;
      const low = HEX[bytes[at + taken + 1]!]!;
      if (high > 15 || low > 15) break;
      byte = high * 16 + low;
      taken += 2;
      if (depth > this.#depth) this.#depth = depth;
      if (byte !== PERCENT) break;
    }
    this.#byte = byte;
    this.#taken = taken;
  }

  #finish(out: Float64Array, place: number): void {
    const length = this.#length;
    const per = length === 0 ? 0 : 1 / length;
    let sum = 0;
    for (let i = 0; i < this.#valueCount; i++) {
      const n = this.#histogram[this.#values[i]!]!;
      sum += n < N_LOG_N.length ? N_LOG_N[n]! : n * Math.log2(n);
    }
    const entropy = length === 0 ? 0 : Math.max(0, Math.log2(length) - sum / length);
    out[place] = Math.fround(entropy);
    out[place + 1] = Math.fround(this.#digits * per);
    out[place + 2] = Math.fround(this.#upper * per);
    out[place + 3] = Math.fround(this.#symbols * per);
    out[place + 4] = Math.fround(this.#high * per);
    out[place + 5] = this.#delimiters;
    out[place + 6] = this.#keywords;
    out[place + 7] = this.#depth;
  }
}

/** Is the field name (any case) one that is left out? */
function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length >= PLAIN_BY_LENGTH.length) return false;
  for (const name of PLAIN_BY_LENGTH[length]!) {
    let i = 0;
    while (i < length && (bytes[start + i]! | 0x20) === (name[i]! | 0x20)) i++;
    if (i === length) return true;
  }
  return false;
}
